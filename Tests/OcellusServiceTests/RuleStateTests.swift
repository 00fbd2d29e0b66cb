// SPDX-License-Identifier: Apache-2.0
import CLibc
import Foundation
import Ocellus
import OcellusCapture
import Testing

@testable import OcellusService

/// Rules go on where they stood when the program ended.
@Suite struct RuleStateTests {
    /// What became of the command, and of the condition, and how often the state was saved.
    private struct Outcome: Equatable {
        var starts: [String] = []
        var changes: [String] = []
        var saves = 0
    }

    /// Watches three light and three dark frames, or the last ones, and asks whether it is dark.
    private func watch(
        state path: String,
        interval: Duration,
        skippedFrames: Int = 0,
        answer: String = "yes"
    ) throws -> Outcome {
        var outcome = Outcome()
        // Only the newest frame counts, so that answers are about it.
        var session = try Fixture.session(memory: .window(frames: 1))
        let rule = WatchRule(
            answer: answer,
            condition: Hysteresis(),
            command: RuleCommand(words: ["true"]),
            minimumInterval: interval
        )
        var loop = try WatchLoop.asking(
            "Is it dark?",
            session,
            rule: rule,
            keeper: StateKeeper(path: path, interval: .seconds(3600))
        )
        _ = try loop.restore(&session)
        var source = try Fixture.clip("light-off")
        let frameSlot = session.frameSlot
        let slot = try #require(frameSlot)
        for _ in 0..<skippedFrames { _ = try source.next(into: slot) }
        while let event = try loop.next(&source, &session) {
            if case .saved = event { outcome.saves += 1 }
            guard case .answered(let answered) = event else { continue }
            if let change = answered.change { outcome.changes.append("\(change)") }
            if let command = answered.command { outcome.starts.append("\(command)") }
        }
        try loop.finish(session, patience: .seconds(60))
        return outcome
    }

    @Test func aRestartRepeatsNoCommand() throws {
        try Fixture.withFolder { folder in
            let path = folder.appendingPathComponent("state").path
            // It is saved at once that the command was started, long before the interval is over.
            let first = try watch(state: path, interval: .seconds(3600))
            #expect(first == Outcome(starts: ["started"], changes: ["entered"], saves: 1))
            // It was dark, and is light again: left, entered, and too soon.
            let second = try watch(state: path, interval: .seconds(3600))
            #expect(second == Outcome(starts: ["tooSoon"], changes: ["left", "entered"]))
            // It was dark, and still is: nothing happens.
            let third = try watch(state: path, interval: .seconds(3600), skippedFrames: 3)
            #expect(third == Outcome())
        }
    }

    @Test func whatMayBeRepeatedIsRepeated() throws {
        try Fixture.withFolder { folder in
            let path = folder.appendingPathComponent("state").path
            for changes in [["entered"], ["left", "entered"]] {
                let outcome = try watch(state: path, interval: .zero)
                #expect(outcome == Outcome(starts: ["started"], changes: changes))
            }
            // Another rule has seen nothing yet.
            let other = try watch(state: path, interval: .seconds(3600), answer: "no")
            #expect(other.changes == ["entered", "left"])
        }
    }

    @Test("a clock that was set", arguments: [(-7200, true), (-1800, false), (7200, false)])
    func theClockOnTheWallMayBeSet(seconds: Int64, isStarted: Bool) {
        var rule = WatchRule(
            answer: "yes",
            condition: Hysteresis(hold: 3),
            command: RuleCommand(words: ["true"]),
            minimumInterval: .seconds(3600)
        )
        var record = rule.record(of: [1, 2])
        #expect(record.lastStart == 0 && !record.isOn)
        record.lastStart = clibc_realtime_nanoseconds() + seconds * 1_000_000_000
        record.isOn = true
        record.contradictions = 2
        var bytes: [UInt8] = []
        RuleRecord(key: record.key &+ 1).append(to: &bytes)
        record.append(to: &bytes)
        rule.restore(bytes, question: [1, 2])
        #expect(rule.condition.isOn && rule.condition.contradictions == 2)
        // The start is saved again as it was, or as one of now if it had not happened yet.
        let saved = rule.record(of: [1, 2]).lastStart
        let now = clibc_realtime_nanoseconds()
        #expect(abs(saved - min(record.lastStart, now)) < 60_000_000_000)
        let start = rule.run(RuleValues(), time: 0)
        #expect(start.map { "\($0)" } == (isStarted ? "started" : "tooSoon"))
        while rule.command?.isRunning == true, rule.command?.reap() == nil { usleep(1000) }
    }

    @Test func aDamagedRecordIsHarmless() {
        #expect(RuleRecord.find(7, in: [UInt8](repeating: 7, count: 23)) == nil)
        let everything = [UInt8](repeating: 0xFF, count: 24)
        var rule = WatchRule(answer: "yes", condition: Hysteresis(), command: nil)
        let record = RuleRecord.find(.max, in: everything)
        #expect(record?.lastStart == 0)
        rule.condition.restore(isOn: true, contradictions: record?.contradictions ?? 0)
        #expect(rule.condition.contradictions == 0)
    }
}
