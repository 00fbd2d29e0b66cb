// SPDX-License-Identifier: Apache-2.0

/// The tokens of a byte-level model, as they come from the metadata of a GGUF file.
///
///     let vocabulary = try Vocabulary(
///         tokens: file.strings("tokenizer.ggml.tokens"),
///         types: file.ints("tokenizer.ggml.token_type"),
///         merges: file.strings("tokenizer.ggml.merges"),
///         endOfText: file.int("tokenizer.ggml.eos_token_id"))
///
/// A 50,000-token vocabulary keeps about 2 MB; copies share it.
public struct Vocabulary: Sendable {
    /// The token that ends a text.
    public let endOfText: Int
    let texts: TokenTexts
    let types: [TokenType]
    let merges: MergeTable
    /// The token of each byte, -1 where the vocabulary has none.
    let byteTokens: [Int32]
    /// Control tokens, split out of the text as it is.
    let specialTokens: TokenTrie
    /// User-defined tokens, split out of the normalised text.
    let addedTokens: TokenTrie

    /// Checks and indexes a vocabulary.
    ///
    /// - Parameters:
    ///   - tokens: The texts: normal tokens in the byte-level alphabet, others as they are.
    ///   - types: The raw values of `TokenType`, one per token.
    ///   - merges: "left right", the soonest first.
    ///   - endOfText: The id of the token that ends a text.
    /// - Throws: `TokenizerError`.
    public init(
        tokens: [String],
        types: [Int],
        merges: [String],
        endOfText: Int
    ) throws(TokenizerError) {
        guard !tokens.isEmpty, tokens.count <= Int32.max, merges.count <= Int32.max else {
            throw .tokenCount(tokens.count)
        }
        guard types.count == tokens.count else {
            throw .typeCount(found: types.count, needed: tokens.count)
        }
        guard tokens.indices.contains(endOfText) else {
            throw .idOutOfRange(name: "end-of-text", id: endOfText, tokenCount: tokens.count)
        }
        var tokenTypes: [TokenType] = []
        tokenTypes.reserveCapacity(types.count)
        for (token, type) in types.enumerated() {
            guard let tokenType = TokenType(rawValue: type) else {
                throw .unknownType(token: token, type: type)
            }
            tokenTypes.append(tokenType)
        }
        let texts = TokenTexts(tokens: tokens, types: tokenTypes)
        self.endOfText = endOfText
        self.texts = texts
        self.types = tokenTypes
        self.merges = try MergeTable(merges: merges, texts: texts, types: tokenTypes)

        var byteTokens = [Int32](repeating: -1, count: 256)
        var specialTokens = TokenTrie()
        var addedTokens = TokenTrie()
        for (token, type) in tokenTypes.enumerated() {
            let text = texts[token]
            switch type {
            case .normal:
                if text.count == 1, byteTokens[Int(text[text.startIndex])] < 0 {
                    byteTokens[Int(text[text.startIndex])] = Int32(token)
                }
            case .control:
                specialTokens.insert(Array(text), token: token)
            case .userDefined where !Self.isPadding(text):
                var normalized: [UInt8] = []
                appendNormalized(text, to: &normalized)
                addedTokens.insert(normalized, token: token)
            case .userDefined, .unknown, .unused, .byte:
                break
            }
        }
        self.byteTokens = byteTokens
        self.specialTokens = specialTokens
        self.addedTokens = addedTokens
    }

    /// The count of tokens.
    public var count: Int { types.count }

    /// What a token is; nil if there is no such token.
    public func type(of token: Int) -> TokenType? {
        types.indices.contains(token) ? types[token] : nil
    }

    /// The bytes that a token stands for; they may begin or end within a character.
    public func bytes(of token: Int) -> [UInt8] {
        types.indices.contains(token) ? Array(texts[token]) : []
    }

    /// The text of a token, for people: a token that is a part of a character shows as U+FFFD.
    public func piece(of token: Int) -> String {
        types.indices.contains(token) ? String(decoding: texts[token], as: UTF8.self) : ""
    }

    /// Whether sampling must never choose a token: "[PAD…]" rows and unused ones.
    public func isPadding(_ token: Int) -> Bool {
        guard let type = type(of: token) else { return true }
        return type == .unused || (type == .userDefined && Self.isPadding(texts[token]))
    }

    /// Whether a text is "[PAD", digits, "]", as converters fill vocabularies up.
    ///
    /// Converters give them the user-defined type, but they must not be found in a text.
    private static func isPadding(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count > 5, text.last == UInt8(ascii: "]") else {
            return false
        }
        return text.starts(with: "[PAD".utf8)
            && text.dropFirst(4).dropLast().allSatisfy { (0x30...0x39).contains($0) }
    }
}
