// SPDX-License-Identifier: Apache-2.0

/// The size of a picture in pixels.
public struct ImageSize: Equatable, Sendable {
    /// The count of columns.
    public let width: Int
    /// The count of rows.
    public let height: Int

    /// The largest picture that is accepted unless the user asks for another limit.
    ///
    /// A camera's or a video's frame is smaller; a larger photograph is decoded at a fraction of
    /// its size.
    public static let standardLimit = ImageSize(width: 4096, height: 4096)

    /// The largest limit that the user can ask for.
    public static let largestLimit = ImageSize(width: 16384, height: 16384)

    /// A size of so many columns and rows.
    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// The count of pixels; exact for sizes that a decoder accepted.
    public var pixelCount: Int { width * height }

    /// The bytes of the largest frame of this size: three for each pixel.
    public var frameByteCount: Int { 3 * pixelCount }

    /// The size after a quarter turn.
    public var transposed: ImageSize { ImageSize(width: height, height: width) }

    /// Whether a picture of this size fits into another.
    public func fits(in limit: ImageSize) -> Bool {
        width <= limit.width && height <= limit.height
    }

    /// The smallest size that both pictures fit into.
    public func union(_ other: ImageSize) -> ImageSize {
        ImageSize(width: max(width, other.width), height: max(height, other.height))
    }

    /// As the user writes it: `640x480`.
    public var description: String { "\(width)x\(height)" }
}
