// SPDX-License-Identifier: Apache-2.0
import OcellusMemory

/// The two passes of a resize over a window of rows.
///
/// Row y of the canvas, once resized, lies at position y modulo the window's height, so the rows that
/// an output sums are there together, and a new row takes the place of one that no output needs.
@safe
struct RowWindow {
    /// The first pass, along a row.
    let columns: ResizeAxis
    /// The second pass, across rows.
    let rows: ResizeAxis
    /// The resized rows, (rows.tapLimit, 3 * columns.outputCount).
    private let samples: UnsafeMutablePointer<UInt8>
    private let rowByteCount: Int

    /// A window in memory of the arena.
    init(columns: ResizeAxis, rows: ResizeAxis, in bytes: Bytes) {
        self.columns = columns
        self.rows = rows
        rowByteCount = 3 * columns.outputCount
        precondition(bytes.count >= rows.tapLimit * rowByteCount)
        unsafe samples = bytes.base.assumingMemoryBound(to: UInt8.self)
    }

    /// The first pass: resizes one row of the canvas along the columns.
    ///
    /// - Parameters:
    ///   - source: red, green, blue bytes of as many columns as `columns` was prepared for.
    ///   - row: the number of the row.
    @unsafe
    func resize(_ source: UnsafePointer<UInt8>, row: Int) {
        let out = unsafe samples + row % rows.tapLimit * rowByteCount
        for column in 0..<columns.outputCount {
            let taps = columns.window(column)
            var red = RowWindow.half
            var green = RowWindow.half
            var blue = RowWindow.half
            // Safety: taps are columns of the source, column one of the output.
            var pixel = unsafe source + 3 * taps.lowerBound
            let weights = unsafe columns.weights + column * columns.tapLimit
            for tap in 0..<taps.count {
                let weight = unsafe weights[tap]
                unsafe red &+= weight &* Int32(pixel[0])
                unsafe green &+= weight &* Int32(pixel[1])
                unsafe blue &+= weight &* Int32(pixel[2])
                unsafe pixel += 3
            }
            unsafe out[3 * column] = RowWindow.byte(red)
            unsafe out[3 * column + 1] = RowWindow.byte(green)
            unsafe out[3 * column + 2] = RowWindow.byte(blue)
        }
    }

    /// The second pass: sums resized rows to one row of the output, and normalises it.
    ///
    /// - Precondition: the rows of `rows.window(outputRow)` have been resized.
    func combine(_ outputRow: Int, into pixels: Tensor, settings: PreprocessorSettings) {
        let taps = rows.window(outputRow)
        let weights = unsafe rows.weights + outputRow * rows.tapLimit
        // Safety: sums stay in the row; the tensor is (3, rows * columns), checked by the caller.
        let out = unsafe pixels.base + outputRow * columns.outputCount
        for column in 0..<columns.outputCount {
            var sum = SIMD3<Int32>(repeating: RowWindow.half)
            for tap in 0..<taps.count {
                let row = (taps.lowerBound + tap) % rows.tapLimit
                let pixel = unsafe samples + (row * rowByteCount + 3 * column)
                let rgb = unsafe SIMD3(Int32(pixel[0]), Int32(pixel[1]), Int32(pixel[2]))
                sum &+= unsafe rgb &* weights[tap]
            }
            for channel in 0..<3 {
                let value = Float(RowWindow.byte(sum[channel])) / 255
                unsafe out[channel * pixels.columns + column] =
                    (value - settings.mean[channel]) / settings.standardDeviation[channel]
            }
        }
    }

    /// One half, to round to nearest.
    private static let half: Int32 = 1 << (ResizeAxis.fractionBits - 1)

    /// The fixed-point number as a sample.
    @inline(__always)
    private static func byte(_ sum: Int32) -> UInt8 {
        UInt8(truncatingIfNeeded: max(0, min(255, sum >> ResizeAxis.fractionBits)))
    }
}
