// SPDX-License-Identifier: Apache-2.0
internal import CKernels
public import OcellusMemory

/// Matrix product with weights in any type, as a linear layer computes it.
///
/// `out[t, n] = sum_k w[n, k] * x[t, k] (+ bias[n])`
///
/// With quantised weights, `x` is first quantised to int8 in blocks of 32 (symmetric, scale
/// `max |x| / 127`), and products are summed in integers within a block.
///
/// Shapes:
/// - w: (outputs, inputs).
/// - x: (tokens, inputs).
/// - bias: (outputs), or nil.
/// - out: (tokens, outputs); must not overlap `x`.
/// - scratch: at least `matMulScratchByteCount(tokens:columns:)` bytes.
@_noAllocation @_noLocks
public func matMul(
    _ w: WeightMatrix,
    _ x: Tensor,
    bias: WeightVector? = nil,
    into out: Tensor,
    scratch: Bytes,
    on pool: borrowing ThreadPool
) {
    multiply(w, x, bias: bias, accumulates: false, into: out, scratch: scratch, on: pool)
}

/// As `matMul`, but added to `out`.
///
/// `out[t, n] += sum_k w[n, k] * x[t, k] (+ bias[n])`
@_noAllocation @_noLocks
public func addMatMul(
    _ w: WeightMatrix,
    _ x: Tensor,
    bias: WeightVector? = nil,
    into out: Tensor,
    scratch: Bytes,
    on pool: borrowing ThreadPool
) {
    multiply(w, x, bias: bias, accumulates: true, into: out, scratch: scratch, on: pool)
}

/// The scratch that a product of at most so many tokens and inputs needs, in bytes, for weights of
/// any type.
public func matMulScratchByteCount(tokens: Int, columns: Int) -> Int {
    Int(clamping: ck_matmul_scratch_size(tokens, columns))
}

@_noAllocation @_noLocks
private func multiply(
    _ w: WeightMatrix,
    _ x: Tensor,
    bias: WeightVector?,
    accumulates: Bool,
    into out: Tensor,
    scratch: Bytes,
    on pool: borrowing ThreadPool
) {
    precondition(w.columns == x.columns && w.rows == out.columns && x.rows == out.rows)
    precondition(bias.map { $0.count == w.rows } ?? true)
    precondition(scratch.count >= matMulScratchByteCount(tokens: x.rows, columns: x.columns))
    // Safety: the shapes agree, and the views are valid during the call.
    unsafe ck_matmul(
        pool.handle,
        ck_matmul_args(
            w: w.operand,
            x: x.operand,
            bias: bias?.base,
            accumulates: accumulates ? 1 : 0,
            out: out.operand,
            scratch: scratch.base
        )
    )
}

/// The defining sum of `matMul`, with weights as f32 and f64 sums.
///
/// Shapes:
/// - w: (outputs, inputs), as `dequantize` gives it.
func matMulReference(_ w: Tensor, _ x: Tensor, bias: WeightVector?, into out: Tensor) {
    for token in 0..<x.rows {
        for row in 0..<w.rows {
            var sum = Double(bias?[row] ?? 0)
            for column in 0..<w.columns {
                sum += Double(w[row, column]) * Double(x[token, column])
            }
            out[token, row] = Float(sum)
        }
    }
}
