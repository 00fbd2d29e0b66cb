// SPDX-License-Identifier: Apache-2.0

/// What terminals understand, appended to text in UTF-8: ECMA-48, with xterm's colours.
extension [UInt8] {
    /// Which part of a cell has a colour.
    enum Layer {
        case letters
        case ground
    }

    /// Appends a text.
    public mutating func append(_ text: StaticString) {
        for index in 0..<text.utf8CodeUnitCount {
            // Safety: the index is in the text.
            unsafe append(text.utf8Start[index])
        }
    }

    /// Appends a number that is not negative, in decimal digits.
    public mutating func append(number: Int) {
        var divisor = 1
        while number / divisor > 9 { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }

    /// Appends a cursor movement; rows and columns count from 1.
    public mutating func moveCursor(row: Int, column: Int) {
        append("\u{1B}[")
        append(number: row)
        append(UInt8(ascii: ";"))
        append(number: column)
        append(UInt8(ascii: "H"))
    }

    /// Appends a change of colour.
    mutating func setColour(
        _ layer: Layer,
        _ colour: SIMD3<UInt8>,
        _ style: TerminalPicture.Style
    ) {
        append(layer == .letters ? "\u{1B}[38;" : "\u{1B}[48;")
        if case .blocks256 = style {
            append("5;")
            append(number: TerminalPalette.nearest(colour))
        } else {
            append("2")
            for channel in 0..<3 {
                append(UInt8(ascii: ";"))
                append(number: Int(colour[channel]))
            }
        }
        append(UInt8(ascii: "m"))
    }
}
