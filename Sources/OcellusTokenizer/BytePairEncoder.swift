// SPDX-License-Identifier: Apache-2.0

/// Byte-pair encoding of single pieces; its memory is reused from piece to piece.
///
/// The neighbours with the lowest rank merge first, the leftmost on ties. The symbols are a linked
/// list, the possible merges a heap of (rank, position): O(n log n) in the length of a piece.
struct BytePairEncoder {
    private struct Symbol {
        var token: Int32
        var previous: Int32
        var next: Int32
    }

    private let vocabulary: Vocabulary
    private var symbols: [Symbol] = []
    private var candidates = MergeHeap()

    /// An encoder for a vocabulary.
    init(_ vocabulary: Vocabulary) {
        self.vocabulary = vocabulary
    }

    /// Appends the tokens of a piece; bytes for which the vocabulary has no token are left out.
    mutating func encode(_ piece: ArraySlice<UInt8>, into tokens: inout [Int]) {
        start(piece)
        while let (rank, position) = candidates.popLowest() {
            // A candidate is stale if one of its symbols has merged since.
            let right = symbols[position].next
            guard symbols[position].token >= 0, right >= 0,
                vocabulary.merges.rank(symbols[position].token, symbols[Int(right)].token) == rank
            else { continue }
            merge(position, Int(right), into: vocabulary.merges.result(rank: rank))
        }
        var position = symbols.isEmpty ? -1 : 0
        while position >= 0 {
            tokens.append(Int(symbols[position].token))
            position = Int(symbols[position].next)
        }
    }

    /// Makes one symbol of each byte, and finds all merges.
    private mutating func start(_ piece: ArraySlice<UInt8>) {
        symbols.removeAll(keepingCapacity: true)
        for byte in piece where vocabulary.byteTokens[Int(byte)] >= 0 {
            let index = Int32(symbols.count)
            symbols.append(
                Symbol(
                    token: vocabulary.byteTokens[Int(byte)],
                    previous: index - 1,
                    next: index + 1
                )
            )
        }
        guard !symbols.isEmpty else { return }
        symbols[symbols.count - 1].next = -1
        for position in 0..<(symbols.count - 1) {
            addCandidate(position, position + 1)
        }
    }

    /// Replaces two neighbours by one; the right symbol is dead afterwards.
    private mutating func merge(_ left: Int, _ right: Int, into token: Int32) {
        let next = symbols[right].next
        symbols[right].token = -1
        symbols[left].token = token
        symbols[left].next = next
        if next >= 0 {
            symbols[Int(next)].previous = Int32(left)
            addCandidate(left, Int(next))
        }
        let previous = symbols[left].previous
        if previous >= 0 { addCandidate(Int(previous), left) }
    }

    private mutating func addCandidate(_ left: Int, _ right: Int) {
        guard let rank = vocabulary.merges.rank(symbols[left].token, symbols[right].token) else {
            return
        }
        candidates.push(rank: rank, position: left)
    }
}
