// SPDX-License-Identifier: Apache-2.0

/// The pieces of GPT-2's regular expression, written out by hand.
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
struct GPT2Words {
    private let scanner: CharacterScanner
    private var position: Int

    /// Cuts a text of valid UTF-8.
    init(_ text: ArraySlice<UInt8>) {
        scanner = CharacterScanner(text: text)
        position = text.startIndex
    }

    /// The next piece, or nil at the end.
    mutating func next() -> ArraySlice<UInt8>? {
        guard position < scanner.text.endIndex else { return nil }
        let start = position
        position =
            contractionEnd(from: start) ?? wordEnd(from: start) ?? scanner.spaceEnd(from: start)
        return scanner.text[start..<position]
    }

    /// The end of an English contraction: `'s|'t|'re|'ve|'m|'ll|'d`.
    private func contractionEnd(from start: Int) -> Int? {
        let text = scanner.text
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
        let wordStart = scanner.text[start] == UInt8(ascii: " ") ? start + 1 : start
        guard wordStart < scanner.text.endIndex else { return nil }
        let (wordClass, firstEnd) = scanner.character(at: wordStart)
        switch wordClass {
        case .space:
            return nil
        case .number:
            return scanner.runEnd(from: firstEnd) { $0 == .number }
        case .capital, .small, .otherLetter:
            return scanner.runEnd(from: firstEnd) { $0.isLetter }
        case .mark, .punctuation, .other:
            return scanner.runEnd(from: firstEnd) {
                !$0.isLetter && $0 != .number && $0 != .space
            }
        }
    }
}
