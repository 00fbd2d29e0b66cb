// SPDX-License-Identifier: Apache-2.0

/// The conversion of video samples to red, green and blue.
///
///     red   = lumaGain * (y - black)                   + redV * (v - 128)
///     green = lumaGain * (y - black) - greenU * (u - 128) - greenV * (v - 128)
///     blue  = lumaGain * (y - black) + blueU * (u - 128)
///
/// - Numerics: integers with 16 fractional bits, rounded to nearest, then limited to 0...255.
/// - Source: ITU-R BT.601-7, sections 2.5.1 to 2.5.4. Y4M does not name a matrix; this is the one
///   that ffmpeg assumes then.
struct YUVConversion {
    private let black: Int32
    private let lumaGain: Int32
    private let redV: Int32
    private let greenU: Int32
    private let greenV: Int32
    private let blueU: Int32

    /// The constants for a range of samples.
    init(_ range: ColorRange) {
        switch range {
        case .full:
            black = 0
            lumaGain = 65536
            redV = 91881  // 1.402 * 65536
            greenU = 22554  // 0.344136 * 65536
            greenV = 46802  // 0.714136 * 65536
            blueU = 116130  // 1.772 * 65536
        case .limited:
            black = 16
            lumaGain = 76309  // 255/219 * 65536
            redV = 104597  // 1.402 * 255/224 * 65536
            greenU = 25675  // 0.344136 * 255/224 * 65536
            greenV = 53279  // 0.714136 * 255/224 * 65536
            blueU = 132201  // 1.772 * 255/224 * 65536
        }
    }

    /// One pixel.
    @inline(__always)
    func rgb(y: UInt8, u: UInt8, v: UInt8) -> (red: UInt8, green: UInt8, blue: UInt8) {
        // No product exceeds 2^26: 32 bits are enough.
        let luma = lumaGain &* (Int32(y) &- black) &+ 32768
        let u = Int32(u) &- 128
        let v = Int32(v) &- 128
        return (
            clamped(luma &+ redV &* v), clamped(luma &- greenU &* u &- greenV &* v),
            clamped(luma &+ blueU &* u)
        )
    }

    @inline(__always)
    private func clamped(_ fixedPoint: Int32) -> UInt8 {
        UInt8(truncatingIfNeeded: max(0, min(255, fixedPoint >> 16)))
    }
}
