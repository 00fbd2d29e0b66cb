// SPDX-License-Identifier: Apache-2.0

/// Byte-pair encoding with the rules of GPT-NeoX and its kin, or with those of SentencePiece.
///
/// A text goes through these steps, in this order:
///
/// 1. Ill-formed UTF-8 is repaired: each maximal ill-formed part becomes U+FFFD.
/// 2. Special tokens are split out, if they are to be parsed; the longest one at each place.
/// 3. Byte-level: the rest is brought to Unicode's normal form C, if the model wants it. SentencePiece: "▁"
///    becomes a space, user-defined tokens part the text once more, and a space is put before each part, or
///    the first, if the model wants it.
/// 4. User-defined tokens, of SentencePiece runs of spaces alone, are split out, the longest one at each place.
/// 5. Byte-level: the rest is cut into words (`PreTokenizer`). Each word, or all of the rest, is encoded
///    (`BytePairEncoder`).
///
/// SentencePiece itself puts no space behind its own user-defined symbols, and transformers without fast
/// tokenizers none either; behind tokens that were added later they do, and the fast ones behind both. The fast
/// ones find an added run of "▁" only where the text has it so; SentencePiece, and this, in spaces too.
///
/// - Source: Hugging Face tokenizers' `added_vocabulary` and `ByteLevel`; sentencepiece's
///   `normalizer.cc` and `bpe_model.cc`. The tests compare with both packages.
public struct Tokenizer: Sendable {
    /// The tokens.
    public let vocabulary: Vocabulary

    /// A tokenizer for a vocabulary.
    public init(vocabulary: Vocabulary) {
        self.vocabulary = vocabulary
    }

    /// The token that ends a text.
    public var endOfText: Int { vocabulary.endOfText }

    /// The token that a text begins with, or nil.
    public var start: Int? { vocabulary.start }

    /// The tokens of a text.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - parsingSpecial: Whether the names of special tokens in the text become those tokens:
    ///     right for a template, wrong for what a user types.
    ///   - isContinuation: Whether another text comes before, so that none is begun here.
    /// - Returns: The ids, without the token that a text begins with.
    public func encode(
        _ text: String,
        parsingSpecial: Bool = false,
        isContinuation: Bool = false
    ) -> [Int] {
        var tokens: [Int] = []
        encodeValid(
            Array(text.utf8),
            into: &tokens,
            parsingSpecial: parsingSpecial,
            isContinuation: isContinuation
        )
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
        encodeValid(
            text,
            into: &tokens,
            parsingSpecial: parsingSpecial,
            isContinuation: false
        )
        return tokens
    }

    private func encodeValid(
        _ text: [UInt8],
        into tokens: inout [Int],
        parsingSpecial: Bool,
        isContinuation: Bool
    ) {
        var encoder = BytePairEncoder(vocabulary)
        guard parsingSpecial else {
            encodePlain(text[...], isStart: !isContinuation, with: &encoder, into: &tokens)
            return
        }
        split(text[...], by: vocabulary.specialTokens, into: &tokens) { piece, tokens in
            let isBehindSpecial = piece.startIndex > 0
            let isStart = isBehindSpecial ? vocabulary.kind.beginsAgain : !isContinuation
            encodePlain(piece, isStart: isStart, with: &encoder, into: &tokens)
        }
    }

    /// Encodes text between special tokens.
    private func encodePlain(
        _ text: ArraySlice<UInt8>,
        isStart: Bool,
        with encoder: inout BytePairEncoder,
        into tokens: inout [Int]
    ) {
        switch vocabulary.kind {
        case .byteLevel(let style, let normalizes):
            var normalized: [UInt8] = []
            normalized.reserveCapacity(text.count)
            if normalizes {
                appendNormalized(text, to: &normalized)
            } else {
                normalized += text
            }
            split(normalized[...], by: vocabulary.addedTokens, into: &tokens) { piece, tokens in
                var words = PreTokenizer(piece, style: style)
                while let word = words.next() {
                    encoder.encode(word, into: &tokens)
                }
            }
        case .sentencePiece(let prefix):
            let space = UInt8(ascii: " ")
            var unescaped: [UInt8] = []
            appendUnescaped(text, to: &unescaped)
            split(unescaped[...], by: vocabulary.marks, into: &tokens) { part, tokens in
                let begins = part.startIndex == 0 ? isStart : vocabulary.kind.beginsAgain
                let takesSpace = begins && (prefix == .always || part.first != space)
                let spaced = takesSpace && prefix != .never ? [space] + part : part
                split(spaced, by: vocabulary.addedTokens, into: &tokens) { piece, tokens in
                    encoder.encode(piece, into: &tokens)
                }
            }
        }
    }

    /// Appends a text with a space for each "▁", which SentencePiece does not tell apart.
    private func appendUnescaped(_ text: ArraySlice<UInt8>, to output: inout [UInt8]) {
        let mark: [UInt8] = [0xE2, 0x96, 0x81]
        output.reserveCapacity(output.count + text.count)
        for byte in text {
            output.append(byte)
            if byte == 0x81, output.suffix(3) == mark[...] {
                output.removeLast(3)
                output.append(UInt8(ascii: " "))
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
