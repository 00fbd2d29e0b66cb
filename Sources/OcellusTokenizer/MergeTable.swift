// SPDX-License-Identifier: Apache-2.0

/// The merges of byte-pair encoding: which two neighbouring tokens become which one, and how soon.
struct MergeTable: Sendable {
    /// The most bytes of a piece of SentencePiece.
    ///
    /// A piece is cut everywhere to find its merges, so the work is the square of its length.
    /// SentencePiece makes pieces of 16 characters.
    static let longestPiece = 1024

    private var lefts: [Int32] = []
    private var rights: [Int32] = []
    private var results: [Int32] = []
    /// How soon each merges, lower is sooner; of equal ones, the leftmost in the text.
    private var ranks: [Int32] = []
    private var index: HashIndex

    /// Reads merges, the first has the lowest rank.
    ///
    /// - Parameters:
    ///   - merges: "left right" in the byte-level alphabet, as in "tokenizer.ggml.merges".
    ///   - texts: The bytes of the tokens.
    ///   - types: The types of the tokens.
    /// - Throws: `TokenizerError.malformedMerge`, and `.mergeOfUnknownToken` if a part or the
    ///   result is no token.
    init(merges: [String], texts: TokenTexts, types: [TokenType]) throws(TokenizerError) {
        index = HashIndex(capacity: merges.count)
        lefts.reserveCapacity(merges.count)
        rights.reserveCapacity(merges.count)
        results.reserveCapacity(merges.count)
        let tokens = texts.index(types: types)
        for (rank, merge) in merges.enumerated() {
            guard let (left, right) = Self.parts(of: merge) else {
                throw .malformedMerge(index: rank, text: merge)
            }
            guard let leftToken = texts.token(left, in: tokens) else {
                throw .mergeOfUnknownToken(
                    index: rank,
                    token: String(decoding: left, as: UTF8.self)
                )
            }
            guard let rightToken = texts.token(right, in: tokens) else {
                throw .mergeOfUnknownToken(
                    index: rank,
                    token: String(decoding: right, as: UTF8.self)
                )
            }
            guard let result = texts.token(left + right, in: tokens) else {
                throw .mergeOfUnknownToken(
                    index: rank,
                    token: String(decoding: left + right, as: UTF8.self)
                )
            }
            add(Int32(leftToken), Int32(rightToken), result: Int32(result), rank: rank)
        }
    }

    /// Finds the merges of a SentencePiece vocabulary: any two normal tokens that make a third one merge,
    /// the sooner the higher its score.
    ///
    /// - Parameters:
    ///   - scores: One per token.
    ///   - texts: The bytes of the tokens.
    ///   - types: The types of the tokens.
    ///   - tokens: The index of `texts`.
    /// - Throws: `TokenizerError.longPiece`.
    init(
        scores: [Float],
        texts: TokenTexts,
        types: [TokenType],
        tokens: HashIndex
    ) throws(TokenizerError) {
        let order = types.indices.filter { types[$0] == .normal }
            .sorted { (scores[$1], $0) < (scores[$0], $1) }
        index = HashIndex(capacity: texts.byteCount)
        var rank = 0
        for (place, token) in order.enumerated() {
            if place > 0, scores[order[place - 1]] != scores[token] { rank = place }
            let text = Array(texts[token])
            guard text.count <= Self.longestPiece else {
                throw .longPiece(token: token, byteCount: text.count)
            }
            for split in text.indices.dropFirst() {
                guard let left = texts.token(Array(text[..<split]), in: tokens),
                    let right = texts.token(Array(text[split...]), in: tokens),
                    types[left] == .normal, types[right] == .normal
                else { continue }
                add(Int32(left), Int32(right), result: Int32(token), rank: rank)
            }
        }
    }

    /// The merge of two tokens, or nil if they do not merge.
    func merge(_ left: Int32, _ right: Int32) -> (rank: Int, result: Int32)? {
        let row = index.row(hash: Self.hash(left, right)) {
            lefts[$0] == left && rights[$0] == right
        }
        return row.map { (Int(ranks[$0]), results[$0]) }
    }

    /// A pair that is there already keeps its lower rank.
    private mutating func add(_ left: Int32, _ right: Int32, result: Int32, rank: Int) {
        let row = results.count
        lefts.append(left)
        rights.append(right)
        results.append(result)
        ranks.append(Int32(rank))
        index.insert(row, hash: Self.hash(left, right)) { [lefts, rights] in
            lefts[$0] == left && rights[$0] == right
        }
    }

    /// The bytes of the two parts, or nil if there are not exactly two.
    private static func parts(of merge: String) -> ([UInt8], [UInt8])? {
        let parts = merge.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        var (left, right): ([UInt8], [UInt8]) = ([], [])
        ByteAlphabet.appendBytes(of: String(parts[0]), to: &left)
        ByteAlphabet.appendBytes(of: String(parts[1]), to: &right)
        return (left, right)
    }

    private static func hash(_ left: Int32, _ right: Int32) -> Int {
        var hasher = Hasher()
        hasher.combine(left)
        hasher.combine(right)
        return hasher.finalize()
    }
}
