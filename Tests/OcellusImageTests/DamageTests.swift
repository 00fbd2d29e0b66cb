// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusImage
import OcellusMemory
import Testing

@testable import OcellusCapture

/// Truncated and altered files give an error or a picture, and never write outside their slot.
@Suite struct DamageTests {
    private static let guardByteCount = 4096
    private static let slotByteCount = 61 * 41 * 3

    /// Decodes into a slot that is followed by bytes that must stay as they are.
    private func decode(_ bytes: [UInt8], from name: String) -> Bool {
        let memory = Slot(Self.slotByteCount + Self.guardByteCount)
        let fence = unsafe Bytes(
            base: memory.bytes.base + Self.slotByteCount,
            count: Self.guardByteCount
        )
        for index in 0..<fence.count { fence[index] = 0xA5 }
        let slot = unsafe Bytes(base: memory.bytes.base, count: Self.slotByteCount)
        var isPicture = false
        do {
            let frame = try PictureDecoder.decode(bytes.span, path: name, into: slot)
            isPicture = DecodeTests.rgb(frame).count <= slot.count
        } catch {
            #expect(!error.description.isEmpty)
        }
        #expect((0..<fence.count).allSatisfy { fence[$0] == 0xA5 }, "\(name) left its slot")
        return isPicture
    }

    @Test(arguments: [
        "small-420.jpg", "small-gray.jpg", "orientation-6.jpg", "small-palette.png", "small.png",
        "small-1bit.png", "small.pgm",
    ])
    func everyTruncationIsAnError(name: String) throws {
        let bytes = try Fixtures.bytes(name)
        #expect(decode(bytes, from: name))
        // What is missing at the very end may be a checksum or an end mark.
        let tail = name.hasSuffix("png") ? 16 : name.hasSuffix("jpg") ? 2 : 0
        for count in 0..<bytes.count {
            let isPicture = decode(Array(bytes[..<count]), from: name)
            if isPicture, count < bytes.count - tail {
                Issue.record("\(name) cut to \(count) of \(bytes.count) bytes is a picture")
            }
        }
    }

    @Test(arguments: [
        "small-420.jpg", "small-444.jpg", "orientation-6.jpg", "small-palette.png",
        "small-alpha.png", "small.ppm",
    ])
    func randomChangesDoNoHarm(name: String) throws {
        let bytes = try Fixtures.bytes(name)
        var generator = SeededGenerator(seed: 2)
        for round in 0..<3000 {
            var damaged = bytes
            // Headers get half of the changes.
            let range = round % 2 == 0 ? 0..<min(200, bytes.count) : 0..<bytes.count
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                damaged[Int.random(in: range, using: &generator)] =
                    UInt8.random(in: 0...255, using: &generator)
            }
            _ = decode(damaged, from: name)
        }
    }

    @Test func damagedClipsDoNoHarm() throws {
        let bench = try Workbench()
        let header = Array("YUV4MPEG2 W6 H5 F10:1 Ip A1:1 C420jpeg XCOLORRANGE=FULL\n".utf8)
        let frame = Array("FRAME\n".utf8) + [UInt8](repeating: 77, count: 30 + 2 * 9)
        let clip = header + frame + frame
        var generator = SeededGenerator(seed: 3)
        for round in 0..<(clip.count + 2000) {
            var damaged = clip
            if round < clip.count {
                damaged.removeLast(clip.count - round)
            } else {
                damaged[Int.random(in: damaged.indices, using: &generator)] =
                    UInt8.random(in: 0...255, using: &generator)
            }
            let path = try bench.write(damaged, to: "clip.y4m")
            guard damaged.starts(with: "YUV4MPEG2 ".utf8) else { continue }  // not for ffmpeg
            do {
                #expect(try shots(SourceSettings(path: path)).count <= 2)
            } catch let error as CaptureError {
                #expect(!error.description.isEmpty)
            }
        }
    }

    /// Megabytes of profiles and comments before the pixels are skipped; how the camera was held is
    /// read behind them.
    @Test func whatSaysNothingAboutThePixelsIsSkipped() throws {
        let bench = try Workbench()
        var segments: [UInt8] = [0xFF, 0xFF, 0xFE, 0, 2]  // a fill byte, an empty comment
        for marker: UInt8 in 0xE1...0xED {
            segments += [0xFF, marker, 0xFF, 0xFF] + [UInt8](repeating: marker, count: 0xFFFD)
        }
        let comment: [UInt8] = [0, 0, 0, 3] + Array("tEXta".utf8) + [0, 98, 0, 0, 0, 0]
        var chunks = Array(repeating: comment, count: 20_000).flatMap { $0 }
        chunks += [0, 0x30, 0, 0] + Array("zTXt".utf8) + [UInt8](repeating: 7, count: 0x30_0004)
        let cases = [
            ("orientation-6.jpg", 2, segments), ("small-420.jpg", 20, segments),
            ("small-palette.png", 33, chunks), ("small-alpha.png", 33, chunks),
        ]
        for (name, offset, extra) in cases {
            let bytes = try Fixtures.bytes(name)
            let path = try bench.write(
                Array(bytes[..<offset]) + extra + Array(bytes[offset...]),
                to: name
            )
            let slots = (Slot(Self.slotByteCount), Slot(Self.slotByteCount))
            let expected = try PictureFile.decode(Fixtures.path(name), into: slots.0.bytes)
            let frame = try PictureFile.decode(path, into: slots.1.bytes)
            #expect(DecodeTests.rgb(frame) == DecodeTests.rgb(expected), "\(name)")
            for count in [offset + 1, offset + 3, offset + 70_000, offset + extra.count] {
                let cut = try bench.write(
                    Array((bytes[..<offset] + extra).prefix(count)),
                    to: "cut-" + name
                )
                #expect(throws: ImageError.self) { try PictureFile.size(of: cut) }
            }
        }
    }

    @Test func kindsThatAreNotDecodedAreNamed() throws {
        let slot = Slot(Self.slotByteCount)
        do {
            _ = try PictureFile.decode(Fixtures.path("small-cmyk.jpg"), into: slot.bytes)
            Issue.record("decoded")
        } catch {
            #expect(error.description.contains("CMYK"))
        }
        do {
            _ = try PictureFile.size(of: Fixtures.folder.path)
            Issue.record("a folder has a size")
        } catch {
            #expect(error.description.contains("not a file"))
        }
    }

    /// Some cameras leave bytes between the samples and the end mark.
    @Test func fillerBeforeAMarkerIsHarmless() throws {
        let bytes = try Fixtures.bytes("small-420.jpg")
        let filled = bytes.dropLast(2) + [0x12, 0x34, 0x56] + bytes.suffix(2)
        let slots = (Slot(Self.slotByteCount), Slot(Self.slotByteCount))
        let expected = try PictureDecoder.decode(bytes.span, path: "-", into: slots.0.bytes)
        let frame = try PictureDecoder.decode(
            Array(filled).span,
            path: "-",
            into: slots.1.bytes
        )
        #expect(DecodeTests.rgb(frame) == DecodeTests.rgb(expected))
    }
}
