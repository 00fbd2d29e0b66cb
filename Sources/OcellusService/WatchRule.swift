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
    private var lastStart: LastStart?

    /// When the command was started last, in nanoseconds.
    private struct LastStart {
        /// By the clock of the stream; nil if an earlier run of this program did it.
        var streamTime: Int64?
        /// By the monotonic clock.
        var moment: Int64
    }

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
        let moment = monotonicNanoseconds()
        if let lastStart {
            let elapsed = lastStart.streamTime.map { time - $0 } ?? moment - lastStart.moment
            if elapsed < minimumInterval { return .tooSoon }
        }
        if command.isRunning { return .stillRunning }
        let error = command.start(values)
        guard error == 0 else { return .failed(error) }
        lastStart = LastStart(streamTime: time, moment: moment)
        return .started
    }

    /// Whether an answer of a closed set is the one that is waited for.
    public func waits(for choice: String) -> Bool { matches(Array(choice.utf8)) }

    /// Where the rule stands, to be saved.
    func record(of question: [UInt8]) -> RuleRecord {
        RuleRecord(
            key: key(of: question),
            isOn: condition.isOn,
            contradictions: condition.contradictions,
            lastStart: lastStart.map { WallClock.nanoseconds(atMonotonic: $0.moment) } ?? 0
        )
    }

    /// Goes on where the same rule stood in an earlier run of the program.
    ///
    /// Only the clock on the wall outlives a restart, and it may have been set meanwhile. Set back
    /// beyond the last start, it makes that start one of this moment: the next comes late, by one
    /// interval at most. Set forward, as on a board that begins in 1970 until it learns the time, it
    /// makes the interval seem over: the command may be started once too early. From here on the
    /// monotonic clock counts, and what happens on the wall does not matter.
    mutating func restore(_ records: [UInt8], question: [UInt8]) {
        guard let record = RuleRecord.find(key(of: question), in: records) else { return }
        condition.restore(isOn: record.isOn, contradictions: record.contradictions)
        guard record.lastStart > 0 else { return }
        let now = monotonicNanoseconds()
        let age = WallClock.nanoseconds(atMonotonic: now) - record.lastStart
        lastStart = LastStart(streamTime: nil, moment: now - max(0, age))
    }

    private func key(of question: [UInt8]) -> UInt64 {
        var texts = [question, pattern]
        for word in command?.words ?? [] { texts.append(Array(word.utf8)) }
        return RuleRecord.key(of: texts)
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
