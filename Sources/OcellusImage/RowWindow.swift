// SPDX-License-Identifier: Apache-2.0
import OcellusMemory

/// The two passes of a resize over a window of rows.
///
/// The window keeps what the pass across rows sums: rows that were resized, or, where that pass is the
/// first, rows of the canvas. Row y lies at position y modulo the window's height, so the
/// rows that an output sums are there together, and a new row takes the place of one that no output needs.
@safe
struct RowWindow {
    /// The pass along a row.
    let columns: ResizeAxis
    /// The pass across rows.
    let rows: ResizeAxis
    /// Which of them is the first.
    let order: PassOrder
    /// The pixels of a row of the window.
    private let width: Int
    /// Its bytes, whole vectors.
    private let stride: Int
    /// The rows, (rows.tapLimit, stride).
    private let samples: UnsafeMutablePointer<UInt8>
    /// A sum of rows.
    private let sum: UnsafeMutablePointer<UInt8>
    /// A row of the output, where it is not the sum itself.
    private let output: UnsafeMutablePointer<UInt8>

    /// The bytes of a window whose rows have up to `width` pixels.
    static func byteCount(width: Int, outputWidth: Int, tapLimit: Int) -> Int {
        stride(width) * (tapLimit + 1) + stride(outputWidth)
    }

    /// A window in memory of the arena.
    init(columns: ResizeAxis, rows: ResizeAxis, geometry: ResizeGeometry, in bytes: Bytes) {
        width = geometry.passOrder == .alongRows ? columns.outputCount : geometry.canvas.width
        let neededBytes = RowWindow.byteCount(
            width: width,
            outputWidth: columns.outputCount,
            tapLimit: rows.tapLimit
        )
        precondition(bytes.count >= neededBytes)
        self.columns = columns
        self.rows = rows
        order = geometry.passOrder
        stride = RowWindow.stride(width)
        // Safety: the three parts lie one after the other in bytes that were checked to suffice.
        unsafe samples = bytes.base.assumingMemoryBound(to: UInt8.self)
        unsafe sum = samples + rows.tapLimit * stride
        unsafe output = sum + stride
    }

    /// Takes a row of the canvas into the window.
    ///
    /// - Parameters:
    ///   - source: red, green, blue bytes of as many columns as `columns` was prepared for.
    ///   - row: the number of the row.
    @unsafe
    func take(_ source: UnsafePointer<UInt8>, row: Int) {
        let place = unsafe samples + row % rows.tapLimit * stride
        switch order {
        case .alongRows: unsafe resize(source, into: place)
        case .acrossRows:
            unsafe UnsafeMutableRawPointer(place).copyMemory(from: source, byteCount: 3 * width)
        }
    }

    /// Makes one row of the output, and normalises it.
    ///
    /// - Precondition: the rows of `rows.window(outputRow)` have been taken.
    func finish(_ outputRow: Int, into pixels: Tensor, settings: PreprocessorSettings) {
        sumRows(outputRow)
        var row = unsafe UnsafePointer(sum)
        if order == .acrossRows {
            unsafe resize(row, into: output)
            unsafe row = UnsafePointer(output)
        }
        // Safety: the tensor is (3, rows * columns), checked by the caller.
        let out = unsafe pixels.base + outputRow * columns.outputCount
        for column in 0..<columns.outputCount {
            for channel in 0..<3 {
                let value = unsafe Float(row[3 * column + channel]) / 255
                unsafe out[channel * pixels.columns + column] =
                    (value - settings.mean[channel]) / settings.standardDeviation[channel]
            }
        }
    }

    /// The pass along a row.
    @unsafe
    private func resize(_ source: UnsafePointer<UInt8>, into out: UnsafeMutablePointer<UInt8>) {
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

    /// The pass across rows: the sum of those of an output.
    private func sumRows(_ outputRow: Int) {
        let taps = rows.window(outputRow)
        let weights = unsafe rows.weights + outputRow * rows.tapLimit
        let first = taps.lowerBound % rows.tapLimit
        for index in 0..<stride / Samples.scalarCount {
            var total = SIMD16<Int32>(repeating: RowWindow.half)
            var row = first
            for tap in 0..<taps.count {
                // Safety: the row is in the window, the vector in the row; both begin at whole vectors.
                let place = unsafe UnsafeRawPointer(samples + row * stride)
                let vector = unsafe place.load(
                    fromByteOffset: index * Samples.scalarCount,
                    as: Samples.self
                )
                unsafe total &+= SIMD16<Int32>(truncatingIfNeeded: vector) &* weights[tap]
                row = row + 1 == rows.tapLimit ? 0 : row + 1
            }
            let limited = (total &>> ResizeAxis.fractionBits)
                .clamped(lowerBound: .zero, upperBound: SIMD16(repeating: 255))
            unsafe UnsafeMutableRawPointer(sum).storeBytes(
                of: Samples(truncatingIfNeeded: limited),
                toByteOffset: index * Samples.scalarCount,
                as: Samples.self
            )
        }
    }

    /// A vector of samples.
    private typealias Samples = SIMD16<UInt8>

    /// The bytes of a row of so many pixels.
    private static func stride(_ width: Int) -> Int {
        (3 * width + Samples.scalarCount - 1) / Samples.scalarCount * Samples.scalarCount
    }

    /// One half, to round to nearest.
    private static let half: Int32 = 1 << (ResizeAxis.fractionBits - 1)

    /// The fixed-point number as a sample.
    @inline(__always)
    private static func byte(_ sum: Int32) -> UInt8 {
        UInt8(truncatingIfNeeded: max(0, min(255, sum >> ResizeAxis.fractionBits)))
    }
}
