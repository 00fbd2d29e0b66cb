// SPDX-License-Identifier: Apache-2.0
internal import CKernels

/// The shape of a convolution with a square kernel over a padded picture.
public struct ConvolutionGeometry: Sendable {
    /// The height of the picture in pixels.
    public let inputHeight: Int
    /// The width of the picture in pixels.
    public let inputWidth: Int
    /// The height and width of the kernel.
    public let kernel: Int
    /// The step between two windows, in both directions.
    public let stride: Int
    /// Zeros above the picture.
    public let padTop: Int
    /// Zeros to the left of the picture.
    public let padLeft: Int
    /// Zeros below the picture.
    public let padBottom: Int
    /// Zeros to the right of the picture.
    public let padRight: Int

    /// A geometry with any padding; the kernel must fit into the padded picture.
    public init(
        inputHeight: Int,
        inputWidth: Int,
        kernel: Int,
        stride: Int,
        padTop: Int,
        padLeft: Int,
        padBottom: Int,
        padRight: Int
    ) {
        precondition(inputHeight > 0 && inputWidth > 0 && kernel > 0 && stride > 0)
        precondition(padTop >= 0 && padLeft >= 0 && padBottom >= 0 && padRight >= 0)
        precondition(inputHeight + padTop + padBottom >= kernel)
        precondition(inputWidth + padLeft + padRight >= kernel)
        self.inputHeight = inputHeight
        self.inputWidth = inputWidth
        self.kernel = kernel
        self.stride = stride
        self.padTop = padTop
        self.padLeft = padLeft
        self.padBottom = padBottom
        self.padRight = padRight
    }

    /// The count of windows from top to bottom.
    public var outputHeight: Int { (inputHeight + padTop + padBottom - kernel) / stride + 1 }
    /// The count of windows from left to right.
    public var outputWidth: Int { (inputWidth + padLeft + padRight - kernel) / stride + 1 }

    /// The padding that TensorFlow calls "SAME": `ceil(input / stride)` outputs, and of an odd sum
    /// of zeros the greater half below and to the right.
    public static func tensorFlowSame(
        height: Int,
        width: Int,
        kernel: Int,
        stride: Int
    ) -> ConvolutionGeometry {
        func padding(_ input: Int) -> Int {
            let output = (input + stride - 1) / stride
            return max((output - 1) * stride + kernel - input, 0)
        }
        let (vertical, horizontal) = (padding(height), padding(width))
        return ConvolutionGeometry(
            inputHeight: height,
            inputWidth: width,
            kernel: kernel,
            stride: stride,
            padTop: vertical / 2,
            padLeft: horizontal / 2,
            padBottom: vertical - vertical / 2,
            padRight: horizontal - horizontal / 2
        )
    }

    /// The same padding on all sides, as PyTorch's `Conv2d` takes it.
    public static func pytorch(
        height: Int,
        width: Int,
        kernel: Int,
        stride: Int,
        padding: Int
    ) -> ConvolutionGeometry {
        ConvolutionGeometry(
            inputHeight: height,
            inputWidth: width,
            kernel: kernel,
            stride: stride,
            padTop: padding,
            padLeft: padding,
            padBottom: padding,
            padRight: padding
        )
    }

    var operand: ck_geometry {
        ck_geometry(
            height: inputHeight,
            width: inputWidth,
            kernel: kernel,
            stride: stride,
            top: padTop,
            left: padLeft,
            out_height: outputHeight,
            out_width: outputWidth
        )
    }
}
