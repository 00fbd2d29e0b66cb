// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusImage
import OcellusMemory
import Synchronization
import Testing

@testable import OcellusCapture

/// Pictures, folders and pipes as sources of frames.
@Suite struct SourceTests {
    private let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test func namesAreSortedAsPeopleDo() {
        let names = ["frame10.png", "frame2.png", "frame002.png", "a", "frame2b.png", "frame1.png"]
        #expect(
            names.sorted { NaturalOrder.precedes($0, $1) }
                == ["a", "frame1.png", "frame002.png", "frame2.png", "frame2b.png", "frame10.png"]
        )
    }

    @Test func aFolderSkipsNothingAndNamesWhatItCannotRead() throws {
        _ = try bench.write(try Fixtures.bytes("small.png"), to: "2.png")
        _ = try bench.write(try Fixtures.bytes("chelsea.jpg"), to: "10.JPG")
        _ = try bench.write([1, 2, 3], to: "3.jpeg")
        _ = try bench.write([1, 2, 3], to: "notes.txt")
        var source = try FrameSource.open(
            SourceSettings(path: bench.folder.path, period: .seconds(2))
        )
        #expect(source.maximumFrame == ImageSize(width: 320, height: 212))
        let slot = Slot(source.maximumFrame.frameByteCount)
        #expect(try source.next(into: slot.bytes)?.size == ImageSize(width: 61, height: 41))
        do {
            _ = try source.next(into: slot.bytes)
            Issue.record("3.jpeg was read")
        } catch {
            #expect(error.description.contains("3.jpeg"))
        }
        let last = try source.next(into: slot.bytes)
        #expect(last?.size == source.maximumFrame)
        #expect(last?.timestamp == .seconds(4))
        #expect(try source.next(into: slot.bytes) == nil)
    }

    @Test func picturesWithoutAClockAreASecondApart() throws {
        for name in ["1.png", "2.png"] {
            _ = try bench.write(try Fixtures.bytes("small.png"), to: name)
        }
        var source = try FrameSource.open(SourceSettings(path: bench.folder.path))
        let slot = Slot(source.maximumFrame.frameByteCount)
        #expect(try source.next(into: slot.bytes)?.timestamp == .zero)
        #expect(try source.next(into: slot.bytes)?.timestamp == .seconds(1))
    }

    @Test func anEmptyFolderIsAnError() throws {
        guard case .emptyFolder = errorOfOpening(SourceSettings(path: bench.folder.path)) else {
            Issue.record("opened, or another error")
            return
        }
    }

    @Test(arguments: ["small.ppm", "small.pgm", "small.png", "chelsea.jpg"])
    func aPipeCarriesPictures(name: String) throws {
        let picture = try Fixtures.bytes(name)
        let isStream = name.hasSuffix("m")
        let pipe = bench.path("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        let writer = Thread {
            let handle = FileHandle(forWritingAtPath: pipe)
            try? handle?.write(contentsOf: Data(isStream ? picture + picture : picture))
            try? handle?.close()
        }
        writer.start()
        let frames = try shots(SourceSettings(path: pipe))
        #expect(frames.count == (isStream ? 2 : 1))
        let expected = try shots(SourceSettings(path: Fixtures.path(name)))
        #expect(frames.last?.rgb == expected.last?.rgb)
    }

    @Test func aSilentPipeIsToldOnceAndWaitedFor() throws {
        let pipe = bench.path("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        let told = Told()
        let picture = Data(try Fixtures.bytes("small.ppm"))
        let writer = Thread {
            let handle = FileHandle(forWritingAtPath: pipe)
            while told.lines.isEmpty { usleep(10_000) }
            try? handle?.write(contentsOf: picture)
            try? handle?.close()
        }
        writer.start()
        let settings = SourceSettings(
            path: pipe,
            patience: .milliseconds(200),
            report: { told.add($0.description) }
        )
        #expect(try shots(settings).count == 1)
        #expect(told.lines.count == 1)
        #expect(told.lines.first?.contains("gave nothing for 0.2 s; waiting for more") == true)
    }

    /// What a source told.
    private final class Told: Sendable {
        private let texts = Mutex<[String]>([])
        var lines: [String] { texts.withLock { $0 } }
        func add(_ line: String) { texts.withLock { $0.append(line) } }
    }

    @Test func evenPositionsAreInTheMiddle() {
        #expect((0..<4).map { Sampling.evenPosition($0, of: 4, in: 10) } == [1, 3, 6, 8])
        #expect((0..<3).map { Sampling.evenPosition($0, of: 3, in: 3) } == [0, 1, 2])
        #expect(Sampling.evenPosition(0, of: 1, in: 3) == 1)
    }

    /// Of 3x3 pixels the chroma planes have 2x2; the last pixel is 1/4 of a sample from the last one.
    @Test func chromaOfOddSizesIsRoundedUp() throws {
        let luma = [UInt8](repeating: 128, count: 9)
        let path = try bench.write(
            Array("YUV4MPEG2 W3 H3 F10:1 C420jpeg XCOLORRANGE=FULL\nFRAME\n".utf8) + luma
                + [128, 128, 128, 228] + [128, 128, 128, 128],
            to: "odd.y4m"
        )
        let frames = try shots(SourceSettings(path: path))
        try #require(frames.count == 1)
        // The samples beyond the edge repeat the last one: its weights of both sides add up.
        let share = Double(3571 - 346) / 4096
        let u = 100 * share * share
        #expect(abs(Double(frames[0].rgb[25]) - (128 - 0.344 * u)) < 1)
        #expect(abs(Double(frames[0].rgb[26]) - (128 + 1.772 * u)) < 1)
        #expect(frames[0].rgb[0] == 128 && frames[0].rgb[24] == 128)
    }

    @Test func aY4MClockDoesNotOverflow() throws {
        let header = try Y4MHeader(
            Array("YUV4MPEG2 W2 H2 F1000000:999999".utf8)[...],
            path: "-",
            limit: .standardLimit
        )
        #expect(header.time(ofFrame: 1_000_000_000_000) == .seconds(999_999_000_000))
    }

    @Test(arguments: [
        "YUV4MPEG2 W2 H2 F0x1:2", "YUV4MPEG2 W0 H2", "YUV4MPEG2 W-1 H2", "YUV4MPEG2 H2",
        "YUV4MPEG2 W99999999999999999999 H2", "YUV4MPEG2 W2 H2 C420p10", "YUV4MPEG2 W5000 H2",
    ])
    func badY4MHeadersAreRefused(line: String) {
        #expect(throws: CaptureError.self) {
            try Y4MHeader(Array(line.utf8)[...], path: "-", limit: .standardLimit)
        }
    }
}
