// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusImage
import Testing

@testable import Ocellus
@testable import OcellusMemory

@Suite struct SessionTests {
    @Test func anAnswerLeavesTheLiveStateUntouched() throws {
        var session = try Session.shipped()
        try session.see(fixture: "photos/cat.jpg")
        let before = session.save()
        let first = try session.text("What do you see?")
        _ = try session.text("Is there a dog?")
        let second = try session.text("What do you see?")
        let after = session.save()
        #expect(after == before)
        #expect(second == first)
    }

    @Test func resetForgets() throws {
        var session = try Session.shipped()
        try session.see(fixture: "photos/cat.jpg")
        let first = session.save()
        try session.see(fixture: "photos/coffee.jpg")
        let both = session.save()
        #expect(both != first)
        session.reset()
        let frameCount = session.frameCount
        #expect(frameCount == 0)
        try session.see(fixture: "photos/cat.jpg")
        let again = session.save()
        #expect(again == first)
    }

    @Test func theChunkLengthDoesNotChangeTheState() throws {
        var whole = try Session.shipped(chunkLength: 64)
        var pieces = try Session.shipped(chunkLength: 5)
        try whole.see(fixture: "photos/cat.jpg")
        try pieces.see(fixture: "photos/cat.jpg")
        let first = whole.firstLogits(after: try whole.prompt("Is there a cat?"))
        let second = pieces.firstLogits(after: try pieces.prompt("Is there a cat?"))
        #expect(zip(first, second).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    @Test func choicesAreNormalisedAndOrdered() throws {
        var session = try Session.shipped()
        try session.see(fixture: "photos/cat.jpg")
        let choices = try session.choices(["yes", "no", "top left", "top"])
        var probabilities: [Float] = []
        var answer = Answer(capacity: 32)
        let best = session.answer(
            try session.prompt("Is there a cat?"),
            choices: choices,
            probabilities: &probabilities,
            into: &answer
        )
        #expect(probabilities.count == 4)
        #expect(abs(probabilities.reduce(0, +) - 1) < 1e-5)
        #expect(probabilities[best] == probabilities.max())
        #expect(answer.text == choices.texts[best])
    }

    @Test func aFrameThatIsTooLargeIsAnErrorAndChangesNothing() throws {
        let options = SessionOptions(maximumFrame: ImageSize(width: 100, height: 100))
        var session = try Session(try Model(path: Fixture.model, options: options))
        var large = try Session.shipped()
        let frame = try large.picture(fixture: "photos/cat.jpg")
        let before = session.save()
        #expect(throws: OcellusError.self) { try session.see(frame) }
        let after = session.save()
        #expect(after == before)
        let outside = CropRectangle(x: 0, y: 0, width: 10_000, height: 1)
        #expect(throws: OcellusError.self) { try large.see(frame, crop: outside) }
    }

    @Test func aCropChangesWhatIsSeen() throws {
        var session = try Session.shipped()
        let frame = try session.picture(fixture: "photos/cat.jpg")
        try session.see(frame)
        let whole = session.save()
        session.reset()
        try session.see(frame, crop: CropRectangle(x: 10, y: 10, width: 50, height: 60))
        let part = session.save()
        #expect(part != whole)
    }

    @Test func emptyTextsAreErrors() throws {
        let session = try Session.shipped()
        #expect(throws: OcellusError.self) { try session.prompt("") }
        #expect(throws: OcellusError.self) { try session.choices([]) }
        #expect(throws: OcellusError.self) { try session.choices(["yes", ""]) }
        #expect(throws: OcellusError.self) { try session.prompt("   ") }
        #expect(throws: OcellusError.self) { try session.choices(["yes", " yes"]) }
    }

    @Test func thePlanIsWhatIsAllocated() throws {
        let session = try Session.shipped()
        let plan = session.model.plan
        #expect(plan.firstConflict() == nil)
        // The closed pages around the arena make it a mapping of its own, rounded up to pages.
        let start = UInt(bitPattern: session.arena.base)
        let maps = try String(contentsOfFile: "/proc/self/maps", encoding: .utf8)
        let line = try #require(
            maps.split(separator: "\n").first { $0.hasPrefix(String(start, radix: 16) + "-") }
        )
        let end = try #require(
            UInt(line.split(separator: " ")[0].split(separator: "-")[1], radix: 16)
        )
        let pageSize = Int(getpagesize())
        let pages = (plan.requiredBytes + pageSize - 1) / pageSize
        #expect(Int(end - start) == pages * pageSize)
        #expect(line.contains("rw-p"))
    }
}
