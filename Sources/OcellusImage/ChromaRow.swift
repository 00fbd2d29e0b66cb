// SPDX-License-Identifier: Apache-2.0

/// The chroma of one row of a frame whose chroma has half the width, or half of both, interpolated at
/// each pixel.
///
///     sums[c] = sum over four rows t of weights[t] * chroma[t, c]     (half the height only)
///     out[x]  = sum over four columns t of weights[t] * sums[t]
///
/// A chroma sample lies in the middle of the pixels that share it, as the Linux kernel's description
/// of the formats draws it; beyond the edges, the outermost samples repeat.
///
/// - Numerics: weights with 12 fractional bits; 8 are kept between the passes.
/// - Source: cubic convolution with a = -0.6 (Keys 1981) at distances 1/4 and 3/4, which is what
///   ffmpeg's swscale does by default when it is told to be accurate.
@safe
struct ChromaRow {
    private static let fractionBits: Int32 = 12
    private static let sumFractionBits: Int32 = 8

    private let planeU: Plane
    private let planeV: Plane
    private let isHalfHeight: Bool
    /// The rows that are summed, in bytes from the first; the first one only unless `isHalfHeight`.
    private let rowOffsetsU: SIMD4<Int>
    private let rowOffsetsV: SIMD4<Int>
    private let rowWeights: SIMD4<Int32>
    private let lastColumn: Int

    /// The next pair of pixels.
    private var pair: Int
    /// The sums of the columns `pair` - 2 to `pair` + 1, as (u, v, u, v).
    private var window: (SIMD4<Int32>, SIMD4<Int32>, SIMD4<Int32>, SIMD4<Int32>)

    /// Starts at a pair of pixels that share their chroma.
    ///
    /// - Precondition: the row and the pair are in the frame, which has chroma at half the width.
    init(of frame: Frame, row y: Int, fromPair first: Int) {
        let size = frame.format.chromaSize(of: frame.size)
        planeU = frame.chromaU
        planeV = frame.chromaV
        lastColumn = size.width - 1
        isHalfHeight = frame.format.chromaShiftY == 1
        if isHalfHeight {
            let isUpper = y & 1 == 0
            let rows = ChromaRow.limited(
                SIMD4(repeating: y >> 1) &+ (isUpper ? SIMD4(-2, -1, 0, 1) : SIMD4(-1, 0, 1, 2)),
                to: size.height - 1
            )
            rowOffsetsU = rows &* planeU.rowStride
            rowOffsetsV = rows &* planeV.rowStride
            rowWeights =
                isUpper ? SIMD4(-115, 986, 3571, -346) : SIMD4(-346, 3571, 986, -115)
        } else {
            rowOffsetsU = SIMD4(repeating: y * planeU.rowStride)
            rowOffsetsV = SIMD4(repeating: y * planeV.rowStride)
            rowWeights = .zero
        }
        pair = first
        window = (.zero, .zero, .zero, .zero)
        window = (sum(first - 2), sum(first - 1), sum(first), sum(first + 1))
    }

    /// The chroma of the next two pixels, (u, v) of the left and of the right one, with
    /// `YUVConversion.chromaFractionBits`.
    @inline(__always)
    mutating func next() -> SIMD4<Int32> {
        let newest = sum(pair + 2)
        var values = window.0 &* SIMD4(-115, -115, 0, 0)
        values &+= window.1 &* SIMD4(986, 986, -346, -346)
        values &+= window.2 &* 3571
        values &+= window.3 &* SIMD4(-346, -346, 986, 986)
        values &+= newest &* SIMD4(0, 0, -115, -115)
        window = (window.1, window.2, window.3, newest)
        pair += 1
        let shift =
            ChromaRow.fractionBits + ChromaRow.sumFractionBits - YUVConversion.chromaFractionBits
        return (values &+ (1 << (shift - 1))) &>> shift
    }

    /// The first pass: the sum over rows of one column, with `sumFractionBits`.
    @inline(__always)
    private func sum(_ column: Int) -> SIMD4<Int32> {
        let column = max(0, min(lastColumn, column))
        // Safety: the column and the rows are limited to those of the planes.
        let u = unsafe planeU.base + column * planeU.columnStride
        let v = unsafe planeV.base + column * planeV.columnStride
        guard isHalfHeight else {
            let u = unsafe Int32(u[rowOffsetsU[0]])
            let v = unsafe Int32(v[rowOffsetsV[0]])
            return SIMD4(u, v, u, v) &<< ChromaRow.sumFractionBits
        }
        var sum = SIMD2<Int32>()
        for row in 0..<4 {
            let sample = unsafe SIMD2(Int32(u[rowOffsetsU[row]]), Int32(v[rowOffsetsV[row]]))
            sum &+= sample &* rowWeights[row]
        }
        let shift = ChromaRow.fractionBits - ChromaRow.sumFractionBits
        let rounded = (sum &+ (1 << (shift - 1))) &>> shift
        return SIMD4(lowHalf: rounded, highHalf: rounded)
    }

    private static func limited(_ rows: SIMD4<Int>, to last: Int) -> SIMD4<Int> {
        rows.clamped(lowerBound: .zero, upperBound: SIMD4(repeating: last))
    }
}
