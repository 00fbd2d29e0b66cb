// SPDX-License-Identifier: Apache-2.0
import CAllocationCounter
import Foundation
import OcellusImage
import OcellusMemory
import Testing

@testable import OcellusCapture

/// Y4M and videos against ffmpeg's own conversion and sampling.
@Suite(.serialized, .enabled(if: Workbench.hasFFmpeg)) struct ClipTests {
    private let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test(arguments: ["yuv420p", "yuv422p", "yuv444p", "gray", "yuvj420p"])
    func y4mColoursEqualFFmpegs(format: String) throws {
        let options = ["-pix_fmt", format, "-strict", "-1", "-frames:v", "3"]
        let clip = try bench.film("clip.y4m", of: Fixtures.path("chelsea.jpg"), options)
        let raw = bench.path("clip.rgb")
        // ffmpeg's default conversion repeats chroma and is up to 3/255 off; this is its exact one.
        Workbench.run(
            "ffmpeg",
            [
                "-v", "error", "-i", clip, "-vf",
                "scale=flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp", "-f",
                "rawvideo",
                "-pix_fmt", "rgb24", raw,
            ]
        )
        let expected = [UInt8](try Data(contentsOf: URL(filePath: raw)))
        let frames = try shots(SourceSettings(path: clip))
        #expect(frames.count == 3)
        #expect(worstDifference(frames.flatMap(\.rgb), expected) <= 2)
        #expect(frames.map(\.seconds) == [0, 0.1, 0.2])
    }

    @Test func videoIsSampledLikeY4M() throws {
        // Chroma of its own for every pixel: what ffmpeg hands out has repeated chroma otherwise.
        let clip = try bench.film("clip.y4m", ["-pix_fmt", "yuv444p"])
        let video = bench.path("clip.mkv")
        Workbench.run("ffmpeg", ["-v", "error", "-i", clip, "-c:v", "ffv1", video])
        let choices: [(Duration?, Int?)] = [
            (.milliseconds(500), nil), (.milliseconds(300), 3), (nil, 5), (nil, 3), (nil, nil),
        ]
        for (period, count) in choices {
            let expected = try shots(
                SourceSettings(path: clip, period: period, frameCount: count)
            )
            let frames = try shots(
                SourceSettings(path: video, period: period, frameCount: count)
            )
            try #require(frames.count == expected.count)
            for (frame, wanted) in zip(frames, expected) {
                #expect(worstDifference(frame.rgb, wanted.rgb) <= 3)
                #expect(abs(frame.seconds - wanted.seconds) <= 0.11)
            }
        }
    }

    @Test("frames of Y4M and of ffmpeg allocate nothing", arguments: ["y4m", "mkv"])
    func aFrameAllocatesNothing(kind: String) throws {
        let clip = try bench.film("clip.\(kind)", ["-pix_fmt", "yuv420p"])
        var source = try FrameSource.open(SourceSettings(path: clip))
        let slot = Slot(source.maximumFrame.frameByteCount)
        let before = allocation_count()
        var takenCount = 0
        for _ in 0..<20 where try source.next(into: slot.bytes) != nil { takenCount += 1 }
        #expect(allocation_count() - before == 0)
        #expect(takenCount == 20)
    }

    @Test func aPathLikeAnOptionIsAFile() throws {
        _ = try bench.film("-y.mkv", ["-c:v", "ffv1"])
        let before = FileManager.default.currentDirectoryPath
        defer { _ = FileManager.default.changeCurrentDirectoryPath(before) }
        #expect(FileManager.default.changeCurrentDirectoryPath(bench.folder.path))
        #expect(try shots(SourceSettings(path: "-y.mkv", frameCount: 2)).count == 2)
    }

    @Test func aFileThatIsNoVideoGivesFFmpegsReason() throws {
        let path = try bench.write(Array("not a video".utf8), to: "text.mp4")
        let error = errorOfOpening(SourceSettings(path: path, period: .seconds(1)))
        guard case .programFailed(let program, _, let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(program == "ffmpeg")
        #expect(reason.contains("Invalid data"))
        #expect(Workbench.leavesNoChild(named: "ffmpeg", workingOn: path))
    }

    @Test("a damaged video is read as far as it goes, and that is told", arguments: [true, false])
    func damagedVideos(isCut: Bool) throws {
        let options = ["-c:v", "mpeg4", "-g", "5", "-movflags", "+faststart"]
        let whole = try bench.film("whole.mp4", size: "320x240", options)
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: whole)))
        if isCut {
            bytes.removeLast(bytes.count / 2)
        } else {
            for index in (bytes.count / 2)..<(bytes.count / 2 + 4000) { bytes[index] = 0xA5 }
        }
        let path = try bench.write(bytes, to: "damaged.mp4")
        var source = try FrameSource.open(
            SourceSettings(path: path, period: .milliseconds(100))
        )
        let slot = Slot(source.maximumFrame.frameByteCount)
        var count = 0
        do {
            while try source.next(into: slot.bytes) != nil { count += 1 }
            Issue.record("nothing was said of the damage")
        } catch {
            guard case .incomplete(_, let reason, let time, let frameCount) = error else {
                Issue.record("\(error.description)")
                return
            }
            #expect(!reason.isEmpty)
            #expect(frameCount == count)
            // Half of two seconds, and a bit; how far ffmpeg reads ahead of its pictures depends on how
            // busy the machine is, so that it may complain before it has written any.
            #expect(time <= .milliseconds(1700))
        }
        #expect(isCut ? (3..<19).contains(count) : count > 15)
    }

    @Test func aMissingProgramIsNamed() throws {
        do {
            _ = try ChildProcess("ocellus-no-such-program", [], path: "clip.mp4")
            Issue.record("started")
        } catch {
            #expect(
                error.description == "ocellus-no-such-program is not installed, and clip.mp4 needs "
                    + "it: apt install ffmpeg"
            )
        }
    }

    @Test func anAbandonedVideoLeavesNoChild() throws {
        let video = try bench.film("long.mkv", size: "640x480", ["-c:v", "mpeg4"])
        do {
            var source = try FrameSource.open(SourceSettings(path: video))
            let slot = Slot(source.maximumFrame.frameByteCount)
            #expect(try source.next(into: slot.bytes) != nil)
        }
        #expect(Workbench.leavesNoChild(named: "ffmpeg", workingOn: video))
    }

    @Test func aVideoLargerThanTheLimitIsRefused() throws {
        let video = try bench.film("clip.mkv", ["-c:v", "ffv1"])
        let settings = SourceSettings(
            path: video,
            period: .seconds(1),
            limit: ImageSize(width: 63, height: 48)
        )
        guard case .image(.pictureTooLarge(_, let size, _)) = errorOfOpening(settings) else {
            Issue.record("opened, or another error")
            return
        }
        #expect(size == ImageSize(width: 64, height: 48))
    }
}
