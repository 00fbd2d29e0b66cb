// SPDX-License-Identifier: Apache-2.0
internal import CKernels
public import OcellusMemory

/// Writes one row of weights as f32: the embedding of a token.
///
/// Shapes:
/// - out: `w.columns` elements, in any shape.
@_noAllocation @_noLocks
public func dequantizeRow(_ w: WeightMatrix, row: Int, into out: Tensor) {
    precondition(row >= 0 && row < w.rows && out.count == w.columns)
    // Safety: the row lies inside w, and out takes one row.
    unsafe ck_dequantize(w.operand, row, out.reshaped(rows: 1, columns: w.columns).operand)
}

/// Writes all weights as f32.
///
/// Shapes:
/// - out: `w.rows * w.columns` elements, in any shape.
@_noAllocation @_noLocks
public func dequantize(_ w: WeightMatrix, into out: Tensor) {
    precondition(out.count == w.rows * w.columns)
    // Safety: equal counts.
    unsafe ck_dequantize(w.operand, 0, out.reshaped(rows: w.rows, columns: w.columns).operand)
}
