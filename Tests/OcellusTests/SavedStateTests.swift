// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Ocellus

@Suite struct SavedStateTests {
    @Test func aRestoredSessionAnswersAsBefore() throws {
        var first = try Session.shipped()
        try first.see(fixture: "clips/cat-pan-right/00.png")
        try first.see(fixture: "clips/cat-pan-right/01.png")
        let saved = first.save()
        let announced = first.stateByteCount
        #expect(saved.count == announced)

        var second = try Session.shipped()
        try second.restore(saved)
        let frameCount = second.frameCount
        #expect(frameCount == 2)
        // The next frame is compared with the last one, so the projector's part counts too.
        try first.see(fixture: "clips/cat-pan-right/02.png")
        try second.see(fixture: "clips/cat-pan-right/02.png")
        let (one, other) = (first.save(), second.save())
        #expect(one == other)
    }

    @Test func aFileKeepsAState() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("state").path
        var session = try Session.shipped()
        try session.see(fixture: "photos/cat.jpg")
        try session.save(toFile: path)
        let saved = session.save()
        session.reset()
        try session.restore(fromFile: path)
        let restored = session.save()
        #expect(restored == saved)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["state"])
    }

    @Test func whatWasSavedBesideAStateIsFoundAgain() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let url = folder.appendingPathComponent("state")
        var session = try Session.shipped()
        let supplement: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
        try session.save(toFile: url.path, supplement: supplement)
        let found = try session.restore(fromFile: url.path)
        #expect(found == supplement)
        try session.save(toFile: url.path)
        let nothing = try session.restore(fromFile: url.path)
        #expect(nothing.isEmpty)

        // A forged size is found out before anything is taken from beyond the end.
        for size: UInt64 in [8, 12, .max, .max / 2 - 7] {
            var saved = session.save()
            saved.replaceSubrange(96..<104, with: size.littleEndianBytes)
            var checksum = RunningChecksum()
            let covered = Array(saved.dropLast(8))
            checksum.add(covered.span.bytes)
            saved.replaceSubrange((saved.count - 8)..., with: checksum.value.littleEndianBytes)
            #expect(throws: OcellusError.self) { try session.restore(saved) }
        }
    }

    @Test func aFolderThatIsNotThereIsAnError() throws {
        let session = try Session.shipped()
        #expect(throws: OcellusError.self) { try session.save(toFile: "/nowhere/at/all/state") }
    }

    @Test func damagedStatesAreRefusedAndChangeNothing() throws {
        var session = try Session.shipped()
        try session.see(fixture: "photos/cat.jpg")
        let saved = session.save()
        session.reset()
        try session.see(fixture: "photos/coffee.jpg")
        let current = session.save()
        for count in [0, 1, 7, 48, 55, 56, saved.count / 2, saved.count - 1] {
            #expect(throws: OcellusError.self) { try session.restore(Array(saved[..<count])) }
        }
        var longer = saved
        longer.append(0)
        #expect(throws: OcellusError.self) { try session.restore(longer) }
        for offset in stride(from: 0, to: saved.count, by: saved.count / 97) {
            // The count of frames in the header is covered by the checksum too.
            var flipped = saved
            flipped[offset] ^= 0x10
            #expect(throws: OcellusError.self) { try session.restore(flipped) }
        }
        let after = session.save()
        #expect(after == current)
    }

    @Test func aStateOfAnotherModelIsRefused() throws {
        var session = try Session.shipped()
        var saved = session.save()
        saved[16] ^= 1
        var checksum = RunningChecksum()
        let covered = Array(saved.dropLast(8))
        checksum.add(covered.span.bytes)
        saved.replaceSubrange((saved.count - 8)..., with: checksum.value.littleEndianBytes)
        let error = #expect(throws: OcellusError.self) { try session.restore(saved) }
        #expect(error?.description.contains("another model") == true)
    }

    private func temporaryFolder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("ocellus-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }
}
