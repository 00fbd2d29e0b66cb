// SPDX-License-Identifier: Apache-2.0
import Foundation
import Ocellus
import OcellusConversion
import OcellusImage
import OcellusMemory
import ReferenceArrays
import Testing

/// Published vision models and systems, converted and traced (scripts/references/vision_checkpoints.py).
struct VisionTests {
    static let towers = [
        "clip-hf", "clip-open", "siglip-hf", "siglip2-open", "siglip2-naflex-hf", "dinov2-hf",
        "dinov2-registers-hf", "dinov2-timm", "siglip-timm", "mobilenet-v1-hf", "mobilenet-v2-hf",
        "mobilenet-v1-timm",
        "mobilenet-v2-timm", "mobileclip-timm", "mobileclip-folded-timm", "mobileclip-open",
        "mobileclip-apple", "mobileclip-folded-apple", "mobileclip-large-timm",
        "mobileclip-b-timm", "mobileclip-b-apple",
    ]

    /// What each system is converted with.
    static let visionOptions = [
        "mobilevlm": ["clip-hf"], "mobilevlm-v2": ["clip-hf"],
        // In any order.
        "cobra": ["dinov2-timm", "siglip-timm"], "cobra-ldpnet": ["siglip-timm", "dinov2-timm"],
    ]

    @Test(arguments: towers + ["mobilevlm", "mobilevlm-v2"])
    func `each stage is that of the library`(name: String) throws {
        let folder = try TemporaryFolder()
        try convert(Fixture(name).path, to: folder.path, options(name))
        #expect(folder.names == ["vision.gguf"])
        let tracer = try VisionTracer(path: folder.file("vision.gguf"), options: sessionOptions())
        let stages = try tracer.trace(picture(into: tracer.frameSlot))
        try expectStages(stages, of: name)
    }

    @Test(arguments: ["cobra", "cobra-ldpnet"])
    func `Cobra as a whole computes what its parts compute`(name: String) throws {
        let folder = try TemporaryFolder()
        try convert(Fixture(name).path, to: folder.path, options(name))
        #expect(folder.names == ["decoder.gguf", "vision.gguf"])
        var session = try Session(Model(path: folder.path, options: sessionOptions()))
        let frameSlot = session.frameSlot
        let slot = try #require(frameSlot)
        try expectStages(session.traceFrame(picture(into: slot)), of: name)
        let tokens = try Fixture(name).array("tokens").elements.map { Int($0) }
        try expectClose(session.traceTokens(tokens), Fixture(name).array("logits"))
    }

    @Test
    func `a vision model may be small`() throws {
        let folder = try TemporaryFolder()
        var options = options("mobilevlm")
        options.type = .q8_0
        try convert(Fixture("mobilevlm").path, to: folder.path, options)
        let tracer = try VisionTracer(path: folder.file("vision.gguf"), options: sessionOptions())
        let found = try tracer.trace(picture(into: tracer.frameSlot)).tokens.elements
        let expected = try Fixture("mobilevlm").array("projector").elements
        let error = zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
        #expect(error < 0.05 * (expected.map { abs($0) }.max() ?? 0))
    }

    private func options(_ name: String) -> ConversionOptions {
        var options = ConversionOptions()
        options.vision = (Self.visionOptions[name] ?? []).map { Fixture($0).path }
        return options
    }

    private func sessionOptions() throws -> SessionOptions {
        var options = SessionOptions(threadCount: 2, chunkLength: 64)
        options.maximumFrame = try PictureFile.size(of: Fixture("picture.png").path)
        return options
    }

    private func picture(into slot: Bytes) throws -> Frame {
        try PictureFile.decode(Fixture("picture.png").path, into: slot)
    }

    /// Compares all stages that the reference has; each must have been traced.
    private func expectStages(
        _ stages: VisionTrace,
        of name: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let fixture = Fixture(name)
        let layers = Dictionary(uniqueKeysWithValues: stages.layers.map { ($0.name, $0.tokens) })
        let found = layers.merging(
            ["pixels": stages.pixels, "encoder": stages.features, "projector": stages.tokens]
        ) { first, _ in first }
        let files = try FileManager.default.contentsOfDirectory(atPath: fixture.path)
        let expected = files.filter { $0.hasSuffix(".npy") }.map { String($0.dropLast(4)) }
            .filter { !["tokens", "logits"].contains($0) }
        #expect(expected.count >= 3, sourceLocation: sourceLocation)
        for stage in expected.sorted() {
            let tensor = try #require(found[stage], "\(stage) was not traced")
            try expectClose(tensor, fixture.array(stage), stage, sourceLocation: sourceLocation)
        }
    }
}
