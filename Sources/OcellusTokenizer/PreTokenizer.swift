// SPDX-License-Identifier: Apache-2.0

/// Cuts a text into the pieces that byte-pair encoding never joins.
///
/// The pieces are those of GPT-2's regular expression, written out by hand:
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// Letters and numbers are the general categories L and N, `\s` is the property White_Space, of the
/// Unicode version of the standard library.
struct PreTokenizer {
    private enum CharacterClass {
        case letter, number, space, other
    }

    private let text: ArraySlice<UInt8>
    private var position: Int

    /// Cuts a text of valid UTF-8.
    init(_ text: ArraySlice<UInt8>) {
        self.text = text
        position = text.startIndex
    }

    /// The next piece, or nil at the end.
    mutating func next() -> ArraySlice<UInt8>? {
        guard position < text.endIndex else { return nil }
        let start = position
        position = contractionEnd(from: start) ?? wordEnd(from: start) ?? spaceEnd(from: start)
        return text[start..<position]
    }

    /// The end of an English contraction: `'s|'t|'re|'ve|'m|'ll|'d`.
    private func contractionEnd(from start: Int) -> Int? {
        guard text[start] == UInt8(ascii: "'"), start + 1 < text.endIndex else { return nil }
        let first = text[start + 1]
        switch first {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
            return start + 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"), UInt8(ascii: "l"):
            let second = first == UInt8(ascii: "l") ? UInt8(ascii: "l") : UInt8(ascii: "e")
            guard start + 2 < text.endIndex, text[start + 2] == second else { return nil }
            return start + 3
        default:
            return nil
        }
    }

    /// The end of a word, with one space before it: ` ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+`.
    private func wordEnd(from start: Int) -> Int? {
        let wordStart = text[start] == UInt8(ascii: " ") ? start + 1 : start
        guard wordStart < text.endIndex else { return nil }
        let (wordClass, firstEnd) = character(at: wordStart)
        guard wordClass != .space else { return nil }
        return runEnd(of: wordClass, from: firstEnd)
    }

    /// The end of white space at `start`: `\s+(?!\S)|\s+`.
    ///
    /// A run before a word leaves its last character to it, unless it has no other.
    private func spaceEnd(from start: Int) -> Int {
        let (_, firstEnd) = character(at: start)
        let end = runEnd(of: .space, from: firstEnd)
        guard end < text.endIndex, end > firstEnd else { return end }
        var last = end - 1
        while text[last] & 0xC0 == 0x80 { last -= 1 }
        return last
    }

    /// The end of the characters of a class from a position on.
    private func runEnd(of runClass: CharacterClass, from start: Int) -> Int {
        var end = start
        while end < text.endIndex {
            let (nextClass, nextEnd) = character(at: end)
            guard nextClass == runClass else { break }
            end = nextEnd
        }
        return end
    }

    /// The class of the character at a position, and where it ends.
    private func character(at start: Int) -> (CharacterClass, end: Int) {
        let first = UInt32(text[start])
        switch first {
        case 0x00...0x7F:
            return (Self.asciiClass(UInt8(first)), start + 1)
        case 0x80...0xDF:
            return (Self.unicodeClass((first & 0x1F) << 6 | tail(start + 1)), start + 2)
        case 0xE0...0xEF:
            let value = (first & 0x0F) << 12 | tail(start + 1) << 6 | tail(start + 2)
            return (Self.unicodeClass(value), start + 3)
        default:
            let high = (first & 0x07) << 18 | tail(start + 1) << 12
            let value = high | tail(start + 2) << 6 | tail(start + 3)
            return (Self.unicodeClass(value), start + 4)
        }
    }

    /// The six bits of a byte that continues a character.
    private func tail(_ position: Int) -> UInt32 {
        UInt32(text[position] & 0x3F)
    }

    private static func asciiClass(_ byte: UInt8) -> CharacterClass {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): .letter
        case UInt8(ascii: "0")...UInt8(ascii: "9"): .number
        case 0x09...0x0D, 0x20: .space
        default: .other
        }
    }

    private static func unicodeClass(_ value: UInt32) -> CharacterClass {
        guard let scalar = Unicode.Scalar(value) else { return .other }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            return .letter
        case .decimalNumber, .letterNumber, .otherNumber:
            return .number
        default:
            return scalar.properties.isWhitespace ? .space : .other
        }
    }
}
