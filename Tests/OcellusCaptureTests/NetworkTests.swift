// SPDX-License-Identifier: Apache-2.0
import CAllocationCounter
import Foundation
import OcellusMemory
import Synchronization
import Testing

@testable import OcellusCapture
@testable import OcellusImage

/// Streams from the network, through ffmpeg, with everything that goes wrong there.
@Suite(.serialized, .enabled(if: NetworkCamera.isPossible)) struct NetworkTests {
    /// What a source told.
    private final class Notices: Sendable {
        private let texts = Mutex<[String]>([])
        var all: [String] { texts.withLock { $0 } }
        func add(_ notice: CaptureNotice) { texts.withLock { $0.append(notice.description) } }
        func count(_ part: String) -> Int { all.filter { $0.contains(part) }.count }
    }

    private let notices = Notices()

    private func settings(
        _ address: String,
        patience: Duration = .seconds(60),
        awaits: Bool = false,
        stop: StopSignal? = nil
    ) -> SourceSettings {
        SourceSettings(
            path: address,
            stop: stop,
            patience: patience,
            awaitsSource: awaits,
            report: { [notices] in notices.add($0) }
        )
    }

    private func counts(_ source: borrowing FrameSource) -> CaptureStatistics {
        source.statistics ?? CaptureStatistics()
    }

    /// The gray level of a picture: 4 times the server's count of pictures, modulo 256.
    private func level(_ frame: Frame, _ slot: Slot) -> Int {
        // Limited range: 16 is black, 235 white.
        Int((Double(frame.luma.base[0]) - 16) * 255 / 219 + 0.5)
    }

    @Test func onlyTheNewestPictureIsGiven() throws {
        let camera = try #require(NetworkCamera.shared)
        var source = try FrameSource.open(settings(camera.address("live")))
        let isLive = source.isLive
        #expect(isLive)
        #expect(source.maximumFrame == ImageSize(width: 64, height: 48))
        let slot = Slot(source.maximumFrame.frameByteCount)
        for _ in 0..<3 {
            let last = try #require(try source.next(into: slot.bytes))
            let (lastNumber, lastTime, lastLevel) = (last.number, last.timestamp, level(last, slot))
            let superseded = counts(source).superseded
            while counts(source).superseded < superseded + 6 { usleep(10_000) }
            let frame = try #require(try source.next(into: slot.bytes))
            // The server's pictures are 4 levels apart; a queue would give the next one.
            let passed = ((level(frame, slot) - lastLevel + 256) % 256 + 2) / 4
            #expect(passed >= 7, "\(passed) pictures")
            #expect(frame.number >= lastNumber + 7)
            #expect(frame.timestamp > lastTime)
            #expect(frame.captureTime != nil)
        }
        #expect(notices.count("64x48") == 1 && notices.all.count == 1)

        let before = allocation_count()
        var takenCount = 0
        for _ in 0..<10 where try source.next(into: slot.bytes) != nil { takenCount += 1 }
        #expect(allocation_count() == before)
        #expect(takenCount == 10)
    }

    @Test func readingAPictureAllocatesNothing() throws {
        let size = ImageSize(width: 64, height: 48)
        let layout = try FrameLayout(size: size, format: .yuv420)
        let path = NSTemporaryDirectory() + "ocellus-\(UUID().uuidString)"
        defer { unlink(path) }
        let frame = Data("FRAME\n".utf8) + Data(count: layout.byteCount)
        try Data((0..<20).map { _ in frame }.joined()).write(to: URL(filePath: path))
        let quit = try StopSignal()
        // As ffmpeg does, it complains about a damaged picture.
        let child = try ChildProcess("sh", ["-c", "echo damaged >&2; cat \(path)"], path: path)
        let input = InputStream(child, of: path, stop: quit)
        input.patience = .seconds(60)
        let reader = NetworkReader(
            input,
            layout: layout,
            latest: LatestFrame(slotByteCount: layout.byteCount),
            arrival: try WakeEvent(),
            quit: quit,
            position: -1
        )
        let before = allocation_count()
        reader.run()
        #expect(allocation_count() - before == 0)
        #expect(reader.finish().position == 19)
    }

    @Test func aStreamThatEndsIsConnectedAgain() throws {
        let camera = try #require(NetworkCamera.shared)
        var source = try FrameSource.open(settings(camera.address("ends")))
        let slot = Slot(source.maximumFrame.frameByteCount)
        var lastNumber = -1
        for _ in 0..<25 {
            let frame = try #require(try source.next(into: slot.bytes))
            #expect(frame.number > lastNumber)
            lastNumber = frame.number
        }
        let statistics = counts(source)
        #expect(statistics.outages >= 2)
        #expect(statistics.delivered == 25)
        #expect(notices.count("ended") >= 1)
        #expect(notices.count("again, after") >= 1)
    }

    @Test func aSilentStreamIsConnectedAgain() throws {
        let camera = try #require(NetworkCamera.shared)
        var source = try FrameSource.open(
            settings(camera.address("stalls"), patience: .seconds(2))
        )
        let slot = Slot(source.maximumFrame.frameByteCount)
        while counts(source).outages == 0 {
            #expect(try source.next(into: slot.bytes) != nil)
        }
        #expect(try source.next(into: slot.bytes) != nil)
        #expect(notices.count("gave no picture for 2.0 s") >= 1)
        #expect((1...counts(source).outages).contains(notices.count("again, after")))
    }

    @Test func aServerThatDiesAndComesBackIsFound() throws {
        let own = try NetworkCamera()
        let port = own.port
        var source = try FrameSource.open(settings(own.address("live")))
        let slot = Slot(source.maximumFrame.frameByteCount)
        #expect(try source.next(into: slot.bytes) != nil)
        own.kill()
        // Back once it was looked for in vain, while `next` waits.
        Thread.detachNewThread { [holder, notices] in
            while notices.count("Connection refused") == 0 { usleep(10_000) }
            let revived = try? NetworkCamera(port: port)
            holder.camera.withLock { $0 = revived }
        }
        while counts(source).failedReopens == 0 {
            #expect(try source.next(into: slot.bytes) != nil)
        }
        #expect(notices.count("Connection refused") == 1)
        #expect(notices.count("again, after") == 1)
    }

    @Test func aServerThatComesLaterIsWaitedFor() throws {
        var own: NetworkCamera? = try NetworkCamera()
        let port = try #require(own?.port)
        let address = try #require(own?.address("live"))
        own = nil
        Thread.detachNewThread { [holder, notices] in
            while notices.count("gives no pictures yet") == 0 { usleep(10_000) }
            let camera = try? NetworkCamera(port: port)
            holder.camera.withLock { $0 = camera }
        }
        var source = try FrameSource.open(settings(address, awaits: true))
        let slot = Slot(source.maximumFrame.frameByteCount)
        #expect(try source.next(into: slot.bytes) != nil)
        #expect(notices.count("no pictures yet (Connection refused); waiting for them") == 1)
        #expect(notices.count("64x48") == 1)
    }

    @Test func waitingEndsWithTheStopSignal() throws {
        let stop = try StopSignal()
        Thread.detachNewThread { [notices] in
            while notices.count("gives no pictures yet") == 0 { usleep(10_000) }
            stop.raise()
        }
        do {
            _ = try FrameSource.open(settings("rtsp://127.0.0.1:1/x", awaits: true, stop: stop))
            Issue.record("opened")
        } catch {
            guard case .stopped = error else { throw error }
        }
    }

    @Test(arguments: [("private", "401"), ("nowhere", "404")])
    func aServerThatRefusesIsNotWaitedFor(_ path: String, _ reason: String) throws {
        let camera = try #require(NetworkCamera.shared)
        do {
            _ = try FrameSource.open(settings(camera.address(path), awaits: true))
            Issue.record("\(path) was opened")
        } catch {
            #expect(error.description.contains(reason), "\(error.description)")
        }
        #expect(notices.all.isEmpty)
    }

    @Test func aServerThatIsStillStartingIsAskedAgain() throws {
        let own = try NetworkCamera()
        let settings = settings(own.address("starting"), awaits: true)
        var source = try FrameSource.open(settings)
        let slot = Slot(source.maximumFrame.frameByteCount)
        #expect(try source.next(into: slot.bytes) != nil)
        #expect(notices.count("answers, but not with pictures: Stream ends prematurely") == 1)
        #expect(notices.count("in case it is still starting") == 1)
        #expect(notices.count("64x48") == 1)
    }

    @Test(arguments: [
        ("text", "answers, but not with pictures: Stream ends prematurely"),
        ("private", "http://USER:PASSWORD@HOST/PATH, with %40 for @"),
    ]) func adviceFitsTheAnswer(_ path: String, _ advice: String) throws {
        let camera = try #require(NetworkCamera.shared)
        let error = #expect(throws: CaptureError.self) {
            _ = try FrameSource.open(settings(camera.address(path)))
        }
        #expect(try #require(error).description.contains(advice))
    }

    /// Keeps the camera that came back.
    private final class Holder: Sendable {
        let camera = Mutex<NetworkCamera?>(nil)
    }
    private let holder = Holder()

    @Test func aStreamThatChangesItsSizeGoesOn() throws {
        let camera = try #require(NetworkCamera.shared)
        var source = try FrameSource.open(settings(camera.address("resizes")))
        let slot = Slot(source.maximumFrame.frameByteCount)
        for _ in 0..<40 {
            let frame = try #require(try source.next(into: slot.bytes))
            #expect(frame.size == ImageSize(width: 64, height: 48))
        }
        let outages = counts(source).outages
        #expect(outages == 0)
    }

    @Test func stoppingEndsTheWaiting() throws {
        let camera = try #require(NetworkCamera.shared)
        let stop = try StopSignal()
        var source = try FrameSource.open(settings(camera.address("stalls?again"), stop: stop))
        let slot = Slot(source.maximumFrame.frameByteCount)
        Thread.detachNewThread {
            usleep(4_500_000)
            stop.raise()
        }
        while try source.next(into: slot.bytes) != nil {}
        #expect(stop.isRaised)
    }

    @Test(arguments: [
        ("http://me:wr0ng@HOST/private?token=t0ken", "401"),
        ("http://me:wr0ng@HOST/nowhere", "404"),
        ("http://me:wr0ng@127.0.0.1:1/live", "Connection refused"),
        ("rtsp://me:wr0ng@127.0.0.1:1/live?token=t0ken", "Connection refused"),
    ]) func whatIsWrongIsSaidWithoutSecrets(_ address: String, _ reason: String) throws {
        let camera = try #require(NetworkCamera.shared)
        let path = address.replacing("HOST", with: "127.0.0.1:\(camera.port)")
        do {
            _ = try FrameSource.open(settings(path))
            Issue.record("\(path) was opened")
        } catch {
            #expect(error.description.contains(reason), "\(error.description)")
            for secret in ["wr0ng", "t0ken", "me:"] {
                #expect(!error.description.contains(secret), "\(error.description)")
            }
        }
    }

    @Test(
        "a stream with a password is read, and no arguments have it",
        arguments: ["me:s3cret@HOST/private", "HOST/live?token=it's%20a%20s3cret"]
    )
    func aStreamWithAPasswordIsRead(_ address: String) throws {
        let camera = try #require(NetworkCamera.shared)
        let path = "http://" + address.replacing("HOST", with: "127.0.0.1:\(camera.port)")
        var source = try FrameSource.open(settings(path))
        let slot = Slot(source.maximumFrame.frameByteCount)
        #expect(try source.next(into: slot.bytes) != nil)
        #expect(notices.count("s3cret") == 0)
        let lines = try commandLinesOfChildren()
        #expect(lines.contains { $0.hasPrefix("ffmpeg") })
        #expect(!lines.contains { $0.contains("s3cret") })
    }

    /// What `ps` shows of the programs that this one has started.
    private func commandLinesOfChildren() throws -> [String] {
        var lines: [String] = []
        for process in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
            // One that ends meanwhile has neither.
            guard let status = FileManager.default.contents(atPath: "/proc/\(process)/status"),
                String(decoding: status, as: UTF8.self).contains("\nPPid:\t\(getpid())\n"),
                let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline")
            else { continue }
            lines.append(String(decoding: line, as: UTF8.self))
        }
        return lines
    }
}
