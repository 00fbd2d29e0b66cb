// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import OcellusImage
import OcellusMemory
import Testing

@testable import OcellusCapture

/// Sources that wait for frames, and a request to stop.
@Suite(.serialized) struct StopSignalTests {
    private static let frame = Array("P6\n2 2\n255\n".utf8) + [UInt8](repeating: 7, count: 12)

    @Test func signalsRaiseIt() throws {
        let stop = try StopSignal.ofProcess()
        #expect(!stop.isRaised)
        Self.signal(SIGTERM)
        #expect(stop.isRaised)
        #expect(stop.isRaised)
    }

    @Test func anIgnoredSignalStaysIgnored() throws {
        Glibc.signal(SIGINT, SIG_IGN)
        defer { Glibc.signal(SIGINT, SIG_DFL) }
        let stop = try StopSignal.ofProcess()
        Self.signal(SIGINT)
        #expect(!stop.isRaised)
    }

    @Test func theSecondSignalHasItsDefaultAction() throws {
        var action = sigaction()
        func isDefault(_ number: Int32) -> Bool {
            sigaction(number, nil, &action)
            return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 0
        }
        let stop = try StopSignal.ofProcess()
        #expect(!isDefault(SIGTERM) && !isDefault(SIGINT))
        Self.signal(SIGINT)
        #expect(stop.isRaised && isDefault(SIGTERM) && isDefault(SIGINT))
    }

    /// A pipe whose writer is alive and says nothing: `next` returns nil as soon as it is asked to.
    @Test(arguments: ["", "P6\n2 2\n255\n", "P6\n2 "]) func aSilentPipeIsLeft(_ rest: String) throws
    {
        let path = NSTemporaryDirectory() + "ocellus-\(UUID().uuidString)"
        #expect(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        let writer = open(path, O_RDWR)
        defer { close(writer) }
        let bytes = Self.frame + Array(rest.utf8)
        #expect(write(writer, bytes, bytes.count) == bytes.count)

        let stop = try StopSignal()
        var source = try FrameSource.open(SourceSettings(path: path, stop: stop))
        let slot = Slot(source.maximumFrame.frameByteCount)
        #expect(try source.next(into: slot.bytes) != nil)
        Self.raise(stop, after: 0.05)
        #expect(try source.next(into: slot.bytes) == nil)
        #expect(try source.next(into: slot.bytes) == nil)
    }

    @Test func aPipeThatNobodyOpensIsLeft() throws {
        let path = NSTemporaryDirectory() + "ocellus-\(UUID().uuidString)"
        #expect(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        let stop = try StopSignal()
        Self.raise(stop, after: 0.05)
        do {
            _ = try FrameSource.open(SourceSettings(path: path, stop: stop))
            Issue.record("a pipe without a writer was opened")
        } catch {
            guard case .stopped = error else {
                Issue.record("\(error.description)")
                return
            }
        }
    }

    @Test(.enabled(if: hasFFmpeg)) func aVideoIsLeftBetweenFrames() throws {
        let path = NSTemporaryDirectory() + "ocellus-\(UUID().uuidString).mkv"
        defer { unlink(path) }
        let filming = try #require(
            try? Process.run(
                URL(filePath: "/usr/bin/env"),
                arguments: ["ffmpeg", "-v", "error", "-f", "lavfi", "-i"]
                    + ["testsrc2=size=64x48:rate=10:duration=2", "-y", path]
            )
        )
        filming.waitUntilExit()
        let stop = try StopSignal()
        var source = try FrameSource.open(SourceSettings(path: path, stop: stop))
        let slot = Slot(source.maximumFrame.frameByteCount)
        #expect(try source.next(into: slot.bytes) != nil)
        stop.raise()
        #expect(try source.next(into: slot.bytes) == nil)
    }

    private static let hasFFmpeg = FileManager.default.isExecutableFile(atPath: "/usr/bin/ffmpeg")

    /// Sends a signal to this thread; those that run tests have all signals blocked.
    private static func signal(_ number: Int32) {
        var signals = sigset_t()
        var before = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, number)
        pthread_sigmask(SIG_UNBLOCK, &signals, &before)
        pthread_kill(pthread_self(), number)
        pthread_sigmask(SIG_SETMASK, &before, nil)
    }

    private static func raise(_ stop: StopSignal, after seconds: Double) {
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: seconds)
            stop.raise()
        }
    }
}
