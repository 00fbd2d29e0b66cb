// SPDX-License-Identifier: Apache-2.0
import OcellusMemory
import Testing

@testable import OcellusImage

/// The decoded pixels against Pillow (decoded.txt).
@Suite struct DecodeTests {
    /// The pixels of a frame, row by row, as red, green, blue bytes.
    static func rgb(_ frame: Frame) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: frame.size.frameByteCount)
        bytes.withUnsafeMutableBufferPointer { buffer in
            for y in 0..<frame.size.height {
                guard let base = buffer.baseAddress else { return }
                unsafe frame.copyRow(
                    y,
                    from: 0,
                    count: frame.size.width,
                    into: base + 3 * y * frame.size.width
                )
            }
        }
        return bytes
    }

    @Test func equalsPillow() throws {
        for line in try Fixtures.table("decoded.txt") {
            let path = Fixtures.path(line[0])
            let size = ImageSize(
                width: try #require(Int(line[1])),
                height: try #require(Int(line[2]))
            )
            #expect(try PictureFile.size(of: path) == size, "\(line[0])")
            let slot = Slot(size.frameByteCount)
            let frame = try PictureFile.decode(path, into: slot.bytes)
            #expect(frame.size == size, "\(line[0])")
            #expect(crc32(Self.rgb(frame)) == UInt32(line[3]), "\(line[0])")
        }
    }

    @Test func aLargePhotographIsDecodedAtAFraction() throws {
        let path = Fixtures.path("chelsea.jpg")
        let slot = Slot(320 * 212 * 3)
        for (limit, expected) in [(320, 320), (319, 160), (100, 80), (40, 40)] {
            let limit = ImageSize(width: limit, height: limit)
            let frame = try PictureFile.decode(path, into: slot.bytes, limit: limit)
            #expect(frame.size.width == expected)
            #expect(try PictureFile.size(of: path, limit: limit) == frame.size)
        }
        do {
            _ = try PictureFile.size(of: path, limit: ImageSize(width: 39, height: 39))
            Issue.record("an eighth was too large and accepted")
        } catch {
            #expect(error.description.contains("--max-frame 320x212"))
        }
    }

    @Test(arguments: ["", "1,2,3", "1,2,3,4,5", "1,2,0,4", "-1,2,3,4", "a,2,3,4", "1,,3,4"])
    func badRegionsAreRefused(text: String) {
        #expect(throws: ImageError.self) { try CropRectangle(parsing: text) }
    }

    @Test func aRegionMustBeInside() throws {
        let size = ImageSize(width: 10, height: 5)
        #expect(try CropRectangle(parsing: "9,4,1,1").fits(in: size))
        #expect(try !CropRectangle(parsing: "9,4,2,1").fits(in: size))
        #expect(try !CropRectangle(parsing: "9223372036854775807,0,1,1").fits(in: size))
        #expect(try !CropRectangle(parsing: "1,1,9223372036854775807,1").fits(in: size))
    }
}
