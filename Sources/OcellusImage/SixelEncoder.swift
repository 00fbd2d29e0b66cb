// SPDX-License-Identifier: Apache-2.0

/// Pictures as sixel graphics: bands of six rows, each band once per colour.
///
/// The palette is a cube of six levels per channel, ordered dithering hides its steps.
///
/// - Source: DEC, VT330/VT340 Programmer Reference Manual, volume 2, chapter 14.
struct SixelEncoder {
    private static let levelCount = 6
    private static let colourCount = levelCount * levelCount * levelCount
    private static let bandHeight = 6

    /// The colour of each pixel of a band, row by row.
    private var band: [UInt8] = []

    /// Appends a picture at the cursor.
    mutating func encode(_ picture: ReducedPicture, into text: inout [UInt8]) {
        let size = picture.size
        // Pixels that no band sets keep what is there; square pixels.
        text.append("\u{1B}P0;1q\"1;1;")
        text.append(number: size.width)
        text.append(UInt8(ascii: ";"))
        text.append(number: size.height)
        appendPalette(into: &text)
        if band.count != size.width * SixelEncoder.bandHeight {
            band = [UInt8](repeating: 0, count: size.width * SixelEncoder.bandHeight)
        }
        var y = 0
        while y < size.height {
            let rowCount = min(SixelEncoder.bandHeight, size.height - y)
            let used = fill(picture, from: y, rowCount: rowCount)
            for colour in 0..<SixelEncoder.colourCount
            where used[colour >> 6] >> (colour & 63) & 1 == 1 {
                text.append(UInt8(ascii: "#"))
                text.append(number: colour)
                appendBand(UInt8(colour), width: size.width, rowCount: rowCount, into: &text)
                text.append(UInt8(ascii: "$"))  // back to the left
            }
            text.append(UInt8(ascii: "-"))  // to the next band
            y += SixelEncoder.bandHeight
        }
        text.append("\u{1B}\\")
    }

    private func appendPalette(into text: inout [UInt8]) {
        let levels = SixelEncoder.levelCount
        for colour in 0..<SixelEncoder.colourCount {
            text.append(UInt8(ascii: "#"))
            text.append(number: colour)
            text.append(";2")  // red, green, blue in percent
            let rgb = SIMD3(colour / (levels * levels), colour / levels % levels, colour % levels)
            for channel in 0..<3 {
                text.append(UInt8(ascii: ";"))
                text.append(number: rgb[channel] * 100 / (levels - 1))
            }
        }
    }

    /// Chooses the colours of a band.
    ///
    /// - Returns: a bit for each colour that occurs.
    private mutating func fill(
        _ picture: ReducedPicture,
        from y: Int,
        rowCount: Int
    ) -> SIMD4<UInt64> {
        let width = picture.size.width
        var used = SIMD4<UInt64>()
        for row in 0..<rowCount {
            for x in 0..<width {
                let threshold = SixelEncoder.threshold(x, y + row)
                var colour = 0
                for channel in 0..<3 {
                    let sample = Int(picture.pixels[3 * ((y + row) * width + x) + channel])
                    // sample / 255 * 5 levels, rounded at the threshold, of 64.
                    let level = (sample * (SixelEncoder.levelCount - 1) * 64 / 255 + threshold) / 64
                    colour = colour * SixelEncoder.levelCount + level
                }
                band[row * width + x] = UInt8(colour)
                used[colour >> 6] |= 1 << UInt64(colour & 63)
            }
        }
        return used
    }

    /// The place of a pixel in the order of an 8 x 8 Bayer matrix, 0 to 63.
    private static func threshold(_ x: Int, _ y: Int) -> Int {
        var value = 0
        for bit in 0..<3 {
            let (xBit, yBit) = (x >> bit & 1, y >> bit & 1)
            value |= ((xBit ^ yBit) << 1 | yBit) << (4 - 2 * bit)
        }
        return value
    }

    /// Appends the pixels of one colour, equal neighbours counted.
    private func appendBand(
        _ colour: UInt8,
        width: Int,
        rowCount: Int,
        into text: inout [UInt8]
    ) {
        var run = (bits: UInt8(0), count: 0)
        for x in 0..<width {
            var bits: UInt8 = 0
            for row in 0..<rowCount where band[row * width + x] == colour { bits |= 1 << row }
            if bits == run.bits {
                run.count += 1
            } else {
                append(run, into: &text)
                run = (bits, 1)
            }
        }
        // Nothing follows a last run without pixels.
        if run.bits != 0 { append(run, into: &text) }
    }

    private func append(_ run: (bits: UInt8, count: Int), into text: inout [UInt8]) {
        let sixel = UInt8(ascii: "?") + run.bits
        if run.count > 3 {
            text.append(UInt8(ascii: "!"))
            text.append(number: run.count)
            text.append(sixel)
        } else {
            for _ in 0..<run.count { text.append(sixel) }
        }
    }
}
