// SPDX-License-Identifier: Apache-2.0
internal import CKernels
public import OcellusMemory

/// Adds element by element.
///
/// `out += x`
@_noAllocation @_noLocks
public func add(_ x: Tensor, into out: Tensor, on pool: borrowing ThreadPool) {
    precondition(x.rows == out.rows && x.columns == out.columns)
    // Safety: equal shapes.
    unsafe ck_add(pool.handle, ck_add_args(x: x.operand, out: out.operand))
}

/// Adds one row to each row.
///
/// `out[t, :] += row`
///
/// Shapes:
/// - row: as many elements as `out` has columns.
@_noAllocation @_noLocks
public func addRow(_ row: Tensor, into out: Tensor, on pool: borrowing ThreadPool) {
    precondition(row.count == out.columns)
    let x = row.reshaped(rows: 1, columns: row.count)
    // Safety: one row of equal width.
    unsafe ck_add(pool.handle, ck_add_args(x: x.operand, out: out.operand))
}

/// Adds a vector to each row.
///
/// `out[t, :] += row`
@_noAllocation @_noLocks
public func addRow(_ row: WeightVector, into out: Tensor, on pool: borrowing ThreadPool) {
    addRow(row.tensor, into: out, on: pool)
}

/// Multiplies element by element.
///
/// `out *= x`
@_noAllocation @_noLocks
public func multiply(_ x: Tensor, into out: Tensor, on pool: borrowing ThreadPool) {
    precondition(x.rows == out.rows && x.columns == out.columns)
    // Safety: equal shapes.
    unsafe ck_multiply(pool.handle, ck_add_args(x: x.operand, out: out.operand))
}

/// Scales each column.
///
/// `out[t, :] *= factors`
///
/// Shapes:
/// - factors: as many elements as `out` has columns.
@_noAllocation @_noLocks
public func scaleColumns(_ factors: Tensor, into out: Tensor, on pool: borrowing ThreadPool) {
    precondition(factors.count == out.columns)
    let x = factors.reshaped(rows: 1, columns: factors.count)
    // Safety: one row of equal width.
    unsafe ck_multiply(pool.handle, ck_add_args(x: x.operand, out: out.operand))
}

/// Scales each column.
///
/// `out[t, :] *= factors`
@_noAllocation @_noLocks
public func scaleColumns(
    _ factors: WeightVector,
    into out: Tensor,
    on pool: borrowing ThreadPool
) {
    scaleColumns(factors.tensor, into: out, on: pool)
}

/// Copies each column several times, side by side.
///
/// `out[t, c] = x[t, c / times]`
///
/// Shapes:
/// - x: (rows, columns); out (rows, times * columns).
@_noAllocation @_noLocks
public func repeatColumns(_ x: Tensor, into out: Tensor) {
    precondition(x.rows == out.rows && x.columns > 0 && out.columns % x.columns == 0)
    let times = out.columns / x.columns
    for row in 0..<x.rows {
        for column in 0..<out.columns { out[row, column] = x[row, column / times] }
    }
}

/// Subtracts element by element: `out = a - b`; `out` may be `a` or `b`.
@_noAllocation @_noLocks
public func subtract(_ a: Tensor, _ b: Tensor, into out: Tensor) {
    precondition(a.count == out.count && b.count == out.count)
    unsafe ck_subtract(a.operand, b.operand, out.operand)  // Safety: equal counts.
}

/// Sums how far two tensors are apart, column by column.
///
/// `out[0, i] = sum over r of |a[r, i] - b[r, i]|`
@_noAllocation @_noLocks
public func columnDifferences(_ a: Tensor, _ b: Tensor, into out: Tensor) {
    precondition(a.rows == b.rows && a.columns == b.columns && out.count == a.columns)
    unsafe ck_column_differences(a.operand, b.operand, out.operand)  // Safety: the shapes agree.
}

/// Normalised exponentials of each row in place.
///
/// `x = exp(x) / sum(exp(x))`
@_noAllocation @_noLocks
public func softmax(_ x: Tensor) {
    unsafe ck_softmax(x.operand)  // Safety: the kernel stays inside x.
}

/// The index of the greatest element; the first of equals, 0 if all are NaN.
@_noAllocation @_noLocks
public func argmax(_ x: Tensor) -> Int {
    unsafe ck_argmax(x.operand)  // Safety: the kernel stays inside x.
}

extension WeightVector {
    /// The elements as one row that kernels only read.
    fileprivate var tensor: Tensor {
        unsafe Tensor(rows: 1, columns: count, base: UnsafeMutablePointer(mutating: base))
    }
}

/// The definition of `softmax`, with f64 sums.
func softmaxReference(_ x: Tensor) {
    for row in 0..<x.rows {
        var greatest = -Float.infinity
        for column in 0..<x.columns { greatest = max(greatest, x[row, column]) }
        var sum = 0.0
        for column in 0..<x.columns { sum += exponential(Double(x[row, column] - greatest)) }
        for column in 0..<x.columns {
            x[row, column] = Float(exponential(Double(x[row, column] - greatest)) / sum)
        }
    }
}
