// SPDX-License-Identifier: Apache-2.0
import Foundation
import Ocellus
import OcellusCapture
import OcellusService
import Testing

@Suite struct StateKeeperTests {
    /// Watches a clip with a keeper, from what the file has.
    private func watch(
        _ clip: String,
        path: String,
        memory: StreamMemory = .rolling,
        frames: Int = .max,
        interval: Duration = .seconds(3600)
    ) throws -> (state: [UInt8], saves: Int, found: StateKeeper.Found) {
        var session = try Fixture.session(memory: memory)
        let keeper = StateKeeper(path: path, interval: interval)
        let found = try keeper.restore(&session)
        var source = try Fixture.clip(clip)
        var loop = try WatchLoop.asking(
            "Is there a cat?",
            session,
            settings: WatchSettings(frameLimit: frames),
            keeper: keeper
        )
        var saves = 0
        while let event = try loop.next(&source, &session) {
            if case .saved = event { saves += 1 }
        }
        try loop.finish(session)
        return (session.save(), saves, found)
    }

    @Test(
        "a watch goes on where it ended",
        arguments: [.rolling, .window(frames: 4)] as [StreamMemory]
    )
    func aWatchGoesOnWhereItEnded(memory: StreamMemory) throws {
        try Fixture.withFolder { folder in
            let path = folder.appendingPathComponent("state").path
            _ = try watch("cat-pan-right", path: path, memory: memory)
            let resumed = try watch("coffee-pan-down", path: path, memory: memory)
            guard case .restored = resumed.found else {
                Issue.record("not restored")
                return
            }
            var session = try Fixture.session(memory: memory)
            for clip in ["cat-pan-right", "coffee-pan-down"] {
                var source = try Fixture.clip(clip)
                let slot = session.frameSlot
                while let frame = try source.next(into: try #require(slot)) {
                    try session.see(frame)
                }
            }
            var answer = Answer(capacity: 32)
            session.answer(try session.prompt("Is there a cat?"), maximumTokens: 32, into: &answer)
            let whole = session.save()
            // Not compared by #expect, which would look hours for the least difference of two states.
            let different = zip(resumed.state, whole).enumerated().first { $1.0 != $1.1 }?.offset
            #expect(different == nil && resumed.state.count == whole.count)
        }
    }

    @Test func theStateIsSavedAtIntervals() throws {
        try Fixture.withFolder { folder in
            let path = folder.appendingPathComponent("state").path
            let often = try watch("cat-pan-right", path: path, interval: .nanoseconds(1))
            // After each frame; the last one is saved in the loop, not by `finish`.
            #expect(often.saves == 6)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["state"])
        }
    }

    @Test func aDamagedFileIsRenamedAndNothingIsLost() throws {
        try Fixture.withFolder { folder in
            let url = folder.appendingPathComponent("state")
            _ = try watch("cat-pan-right", path: url.path)
            let whole = try Data(contentsOf: url)
            var flipped = whole
            flipped[whole.count / 2] ^= 1
            let damaged = [
                ("state.damaged", whole.prefix(whole.count / 2)), ("state.damaged.2", flipped),
                ("state.damaged.3", Data()),
            ]
            for (name, contents) in damaged {
                try contents.write(to: url)
                var session = try Fixture.session()
                let keeper = StateKeeper(path: url.path, interval: .seconds(1))
                guard case .damaged(_, let moved) = try keeper.restore(&session) else {
                    Issue.record("\(name) was accepted")
                    return
                }
                #expect(moved == folder.appendingPathComponent(name).path)
                #expect(try Data(contentsOf: folder.appendingPathComponent(name)) == contents)
                #expect(!FileManager.default.fileExists(atPath: url.path))
                let frameCount = session.frameCount
                #expect(frameCount == 0)
            }
        }
    }

    @Test func aForeignFileIsRefusedAndLeftAlone() throws {
        try Fixture.withFolder { folder in
            let url = folder.appendingPathComponent("state")
            _ = try watch("cat-pan-right", path: url.path, memory: .window(frames: 4))
            let whole = try Data(contentsOf: url)
            var otherVersion = whole
            otherVersion[8] = 1
            let text = Data("a letter that is no state at all, and must not be lost".utf8)
            for contents in [whole, otherVersion, text] {
                try contents.write(to: url)
                var session = try Fixture.session()
                let keeper = StateKeeper(path: url.path, interval: .seconds(1))
                #expect(throws: OcellusError.self) { _ = try keeper.restore(&session) }
                #expect(try Data(contentsOf: url) == contents)
            }
        }
    }

    @Test func aStateThatCannotBeSavedDoesNotStopTheWatch() throws {
        try Fixture.withFolder { folder in
            let path = folder.appendingPathComponent("missing/state").path
            var session = try Fixture.session()
            var source = try Fixture.clip("cat-pan-right")
            var loop = try WatchLoop.asking(
                "Is there a cat?",
                session,
                settings: WatchSettings(),
                keeper: StateKeeper(path: path, interval: .nanoseconds(1))
            )
            var failures = 0
            while let event = try loop.next(&source, &session) {
                if case .notSaved = event { failures += 1 }
                try #require(failures <= loop.frameCount)
            }
            #expect(loop.frameCount > 1 && failures == loop.frameCount)
            #expect(throws: OcellusError.self) { try loop.finish(session) }
        }
    }

    /// A daemon's state often lies on another disk, behind a link.
    @Test(arguments: ["disk/state", "absolute"])
    func aLinkStaysAndItsFileIsReplaced(target: String) throws {
        try Fixture.withFolder { folder in
            let manager = FileManager.default
            let disk = folder.appendingPathComponent("disk")
            try manager.createDirectory(at: disk, withIntermediateDirectories: false)
            let file = disk.appendingPathComponent("state")
            let links = ["first", "second"].map { folder.appendingPathComponent($0).path }
            try manager.createSymbolicLink(atPath: links[0], withDestinationPath: "second")
            try manager.createSymbolicLink(
                atPath: links[1],
                withDestinationPath: target == "absolute" ? file.path : target
            )
            for _ in 0..<2 {  // a link that leads nowhere yet, then to the file
                _ = try watch("cat-pan-right", path: links[0], memory: .rolling)
                for link in links {
                    #expect(throws: Never.self) {
                        try manager.destinationOfSymbolicLink(atPath: link)
                    }
                }
            }
            #expect(try manager.contentsOfDirectory(atPath: disk.path) == ["state"])
            #expect(try Data(contentsOf: file).count > 1000)
        }
    }

    @Test func whatAPowerCutLeftIsRemoved() throws {
        try Fixture.withFolder { folder in
            let path = folder.appendingPathComponent("state").path
            for name in ["state.4711.partial", "state.mine.partial", "state.12.partial.txt"] {
                try Data([1]).write(to: folder.appendingPathComponent(name))
            }
            var session = try Fixture.session()
            let found = try StateKeeper(path: path, interval: .seconds(1)).restore(&session)
            guard case .nothing = found else {
                Issue.record("there was no state")
                return
            }
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
                    == ["state.12.partial.txt", "state.mine.partial"]
            )
        }
    }
}
