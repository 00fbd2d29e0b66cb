// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusConversion
import OcellusFormat
import OcellusModels
import Testing

/// Files whose structure was changed at random: an error or a model that runs, never a trap.
///
/// The reader's own tests cover the format; these change what the models read from it: sizes, names,
/// shapes, types, options.
struct DamageTests {
    private static let changeCount = 2500

    @Test(arguments: ["mamba-odd", "mamba-q8_0", "mamba2-groups", "mamba2-q4_0"])
    func `a damaged decoder is refused, or runs`(name: String) throws {
        let path = Fixture(name: name).path("decoder.gguf")
        let runs = try damage(path) { path in
            let run = try DecoderRun(path: path, chunkLength: 3, threadCount: 1)
            let last = run.decoder.configuration.vocabularySize - 1
            _ = run.read([0, last, 0, last])
        }
        #expect(runs > 0 && runs < Self.changeCount)
    }

    @Test(arguments: DecoderTests.packable)
    func `a damaged decoder with packed weights is refused, or runs`(fixture: Fixture) throws {
        try withPacked(fixture, "decoder.gguf") { path in
            try truncate(path) {
                _ = try DecoderRun(path: $0, chunkLength: 3, threadCount: 1)
            }
            let runs = try damage(path) { path in
                let run = try DecoderRun(path: path, chunkLength: 3, threadCount: 1)
                let last = run.decoder.configuration.vocabularySize - 1
                _ = run.read([0, last, 0, last])
            }
            #expect(runs > 0 && runs < Self.changeCount)
        }
    }

    @Test(
        arguments: [
            "clip-ldpv2", "siglip-mlp", "cnn-pytorch", "cnn-vit-q8_0", "dinov2-cabstractor",
            "cobra-ldpnet", "siglip-vss", "llama-clip-ldp", "llama-siglip-mlp",
        ]
    )
    func `a damaged vision file is refused, or runs`(name: String) throws {
        try damageVision(Fixture(name: name).path("vision.gguf"))
    }

    @Test(arguments: ["mobileclip-folded-timm", "mobilenet-v2-hf"])
    func `a damaged convolutional encoder is refused, or runs`(name: String) throws {
        // Lists with an entry for each layer come after the sizes.
        try withConverted(name) { try damageVision($0, headLength: 2500) }
    }

    @Test(arguments: VisionTests.fixtures)
    func `no truncated vision file is taken`(fixture: Fixture) throws {
        try truncate(fixture.path("vision.gguf"))
    }

    @Test
    func `no truncated convolutional encoder is taken`() throws {
        try withConverted("mobileclip-folded-timm") { try truncate($0) }
    }

    /// The vision file of a published model, removed afterwards.
    private func withConverted(_ name: String, _ body: (String) throws -> Void) throws {
        let published = Fixture(name: name).path("", under: "checkpoints")
        let plans = try ModelConversion.plans(for: PublishedModel(path: published), .init())
        let path = temporaryPath()
        let converter = try ModelConverter(try #require(plans.first), to: path, threadCount: 1)
        try converter.write { _, _ in }
        try converter.commit()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    private func damageVision(_ path: String, headLength: Int = 1200) throws {
        let runs = try damage(path, headLength: headLength) { path in
            let run = try VisionRun(path: path, threadCount: 1)
            let frame = [Float](repeating: 0.5, count: run.pixelCount)
            _ = run.see(frame, isFirst: true)
            _ = run.see(frame, isFirst: false)
        }
        #expect(runs > 0 && runs < Self.changeCount)
    }

    /// Cuts a copy of a file shorter and shorter, at some hundred lengths; it must be refused each time.
    private func truncate(
        _ path: String,
        _ attempt: (String) throws -> Void = { _ = try VisionRun(path: $0, threadCount: 1) }
    ) throws {
        let whole = try Data(contentsOf: URL(fileURLWithPath: path)).count
        let dataOffset = try ModelFile(path: path).dataOffset
        let copy = temporaryPath()
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: copy))
        // Up to 31 bytes at the end are padding.
        let inData = stride(
            from: whole - 32,
            to: dataOffset,
            by: -max((whole - dataOffset) / 50, 1)
        )
        for length in Array(inData) + stride(from: dataOffset, through: 0, by: -37) {
            try handle.truncate(atOffset: UInt64(length))
            #expect(throws: (any Error).self, "\(length) of \(whole) bytes") {
                try attempt(copy)
            }
        }
    }

    private func temporaryPath() -> String {
        FileManager.default.temporaryDirectory
            .appendingPathComponent("ocellus-\(UUID().uuidString).gguf").path
    }

    /// Tries copies of a file, each with a few bytes of its header changed; the count of those that
    /// were accepted.
    private func damage(
        _ path: String,
        headLength: Int = 1200,
        _ attempt: (String) throws -> Void
    ) throws -> Int {
        let original = try Data(contentsOf: URL(fileURLWithPath: path))
        let dataOffset = try ModelFile(path: path).dataOffset
        // Sizes and options come first, the shapes of the tensors last, a vocabulary between them.
        let regions = [64..<min(headLength, dataOffset), max(64, dataOffset - 3000)..<dataOffset]
        let copy = URL(fileURLWithPath: temporaryPath())
        try original.write(to: copy)
        defer { try? FileManager.default.removeItem(at: copy) }
        // In place: rewriting the whole file would wait for the disk each time.
        let handle = try FileHandle(forUpdating: copy)
        func write(_ byte: UInt8, at place: Int) throws {
            try handle.seek(toOffset: UInt64(place))
            try handle.write(contentsOf: Data([byte]))
        }

        var numbers = Xorshift(state: 0x9E37_79B9_7F4A_7C15)
        var runs = 0
        for index in 0..<Self.changeCount {
            let places = (0..<Int.random(in: 1...3, using: &numbers)).map { _ in
                Int.random(in: regions[index % 2], using: &numbers)
            }
            for place in places {
                // Small numbers make sizes that are wrong, but possible.
                let range: ClosedRange<UInt8> = Bool.random(using: &numbers) ? 0...9 : 0...255
                try write(UInt8.random(in: range, using: &numbers), at: place)
            }
            do {
                try attempt(copy.path)
                runs += 1
            } catch {}  // refused
            for place in places { try write(original[place], at: place) }
        }
        return runs
    }
}

/// Marsaglia's xorshift64: enough to pick bytes.
private struct Xorshift: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
