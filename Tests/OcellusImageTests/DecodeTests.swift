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
                    y, from: 0, count: frame.size.width, into: base + 3 * y * frame.size.width)
            }
        }
        return bytes
    }

    @Test func equalsPillow() throws {
        for line in try Fixtures.table("decoded.txt") {
            let path = Fixtures.path(line[0])
            let size = ImageSize(
                width: try #require(Int(line[1])), height: try #require(Int(line[2])))
            #expect(try PictureFile.size(of: path) == size, "\(line[0])")
            let slot = Slot(size.frameByteCount)
            let frame = try PictureFile.decode(path, into: slot.bytes)
            #expect(frame.size == size, "\(line[0])")
            #expect(crc32(Self.rgb(frame)) == UInt32(line[3]), "\(line[0])")
        }
    }
}
