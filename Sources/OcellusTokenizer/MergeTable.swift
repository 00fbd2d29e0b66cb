// SPDX-License-Identifier: Apache-2.0

/// The merges of byte-pair encoding: which two neighbouring tokens become which one, and how soon.
struct MergeTable: Sendable {
    private var lefts: [Int32] = []
    private var rights: [Int32] = []
    private var results: [Int32] = []
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
            add(Int32(leftToken), Int32(rightToken), result: Int32(result))
        }
    }

    /// The rank of the merge of two tokens, lower is sooner, or nil if they do not merge.
    func rank(_ left: Int32, _ right: Int32) -> Int? {
        index.row(hash: Self.hash(left, right)) { lefts[$0] == left && rights[$0] == right }
    }

    /// The token that a merge makes.
    func result(rank: Int) -> Int32 {
        results[rank]
    }

    /// A pair that is there already keeps its lower rank.
    private mutating func add(_ left: Int32, _ right: Int32, result: Int32) {
        let rank = results.count
        lefts.append(left)
        rights.append(right)
        results.append(result)
        index.insert(rank, hash: Self.hash(left, right)) { [lefts, rights] in
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
