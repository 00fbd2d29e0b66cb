// SPDX-License-Identifier: Apache-2.0

/// The pieces of Falcon's pre-tokenisers.
///
/// Each of them cuts the pieces of the one before:
///
/// 1. Runs of punctuation and of other characters.
/// 2. GPT-2's expression.
/// 3. Runs of digits and of others. This step sees the byte-level alphabet, where six bytes above ASCII
///    stand for characters such as "²" that are numbers: they are digits, wherever they occur.
/// 4. Three ASCII digits, wherever there are three.
///
/// - Source: Hugging Face tokenizers' Punctuation, ByteLevel, Digits and Split, as Falcon's
///   tokenizer.json lists them.
struct FalconWords {
    private let scanner: CharacterScanner
    private var position: Int
    private var words: GPT2Words
    /// What is left of a piece of the second step.
    private var rest: ArraySlice<UInt8>

    /// Cuts a text of valid UTF-8.
    init(_ text: ArraySlice<UInt8>) {
        scanner = CharacterScanner(text: text)
        position = text.startIndex
        rest = text[..<text.startIndex]
        words = GPT2Words(rest)
    }

    /// The next piece, or nil at the end.
    mutating func next() -> ArraySlice<UInt8>? {
        while rest.isEmpty {
            if let word = words.next() {
                rest = word
            } else if position < scanner.text.endIndex {
                let (first, firstEnd) = scanner.character(at: position)
                let isPunctuation = first == .punctuation
                let end = scanner.runEnd(from: firstEnd) {
                    ($0 == .punctuation) == isPunctuation
                }
                words = GPT2Words(scanner.text[position..<end])
                position = end
            } else {
                return nil
            }
        }
        let end = partEnd()
        defer { rest = rest[end...] }
        return rest[..<end]
    }

    /// The end of the first part of the rest after the third and the fourth step.
    private func partEnd() -> Int {
        let isNumber = Self.isDigit(rest[rest.startIndex])
        let run = rest.firstIndex { Self.isDigit($0) != isNumber } ?? rest.endIndex
        guard isNumber else { return run }
        var end = rest.startIndex
        while end < run, !hasThreeDigits(at: end, before: run) { end += 1 }
        return end == rest.startIndex ? end + 3 : end
    }

    private func hasThreeDigits(at start: Int, before end: Int) -> Bool {
        end - start >= 3 && rest[start..<start + 3].allSatisfy { (0x30...0x39).contains($0) }
    }

    /// Whether a byte's character in the byte-level alphabet is a number.
    private static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0xB2, 0xB3, 0xB9, 0xBC...0xBE: true
        default: false
        }
    }
}
