// SPDX-License-Identifier: Apache-2.0
internal import CKernels
public import OcellusMemory

/// Means of `activation(x)` over windows that cover a picture evenly, as those of PyTorch's
/// `AdaptiveAvgPool2d` do.
///
/// Window `i` of `n` takes the rows `[floor(i * height / n), ceil((i + 1) * height / n))`, columns
/// alike. Where windows overlap, the function is applied in each of them.
///
/// Shapes:
/// - x: (inputHeight * inputWidth, channels).
/// - out: (outputHeight * outputWidth, channels).
@_noAllocation @_noLocks
public func adaptiveAveragePool2D(
    _ x: Tensor,
    inputHeight: Int,
    inputWidth: Int,
    outputHeight: Int,
    outputWidth: Int,
    activation: Activation = .none,
    into out: Tensor,
    on pool: borrowing ThreadPool
) {
    precondition(inputHeight > 0 && inputWidth > 0 && outputHeight > 0 && outputWidth > 0)
    precondition(x.rows == inputHeight * inputWidth && out.columns == x.columns)
    precondition(out.rows == outputHeight * outputWidth)
    // Safety: the shapes agree.
    unsafe ck_average_pool(
        pool.handle,
        ck_pool2d_args(
            x: x.operand,
            height: inputHeight,
            width: inputWidth,
            out_height: outputHeight,
            out_width: outputWidth,
            activation: activation.code,
            out: out.operand
        )
    )
}

/// The mean of all rows.
///
/// Shapes:
/// - x: (rows, width), with at least one row.
/// - out: (1, width).
@_noAllocation @_noLocks
public func meanRows(_ x: Tensor, into out: Tensor) {
    precondition(x.rows > 0 && out.rows == 1 && out.columns == x.columns)
    // Safety: one window over all rows.
    unsafe ck_average_pool(
        nil,
        ck_pool2d_args(
            x: x.operand,
            height: x.rows,
            width: 1,
            out_height: 1,
            out_width: 1,
            activation: Activation.none.code,
            out: out.operand
        )
    )
}

/// The mean of each row: of each plane of a planar picture.
///
/// Shapes:
/// - x: (rows, width), with at least one column.
/// - out: (rows, 1).
@_noAllocation @_noLocks
public func meanColumns(_ x: Tensor, into out: Tensor) {
    precondition(x.columns > 0 && out.rows == x.rows && out.columns == 1)
    // Safety: the shapes agree.
    unsafe ck_row_means(x.operand, out.operand)
}

/// The definition of `adaptiveAveragePool2D`.
func adaptiveAveragePool2DReference(
    _ x: Tensor,
    inputHeight: Int,
    inputWidth: Int,
    outputHeight: Int,
    outputWidth: Int,
    activation: Activation = .none,
    into out: Tensor
) {
    func window(_ index: Int, of count: Int, over length: Int) -> Range<Int> {
        index * length / count..<((index + 1) * length + count - 1) / count
    }
    for row in 0..<out.rows {
        let ys = window(row / outputWidth, of: outputHeight, over: inputHeight)
        let xs = window(row % outputWidth, of: outputWidth, over: inputWidth)
        for channel in 0..<out.columns {
            var sum = 0.0
            for y in ys {
                for column in xs {
                    sum += Double(activation.reference(x[y * inputWidth + column, channel]))
                }
            }
            out[row, channel] = Float(sum / Double(ys.count * xs.count))
        }
    }
}
