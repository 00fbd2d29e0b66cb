// SPDX-License-Identifier: Apache-2.0

/// Byte-pair encoding of single pieces; its memory is reused from piece to piece.
///
/// The first symbols are bytes, or, with a SentencePiece vocabulary, characters: one that is no token
/// becomes the tokens of its bytes.
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
        if let whole = vocabulary.wholeToken(piece) {
            tokens.append(whole)
            return
        }
        start(piece)
        while let (rank, position) = candidates.popLowest() {
            // A candidate is stale if one of its symbols has merged since.
            let right = symbols[position].next
            guard symbols[position].token >= 0, right >= 0,
                let merge = vocabulary.merges.merge(
                    symbols[position].token,
                    symbols[Int(right)].token
                ), merge.rank == rank
            else { continue }
            replace(position, Int(right), by: merge.result)
        }
        var position = symbols.isEmpty ? -1 : 0
        while position >= 0 {
            tokens.append(Int(symbols[position].token))
            position = Int(symbols[position].next)
        }
    }

    /// Makes the first symbols, and finds all merges.
    private mutating func start(_ piece: ArraySlice<UInt8>) {
        symbols.removeAll(keepingCapacity: true)
        if vocabulary.beginsWithCharacters {
            addCharacters(of: piece)
        } else {
            for byte in piece { addSymbol(vocabulary.byteTokens[Int(byte)]) }
        }
        guard !symbols.isEmpty else { return }
        symbols[symbols.count - 1].next = -1
        for position in 0..<(symbols.count - 1) {
            addCandidate(position, position + 1)
        }
    }

    private mutating func addCharacters(of piece: ArraySlice<UInt8>) {
        var start = piece.startIndex
        while start < piece.endIndex {
            var end = start + 1
            while end < piece.endIndex, piece[end] & 0xC0 == 0x80 { end += 1 }
            if let token = vocabulary.normalToken(piece[start..<end]) {
                addSymbol(Int32(token))
            } else {
                for byte in piece[start..<end] { addSymbol(vocabulary.byteTokens[Int(byte)]) }
            }
            start = end
        }
    }

    /// Adds a symbol after the last, unless it is -1: a byte without a token.
    private mutating func addSymbol(_ token: Int32) {
        guard token >= 0 else { return }
        let index = Int32(symbols.count)
        symbols.append(Symbol(token: token, previous: index - 1, next: index + 1))
    }

    /// Replaces two neighbours by one; the right symbol is dead afterwards.
    private mutating func replace(_ left: Int, _ right: Int, by token: Int32) {
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
        guard let merge = vocabulary.merges.merge(symbols[left].token, symbols[right].token) else {
            return
        }
        candidates.push(rank: merge.rank, position: left)
    }
}
