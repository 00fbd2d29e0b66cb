// SPDX-License-Identifier: Apache-2.0
import Foundation
import Ocellus
import OcellusConversion
import OcellusFormat
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
        "vl-mamba-bsm": ["clip-hf"], "vl-mamba-csm": ["siglip-hf"], "vl-mamba-mlp": ["siglip-hf"],
        // In any order.
        "cobra": ["dinov2-timm", "siglip-timm"], "cobra-ldpnet": ["siglip-timm", "dinov2-timm"],
    ]

    @Test(
        arguments: towers
            + ["mobilevlm", "mobilevlm-v2", "vl-mamba-bsm", "vl-mamba-csm", "vl-mamba-mlp"]
    )
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
        let error = greatestDifference(found, expected)
        #expect(error < 0.05 * (expected.map { abs($0) }.max() ?? 0))
    }

    @Test
    func `what MobileVLM takes behind the last block passes no norm`() throws {
        let source = try PublishedFolder("mobilevlm")
        try source.replaceOnce("layer\": -2", by: "layer\": -1", in: "config.json")
        let folder = try TemporaryFolder()
        try convert(source.path, to: folder.path, options("mobilevlm"))
        let file = try ModelFile(path: folder.file("vision.gguf"))
        let (blockCount, hasNorm) = (
            try file.int("clip.vision.block_count"), file.hasTensor("v.post_ln.weight")
        )
        #expect(blockCount == 3)
        #expect(!hasNorm)
    }

    @Test
    func `a MobileNetV2 has the activation that its configuration names`() throws {
        let source = try PublishedFolder("mobilenet-v2-hf")
        try source.replaceOnce("\"relu6\"", by: "\"relu\"", in: "config.json")
        let folder = try TemporaryFolder()
        try convert(source.path, to: folder.path)
        let activations = try ModelFile(path: folder.file("vision.gguf"))
            .strings("ocellus.vision.cnn.activation")
        #expect(Set(activations) == ["relu", "none"])
    }

    @Test
    func `a base model of timm has sixteen heads`() throws {
        let source = try PublishedFolder("dinov2-timm")
        try source.replaceOnce("\"num_heads\"", by: "\"unused\"", in: "config.json")
        try source.replaceOnce(
            "\"architecture\": \"",
            by: "\"architecture\": \"vit_base_patch16_gap_224\", \"unused\": \"",
            in: "config.json"
        )
        #expect(try refusal(of: source).contains("width 24 and 16 heads"))
    }

    @Test
    func `matrices that are computed are not rounded to the type of their parts`() throws {
        let source = try PublishedFolder("mobileclip-timm")
        var byteCount = 0
        try source.rewriteHeader { header in
            for (name, entry) in header where name != "__metadata__" {
                let offsets = entry["data_offsets"] as? [Int] ?? []
                byteCount = max(byteCount, offsets.last ?? 0)
                header[name]?["dtype"] = entry["dtype"] as? String == "I64" ? "I32" : "F16"
                header[name]?["data_offsets"] = offsets.map { $0 / 2 }
            }
        }
        let data = try source.data("model.safetensors")
        try source.write(data.dropLast(byteCount / 2), to: "model.safetensors")
        var options = ConversionOptions()
        func types() throws -> Set<WeightType> {
            let plans = try ModelConversion.plans(for: PublishedModel(path: source.path), options)
            let steps = plans.flatMap(\.steps).filter {
                $0.mapping.storage != .exact && !$0.mapping.name.contains(".se.")
            }
            return Set(steps.map(\.type))
        }
        #expect(try types() == [.f32])
        options.type = .f16
        #expect(try types() == [.f16])
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
