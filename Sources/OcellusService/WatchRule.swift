// SPDX-License-Identifier: Apache-2.0
import Ocellus

/// What to do when the answer to a standing question is a certain one.
public struct WatchRule {
    /// The answer that is waited for, in any case of its ASCII letters.
    public let answer: String
    /// When the answer counts.
    public internal(set) var condition: Hysteresis
    /// What is started when the condition is entered; nil if the event alone is wanted.
    public let command: RuleCommand?
    /// The least time between two starts, in nanoseconds.
    public let minimumInterval: Int64

    private let pattern: [UInt8]
    /// The clock of the stream at the last start.
    private var lastStart: Int64?

    /// A rule that has seen no answer yet.
    public init(
        answer: String,
        condition: Hysteresis,
        command: RuleCommand?,
        minimumInterval: Duration = .zero
    ) {
        self.answer = answer
        self.condition = condition
        self.command = command
        self.minimumInterval = minimumInterval.wholeNanoseconds
        pattern = Self.folded(Array(answer.utf8))
    }

    /// Counts an answer.
    ///
    /// - Parameters:
    ///   - answer: what the model said.
    ///   - choices: the closed set that it was chosen from, if there was one.
    ///   - probabilities: of the choices.
    /// - Returns: whether the condition was entered or left.
    mutating func add(
        _ answer: borrowing Answer,
        choices: Choices?,
        probabilities: [Float]
    ) -> Hysteresis.Change? {
        let isMatch = matches(answer.utf8)
        var probability = isMatch ? answer.probability : 0
        if !isMatch, let choices {
            for index in choices.texts.indices where equals(choices.texts[index]) {
                probability = probabilities[index]
            }
        }
        return condition.add(isMatch: isMatch, probability: probability)
    }

    /// Starts the command, unless it still runs or ran too lately.
    ///
    /// - Parameters:
    ///   - values: what it finds in its environment.
    ///   - time: the clock of the stream, in nanoseconds.
    /// - Returns: what became of it; nil without a command.
    mutating func run(_ values: borrowing RuleValues, time: Int64) -> WatchEvent.CommandStart? {
        guard let command else { return nil }
        if let lastStart, time - lastStart < minimumInterval { return .tooSoon }
        if command.isRunning { return .stillRunning }
        let error = command.start(values)
        guard error == 0 else { return .failed(error) }
        lastStart = time
        return .started
    }

    /// Whether an answer is the one that is waited for, white space around it aside.
    private func matches(_ answer: [UInt8]) -> Bool {
        var (start, end) = (0, answer.count)
        while start < end, Self.isSpace(answer[start]) { start += 1 }
        while start < end, Self.isSpace(answer[end - 1]) { end -= 1 }
        guard end - start == pattern.count else { return false }
        for index in 0..<pattern.count {
            guard Self.lowercase(answer[start + index]) == pattern[index] else { return false }
        }
        return true
    }

    private func equals(_ text: String) -> Bool {
        guard text.utf8.count == pattern.count else { return false }
        var index = 0
        for byte in text.utf8 {
            guard Self.lowercase(byte) == pattern[index] else { return false }
            index += 1
        }
        return true
    }

    private static func folded(_ text: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        for byte in text { bytes.append(lowercase(byte)) }
        while let last = bytes.last, isSpace(last) { bytes.removeLast() }
        while let first = bytes.first, isSpace(first) { bytes.removeFirst() }
        return bytes
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A }

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        0x41...0x5A ~= byte ? byte + 0x20 : byte
    }
}

extension Duration {
    /// The time in nanoseconds, at most 292 years.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        guard seconds < Int64.max / 1_000_000_000 else { return .max }
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
