// SPDX-License-Identifier: Apache-2.0

/// Byte-level byte-pair encoding with the rules of GPT-NeoX.
///
/// A text goes through these steps, in this order:
///
/// 1. Ill-formed UTF-8 is repaired: each maximal ill-formed part becomes U+FFFD.
/// 2. Special tokens are split out, if they are to be parsed; the longest one at each place.
/// 3. The rest is brought to Unicode's normal form C.
/// 4. User-defined tokens (runs of 2 to 24 spaces) are split out, the longest one at each place.
/// 5. The rest is cut into words (`PreTokenizer`) and each word encoded (`BytePairEncoder`).
///
/// No token is added at the beginning or the end.
///
/// - Source: Hugging Face tokenizers' `added_vocabulary` and `ByteLevel`, with GPT-NeoX-20B's
///   settings; the tests compare with that package.
public struct Tokenizer: Sendable {
    /// The tokens.
    public let vocabulary: Vocabulary

    /// A tokenizer for a vocabulary.
    public init(vocabulary: Vocabulary) {
        self.vocabulary = vocabulary
    }

    /// The token that ends a text.
    public var endOfText: Int { vocabulary.endOfText }

    /// The tokens of a text.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - parsingSpecial: Whether the names of special tokens in the text become those tokens:
    ///     right for a template, wrong for what a user types.
    /// - Returns: The ids.
    public func encode(_ text: String, parsingSpecial: Bool = false) -> [Int] {
        var tokens: [Int] = []
        encodeValid(Array(text.utf8), into: &tokens, parsingSpecial: parsingSpecial)
        return tokens
    }

    /// The tokens of bytes that should be UTF-8.
    ///
    /// Ill-formed parts become U+FFFD, as `bytes.decode(errors="replace")` in Python does.
    public func encode(_ bytes: [UInt8], parsingSpecial: Bool = false) -> [Int] {
        var repair = UTF8Repair()
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        for byte in bytes { repair.append(byte, to: &text) }
        repair.finish(to: &text)
        var tokens: [Int] = []
        encodeValid(text, into: &tokens, parsingSpecial: parsingSpecial)
        return tokens
    }

    private func encodeValid(_ text: [UInt8], into tokens: inout [Int], parsingSpecial: Bool) {
        var encoder = BytePairEncoder(vocabulary)
        guard parsingSpecial else {
            encodePlain(text[...], with: &encoder, into: &tokens)
            return
        }
        split(text[...], by: vocabulary.specialTokens, into: &tokens) { piece, tokens in
            encodePlain(piece, with: &encoder, into: &tokens)
        }
    }

    /// Encodes text between special tokens.
    private func encodePlain(
        _ text: ArraySlice<UInt8>,
        with encoder: inout BytePairEncoder,
        into tokens: inout [Int]
    ) {
        var normalized: [UInt8] = []
        normalized.reserveCapacity(text.count)
        appendNormalized(text, to: &normalized)
        split(normalized[...], by: vocabulary.addedTokens, into: &tokens) { piece, tokens in
            var words = PreTokenizer(piece)
            while let word = words.next() {
                encoder.encode(word, into: &tokens)
            }
        }
    }

    /// Appends the tokens of a set where they occur, and gives the pieces between them to a body.
    private func split(
        _ text: ArraySlice<UInt8>,
        by set: TokenTrie,
        into tokens: inout [Int],
        body: (ArraySlice<UInt8>, inout [Int]) -> Void
    ) {
        var pieceStart = text.startIndex
        var position = set.isEmpty ? text.endIndex : text.startIndex
        while position < text.endIndex {
            guard let match = set.longestMatch(in: text, at: position) else {
                position += 1
                continue
            }
            if pieceStart < position { body(text[pieceStart..<position], &tokens) }
            tokens.append(match.token)
            position = match.end
            pieceStart = position
        }
        if pieceStart < text.endIndex { body(text[pieceStart...], &tokens) }
    }
}
