// SPDX-License-Identifier: Apache-2.0
public import OcellusImage

/// A pixel format that a camera has, with its sizes and rates.
public struct CameraFormat: Sendable {
    /// The format.
    public var fourCC: FourCC
    /// The driver's words for it.
    public var description: String
    /// Whether libv4l2 makes it out of another one.
    public var isEmulated: Bool
    /// Whether Ocellus reads it.
    public var isReadable: Bool
    /// The sizes, in the driver's order; none if the driver does not say.
    public var sizes: [CameraSize]
}

/// A size of pictures, or all between two sizes, with the rates at which they come.
public struct CameraSize: Sendable {
    /// The smallest size.
    public var minimum: ImageSize
    /// The largest size; the smallest if there is only one.
    public var maximum: ImageSize
    /// How far the sizes between are apart.
    public var step: ImageSize
    /// The rates, at the largest size; none if the driver does not say.
    public var rates: [CameraRate]

    /// Whether there is only one.
    public var isDiscrete: Bool { minimum == maximum }

    /// The size that is nearest to a wish, and if possible not below it.
    func nearest(to wish: ImageSize) -> ImageSize {
        ImageSize(
            width: CameraSize.nearest(wish.width, minimum.width, maximum.width, step.width),
            height: CameraSize.nearest(wish.height, minimum.height, maximum.height, step.height)
        )
    }

    private static func nearest(_ wish: Int, _ least: Int, _ most: Int, _ step: Int) -> Int {
        if wish <= least { return least }
        if wish >= most { return most }
        return min(least + (wish - least + step - 1) / step * step, most)
    }
}

/// A rate of pictures as seconds per picture, or all between two of them.
public struct CameraRate: Sendable {
    /// The seconds between two pictures, as a fraction, at the highest rate.
    public var shortest: (numerator: UInt32, denominator: UInt32)
    /// The same at the lowest rate.
    public var longest: (numerator: UInt32, denominator: UInt32)

    /// Pictures per second at most.
    public var highest: Double { CameraRate.perSecond(shortest) }
    /// Pictures per second at least.
    public var lowest: Double { CameraRate.perSecond(longest) }

    static func perSecond(_ interval: (numerator: UInt32, denominator: UInt32)) -> Double {
        Double(interval.denominator) / Double(interval.numerator)
    }
}
