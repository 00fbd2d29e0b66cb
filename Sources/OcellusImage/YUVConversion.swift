// SPDX-License-Identifier: Apache-2.0

/// The conversion of video samples to red, green and blue.
///
///     red   = lumaGain * (y - black)                       + redV * (v - 128)
///     green = lumaGain * (y - black) - greenU * (u - 128) - greenV * (v - 128)
///     blue  = lumaGain * (y - black) + blueU * (u - 128)
///
/// - Numerics: gains with 13 fractional bits, chroma with 6 (where it was interpolated); the sum is
///   rounded to nearest, then limited to 0...255.
/// - Source: ITU-R BT.601-7, BT.709-6 and BT.2020-2: the inverse of luma = the matrix's mixture,
///   u and v = differences to it, both scaled to their ranges.
struct YUVConversion {
    /// The fractional bits of chroma.
    static let chromaFractionBits: Int32 = 6
    private static let gainFractionBits: Int32 = 13

    private let black: Int32
    private let lumaGain: Int32
    private let redV: Int32
    private let greenU: Int32
    private let greenV: Int32
    private let blueU: Int32

    /// The constants for a matrix and a range of samples.
    init(_ matrix: ColorMatrix, _ range: ColorRange) {
        let lumaScale = range == .full ? 1 : 255.0 / 219
        let chromaScale = range == .full ? 1 : 255.0 / 224
        let green = 1 - matrix.red - matrix.blue
        let v = 2 * (1 - matrix.red) * chromaScale
        let u = 2 * (1 - matrix.blue) * chromaScale
        black = range == .full ? 0 : 16
        lumaGain = YUVConversion.fixedPoint(lumaScale)
        redV = YUVConversion.fixedPoint(v)
        greenU = YUVConversion.fixedPoint(u * matrix.blue / green)
        greenV = YUVConversion.fixedPoint(v * matrix.red / green)
        blueU = YUVConversion.fixedPoint(u)
    }

    /// Writes one pixel.
    ///
    /// - Parameters:
    ///   - y: the luma.
    ///   - chroma: u and v, with `chromaFractionBits`.
    ///   - out: three bytes.
    @inline(__always)
    @unsafe
    func convert(y: UInt8, chroma: SIMD2<Int32>, into out: UnsafeMutablePointer<UInt8>) {
        // No product exceeds 2^29, even where an interpolation overshoots.
        let luma = scaledLuma(y)
        let u = chroma[0] &- (128 << YUVConversion.chromaFractionBits)
        let v = chroma[1] &- (128 << YUVConversion.chromaFractionBits)
        unsafe out[0] = byte(luma &+ redV &* v)
        unsafe out[1] = byte(luma &- greenU &* u &- greenV &* v)
        unsafe out[2] = byte(luma &+ blueU &* u)
    }

    /// The gray of a pixel without chroma.
    @inline(__always)
    func gray(_ y: UInt8) -> UInt8 { byte(scaledLuma(y)) }

    /// The luma's share of all three, and one half, to round to nearest.
    @inline(__always)
    private func scaledLuma(_ y: UInt8) -> Int32 {
        let bits = YUVConversion.chromaFractionBits
        let half: Int32 = 1 << (YUVConversion.gainFractionBits + bits - 1)
        return lumaGain &* ((Int32(y) &- black) &<< bits) &+ half
    }

    @inline(__always)
    private func byte(_ sum: Int32) -> UInt8 {
        let bits = YUVConversion.gainFractionBits + YUVConversion.chromaFractionBits
        return UInt8(truncatingIfNeeded: max(0, min(255, sum >> bits)))
    }

    private static func fixedPoint(_ gain: Double) -> Int32 {
        Int32(gain * Double(1 << gainFractionBits) + 0.5)
    }
}
