// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusConversion
import OcellusFormat
import OcellusMemory
import OcellusModels
import OcellusQuantization
import Testing

/// Convolutions that compute what changed alone, bit by bit against those that compute all.
struct ReuseTests {
    private static let repository = #filePath.split(separator: "/").dropLast(3)
        .joined(separator: "/")
    private static let shipped = "/\(repository)/models/ommatidium/vision.gguf"

    /// Both paddings, odd sizes, with and without blocks of a transformer, int8.
    @Test(arguments: ["cnn-tensorflow", "cnn-pytorch", "cnn-vit", "cnn-vit-q8_0"])
    func `any change of a picture gives the features of a whole run`(name: String) throws {
        try compare(Fixture(name: name).path("vision.gguf"), frameCount: 60)
    }

    @Test
    func `any change of a picture gives the shipped model's features of a whole run`() throws {
        try compare(Self.shipped, frameCount: 20)
    }

    /// One scale for all channels of a cell, whatever cells are computed beside it.
    @Test
    func `any change gives the features of a whole run with scales of rows`() throws {
        let path = FileManager.default.temporaryDirectory
            .appending(path: "ocellus-\(UUID().uuidString).gguf").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = try ModelFile(path: Self.shipped)
        let plan = try QuantizationPlan(for: file, type: .q8_row)
        #expect(plan.steps.contains { $0.type.weightType == .q8_row })
        _ = try ModelQuantizer(plan).write(file, to: path)
        try compare(path, frameCount: 20)
    }

    /// With shortcuts; the last also with excitations and the attention of pixels.
    @Test(arguments: ["mobilenet-v1-hf", "mobilenet-v2-hf", "mobilenet-v2-timm", "mobileclip-timm"])
    func `any change gives published models' features of a whole run`(name: String) throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("ocellus-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = "/\(Self.repository)/Tests/Fixtures/checkpoints/\(name)"
        let model = try PublishedModel(path: source)
        let path = folder.appendingPathComponent("vision.gguf").path
        for plan in try ModelConversion.plans(for: model, ConversionOptions()) {
            let converter = try ModelConverter(plan, to: path, threadCount: 1)
            try converter.write { _, _ in }
            try converter.commit()
        }
        try compare(path, frameCount: 12)
    }

    /// Shows pictures whose rectangles change to a whole network and to one that computes parts.
    private func compare(_ path: String, frameCount: Int) throws {
        let whole = try VisionRun(path: path, threadCount: 1)
        let parts = try [1, 2].map {
            try VisionRun(path: path, threadCount: $0, reuseThreshold: 0)
        }
        let side = whole.side
        var random = SplitMix(state: 7)
        var picture = (0..<whole.pixelCount).map { _ in random.unit() }
        var isPart = false
        for frame in 0..<frameCount {
            let expected = whole.see(picture, isFirst: frame == 0)
            for part in parts {
                let seen = part.see(picture, isFirst: frame == 0)
                #expect(seen.features.map(\.bitPattern) == expected.features.map(\.bitPattern))
                #expect(seen.tokens.map(\.bitPattern) == expected.tokens.map(\.bitPattern))
                isPart = isPart || (part.work.done > 0 && part.work.skippedShare > 0)
            }
            #expect(whole.work.skippedShare == 0)
            // Two rectangles, each anywhere, also at the borders, or nothing.
            for _ in 0..<Int(random.next() % 3) {
                let (rows, columns) = (random.range(below: side), random.range(below: side))
                let channel = Int(random.next() % 3)
                for row in rows {
                    for column in columns {
                        picture[(channel * side + row) * side + column] = random.unit()
                    }
                }
            }
        }
        #expect(isPart)
    }

    @Test
    func `a picture that stands still takes no convolution`() throws {
        let run = try VisionRun(path: Self.shipped, threadCount: 1, reuseThreshold: 0)
        let picture = [Float](repeating: 0.5, count: run.pixelCount)
        let first = run.see(picture, isFirst: true)
        #expect(run.work.skippedShare == 0)
        let second = run.see(picture, isFirst: true)
        #expect(run.work.done == 0 && second == first)
        run.forget()
        let third = run.see(picture, isFirst: true)
        #expect(run.work.skippedShare == 0 && third == first)
    }

    @Test
    func `below the threshold the kept pixels are encoded until changes add up`() throws {
        let whole = try VisionRun(path: Self.shipped, threadCount: 1)
        let part = try VisionRun(path: Self.shipped, threadCount: 1, reuseThreshold: 3)
        let side = part.side
        let first = [Float](repeating: 0.25, count: part.pixelCount)
        _ = part.see(first, isFirst: true)
        // Two steps everywhere, and a block of another shade, in one channel.
        var (second, composed) = (first.map { $0 + 2 / 255 }, first)
        for row in 40..<48 {
            for column in 16..<24 {
                second[row * side + column] = 0.5
                for channel in 0..<3 {
                    let place = (channel * side + row) * side + column
                    composed[place] = second[place]
                }
            }
        }
        let seen = part.see(second, isFirst: true)
        let expected = whole.see(composed, isFirst: true)
        #expect(seen == expected)
        #expect(part.work.done > 0 && part.work.skippedShare > 0)
        let third = first.map { $0 + 4 / 255 }
        let drifted = part.see(third, isFirst: true)
        let all = whole.see(third, isFirst: true)
        #expect(drifted == all && part.work.skippedShare == 0)
    }

    @Test
    func `an encoder without convolutions has nothing to reuse`() throws {
        #expect(throws: ModelError.self) {
            try VisionRun(
                path: Fixture(name: "clip-ldpv2").path("vision.gguf"),
                threadCount: 1,
                reuseThreshold: 0
            )
        }
    }
}

/// A seeded source of numbers (SplitMix64).
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func unit() -> Float { Float(next() >> 40) / Float(1 << 24) }

    /// Some of the numbers below a limit, at most about a third of them.
    mutating func range(below limit: Int) -> Range<Int> {
        let first = Int(next() % UInt64(limit))
        return first..<min(first + 1 + Int(next() % UInt64(limit / 3)), limit)
    }
}
