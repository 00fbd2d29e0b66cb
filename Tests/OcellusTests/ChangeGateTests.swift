// SPDX-License-Identifier: Apache-2.0
import OcellusImage
import OcellusMemory
import OcellusModels
import Testing

@testable import Ocellus

@Suite struct ChangeGateTests {
    /// A grey picture with a square of another shade, in the session's slot.
    private func picture(
        _ session: borrowing Session,
        square: Range<Int>,
        shade: UInt8
    ) throws -> Frame {
        let planned = session.frameSlot
        let slot = try #require(planned)
        let size = ImageSize(width: 128, height: 128)
        for row in 0..<128 {
            for column in 0..<128 {
                let isInside = square.contains(row) && square.contains(column)
                for channel in 0..<3 {
                    slot[3 * (row * 128 + column) + channel] = isInside ? shade : 100
                }
            }
        }
        return Frame(slot, size: size, format: .rgb24)
    }

    @Test func theChangeIsThatOfTheMeanOfABlock() throws {
        var session = try Session.shipped(unchangedThreshold: 3)
        try session.see(try picture(session, square: 0..<0, shade: 0))
        let first = session.lastFrame
        #expect(first.isEncoded && first.change == nil)
        // A quarter of a block, 20 steps brighter: 5 steps of its mean.
        try session.see(try picture(session, square: 64..<68, shade: 120))
        let small = session.lastFrame
        #expect(small.isEncoded)
        #expect(abs((small.change ?? 0) - 5) < 0.01)
        // Two steps everywhere are below the threshold; the first frame that stands still is encoded,
        // for the model compares frames.
        try session.see(try picture(session, square: 64..<68, shade: 124))
        let settling = session.lastFrame
        #expect(settling.isEncoded)
        try session.see(try picture(session, square: 64..<68, shade: 124))
        let still = session.lastFrame
        #expect(!still.isEncoded && still.change == 0)
        let statistics = session.statistics
        #expect(statistics.framesSeen == 4)
        #expect(statistics.framesUnchanged == 1)
    }

    @Test func aSlowDriftAddsUp() throws {
        var session = try Session.shipped(unchangedThreshold: 3)
        try session.see(try picture(session, square: 0..<0, shade: 0))
        var encoded: [Int] = []
        for step in 1...8 {
            try session.see(try picture(session, square: 32..<64, shade: UInt8(100 + step)))
            if session.lastFrame.isEncoded { encoded.append(step) }
        }
        // Three steps, then the frame after it, which has not changed much: it becomes the reference.
        #expect(encoded == [3, 4, 7, 8])
    }

    @Test func anUnchangedFrameLeavesTheStateAsItIs() throws {
        var session = try Session.shipped(unchangedThreshold: 2)
        try session.see(fixture: "photos/cat.jpg")
        let question = try session.prompt("Is there a cat?")
        let before = session.firstLogits(after: question)
        for _ in 0..<10 { try session.see(fixture: "photos/cat.jpg") }
        let after = session.firstLogits(after: question)
        #expect(after == before)
        let statistics = session.statistics
        #expect(statistics.framesEncoded == 1)
        #expect(statistics.tokensSaved == 10 * 17)
        let times = session.lastFrameTimes
        #expect(times.encode == 0 && times.project == 0 && times.fold == 0)
    }

    @Test func whatDidNotChangeIsNotComputedAgain() throws {
        var whole = try Session.shipped()
        var part = try Session.shipped(reuseThreshold: 0)
        for square in [0..<0, 64..<68, 60..<68, 0..<9, 120..<128, 120..<128] {
            try whole.see(try picture(whole, square: square, shade: 120))
            try part.see(try picture(part, square: square, shade: 120))
        }
        let question = try part.prompt("Is there a cat?")
        let (expected, found) = (
            whole.firstLogits(after: question), part.firstLogits(after: question)
        )
        #expect(found == expected)
        let (all, some) = (whole.statistics.convolutions, part.statistics.convolutions)
        #expect(all.skippedShare == 0 && some.whole == all.whole)
        // The last frame takes nothing, the four before it some.
        #expect(some.skippedShare > 1.0 / 6 && some.skippedShare < 5.0 / 6)
        part.reset()
        try part.see(try picture(part, square: 120..<128, shade: 120))
        let again = part.statistics.convolutions
        #expect(again.done - some.done == again.whole - some.whole)
    }
}
