// SPDX-License-Identifier: Apache-2.0

/// Guesses how an answer goes on: after the same tokens as earlier, with the tokens that followed then.
///
/// It keeps the newest of all tokens that were read in questions and written in answers.
///
/// - Source: Saxena 2023, Prompt Lookup Decoding; Leviathan, Kalman and Matias 2023, section 2.3, for
///   the check of a guess in one run of the model.
struct Drafter {
    /// The most tokens of a guess; 0 guesses nothing.
    let limit: Int
    /// The tokens of the guess.
    private(set) var draft: [Int] = []

    private let endOfText: Int
    private var tokens: [Int] = []

    /// The tokens that are kept, at most.
    private static let capacity = 1024
    /// The fewest tokens in common that make a guess: one alone is followed by anything.
    private static let leastMatch = 2
    /// The tokens in common that are enough to take the newest place that has them.
    private static let longestMatch = 16

    init(limit: Int, endOfText: Int) {
        self.limit = limit
        self.endOfText = endOfText
        guard limit > 0 else { return }
        tokens.reserveCapacity(Self.capacity)
        draft.reserveCapacity(limit)
    }

    /// Remembers a token behind the others; allocates nothing.
    mutating func append(_ token: Int) {
        guard limit > 0 else { return }
        if tokens.count == Self.capacity { tokens.removeFirst(Self.capacity / 2) }
        tokens.append(token)
    }

    /// Forgets the guess.
    mutating func clear() {
        draft.removeAll(keepingCapacity: true)
    }

    /// Guesses at most so many tokens behind the last one; none past the end of an answer.
    mutating func guess(atMost count: Int) {
        clear()
        guard limit > 0 else { return }
        var best = 0
        var length = Self.leastMatch - 1
        // The newest of the longest matches; each ends before the last token.
        for end in stride(from: tokens.count - 1, to: 0, by: -1) where length < Self.longestMatch {
            var common = 0
            while common < min(end, Self.longestMatch),
                tokens[end - 1 - common] == tokens[tokens.count - 1 - common]
            { common += 1 }
            if common > length { (best, length) = (end, common) }
        }
        guard best > 0 else { return }
        for token in tokens[best...].prefix(min(limit, count)) {
            if token == endOfText { break }
            draft.append(token)
        }
    }
}
