// SPDX-License-Identifier: Apache-2.0

/// What a session answered.
///
/// Reused for the next answer, it allocates nothing.
public struct Answer: Sendable {
    /// The tokens of the answer, without the end of text.
    public internal(set) var tokens: [Int] = []
    /// The answer as UTF-8.
    public internal(set) var utf8: [UInt8] = []
    /// Whether the model ended the answer itself; otherwise it reached the limit.
    public internal(set) var isComplete = false
    /// The probability of the answer: for choices among them, else of its tokens one by one.
    public internal(set) var probability: Float = 0
    /// Whether the model computed numbers; false if an infinity or a NaN in its weights, or in a state
    /// that was restored, has reached the answer, which then means nothing.
    public var isDefined: Bool { !probability.isNaN }
    /// The time to rebuild the state from what the memory keeps, before the question, in nanoseconds.
    public internal(set) var rebuildNanoseconds: Int64 = 0
    /// The time to read the question, in nanoseconds.
    public internal(set) var promptNanoseconds: Int64 = 0
    /// The count of tokens of the question.
    public internal(set) var promptTokenCount = 0
    /// The time to write the answer, in nanoseconds.
    public internal(set) var decodeNanoseconds: Int64 = 0

    /// The count of tokens that were guessed ahead (`SessionOptions.draftLength`).
    public internal(set) var draftedTokenCount = 0
    /// How many of them were right.
    public internal(set) var acceptedTokenCount = 0

    /// An empty answer with room for as many tokens.
    public init(capacity: Int) {
        tokens.reserveCapacity(capacity)
        utf8.reserveCapacity(capacity * 16)
    }

    /// The answer as a string, without the white space that the first token brings.
    public var text: String { String(decoding: trimmedUTF8, as: UTF8.self) }

    /// The answer as UTF-8, without the white space that the first token brings.
    public var trimmedUTF8: [UInt8] {
        var bytes = utf8[...]
        while let first = bytes.first, first == 0x20 || first == 0x0A { bytes.removeFirst() }
        return Array(bytes)
    }

    /// The answer as a string, exactly as the model wrote it.
    public var rawText: String { String(decoding: utf8, as: UTF8.self) }

    /// Forgets the last answer and keeps its memory.
    mutating func clear() {
        tokens.removeAll(keepingCapacity: true)
        utf8.removeAll(keepingCapacity: true)
        isComplete = false
        probability = 0
        draftedTokenCount = 0
        acceptedTokenCount = 0
    }
}
