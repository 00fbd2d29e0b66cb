// SPDX-License-Identifier: Apache-2.0

/// A small copy of a frame for people to look at: each pixel is the mean of those that it covers.
///
/// Its memory is used again for the next frame.
struct ReducedPicture {
    /// The size of the copy.
    private(set) var size = ImageSize(width: 0, height: 0)
    /// Red, green, blue bytes, row by row.
    private(set) var pixels: [UInt8] = []
    private var row: [UInt8] = []
    private var sums: [Int32] = []

    /// Copies a frame.
    ///
    /// A copy that is larger than the frame repeats pixels.
    mutating func reduce(_ frame: Frame, to newSize: ImageSize) {
        resize(to: newSize, frameWidth: frame.size.width)
        for y in 0..<size.height {
            let first = y * frame.size.height / size.height
            let end = max(first + 1, (y + 1) * frame.size.height / size.height)
            for index in sums.indices { sums[index] = 0 }
            for sourceRow in first..<end { add(frame, row: sourceRow) }
            for x in 0..<size.width {
                let columns = self.columns(x, of: frame)
                let count = Int32(columns.count * (end - first))
                for channel in 0..<3 {
                    let mean = (sums[3 * x + channel] + count / 2) / count
                    pixels[3 * (y * size.width + x) + channel] = UInt8(truncatingIfNeeded: mean)
                }
            }
        }
    }

    private mutating func add(_ frame: Frame, row y: Int) {
        unsafe row.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            // Safety: the row has room for all columns of the frame.
            unsafe frame.copyRow(y, from: 0, count: frame.size.width, into: base)
        }
        for x in 0..<size.width {
            for column in columns(x, of: frame) {
                for channel in 0..<3 {
                    sums[3 * x + channel] += Int32(row[3 * column + channel])
                }
            }
        }
    }

    private func columns(_ x: Int, of frame: Frame) -> Range<Int> {
        let first = x * frame.size.width / size.width
        return first..<max(first + 1, (x + 1) * frame.size.width / size.width)
    }

    private mutating func resize(to newSize: ImageSize, frameWidth: Int) {
        if row.count != 3 * frameWidth { row = [UInt8](repeating: 0, count: 3 * frameWidth) }
        guard newSize != size else { return }
        size = newSize
        pixels = [UInt8](repeating: 0, count: newSize.frameByteCount)
        sums = [Int32](repeating: 0, count: 3 * newSize.width)
    }
}
