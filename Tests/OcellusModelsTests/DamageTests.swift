// SPDX-License-Identifier: Apache-2.0
import Foundation
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

    @Test(arguments: ["clip-ldpv2", "siglip-mlp", "cnn-pytorch", "cnn-vit-q8_0"])
    func `a damaged vision file is refused, or runs`(name: String) throws {
        let path = Fixture(name: name).path("vision.gguf")
        let runs = try damage(path) { path in
            let run = try VisionRun(path: path, threadCount: 1)
            let frame = [Float](repeating: 0.5, count: run.pixelCount)
            _ = run.see(frame, isFirst: true)
            _ = run.see(frame, isFirst: false)
        }
        #expect(runs > 0 && runs < Self.changeCount)
    }

    /// Tries copies of a file, each with a few bytes of its header changed; the count of those that
    /// were accepted.
    private func damage(_ path: String, _ attempt: (String) throws -> Void) throws -> Int {
        let original = try Data(contentsOf: URL(fileURLWithPath: path))
        let dataOffset = try ModelFile(path: path).dataOffset
        // Sizes and options come first, the shapes of the tensors last, a vocabulary between them.
        let regions = [64..<min(1200, dataOffset), max(64, dataOffset - 3000)..<dataOffset]
        let copy = FileManager.default.temporaryDirectory
            .appendingPathComponent("ocellus-\(UUID().uuidString).gguf")
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
