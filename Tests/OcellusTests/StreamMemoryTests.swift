// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusImage
import ReferenceArrays
import Testing

@testable import Ocellus

/// Each policy against sessions that saw exactly the frames that it claims to keep.
@Suite struct StreamMemoryTests {
    /// Frames that differ: four clips, one after the other.
    static let frames = ["cat-pan-right", "light-off", "coffee-pan-down", "astronaut-pan-left"]
        .flatMap { clip in (0..<5).map { "clips/\(clip)/0\($0).png" } }

    /// The logits of the first token of an answer to a question about some frames, seen afresh.
    private func fresh(_ range: Range<Int>) throws -> [Float] {
        var session = try Session.shipped()
        for index in range { try session.see(fixture: Self.frames[index]) }
        return session.firstLogits(after: try session.prompt("Did you see a cat?"))
    }

    private func logits(_ session: inout Session) throws -> [Float] {
        session.firstLogits(after: try session.prompt("Did you see a cat?"))
    }

    private func expectEqual(_ first: [Float], _ second: [Float], _ comment: Comment) {
        let greatest = greatestDifference(first, second)
        #expect(greatest <= 1e-6, comment)
    }

    @Test("a window is a session that saw the last frames only", arguments: [1, 3, 4])
    func aWindowIsAFreshSession(capacity: Int) throws {
        var session = try Session.shipped(memory: .window(frames: capacity))
        for index in 0..<12 {
            try session.see(fixture: Self.frames[index])
            let first = max(0, index + 1 - capacity)
            expectEqual(
                try logits(&session),
                try fresh(first..<index + 1),
                "after frame \(index)"
            )
        }
    }

    @Test("a refreshed state carries K to 2K - 1 frames", arguments: [1, 3])
    func aRefreshedStateIsAFreshSession(capacity: Int) throws {
        var session = try Session.shipped(memory: .refresh(frames: capacity))
        var carried = 0
        for index in 0..<14 {
            try session.see(fixture: Self.frames[index])
            carried += 1
            if carried == 2 * capacity { carried = capacity }
            expectEqual(
                try logits(&session),
                try fresh(index + 1 - carried..<index + 1),
                "after frame \(index)"
            )
        }
    }

    @Test func aBankThatIsNotFullIsASessionThatSawAll() throws {
        var session = try Session.shipped(memory: .bank(frames: 5))
        for index in 0..<5 { try session.see(fixture: Self.frames[index]) }
        expectEqual(try logits(&session), try fresh(0..<5), "five of five frames")
        try session.see(fixture: Self.frames[5])
        let before = session.statistics.rebuilds
        let merged = try logits(&session)
        let after = session.statistics.rebuilds
        #expect(after == before + 1)
        #expect(merged != (try fresh(0..<6)))
    }

    @Test func pooledFramesKeepTheNewestWhole() throws {
        var session = try Session.shipped(memory: .pooled(frames: 4, tokens: 1))
        try session.see(fixture: Self.frames[0])
        expectEqual(try logits(&session), try fresh(0..<1), "one frame is not pooled")
        for index in 1..<20 { try session.see(fixture: Self.frames[index]) }
        let statistics = session.statistics
        // The base reaches 8 frames before frame 8, then every 4 frames.
        #expect(statistics.rebuilds == 3)
        #expect(statistics.tokensReplayed == 3 * 4 * 2)
    }

    @Test func changesFoldNoTokenTwice() throws {
        var session = try Session.shipped(memory: .changes(threshold: 0.05))
        var rolling = try Session.shipped()
        let tokenCount = 17
        for _ in 0..<3 { try session.see(fixture: "photos/cat.jpg") }
        let statistics = session.statistics
        // The frame token is folded each time.
        #expect(statistics.tokensFolded == tokenCount + 2)
        #expect(statistics.tokensSaved == 2 * (tokenCount - 1))
        var all = try Session.shipped(memory: .changes(threshold: 0))
        for index in 0..<5 {
            try all.see(fixture: Self.frames[index])
            try rolling.see(fixture: Self.frames[index])
        }
        expectEqual(try logits(&all), try logits(&rolling), "threshold 0 folds all that changed")
    }

    @Test func aModelThatForgetsIsRefreshedByDefault() throws {
        var session = try Session.shipped(memory: nil)
        let (measured, memory) = (session.model.horizon, session.model.streamMemory)
        let horizon = try #require(measured)
        #expect(memory == .refresh(frames: horizon / 2))
        // What was lit and is dark stays dark, however long it lasts.
        for _ in 0..<5 { try session.see(fixture: "clips/light-off/00.png") }
        for frame in 0..<60 {
            try session.see(fixture: "clips/light-off/05.png")
            #expect(try session.text("Is the light on?").contains("no"), "dark frame \(frame)")
        }
    }

    @Test("what suits a horizon", arguments: [(nil, 0), (1, 0), (2, 1), (16, 8), (1 << 40, 16)])
    func whatSuitsAHorizon(horizon: Int?, frames: Int) {
        let expected: StreamMemory = frames == 0 ? .rolling : .refresh(frames: frames)
        #expect(StreamMemory.suited(toHorizon: horizon) == expected)
    }

    @Test("a restored memory goes on as before", arguments: Self.memories)
    func aRestoredMemoryGoesOnAsBefore(memory: StreamMemory) throws {
        var first = try Session.shipped(memory: memory, unchangedThreshold: 2)
        for index in 0..<7 { try first.see(fixture: Self.frames[index]) }
        let saved = first.save()
        var second = try Session.shipped(memory: memory, unchangedThreshold: 2)
        try second.restore(saved)
        expectEqual(try logits(&first), try logits(&second), "after restoring")
        for index in 7..<12 {
            try first.see(fixture: Self.frames[index])
            try second.see(fixture: Self.frames[index])
            expectEqual(try logits(&first), try logits(&second), "after frame \(index)")
        }
        var other = try Session.shipped(
            memory: memory == .rolling ? .window(frames: 3) : .rolling
        )
        let error = #expect(throws: OcellusError.self) { try other.restore(saved) }
        #expect(error?.description.contains("--memory") == true)
    }

    /// One of each policy.
    static let memories: [StreamMemory] = [
        .rolling, .changes(threshold: 0.1), .window(frames: 3), .refresh(frames: 2),
        .bank(frames: 3),
        .pooled(frames: 3, tokens: 2),
    ]

    @Test("a reset forgets all that a policy keeps", arguments: Self.memories)
    func aResetForgets(memory: StreamMemory) throws {
        var session = try Session.shipped(memory: memory, unchangedThreshold: 2)
        try session.see(fixture: Self.frames[0])
        let once = try logits(&session)
        for index in 1..<8 { try session.see(fixture: Self.frames[index]) }
        session.reset()
        try session.see(fixture: Self.frames[0])
        expectEqual(try logits(&session), once, "after the reset")
    }

    @Test func namesOfPoliciesAreReadAsTheyAreWritten() {
        for memory in Self.memories {
            #expect(StreamMemory(parsing: memory.description) == memory)
        }
        for wrong in [
            "", "window", "window:0", "window:x", "rolling:1", "pooled:4:3", "changes:3",
            "changes:", "bank:1048577",
        ] {
            #expect(StreamMemory(parsing: wrong) == nil, "\(wrong)")
        }
    }
}
