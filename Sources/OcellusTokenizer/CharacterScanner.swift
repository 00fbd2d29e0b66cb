// SPDX-License-Identifier: Apache-2.0

/// The classes of characters that the expressions of pre-tokenisers tell apart.
///
/// Letters, numbers, marks and punctuation are the general categories L, N, M and P, `\s` is the
/// property White_Space, of the Unicode version of the standard library.
enum CharacterClass {
    /// Lu and Lt.
    case capital
    /// Ll.
    case small
    /// Lm and Lo: neither small nor capital.
    case otherLetter
    case number
    case mark
    case space
    /// P, and what else of ASCII is printed and neither letter nor number.
    case punctuation
    case other

    /// Whether this is L.
    var isLetter: Bool {
        switch self {
        case .capital, .small, .otherLetter: true
        case .number, .mark, .space, .punctuation, .other: false
        }
    }
}

/// Reads the characters of a text of valid UTF-8, by position.
struct CharacterScanner {
    let text: ArraySlice<UInt8>

    /// The class of the character at a position, and where it ends.
    func character(at start: Int) -> (CharacterClass, end: Int) {
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

    /// The end of the characters from a position on that a condition holds for.
    func runEnd(from start: Int, _ condition: (CharacterClass) -> Bool) -> Int {
        var end = start
        while end < text.endIndex {
            let (nextClass, nextEnd) = character(at: end)
            guard condition(nextClass) else { break }
            end = nextEnd
        }
        return end
    }

    /// The end of white space at `start`: `\s+(?!\S)|\s+`.
    ///
    /// A run before a word leaves its last character to it, unless it has no other.
    func spaceEnd(from start: Int) -> Int {
        let (_, firstEnd) = character(at: start)
        let end = runEnd(from: firstEnd) { $0 == .space }
        guard end < text.endIndex, end > firstEnd else { return end }
        var last = end - 1
        while text[last] & 0xC0 == 0x80 { last -= 1 }
        return last
    }

    /// The six bits of a byte that continues a character.
    private func tail(_ position: Int) -> UInt32 {
        UInt32(text[position] & 0x3F)
    }

    private static func asciiClass(_ byte: UInt8) -> CharacterClass {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): .small
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): .capital
        case UInt8(ascii: "0")...UInt8(ascii: "9"): .number
        case 0x09...0x0D, 0x20: .space
        case 0x21...0x7E: .punctuation
        default: .other
        }
    }

    private static func unicodeClass(_ value: UInt32) -> CharacterClass {
        guard let scalar = Unicode.Scalar(value) else { return .other }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .titlecaseLetter: return .capital
        case .lowercaseLetter: return .small
        case .modifierLetter, .otherLetter: return .otherLetter
        case .decimalNumber, .letterNumber, .otherNumber: return .number
        case .nonspacingMark, .spacingMark, .enclosingMark: return .mark
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
            .initialPunctuation, .finalPunctuation, .otherPunctuation:
            return .punctuation
        default: return scalar.properties.isWhitespace ? .space : .other
        }
    }
}
