// SPDX-License-Identifier: Apache-2.0
import CAllocationCounter
import Foundation
import Ocellus
import OcellusCapture
import OcellusImage
import OcellusMemory
import OcellusService
import Testing

@Suite(.serialized) struct WatchLoopTests {
    /// The events of a watch, one letter each: f frame, u unchanged frame, a answer, e command ended.
    private func run(
        _ loop: inout WatchLoop,
        _ source: inout FrameSource,
        _ session: inout Session
    ) throws -> (letters: String, answers: [String]) {
        var (letters, answers) = ("", [String]())
        while let event = try loop.next(&source, &session) {
            switch event {
            case .frame(let seen): letters += seen.isEncoded ? "f" : "u"
            case .answered(let answered):
                letters += "a"
                answers.append(loop.answer.text)
                #expect(answered.latency > 0)
            case .commandEnded: letters += "e"
            case .skipped: letters += "x"
            case .saved: letters += "s"
            case .notSaved: letters += "!"
            }
        }
        return (letters, answers)
    }

    @Test func eachFrameIsSeenOnceAndAnswered() throws {
        var session = try Fixture.session()
        var source = try Fixture.clip("cat-pan-right")
        var loop = try WatchLoop.asking("Is there a cat?", session)
        let watched = try run(&loop, &source, &session)
        #expect(watched.letters == "fafafafafafa")
        let seen = session.frameCount
        #expect(seen == 6)

        var other = try Fixture.session()
        var again = try Fixture.clip("cat-pan-right")
        var expected: [String] = []
        var answer = Answer(capacity: 32)
        let slot = other.frameSlot
        while let frame = try again.next(into: try #require(slot)) {
            try other.see(frame)
            other.answer(try other.prompt("Is there a cat?"), maximumTokens: 32, into: &answer)
            expected.append(answer.text)
        }
        #expect(watched.answers == expected)
    }

    @Test func anUnchangedFrameIsNotAskedAbout() throws {
        var session = try Fixture.session(unchangedThreshold: 4)
        var source = try Fixture.clip("light-off")
        var loop = try WatchLoop.asking(
            "Is it dark?",
            session,
            settings: WatchSettings(occasion: .change)
        )
        // Three bright frames alike, then three dark ones; the first dark one that stands still is news.
        let watched = try run(&loop, &source, &session)
        #expect(watched.letters == "fauufafau")
    }

    @Test func theWatchEndsAtItsLimitAndWhenStopped() throws {
        var session = try Fixture.session()
        var source = try Fixture.clip("cat-pan-right")
        var loop = try WatchLoop.asking(
            "Is there a cat?",
            session,
            settings: WatchSettings(frameLimit: 2)
        )
        #expect(try run(&loop, &source, &session).letters == "fafa")

        let stop = try StopSignal()
        var stopped = try WatchLoop.asking(
            "Is there a cat?",
            session,
            settings: WatchSettings(stop: stop)
        )
        _ = try stopped.next(&source, &session)
        stop.raise()
        // The answer about the frame that was seen still comes.
        #expect(try run(&stopped, &source, &session).letters == "a")
    }

    @Test func aRuleStartsItsCommandOnce() throws {
        try Fixture.withFolder { folder in
            let script = folder.appendingPathComponent("note")
            try """
            #!/bin/sh
            echo "$OCELLUS_QUESTION|$OCELLUS_ANSWER|$OCELLUS_PROBABILITY|$OCELLUS_TIME|$1" >>"$0.log"
            sleep 0.2
            """.write(to: script, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755],
                ofItemAtPath: script.path
            )
            var session = try Fixture.session()
            var source = try Fixture.clip("light-off")
            let rule = WatchRule(
                answer: "YES",
                condition: Hysteresis(),
                command: RuleCommand(words: [script.path, "$HOME"])
            )
            var loop = try WatchLoop.asking("Is it dark?", session, rule: rule)
            let watched = try run(&loop, &source, &session)
            try loop.finish(session, patience: .seconds(60))
            #expect(watched.answers == ["no", "no", "no", "yes", "yes", "yes"])
            let log = try String(contentsOfFile: script.path + ".log", encoding: .utf8)
            let fields = log.split(separator: "\n").map { $0.split(separator: "|") }
            #expect(fields.count == 1)
            let values = try #require(fields.first)
            #expect(values[0] == "Is it dark?")
            #expect(values[1] == "yes")
            #expect(try #require(Double(values[2])) > 0.5)
            let formatter = ISO8601DateFormatter()
            formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
            let time = try #require(formatter.date(from: String(values[3])))
            #expect(abs(time.timeIntervalSinceNow) < 60)
            // No shell looked at the words.
            #expect(values[4] == "$HOME")
        }
    }

    @Test func commandsThatCannotRunAreEventsAndNotErrors() throws {
        var session = try Fixture.session()
        var source = try Fixture.clip("light-off")
        let rule = WatchRule(
            answer: "yes",
            condition: Hysteresis(),
            command: RuleCommand(words: ["/nowhere/at/all"])
        )
        var loop = try WatchLoop.asking("Is it dark?", session, rule: rule)
        var failures = 0
        while let event = try loop.next(&source, &session) {
            guard case .answered(let answered) = event, case .failed(let error)? = answered.command
            else { continue }
            failures += 1
            #expect(error == ENOENT)
        }
        #expect(failures == 1)
    }

    /// What became of the command of "Is it dark?" each time that the light went off, every second.
    ///
    /// A command that is `awaited` ends before the next frame.
    private func starts(
        _ words: [String],
        interval: Duration,
        awaited: Bool
    ) throws -> [WatchEvent.CommandStart] {
        var starts: [WatchEvent.CommandStart] = []
        try Fixture.withFolder { folder in
            let clip = Fixture.root.appendingPathComponent("Tests/Fixtures/clips/light-off")
            for index in 0..<6 {
                try FileManager.default.copyItem(
                    at: clip.appendingPathComponent(index % 2 == 0 ? "00.png" : "05.png"),
                    to: folder.appendingPathComponent("\(index).png")
                )
            }
            var source = try FrameSource.open(
                SourceSettings(path: folder.path, period: .milliseconds(500))
            )
            var session = try Fixture.session(memory: .window(frames: 1))
            let rule = WatchRule(
                answer: "yes",
                condition: Hysteresis(),
                command: RuleCommand(words: words),
                minimumInterval: interval
            )
            var loop = try WatchLoop.asking("Is it dark?", session, rule: rule)
            while let event = try loop.next(&source, &session) {
                guard case .answered(let answered) = event, let command = answered.command
                else { continue }
                starts.append(command)
                if awaited { try loop.finish(session, patience: .seconds(60)) }
            }
        }
        return starts
    }

    @Test func aCommandIsNotStartedAgainTooSoon() throws {
        let found = try starts(["true"], interval: .milliseconds(1200), awaited: true)
        #expect(found.map { "\($0)" } == ["started", "tooSoon", "started"])
    }

    @Test func aCommandThatRunsIsNotStartedTwice() throws {
        try Fixture.withFolder { folder in
            // It runs until somebody opens the other end of its pipe.
            let pipe = folder.appendingPathComponent("pipe").path
            try #require(mkfifo(pipe, 0o600) == 0)
            let found = try starts(["cat", pipe], interval: .zero, awaited: false)
            #expect(found.map { "\($0)" } == ["started", "stillRunning", "stillRunning"])
            if !found.isEmpty { close(open(pipe, O_WRONLY)) }
        }
    }

    @Test(
        "nothing is allocated per frame",
        arguments: [
            .rolling, .changes(threshold: 0.1), .window(frames: 2), .refresh(frames: 2),
            .bank(frames: 2), .pooled(frames: 2, tokens: 1),
        ] as [StreamMemory]
    )
    func nothingIsAllocatedPerFrame(memory: StreamMemory) throws {
        var session = try Fixture.session(memory: memory, unchangedThreshold: 1)
        // A stream of raw frames, which its source reads without allocating.
        try Fixture.withFolder { folder in
            let path = folder.appendingPathComponent("frames.y4m").path
            try Self.noise(frames: 12).write(to: URL(fileURLWithPath: path))
            var source = try FrameSource.open(SourceSettings(path: path))
            let rule = WatchRule(answer: "yes", condition: Hysteresis(hold: 2), command: nil)
            var loop = try WatchLoop.asking("Is it dark?", session, rule: rule)
            var counts: [Int] = []
            while true {
                let before = allocation_count()
                guard try loop.next(&source, &session) != nil else { break }
                counts.append(allocation_count() - before)
            }
            #expect(counts.count == 24)
            // The first event may make the loop's buffers.
            #expect(counts.dropFirst(2).allSatisfy { $0 == 0 }, "\(counts)")
        }
    }

    /// A Y4M clip of 64 x 64 whose frames differ.
    private static func noise(frames: Int) -> Data {
        var data = Data("YUV4MPEG2 W64 H64 F2:1 C420jpeg\n".utf8)
        var state: UInt32 = 1
        for _ in 0..<frames {
            data += Data("FRAME\n".utf8)
            for _ in 0..<64 * 64 * 3 / 2 {
                state = state &* 1_664_525 &+ 1_013_904_223
                data.append(UInt8(state >> 24))
            }
        }
        return data
    }
}
