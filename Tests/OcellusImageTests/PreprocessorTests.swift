// SPDX-License-Identifier: Apache-2.0
import OcellusMemory
import Testing

@testable import OcellusImage

/// The prepared pixels against Pillow (resized.txt and resized.bin).
@Suite struct PreprocessorTests {
    /// Prepares a frame in an arena of its own and hands out the pixels, (3, H * W).
    static func pixels(
        of frame: Frame,
        crop: CropRectangle? = nil,
        settings: PreprocessorSettings,
        maximumFrame: ImageSize? = nil
    ) throws -> [Float] {
        var planner = MemoryPlanner()
        let planned = planner.tensor(
            "pixels",
            rows: 3,
            columns: settings.outputWidth * settings.outputHeight,
            in: .scratch
        )
        let preprocessor = Preprocessor(
            settings: settings,
            maximumFrame: maximumFrame ?? frame.size,
            planner: &planner
        )
        let arena = try Arena(plan: planner.plan())
        try preprocessor.validate(frame.size, crop: crop)
        preprocessor.run(frame, crop: crop, into: arena[planned], in: arena)
        let out = arena[planned]
        return (0..<out.count).map { out[$0 / out.columns, $0 % out.columns] }
    }

    @Test func equalsPillow() throws {
        let golden = try Fixtures.bytes("resized.bin")
        var offset = 0
        for line in try Fixtures.table("resized.txt") {
            let mean = line[6].split(separator: ",").compactMap { Float($0) }
            let settings = PreprocessorSettings(
                outputWidth: try #require(Int(line[3])),
                outputHeight: try #require(Int(line[4])),
                mean: SIMD3(mean[0], mean[1], mean[2]),
                standardDeviation: SIMD3(0.25, 0.5, 0.75),
                strategy: line[1] == "stretch" ? .stretch : line[1] == "crop" ? .crop : .pad,
                filter: line[2] == "bicubic" ? .bicubic : .bilinear
            )
            let slot = Slot(320 * 320 * 3)
            let frame = try PictureFile.decode(Fixtures.path(line[0]), into: slot.bytes)
            let crop = line[5] == "-" ? nil : try CropRectangle(parsing: line[5])
            let pixels = try Self.pixels(
                of: frame,
                crop: crop,
                settings: settings,
                maximumFrame: ImageSize(width: 320, height: 320)
            )
            let count = pixels.count / 3
            var worst = 0
            for index in 0..<count {
                for channel in 0..<3 {
                    let value =
                        (pixels[channel * count + index] * settings.standardDeviation[channel]
                            + mean[channel]) * 255
                    let expected = golden[offset + 3 * index + channel]
                    worst = max(worst, abs(Int(value.rounded()) - Int(expected)))
                }
            }
            #expect(worst == 0, "\(line.joined(separator: " "))")
            offset += 3 * count
        }
        #expect(offset == golden.count)
    }

    /// Every size, region and strategy stays in bounds and in range.
    @Test func anySizeIsPrepared() throws {
        var generator = SeededGenerator(seed: 1)
        let slot = Slot(92 * 90 * 3)
        for index in 0..<slot.bytes.count { slot.bytes[index] = UInt8(truncatingIfNeeded: index) }
        let formats = FrameLayoutTests.formats
        let strategies: [PreprocessorSettings.Strategy] = [.stretch, .crop, .pad]
        for round in 0..<2000 {
            func number(_ limit: Int) -> Int { Int.random(in: 1...limit, using: &generator) }
            let maximum = ImageSize(width: number(90), height: number(90))
            let size = ImageSize(width: number(maximum.width), height: number(maximum.height))
            let frame = Frame(
                slot.bytes,
                size: size,
                format: formats[round % formats.count],
                range: .full
            )
            let width = number(size.width)
            let height = number(size.height)
            let crop = CropRectangle(
                x: number(size.width - width + 1) - 1,
                y: number(size.height - height + 1) - 1,
                width: width,
                height: height
            )
            let settings = PreprocessorSettings(
                outputWidth: number(40),
                outputHeight: number(40),
                margin: round % 3 * number(9),
                mean: SIMD3(0, 0.5, 1),
                standardDeviation: SIMD3(1, 1, 1),
                strategy: strategies[round % 3],
                filter: round % 2 == 0 ? .bicubic : .bilinear
            )
            let pixels = try Self.pixels(
                of: frame,
                crop: crop,
                settings: settings,
                maximumFrame: maximum
            )
            #expect(pixels.allSatisfy { (-1...1).contains($0) })
        }
    }
}
