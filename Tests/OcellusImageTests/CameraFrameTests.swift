// SPDX-License-Identifier: Apache-2.0
import OcellusMemory
import Testing

@testable import OcellusImage

/// Every format in every matrix and range against ffmpeg's swscale (colours.png).
@Suite struct CameraFrameTests {
    private static let size = ImageSize(width: 64, height: 48)
    private static let planar: [PixelFormat] = [.yuv420, .yuv422, .yuv444]
    private static let names = ["frame-420.yuv", "frame-422.yuv", "frame-444.yuv"]

    /// The picture that swscale made of a file's samples.
    private static func expected(_ file: Int, _ matrix: Int, _ range: Int) throws -> [UInt8] {
        let slot = Slot(64 * 48 * 18 * 3)
        let frame = try PictureFile.decode(
            Fixtures.path("colours.png", in: "camera"),
            into: slot.bytes
        )
        let first = ((file * 3 + matrix) * 2 + range) * size.frameByteCount
        return Array(DecodeTests.rgb(frame)[first..<first + size.frameByteCount])
    }

    /// The same samples in the order of another format.
    private static func samples(_ planes: [UInt8], as format: PixelFormat) -> [UInt8] {
        let luma = planes.prefix(size.pixelCount)
        let chroma = planes.dropFirst(size.pixelCount)
        let u = Array(chroma.prefix(chroma.count / 2))
        let v = Array(chroma.suffix(chroma.count / 2))
        switch format {
        case .nv12: return luma + zip(u, v).flatMap { [$0, $1] }
        case .yuyv: return u.indices.flatMap { [luma[2 * $0], u[$0], luma[2 * $0 + 1], v[$0]] }
        case .uyvy: return u.indices.flatMap { [u[$0], luma[2 * $0], v[$0], luma[2 * $0 + 1]] }
        default: return planes
        }
    }

    private static func rgb(_ samples: [UInt8], layout: FrameLayout) -> [UInt8] {
        let slot = Slot(samples.count)
        for index in samples.indices { slot.bytes[index] = samples[index] }
        return DecodeTests.rgb(Frame(slot.bytes, layout: layout, timestamp: .zero, number: 0))
    }

    @Test(arguments: [PixelFormat.yuv420, .nv12, .yuv422, .yuyv, .uyvy, .yuv444])
    func coloursEqualSwscales(format: PixelFormat) throws {
        let file = format.chromaShiftY == 1 ? 0 : 2 - format.chromaShiftX
        let planes = try Fixtures.bytes(Self.names[file], in: "camera")
        let samples = Self.samples(planes, as: format)
        var worst = 0
        for (matrix, colours) in [ColorMatrix.bt601, .bt709, .bt2020].enumerated() {
            for (index, range) in [ColorRange.limited, .full].enumerated() {
                let layout = try FrameLayout(
                    size: Self.size,
                    format: format,
                    matrix: colours,
                    range: range
                )
                let expected = try Self.expected(file, matrix, index)
                let difference = worstDifference(Self.rgb(samples, layout: layout), expected)
                worst = max(worst, difference)
            }
        }
        #expect(worst <= 2, "\(format): \(worst)/255")
    }

    /// The planes of 64x48 pixels are those of 63x47 with a padded row: the same colours.
    @Test(arguments: [0, 1])
    func oddSizesAreCutOff(file: Int) throws {
        let planes = try Fixtures.bytes(Self.names[file], in: "camera")
        let even = try FrameLayout(size: Self.size, format: Self.planar[file])
        let odd = try FrameLayout(
            size: ImageSize(width: 63, height: 47),
            format: Self.planar[file],
            rowStride: 64,
            planeOffsets: [even.secondPlaneOffset, even.thirdPlaneOffset]
        )
        let pixels = Self.rgb(planes, layout: odd)
        let expected = try Self.expected(file, 0, 0)
        var worst = 0
        for y in 0..<47 {
            for index in 0..<(3 * 63) {
                let difference = Int(pixels[y * 3 * 63 + index]) - Int(expected[y * 3 * 64 + index])
                worst = max(worst, abs(difference))
            }
        }
        // The last row has no row of chroma of its own below it in either size.
        #expect(worst <= 2)
    }

    @Test func aRegionHasTheColoursOfTheWhole() throws {
        let planes = try Fixtures.bytes(Self.names[0], in: "camera")
        let slot = Slot(planes.count)
        for index in planes.indices { slot.bytes[index] = planes[index] }
        let frame = Frame(slot.bytes, size: Self.size, format: .yuv420)
        let whole = DecodeTests.rgb(frame)
        var part = [UInt8](repeating: 0, count: 3 * 64)
        for (x, count) in [(0, 1), (1, 1), (1, 2), (7, 40), (8, 41), (62, 2), (63, 1)] {
            part.withUnsafeMutableBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                unsafe frame.copyRow(17, from: x, count: count, into: base)
            }
            let first = 3 * (17 * 64 + x)
            #expect(Array(part.prefix(3 * count)) == Array(whole[first..<first + 3 * count]))
        }
    }

    @Test func theOrderOfBytesIsTheFormats() throws {
        let size = ImageSize(width: 2, height: 1)
        let samples: [UInt8] = [1, 2, 3, 4, 5, 6]
        func pixels(_ format: PixelFormat, _ range: ColorRange? = nil) throws -> [UInt8] {
            Self.rgb(samples, layout: try FrameLayout(size: size, format: format, range: range))
        }
        #expect(try pixels(.rgb24) == [1, 2, 3, 4, 5, 6])
        #expect(try pixels(.bgr24) == [3, 2, 1, 6, 5, 4])
        #expect(try pixels(.gray8) == [1, 1, 1, 2, 2, 2])
        #expect(try pixels(.gray8, .limited) == [0, 0, 0, 0, 0, 0])
        let gray = try FrameLayout(size: size, format: .gray8, range: .limited)
        #expect(Self.rgb([235, 126], layout: gray) == [255, 255, 255, 128, 128, 128])
    }
}
