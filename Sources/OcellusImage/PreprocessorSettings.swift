// SPDX-License-Identifier: Apache-2.0

/// How a frame becomes the input of a vision encoder; given by the model file.
public struct PreprocessorSettings: Sendable {
    /// What happens to a picture whose shape is not that of the output.
    public enum Strategy: Sendable {
        /// The picture is stretched to the output.
        case stretch
        /// The picture is scaled until it just covers the output; what sticks out is cut off on
        /// both sides (CLIP).
        case crop
        /// The picture is extended to a square in the mean colour, then as `crop` (LLaVA,
        /// MobileVLM).
        case pad
    }

    /// The count of columns that the encoder takes.
    public let outputWidth: Int
    /// The count of rows that the encoder takes.
    public let outputHeight: Int
    /// By how many pixels the resized picture is larger than the output in each direction; they are cut
    /// off, half on each side.
    public let margin: Int
    /// The mean of red, green and blue, of samples from 0 to 1.
    public let mean: SIMD3<Float>
    /// The standard deviation of red, green and blue.
    public let standardDeviation: SIMD3<Float>
    /// What happens to a picture of another shape.
    public let strategy: Strategy
    /// The kernel of the resize.
    public let filter: ResizeFilter

    /// Settings as a model file has them.
    ///
    /// - Precondition: the output has at least one pixel, the margin is not negative; the reader of the
    ///   model file checked it.
    public init(
        outputWidth: Int,
        outputHeight: Int,
        margin: Int = 0,
        mean: SIMD3<Float>,
        standardDeviation: SIMD3<Float>,
        strategy: Strategy = .crop,
        filter: ResizeFilter = .bicubic
    ) {
        precondition(outputWidth > 0 && outputHeight > 0 && margin >= 0)
        self.outputWidth = outputWidth
        self.outputHeight = outputHeight
        self.margin = margin
        self.mean = mean
        self.standardDeviation = standardDeviation
        self.strategy = strategy
        self.filter = filter
    }
}
