// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusFormat
import OcellusModels
import Testing

/// Files with an infinity or a NaN where a softplus, an exponential or an activation would hide it.
///
/// They are refused before anything is computed. Those in matrices make the logits NaN (DamagedWeightTests).
struct NotFiniteTests {
    @Test(
        arguments: [
            ("mamba-q8_0", "blk.0.ssm_dt.bias"), ("mamba-q8_0", "blk.1.ssm_a"),
            ("mamba-q8_0", "blk.0.ssm_conv1d.weight"), ("mamba-q8_0", "blk.1.attn_norm.weight"),
            ("mamba2-groups", "blk.0.ssm_a"), ("mamba2-groups", "output_norm.weight"),
        ]
    )
    func `a decoder with parameters that are no numbers is refused`(
        fixture: String,
        tensor: String
    ) throws {
        try refuses(Fixture(name: fixture).path("decoder.gguf"), tensor) {
            _ = try DecoderRun(path: $0, chunkLength: 3, threadCount: 1)
        }
    }

    @Test(arguments: [("cnn-pytorch", "v.cnn.1.bias"), ("clip-ldpv2", "v.blk.0.ln1.weight")])
    func `an encoder with parameters that are no numbers is refused`(
        fixture: String,
        tensor: String
    ) throws {
        try refuses(Fixture(name: fixture).path("vision.gguf"), tensor) {
            _ = try VisionRun(path: $0, threadCount: 1)
        }
    }

    /// Opens copies of a file, each with a value in the place of the last element of a tensor.
    private func refuses(
        _ path: String,
        _ tensor: String,
        _ open: (String) throws -> Void
    ) throws {
        let copy = FileManager.default.temporaryDirectory
            .appendingPathComponent("ocellus-\(UUID().uuidString).gguf")
        defer { try? FileManager.default.removeItem(at: copy) }
        let info = try #require(try ModelFile(path: path).tensor(tensor))
        let last = info.offset + info.byteCount - 4
        for value: Float in [.infinity, -.infinity, .nan] {
            var data = try Data(contentsOf: URL(fileURLWithPath: path))
            withUnsafeBytes(of: value) { data.replaceSubrange(last..<last + 4, with: $0) }
            try data.write(to: copy)
            do {
                try open(copy.path)
                Issue.record("\(tensor) with \(value) is taken")
            } catch let error as ModelError {
                #expect(error.description.contains("'\(tensor)' holds an infinity or a NaN"))
            }
        }
    }
}
