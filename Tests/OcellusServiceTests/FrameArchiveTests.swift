// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusImage
import OcellusMemory
import Testing

@testable import OcellusService

/// The folder of kept frames: its budget, its names, and what is not its own.
@Suite struct FrameArchiveTests {
    /// A folder and the memory of a frame, gone with the test.
    private final class Bench {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("ocellus-\(UUID().uuidString)")
        let pixels = unsafe Bytes(base: .allocate(byteCount: 3600, alignment: 64), count: 3600)

        deinit {
            try? FileManager.default.removeItem(at: folder)
            unsafe pixels.base.deallocate()
        }
    }

    private let bench = Bench()
    private let size = ImageSize(width: 40, height: 30)
    /// That of 2026-11-21T08:15:30.250Z.
    private let time: Int64 = 1_795_248_930_250_000_000

    private var folder: URL { bench.folder }

    /// A picture of one gray and some noise, so that files differ in size.
    private func frame(_ gray: UInt8) -> Frame {
        let bytes = bench.pixels
        for index in 0..<3600 {
            bytes[index] = index % 7 < Int(gray) % 5 ? gray &+ UInt8(index % 64) : gray
        }
        return Frame(bytes, size: size, format: .rgb24)
    }

    private func open(budget: Int) throws -> FrameArchive {
        try FrameArchive(folder: folder.path, budget: budget, maximumFrame: size)
    }

    private func save(_ archive: FrameArchive, _ answer: String, gray: UInt8 = 9) throws -> String {
        try archive.save(frame(gray), answer: answer, nanosecondsSince1970: time)
    }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    private func byteCount(of names: [String]) throws -> Int {
        try names.reduce(0) { sum, name in
            sum + (try Data(contentsOf: folder.appendingPathComponent(name)).count)
        }
    }

    @Test func namesSayTimeAndAnswer() throws {
        let archive = try open(budget: 1 << 20)
        #expect(try save(archive, "yes") == "ocellus-20261121T081530.250Z-00000000-yes.jpg")
        #expect(try save(archive, "") == "ocellus-20261121T081530.250Z-00000001.jpg")
        #expect(
            try save(archive, " ../../Änd\nrm -rf *; \0 3 people ")
                == "ocellus-20261121T081530.250Z-00000002-nd-rm-rf-3-people.jpg"
        )
        let long = try save(archive, String(repeating: "a-", count: 500))
        #expect(long.utf8.count < 100)
        #expect(try names().count == 4)
        #expect(try byteCount(of: names()) == archive.byteCount)
        #expect(archive.fileCount == 4)
    }

    @Test func filesAreJPEGsOfTheFrames() throws {
        let archive = try open(budget: 1 << 20)
        let name = try save(archive, "yes", gray: 100)
        let slot = unsafe Bytes(base: .allocate(byteCount: 3600, alignment: 64), count: 3600)
        defer { unsafe slot.base.deallocate() }
        let path = folder.appendingPathComponent(name).path
        let decoded = try PictureFile.decode(path, into: slot)
        #expect(decoded.size == size)
        #expect((98...102).contains(slot[0]))
    }

    /// The oldest make room, and the folder never has more than the budget.
    @Test func theBudgetHolds() throws {
        let budget = 20_000
        let archive = try open(budget: budget)
        for round in 0..<200 {
            let name = try save(archive, "round \(round)", gray: UInt8(round))
            let kept = try names()
            #expect(try byteCount(of: kept) == archive.byteCount)
            #expect(archive.byteCount <= budget)
            #expect(kept.last == name)
        }
        let kept = try names()
        // They are the newest, without a gap.
        let numbers = kept.compactMap { ArchivedName($0)?.number }
        #expect(numbers == Array((200 - kept.count)..<200))
        #expect(kept.count > 10)
    }

    @Test func aNewRunGoesOn() throws {
        for run in 0..<3 {
            let archive = try open(budget: 1 << 20)
            #expect(archive.fileCount == run)
            #expect(try save(archive, "run").contains("-0000000\(run)-run"))
        }
        let archive = try open(budget: 1500)  // two of them do not fit
        #expect(archive.fileCount < 3)
        #expect(try names().allSatisfy { $0 >= "ocellus-20261121T081530.250Z-00000001" })
        #expect(try save(archive, "next").contains("-00000003-next"))
    }

    /// A board without a clock starts in 1970: the order is that of the numbers.
    @Test func theOldestAreTheFirstWhateverTheClock() throws {
        let archive = try open(budget: 1 << 20)
        let first = try archive.save(frame(9), answer: "", nanosecondsSince1970: time)
        let second = try archive.save(frame(9), answer: "", nanosecondsSince1970: 0)
        #expect(second < first)
        let smaller = try open(budget: archive.byteCount - 1)
        #expect(smaller.fileCount == 1)
        #expect(try names() == [second])
    }

    @Test func onlyItsOwnFilesAreRemoved() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let others = [
            "holiday.jpg", "ocellus-20261121T081530.250Z-00000000-yes.jpg.bak",
            "ocellus-20261121T081530.250Z-0000000-yes.jpg", "ocellus-notes.jpg",
            "ocellus-20261121T081530.250Z-00000000-Yes.jpg", "ocellus-.jpg", "ocellus-",
            "ocellus-2026-11-21T08:15:30.250Z-00000000-yes.jpg", "x.partial",
            "ocellus-20261121T081530.250Z-99999999999999999999-yes.jpg",
            "ocellus-20261121T081530.250Z-00000000--yes.jpg",
        ]
        for name in others {
            try Data(repeating: 1, count: 5000).write(to: folder.appendingPathComponent(name))
        }
        // A folder and a link with a name of ours.
        let link = "ocellus-20261121T081530.250Z-00000001-link.jpg"
        let subfolder = "ocellus-20261121T081530.250Z-00000002-folder.jpg"
        try FileManager.default.createSymbolicLink(
            atPath: folder.appendingPathComponent(link).path,
            withDestinationPath: "holiday.jpg"
        )
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent(subfolder),
            withIntermediateDirectories: false
        )
        let archive = try open(budget: 1500)
        #expect(archive.fileCount == 0)
        for round in 0..<5 { _ = try save(archive, "yes", gray: UInt8(round)) }
        #expect(try Set(names()).isSuperset(of: others + [link, subfolder]))
    }

    /// A power cut in the middle of a file leaves no half picture.
    @Test func whatWasBeingWrittenIsRemoved() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let partial = "ocellus-20261121T081530.250Z-00000007-yes.jpg.partial"
        try Data(repeating: 1, count: 500).write(to: folder.appendingPathComponent(partial))
        _ = try open(budget: 1 << 20)
        #expect(try names().isEmpty)
    }

    @Test func aFrameLargerThanTheBudgetRemovesNothing() throws {
        let archive = try open(budget: 1 << 20)
        let name = try save(archive, "flat", gray: 10)
        let tight = try open(budget: archive.byteCount)
        #expect(throws: FrameArchiveError.self) { try save(tight, "noise", gray: 14) }
        #expect(try names() == [name])
    }

    @Test func unusableFoldersAreNamed() throws {
        for path in ["/proc/no-such-folder", "/dev/null", folder.path + "/a/b"] {
            do {
                _ = try FrameArchive(folder: path, budget: 1000, maximumFrame: size)
                Issue.record("\(path) opened")
            } catch {
                #expect(error.description.contains(path))
            }
        }
    }
}
