// SPDX-License-Identifier: Apache-2.0
internal import CKernels
public import OcellusMemory

/// Cuts a planar picture into rows of patches (im2col), zeros outside.
///
/// Shapes:
/// - image: (channels, inputHeight * inputWidth), in any shape.
/// - patches: (outputHeight * outputWidth, channels * kernel²), or as many rows as the spans have
///   cells; columns in the order (channel, ky, kx), as the rows of a PyTorch weight (outputs, channels,
///   kernel, kernel).
@_noAllocation @_noLocks
public func patchesFromPlanar(
    _ image: Tensor,
    channels: Int,
    geometry: ConvolutionGeometry,
    spans: CellSpans? = nil,
    into patches: Tensor,
    on pool: borrowing ThreadPool
) {
    let pixels = geometry.inputHeight * geometry.inputWidth
    precondition(image.count == channels * pixels)
    precondition(patches.rows == geometry.cellCount(spans))
    precondition(patches.columns == channels * geometry.kernel * geometry.kernel)
    let planes = image.reshaped(rows: channels, columns: pixels)
    // Safety: the shapes agree.
    unsafe ck_patches_planar(
        pool.handle,
        ck_patches_args(
            x: planes.operand,
            geometry: geometry.operand,
            spans: spans?.base,
            out: patches.operand
        )
    )
}

/// Cuts interleaved pixels into rows of patches (im2col), zeros outside.
///
/// Shapes:
/// - x: (inputHeight * inputWidth, channels).
/// - patches: as in `patchesFromPlanar`.
@_noAllocation @_noLocks
public func patchesFromInterleaved(
    _ x: Tensor,
    geometry: ConvolutionGeometry,
    spans: CellSpans? = nil,
    into patches: Tensor,
    on pool: borrowing ThreadPool
) {
    precondition(x.rows == geometry.inputHeight * geometry.inputWidth)
    precondition(patches.rows == geometry.cellCount(spans))
    precondition(patches.columns == x.columns * geometry.kernel * geometry.kernel)
    // Safety: the shapes agree.
    unsafe ck_patches_interleaved(
        pool.handle,
        ck_patches_args(
            x: x.operand,
            geometry: geometry.operand,
            spans: spans?.base,
            out: patches.operand
        )
    )
}

/// Depthwise convolution: each channel with its own kernel, then a bias and an activation.
///
/// `out[p, c] = activation(sum over taps of weight[tap, c] * x[p shifted by the tap, c] + bias[c])`
///
/// Shapes:
/// - x: (inputHeight * inputWidth, channels).
/// - weight: (kernel², channels), as `prepareDepthwise` gives it.
/// - bias: (channels), or nil.
/// - out: (outputHeight * outputWidth, channels), or as many rows as the spans have cells; must not
///   overlap `x`.
@_noAllocation @_noLocks
public func depthwiseConv2D(
    _ x: Tensor,
    weight: Tensor,
    bias: WeightVector?,
    geometry: ConvolutionGeometry,
    spans: CellSpans? = nil,
    activation: Activation,
    into out: Tensor,
    on pool: borrowing ThreadPool
) {
    precondition(x.rows == geometry.inputHeight * geometry.inputWidth)
    precondition(weight.rows == geometry.kernel * geometry.kernel)
    precondition(weight.columns == x.columns && out.columns == x.columns)
    precondition(out.rows == geometry.cellCount(spans))
    precondition(bias.map { $0.count == x.columns } ?? true)
    // Safety: the shapes agree.
    unsafe ck_depthwise(
        pool.handle,
        ck_depthwise_args(
            x: x.operand,
            weight: weight.operand,
            bias: bias?.base,
            geometry: geometry.operand,
            spans: spans?.base,
            activation: activation.code,
            out: out.operand
        )
    )
}

extension ConvolutionGeometry {
    /// How many outputs are computed.
    fileprivate func cellCount(_ spans: CellSpans?) -> Int {
        guard let spans else { return outputHeight * outputWidth }
        precondition(spans.height == outputHeight && spans.width == outputWidth)
        return spans.count
    }
}

/// Transposes depthwise weights (channels, kernel²) to (kernel², channels), once at setup.
///
/// - Precondition: `w` is not quantised.
public func prepareDepthwise(_ w: WeightMatrix, into out: Tensor) {
    precondition(w.type.blockElementCount == 1)
    precondition(out.rows == w.columns && out.columns == w.rows)
    for channel in 0..<w.rows {
        for tap in 0..<w.columns { out[tap, channel] = w.element(row: channel, column: tap) }
    }
}

extension WeightMatrix {
    /// One element of weights that are not quantised.
    fileprivate func element(row: Int, column: Int) -> Float {
        var value: Float = 0
        let one = unsafe WeightMatrix(
            type: type,
            rows: 1,
            columns: 1,
            base: base + row * rowByteCount + column * type.blockByteCount
        )
        // Safety: both views are valid during the call, and one element is written.
        unsafe withUnsafeMutablePointer(to: &value) { pointer in
            unsafe dequantize(one, into: Tensor(rows: 1, columns: 1, base: pointer))
        }
        return value
    }
}

/// The definition of `patchesFromPlanar`; with one more accessor, of `patchesFromInterleaved`.
func patchesReference(
    channels: Int,
    geometry: ConvolutionGeometry,
    into patches: Tensor,
    pixel: (_ channel: Int, _ y: Int, _ x: Int) -> Float
) {
    let kernel = geometry.kernel
    for row in 0..<patches.rows {
        let top = row / geometry.outputWidth * geometry.stride - geometry.padTop
        let left = row % geometry.outputWidth * geometry.stride - geometry.padLeft
        for column in 0..<patches.columns {
            let y = top + column / kernel % kernel
            let x = left + column % kernel
            let isInside =
                (0..<geometry.inputHeight).contains(y) && (0..<geometry.inputWidth).contains(x)
            patches[row, column] = isInside ? pixel(column / (kernel * kernel), y, x) : 0
        }
    }
}

/// The definition of `depthwiseConv2D`, tap by tap.
func depthwiseConv2DReference(
    _ x: Tensor,
    weight: Tensor,
    bias: WeightVector?,
    geometry: ConvolutionGeometry,
    activation: Activation,
    into out: Tensor
) {
    for row in 0..<out.rows {
        let top = row / geometry.outputWidth * geometry.stride - geometry.padTop
        let left = row % geometry.outputWidth * geometry.stride - geometry.padLeft
        for channel in 0..<out.columns {
            var sum = Double(bias?[channel] ?? 0)
            for tap in 0..<weight.rows {
                let y = top + tap / geometry.kernel
                let column = left + tap % geometry.kernel
                if (0..<geometry.inputHeight).contains(y),
                    (0..<geometry.inputWidth).contains(column)
                {
                    sum +=
                        Double(weight[tap, channel])
                        * Double(x[y * geometry.inputWidth + column, channel])
                }
            }
            out[row, channel] = activation.reference(Float(sum))
        }
    }
}
