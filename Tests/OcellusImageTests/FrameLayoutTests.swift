// SPDX-License-Identifier: Apache-2.0
import OcellusMemory
import Testing

@testable import OcellusImage

/// Layouts as drivers state them: padding and planes apart change nothing, nonsense is refused.
@Suite struct FrameLayoutTests {
    static let formats: [PixelFormat] = [
        .rgb24, .bgr24, .gray8, .yuyv, .uyvy, .nv12, .yuv420, .yuv422, .yuv444,
    ]

    /// Copies the rows of a frame without padding to where a layout wants them.
    private static func spread(_ packed: [UInt8], to layout: FrameLayout) -> Slot {
        let slot = Slot(layout.byteCount)
        for index in 0..<slot.bytes.count { slot.bytes[index] = 0xA5 }
        var next = 0
        func copyRows(_ count: Int, of byteCount: Int, stride: Int, at offset: Int) {
            for row in 0..<count {
                for index in 0..<byteCount {
                    slot.bytes[offset + row * stride + index] = packed[next + index]
                }
                next += byteCount
            }
        }
        let format = layout.format
        copyRows(
            layout.size.height,
            of: format.rowByteCount(ofWidth: layout.size.width),
            stride: layout.rowStride,
            at: 0
        )
        let chromaRowByteCount = format.chromaRowByteCount(ofWidth: layout.size.width)
        let offsets = [layout.secondPlaneOffset, layout.thirdPlaneOffset]
        for offset in offsets.prefix(format.planeCount - 1) {
            copyRows(
                format.chromaSize(of: layout.size).height,
                of: chromaRowByteCount,
                stride: layout.chromaStride,
                at: offset
            )
        }
        #expect(next == packed.count)
        return slot
    }

    @Test(arguments: formats)
    func paddingChangesNothing(format: PixelFormat) throws {
        var generator = SeededGenerator(seed: 4)
        for round in 0..<60 {
            let size = ImageSize(
                width: Int.random(in: 1...23, using: &generator),
                height: Int.random(in: 1...13, using: &generator)
            )
            let packed = (0..<format.byteCount(of: size)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            let tight = Slot(packed.count)
            for index in packed.indices { tight.bytes[index] = packed[index] }
            let expected = DecodeTests.rgb(Frame(tight.bytes, size: size, format: format))

            let rowByteCount = format.rowByteCount(ofWidth: size.width)
            let stride = rowByteCount + Int.random(in: 1...40, using: &generator)
            var layout = try FrameLayout(size: size, format: format, rowStride: stride)
            if round % 2 == 0, format.planeCount > 1 {
                let gap = Int.random(in: 1...99, using: &generator)
                let second = stride * size.height + gap
                let third = second + layout.chromaStride * size.height + gap
                layout = try FrameLayout(
                    size: size,
                    format: format,
                    rowStride: stride,
                    planeOffsets: Array([second, third].prefix(format.planeCount - 1))
                )
            }
            let slot = Self.spread(packed, to: layout)
            let frame = Frame(slot.bytes, layout: layout, timestamp: .zero, number: 0)
            #expect(DecodeTests.rgb(frame) == expected, "\(format) \(size)")
        }
    }

    /// The layouts of the kernel's own tables: what drivers report for 640x480 and for padded rows.
    @Test func byteCountsAreTheKernels() throws {
        let vga = ImageSize(width: 640, height: 480)
        let counts = [921600, 921600, 307200, 614400, 614400, 460800, 460800, 614400, 921600]
        for (format, count) in zip(Self.formats, counts) {
            #expect(try FrameLayout(size: vga, format: format).byteCount == count)
            #expect(format.byteCount(of: vga) == count)
        }
        let padded = try FrameLayout(size: vga, format: .yuv420, rowStride: 768)
        #expect(padded.secondPlaneOffset == 768 * 480)
        #expect(padded.thirdPlaneOffset == 768 * 480 + 384 * 240)
        #expect(padded.byteCount == 768 * 480 * 3 / 2 - 64)
        let odd = ImageSize(width: 5, height: 3)
        #expect(try FrameLayout(size: odd, format: .nv12).byteCount == 15 + 12)
        #expect(try FrameLayout(size: odd, format: .yuyv).byteCount == 36)
    }

    @Test func nonsenseIsRefused() {
        func isRefused(
            _ width: Int,
            _ height: Int,
            _ format: PixelFormat,
            rowStride: Int? = nil,
            chromaStride: Int? = nil,
            planeOffsets: [Int]? = nil
        ) -> Bool {
            do {
                _ = try FrameLayout(
                    size: ImageSize(width: width, height: height),
                    format: format,
                    rowStride: rowStride,
                    chromaStride: chromaStride,
                    planeOffsets: planeOffsets
                )
                return false
            } catch {
                return error.description.hasPrefix("impossible layout")
            }
        }
        #expect(!isRefused(640, 480, .yuyv, rowStride: 0))
        #expect(isRefused(0, 480, .yuyv))
        #expect(isRefused(640, -1, .yuyv))
        #expect(isRefused(Int.max, Int.max, .rgb24))
        #expect(isRefused(640, 480, .yuyv, rowStride: 1279))
        #expect(isRefused(640, 480, .yuyv, rowStride: -1280))
        #expect(isRefused(640, 480, .yuyv, rowStride: Int.max))
        #expect(isRefused(640, 480, .yuv420, chromaStride: 319))
        #expect(isRefused(640, 480, .nv12, chromaStride: 639))
        #expect(isRefused(640, 480, .nv12, planeOffsets: []))
        #expect(isRefused(640, 480, .nv12, planeOffsets: [307199]))
        #expect(isRefused(640, 480, .nv12, planeOffsets: [Int.max]))
        #expect(isRefused(640, 480, .yuv420, planeOffsets: [307200]))
        #expect(isRefused(640, 480, .yuv420, planeOffsets: [307200, 307201]))
        #expect(isRefused(640, 480, .rgb24, planeOffsets: [921600]))
    }
}
