// SPDX-License-Identifier: Apache-2.0

/// Turns bytes that arrive one by one into valid UTF-8.
///
/// Complete sequences pass; each maximal part of an ill-formed sequence becomes one U+FFFD, as the
/// Unicode Standard recommends (chapter 3, "U+FFFD Substitution of Maximal Subparts") and as
/// Python's `bytes.decode(errors="replace")` does. The bytes of a sequence that is not complete yet
/// are held back.
struct UTF8Repair {
    private var held: (UInt8, UInt8, UInt8) = (0, 0, 0)
    private var heldCount = 0
    private var missingCount = 0
    private var nextAllowed: ClosedRange<UInt8> = 0x80...0xBF

    /// Adds a byte, and appends what has become complete to the output: at most 4 bytes.
    mutating func append(_ byte: UInt8, to output: inout [UInt8]) {
        if missingCount > 0 {
            if nextAllowed.contains(byte) {
                accept(byte, to: &output)
                return
            }
            finish(to: &output)
        }
        begin(byte, to: &output)
    }

    /// Ends the bytes: an incomplete sequence becomes one U+FFFD.
    mutating func finish(to output: inout [UInt8]) {
        if heldCount > 0 { Self.appendReplacement(to: &output) }
        heldCount = 0
        missingCount = 0
    }

    /// Takes the first byte of a sequence (table 3-7 of the Unicode Standard).
    private mutating func begin(_ byte: UInt8, to output: inout [UInt8]) {
        switch byte {
        case 0x00...0x7F:
            output.append(byte)
            return
        case 0xC2...0xDF: (missingCount, nextAllowed) = (1, 0x80...0xBF)
        case 0xE0: (missingCount, nextAllowed) = (2, 0xA0...0xBF)
        case 0xED: (missingCount, nextAllowed) = (2, 0x80...0x9F)
        case 0xE1...0xEF: (missingCount, nextAllowed) = (2, 0x80...0xBF)
        case 0xF0: (missingCount, nextAllowed) = (3, 0x90...0xBF)
        case 0xF1...0xF3: (missingCount, nextAllowed) = (3, 0x80...0xBF)
        case 0xF4: (missingCount, nextAllowed) = (3, 0x80...0x8F)
        default:
            Self.appendReplacement(to: &output)
            return
        }
        held.0 = byte
        heldCount = 1
    }

    /// Takes a byte that continues the sequence.
    private mutating func accept(_ byte: UInt8, to output: inout [UInt8]) {
        missingCount -= 1
        nextAllowed = 0x80...0xBF
        if missingCount > 0 {
            if heldCount == 1 { held.1 = byte } else { held.2 = byte }
            heldCount += 1
            return
        }
        output.append(held.0)
        if heldCount > 1 { output.append(held.1) }
        if heldCount > 2 { output.append(held.2) }
        output.append(byte)
        heldCount = 0
    }

    private static func appendReplacement(to output: inout [UInt8]) {
        output.append(0xEF)
        output.append(0xBF)
        output.append(0xBD)
    }
}
