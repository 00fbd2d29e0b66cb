// SPDX-License-Identifier: Apache-2.0
import CAllocationCounter
import OcellusMemory
import Testing

@testable import OcellusImage

/// What a camera's MJPEG stream does to a decoder, and what an encoder writes.
@Suite(.serialized) struct JPEGTests {
    private let slot = Slot(320 * 212 * 3)

    private func decode(
        _ jpeg: [UInt8],
        with decoder: JPEGDecoder,
        minimum: ImageSize? = nil
    ) throws -> [UInt8] {
        let bytes = Slot(jpeg.count)
        for index in jpeg.indices { bytes.bytes[index] = jpeg[index] }
        let frame = try decoder.decode(bytes.bytes, into: slot.bytes, minimum: minimum)
        return DecodeTests.rgb(frame)
    }

    /// A JPEG without the segments of one marker.
    private static func removing(_ marker: UInt8, from jpeg: [UInt8]) -> [UInt8] {
        var rest = Array(jpeg.prefix(2))
        var offset = 2
        while jpeg[offset + 1] != 0xDA {
            let end = offset + 2 + Int(jpeg[offset + 2]) << 8 + Int(jpeg[offset + 3])
            if jpeg[offset + 1] != marker { rest += jpeg[offset..<end] }
            offset = end
        }
        return rest + jpeg[offset...]
    }

    private func isDamaged(_ jpeg: [UInt8], with decoder: JPEGDecoder) -> Bool {
        do {
            _ = try decode(jpeg, with: decoder)
            return false
        } catch ImageError.damaged {
            return true
        } catch {
            return false
        }
    }

    /// Pillow's draft mode, at each scale (scaled.txt).
    @Test func scaledDecodingEqualsPillows() throws {
        let decoder = try JPEGDecoder()
        for line in try Fixtures.table("scaled.txt", in: "camera") {
            let size = ImageSize(
                width: try #require(Int(line[2])),
                height: try #require(Int(line[3]))
            )
            let jpeg = try Fixtures.bytes(line[0])
            let pixels = try decode(jpeg, with: decoder, minimum: size)
            #expect(pixels.count == size.frameByteCount)
            #expect(crc32(pixels) == UInt32(line[4]), "\(line[0]) at 1/\(line[1])")
        }
    }

    @Test func aScaleIsNeverBelowTheMinimum() throws {
        let decoder = try JPEGDecoder()
        let jpeg = try Fixtures.bytes("chelsea.jpg")  // 320x212
        for (width, height, expected) in [
            (320, 1, 320), (161, 1, 320), (160, 106, 160), (160, 107, 320), (81, 1, 160),
            (80, 53, 80), (40, 27, 40), (1, 1, 40), (1000, 1000, 320),
        ] {
            let minimum = ImageSize(width: width, height: height)
            let bytes = Slot(jpeg.count)
            for index in jpeg.indices { bytes.bytes[index] = jpeg[index] }
            let frame = try decoder.decode(bytes.bytes, into: slot.bytes, minimum: minimum)
            #expect(frame.size.width == expected, "\(minimum.description)")
        }
    }

    /// MJPEG frames have no Huffman tables, and the tables of a frame are not those of the next.
    @Test func missingHuffmanTablesAreTheStandards() throws {
        let decoder = try JPEGDecoder()
        let jpeg = try Fixtures.bytes("small-420.jpg")
        let expected = try decode(jpeg, with: decoder)
        // Progressive pictures have tables made for them.
        _ = try decode(Fixtures.bytes("coffee-progressive.jpg"), with: decoder)
        #expect(try decode(Self.removing(0xC4, from: jpeg), with: decoder) == expected)
        #expect(isDamaged(Self.removing(0xDB, from: jpeg), with: decoder))
        #expect(try decode(jpeg, with: decoder) == expected)
    }

    @Test func garbageBehindTheEndIsIgnored() throws {
        let decoder = try JPEGDecoder()
        let jpeg = try Fixtures.bytes("small-420.jpg")
        let expected = try decode(jpeg, with: decoder)
        for garbage in [[0], [0xFF, 0xD8, 0xFF], [UInt8](repeating: 0xFF, count: 5000), jpeg] {
            #expect(try decode(jpeg + garbage, with: decoder) == expected)
        }
    }

    /// A frame that a camera lost in part is no frame, wherever it was cut, and harms no other one.
    @Test func everyCutIsAnError() throws {
        let decoder = try JPEGDecoder()
        let jpeg = try Fixtures.bytes("small-420.jpg")
        for count in 0..<jpeg.count {
            #expect(isDamaged(Array(jpeg.prefix(count)), with: decoder), "\(count)")
        }
        // Cut, and the stale bytes of the buffer's last frame behind it.
        let half = jpeg.count / 2
        #expect(isDamaged(Array(jpeg.prefix(half)) + [0xFF, 0xD9], with: decoder))
        #expect(isDamaged(Array(jpeg.prefix(half)) + jpeg, with: decoder))
        #expect(try decode(jpeg, with: decoder).count == 61 * 41 * 3)
    }

    /// A stream of frames of one kind allocates nothing, in libjpeg either; nor do cut frames grow
    /// what is kept.
    @Test(arguments: ["chelsea.jpg", "small-444.jpg", "small-gray.jpg"])
    func nothingIsAllocatedForAFrame(name: String) throws {
        let decoder = try JPEGDecoder(width: 320)
        let jpeg = try Fixtures.bytes(name)
        let bytes = Slot(jpeg.count)
        for index in jpeg.indices { bytes.bytes[index] = jpeg[index] }
        let minimum = ImageSize(width: 60, height: 40)
        _ = try decoder.decode(bytes.bytes, into: slot.bytes)
        let before = allocation_count()
        for _ in 0..<10 {
            _ = try decoder.decode(bytes.bytes, into: slot.bytes)
            _ = try decoder.decode(bytes.bytes, into: slot.bytes, minimum: minimum)
        }
        #expect(allocation_count() - before == 0)
    }

    @Test func aWiderPictureAllocatesOnce() throws {
        let size = ImageSize(width: 4000, height: 20)
        let pixels = Slot(size.frameByteCount)
        for index in 0..<pixels.bytes.count {
            pixels.bytes[index] = UInt8(truncatingIfNeeded: index / 7)
        }
        let encoder = try JPEGEncoder(maximum: size)
        let jpeg = try encoder.encode(Frame(pixels.bytes, size: size, format: .rgb24))
        func allocations(_ decoder: JPEGDecoder) throws -> Int {
            let before = allocation_count()
            _ = try decoder.decode(jpeg, into: pixels.bytes)
            return allocation_count() - before
        }
        let wide = try JPEGDecoder(width: 4000)
        let narrow = try JPEGDecoder(width: 1)
        #expect(try allocations(narrow) > 0)
        #expect(try allocations(narrow) == 0)
        #expect(try allocations(wide) == 0)
    }

    @Test func encodedFramesLookTheSame() throws {
        let source = Slot(320 * 212 * 3)
        let frame = try PictureFile.decode(Fixtures.path("chelsea.jpg"), into: source.bytes)
        let encoder = try JPEGEncoder(maximum: ImageSize(width: 320, height: 240))
        let decoder = try JPEGDecoder(width: 320)
        let original = DecodeTests.rgb(frame)
        let before = allocation_count()
        let jpeg = try encoder.encode(frame, quality: 90)
        #expect(allocation_count() == before)
        #expect(jpeg.count < 40_000)
        let decoded = DecodeTests.rgb(try decoder.decode(jpeg, into: slot.bytes))
        let error = zip(original, decoded).map { abs(Int($0) - Int($1)) }.reduce(0, +)
        #expect(Double(error) / Double(original.count) < 3)
        #expect(throws: ImageError.self) {
            let small = try JPEGEncoder(maximum: ImageSize(width: 319, height: 240))
            _ = try small.encode(frame)
        }
    }

    /// The worst picture at the best quality fits in what is reserved, whatever its size.
    @Test func noiseFits() throws {
        var generator = SeededGenerator(seed: 5)
        for size in [(1, 1), (17, 3), (64, 64), (250, 61)] {
            let size = ImageSize(width: size.0, height: size.1)
            let source = Slot(size.frameByteCount)
            for index in 0..<source.bytes.count {
                source.bytes[index] = UInt8.random(in: 0...255, using: &generator)
            }
            let encoder = try JPEGEncoder(maximum: size)
            let frame = Frame(source.bytes, size: size, format: .rgb24)
            #expect(try encoder.encode(frame, quality: 100).count > 100)
        }
    }
}
