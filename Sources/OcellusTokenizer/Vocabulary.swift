// SPDX-License-Identifier: Apache-2.0

/// The tokens of a model, as they come from the metadata of a GGUF file.
///
///     let vocabulary = try Vocabulary(
///         tokens: file.strings("tokenizer.ggml.tokens"),
///         types: file.ints("tokenizer.ggml.token_type"),
///         merges: file.strings("tokenizer.ggml.merges"),
///         endOfText: file.int("tokenizer.ggml.eos_token_id"))
///
/// A 50,000-token vocabulary keeps about 2 MB; copies share it.
public struct Vocabulary: Sendable {
    /// How a text becomes tokens.
    public let kind: TokenizerKind
    /// The token that ends a text.
    public let endOfText: Int
    /// Others that end one, a turn of a talk for example.
    public let otherEnds: [Int]
    /// The token that a text begins with, or nil.
    public let start: Int?
    let texts: TokenTexts
    let types: [TokenType]
    let merges: MergeTable
    /// The token of each byte, -1 where the vocabulary has none.
    let byteTokens: [Int32]
    /// Control tokens, split out of the text as it is.
    let specialTokens: TokenTrie
    /// User-defined tokens, split out of the normalised text; of SentencePiece, runs of spaces alone.
    let addedTokens: TokenTrie
    /// SentencePiece: the other user-defined tokens, which part a text as control tokens do.
    let marks: TokenTrie

    /// Tokens by their bytes, where encoding looks for whole pieces.
    private let index: HashIndex?

    /// Checks and indexes the vocabulary of a byte-level model.
    ///
    /// - Parameters:
    ///   - tokens: The texts: normal tokens in the byte-level alphabet, others as they are.
    ///   - types: The raw values of `TokenType`, one per token.
    ///   - merges: "left right", the soonest first.
    ///   - endOfText: The id of the token that ends a text.
    ///   - otherEnds: The ids of others that do.
    ///   - start: The id of the token that a text begins with, or nil.
    ///   - style: How a text is cut into words.
    ///   - normalizes: Whether a text is brought to normal form C.
    /// - Throws: `TokenizerError`.
    public init(
        tokens: [String],
        types: [Int],
        merges: [String],
        endOfText: Int,
        otherEnds: [Int] = [],
        start: Int? = nil,
        style: TokenizerKind.WordStyle = .gpt2,
        normalizes: Bool = true
    ) throws(TokenizerError) {
        let types = try Self.types(types, of: tokens, endOfText: endOfText, otherEnds, start: start)
        guard merges.count <= Int32.max else { throw .tokenCount(merges.count) }
        let texts = TokenTexts(tokens: tokens, types: types)
        self.init(
            kind: .byteLevel(style, normalizes: normalizes),
            texts: texts,
            types: types,
            merges: try MergeTable(merges: merges, texts: texts, types: types),
            index: style == .tekken ? texts.index(types: types) : nil,
            endOfText: endOfText,
            otherEnds: otherEnds,
            start: start
        )
    }

    /// Checks and indexes the vocabulary of a SentencePiece model of the type BPE.
    ///
    /// - Parameters:
    ///   - pieces: The texts, with "▁" for a space and "<0x41>" for bytes.
    ///   - types: The raw values of `TokenType`, one per piece.
    ///   - scores: One per piece; the highest merges first.
    ///   - endOfText: The id of the piece that ends a text.
    ///   - otherEnds: The ids of others that do.
    ///   - start: The id of the piece that a text begins with, or nil.
    ///   - spacePrefix: When a text gets a space before it.
    /// - Throws: `TokenizerError`.
    public init(
        pieces: [String],
        types: [Int],
        scores: [Float],
        endOfText: Int,
        otherEnds: [Int] = [],
        start: Int?,
        spacePrefix: TokenizerKind.SpacePrefix
    ) throws(TokenizerError) {
        let types = try Self.types(types, of: pieces, endOfText: endOfText, otherEnds, start: start)
        guard scores.count == pieces.count else {
            throw .scoreCount(found: scores.count, needed: pieces.count)
        }
        for (token, score) in scores.enumerated() where !score.isFinite {
            throw .badScore(token: token)
        }
        let texts = TokenTexts(pieces: pieces, types: types)
        let index = texts.index(types: types)
        self.init(
            kind: .sentencePiece(spacePrefix),
            texts: texts,
            types: types,
            merges: try MergeTable(scores: scores, texts: texts, types: types, tokens: index),
            index: index,
            endOfText: endOfText,
            otherEnds: otherEnds,
            start: start
        )
    }

    private init(
        kind: TokenizerKind,
        texts: TokenTexts,
        types: [TokenType],
        merges: MergeTable,
        index: HashIndex?,
        endOfText: Int,
        otherEnds: [Int],
        start: Int?
    ) {
        var byteTokens = [Int32](repeating: -1, count: 256)
        var specialTokens = TokenTrie()
        var addedTokens = TokenTrie()
        var marks = TokenTrie()
        let byteType: TokenType = kind.isByteLevel ? .normal : .byte
        for (token, type) in types.enumerated() {
            let text = texts[token]
            if type == byteType, text.count == 1, byteTokens[Int(text[text.startIndex])] < 0 {
                byteTokens[Int(text[text.startIndex])] = Int32(token)
            }
            switch type {
            case .control:
                specialTokens.insert(Array(text), token: token)
            case .userDefined where !Self.isPadding(text):
                var normalized: [UInt8] = []
                if kind.normalizes {
                    appendNormalized(text, to: &normalized)
                } else {
                    normalized = Array(text)
                }
                if kind.isByteLevel || text.allSatisfy({ $0 == UInt8(ascii: " ") }) {
                    addedTokens.insert(normalized, token: token)
                } else {
                    marks.insert(normalized, token: token)
                }
            case .normal, .userDefined, .unknown, .unused, .byte:
                break
            }
        }
        self.kind = kind
        self.texts = texts
        self.types = types
        self.merges = merges
        self.index = index
        self.endOfText = endOfText
        self.otherEnds = otherEnds
        self.start = start
        self.byteTokens = byteTokens
        self.specialTokens = specialTokens
        self.addedTokens = addedTokens
        self.marks = marks
    }

    /// Checks what all kinds of vocabularies have.
    private static func types(
        _ types: [Int],
        of tokens: [String],
        endOfText: Int,
        _ otherEnds: [Int],
        start: Int?
    ) throws(TokenizerError) -> [TokenType] {
        guard !tokens.isEmpty, tokens.count <= Int32.max else { throw .tokenCount(tokens.count) }
        guard types.count == tokens.count else {
            throw .typeCount(found: types.count, needed: tokens.count)
        }
        for end in [endOfText] + otherEnds where !tokens.indices.contains(end) {
            throw .idOutOfRange(name: "end-of-text", id: end, tokenCount: tokens.count)
        }
        if let start, !tokens.indices.contains(start) {
            throw .idOutOfRange(name: "start", id: start, tokenCount: tokens.count)
        }
        var tokenTypes: [TokenType] = []
        tokenTypes.reserveCapacity(types.count)
        for (token, type) in types.enumerated() {
            guard let tokenType = TokenType(rawValue: type) else {
                throw .unknownType(token: token, type: type)
            }
            tokenTypes.append(tokenType)
        }
        return tokenTypes
    }

    /// Whether the first symbols of a piece are characters.
    var beginsWithCharacters: Bool { !kind.isByteLevel }

    /// The normal token of a whole piece, where that goes before all merges.
    func wholeToken(_ piece: ArraySlice<UInt8>) -> Int? {
        kind.isByteLevel ? normalToken(piece) : nil
    }

    /// The normal token with these bytes, or nil; nil if there is no index.
    func normalToken(_ text: ArraySlice<UInt8>) -> Int? {
        guard let index, let token = texts.token(Array(text), in: index), types[token] == .normal
        else {
            return nil
        }
        return token
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

    /// Whether a token ends a text.
    public func isEnd(_ token: Int) -> Bool { token == endOfText || otherEnds.contains(token) }

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

extension TokenizerKind {
    /// Whether the first symbols are bytes.
    var isByteLevel: Bool {
        switch self {
        case .byteLevel: true
        case .sentencePiece: false
        }
    }

    /// Whether text behind a special or user-defined token gets a space as the start of a text does.
    var beginsAgain: Bool {
        switch self {
        case .sentencePiece(.always), .sentencePiece(.each): true
        case .byteLevel, .sentencePiece: false
        }
    }

    /// Whether a text is brought to normal form C.
    var normalizes: Bool {
        switch self {
        case .byteLevel(_, let normalizes): normalizes
        case .sentencePiece: false
        }
    }
}
