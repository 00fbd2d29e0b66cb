// SPDX-License-Identifier: Apache-2.0
import ReferenceArrays
import Testing

/// Encoders and projectors against `transformers` and torch (scripts/references/vision.py, llama_files.py).
struct VisionTests {
    static let fixtures = [
        "clip-ldpv2", "clip-f16", "siglip-mlp", "siglip-q8_0", "cnn-tensorflow", "cnn-pytorch",
        "cnn-vit", "cnn-vit-q8_0", "dinov2-ldp", "dinov2-cabstractor", "cobra-mlp",
        "cobra-ldpnet", "siglip-vss", "clip-vss", "clip-newer",
        "llama-clip-ldp", "llama-clip-ldpv2", "llama-clip-mlp", "llama-siglip-mlp",
    ].map { Fixture(name: $0) }

    @Test(arguments: fixtures)
    func `features and image tokens are those of PyTorch`(fixture: Fixture) throws {
        try Self.compare(VisionRun(fixture), with: fixture)
    }

    @Test(arguments: ["siglip-q8_0", "cnn-vit-q8_0"])
    func `packed weights give those of PyTorch as well`(name: String) throws {
        let fixture = Fixture(name: name)
        try withPacked(fixture, "vision.gguf") { path in
            try Self.compare(VisionRun(path: path, threadCount: 1), with: fixture)
        }
    }

    private static func compare(_ run: VisionRun, with fixture: Fixture) throws {
        let frames = try fixture.array("pixels")
        let features = try fixture.array("encoder")
        let tokens = try fixture.array("projector")
        for frame in 0..<frames.shape[0] {
            let seen = run.see(frames[frame], isFirst: frame == 0)
            expectClose(
                seen.features,
                features[frame],
                within: fixture.tolerance,
                "encoder, \(frame)"
            )
            expectClose(
                seen.tokens,
                tokens[frame],
                within: fixture.tolerance,
                "projector, \(frame)"
            )
        }
    }

    @Test(arguments: fixtures)
    func `any count of threads gives the same bits`(fixture: Fixture) throws {
        let frames = try fixture.array("pixels")
        let expected = try VisionRun(fixture).see(frames[0], isFirst: true)
        for threadCount in [2, 3, 5] {
            let run = try VisionRun(fixture, threadCount: threadCount)
            let seen = run.see(frames[0], isFirst: true)
            #expect(seen == expected, "\(threadCount) threads")
        }
    }

    @Test(arguments: fixtures)
    func `the first frame does not depend on what was seen before`(fixture: Fixture) throws {
        let frames = try fixture.array("pixels")
        let run = try VisionRun(fixture)
        let expected = run.see(frames[0], isFirst: true)
        _ = run.see(frames[1], isFirst: false)
        let again = run.see(frames[0], isFirst: true)
        #expect(again == expected)
    }
}
