// SPDX-License-Identifier: Apache-2.0

/// What the merges of a vocabulary make of a text that is one of its tokens.
///
/// A tokenizer that ignores merges ("ignore_merges") takes a word that is a token as it is. Encoders here always
/// merge, which is the same if the merges make every token of itself.
///
/// - Source: huggingface/tokenizers, tokenizers/src/models/bpe/model.rs and word.rs.
struct MergeResult {
    /// The count of characters of a token beyond which merging it takes too long; far above any.
    private static let maximumLength = 1024

    private struct Pair: Hashable {
        let left: Int
        let right: Int
    }

    private var ids: [[UInt8]: Int] = [:]
    private var merges: [Pair: (rank: Int, result: Int)] = [:]

    /// The merges, "left right", whose halves and results are tokens.
    init(_ merges: [String], of tokens: [String]) {
        for (id, token) in tokens.enumerated() { ids[Array(token.utf8)] = id }
        for (rank, merge) in merges.enumerated() {
            let halves = TokenizerFile.halves(of: merge)
            guard let left = id(of: halves[0]), let right = id(of: halves[1]),
                let result = id(of: halves[0] + halves[1])
            else { continue }
            let pair = Pair(left: left, right: right)
            if self.merges[pair] == nil { self.merges[pair] = (rank, result) }
        }
    }

    /// Whether merging the characters of a token ends with the token.
    func isWhole(_ token: String) -> Bool {
        var symbols = token.unicodeScalars.compactMap { id(of: String($0)) }
        // A character without a token of its own is merged with none.
        guard symbols.count == token.unicodeScalars.count else { return symbols.isEmpty }
        guard symbols.count <= Self.maximumLength else { return false }
        while symbols.count > 1 {
            let found = symbols.indices.dropLast().compactMap { index in
                merges[Pair(left: symbols[index], right: symbols[index + 1])]
                    .map { (rank: $0.rank, index: index, result: $0.result) }
            }
            guard let next = found.min(by: { ($0.rank, $0.index) < ($1.rank, $1.index) }) else {
                return false
            }
            symbols.replaceSubrange(next.index...next.index + 1, with: [next.result])
        }
        return true
    }

    private func id(of text: String) -> Int? { ids[Array(text.utf8)] }
}
