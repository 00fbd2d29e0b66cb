// SPDX-License-Identifier: Apache-2.0

/// The pieces of the regular expression of Mistral's Tekken, written out by hand.
///
/// With U for `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]` and S for `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`:
///
///     [^\r\n\p{L}\p{N}]?U*S+ | [^\r\n\p{L}\p{N}]?U+S* | \p{N} | ?[^\s\p{L}\p{N}]+[\r\n/]*
///         | \s*[\r\n]+ | \s+(?!\S) | \s+
struct TekkenWords {
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
            wordEnd(from: start) ?? numberEnd(from: start) ?? symbolEnd(from: start)
            ?? lineEnd(from: start) ?? scanner.spaceEnd(from: start)
        return scanner.text[start..<position]
    }

    /// The end of a word with at most one other character before it: the first two alternatives.
    private func wordEnd(from start: Int) -> Int? {
        let (first, firstEnd) = scanner.character(at: start)
        let canLead = !first.isLetter && first != .number && !isLineEnd(start)
        return canLead
            ? smallEnd(from: firstEnd) ?? smallEnd(from: start) ?? capitalEnd(from: firstEnd)
                ?? capitalEnd(from: start)
            : smallEnd(from: start) ?? capitalEnd(from: start)
    }

    /// `U*S+`: U gives back as little as it must.
    private func smallEnd(from start: Int) -> Int? {
        var end = start
        // Where the last character ends that both U and S take.
        var sharedEnd: Int?
        while end < scanner.text.endIndex {
            let (found, next) = scanner.character(at: end)
            guard isUpper(found) else { break }
            end = next
            if found != .capital { sharedEnd = next }
        }
        let smallEnd = scanner.runEnd(from: end, isLower)
        return smallEnd > end ? smallEnd : sharedEnd
    }

    /// `U+S*`, after `U*S+` has failed: no character is in S.
    private func capitalEnd(from start: Int) -> Int? {
        let end = scanner.runEnd(from: start, isUpper)
        return end > start ? end : nil
    }

    /// `\p{N}`.
    private func numberEnd(from start: Int) -> Int? {
        let (first, end) = scanner.character(at: start)
        return first == .number ? end : nil
    }

    /// ` ?[^\s\p{L}\p{N}]+[\r\n/]*`.
    private func symbolEnd(from start: Int) -> Int? {
        let text = scanner.text
        let first = text[start] == UInt8(ascii: " ") ? start + 1 : start
        var end = scanner.runEnd(from: first) { !$0.isLetter && $0 != .number && $0 != .space }
        guard end > first else { return nil }
        while end < text.endIndex, isLineEnd(end) || text[end] == UInt8(ascii: "/") { end += 1 }
        return end
    }

    /// `\s*[\r\n]+`: up to the last line end of the white space.
    private func lineEnd(from start: Int) -> Int? {
        let end = scanner.runEnd(from: start) { $0 == .space }
        let last = (start..<end).last(where: isLineEnd)
        return last.map { $0 + 1 }
    }

    private func isLineEnd(_ position: Int) -> Bool {
        let byte = scanner.text[position]
        return byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n")
    }

    private func isUpper(_ found: CharacterClass) -> Bool {
        found == .capital || isShared(found)
    }

    private func isLower(_ found: CharacterClass) -> Bool {
        found == .small || isShared(found)
    }

    private func isShared(_ found: CharacterClass) -> Bool {
        found == .otherLetter || found == .mark
    }
}
