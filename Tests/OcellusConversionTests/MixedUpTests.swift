// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusConversion
import Testing

/// Files of one model beside those of another: each is refused with the file, the tensor or key, what was
/// expected and what was found.
struct MixedUpTests {
    /// What one model's checkpoint is with another's configuration.
    @Test(arguments: [
        (
            "clip-hf", "siglip-hf",
            "the tensor 'vision_model.embeddings.class_embedding' of shape [24] is missing"
        ),
        (
            "siglip-hf", "clip-hf",
            "the tensor 'vision_model.embeddings.patch_embedding.bias' of shape [24] is missing"
        ),
        (
            "dinov2-hf", "dinov2-registers-hf",
            "the tensor 'embeddings.register_tokens' of shape [1, 4, 24] has no place"
        ),
        (
            "dinov2-registers-hf", "dinov2-hf",
            "the tensor 'embeddings.register_tokens' of shape [1, 4, 24] is missing"
        ),
        ("dinov2-timm", "siglip-timm", "should have shape [24, 3, 7, 7], has [20, 3, 7, 7]"),
        ("mobileclip-timm", "mobileclip-large-timm", "'stages.0.blocks.1.mlp.fc1.bias' is missing"),
        ("mobileclip-large-timm", "mobileclip-timm", "stages.4.downsample.proj.0"),
        ("mobilenet-v1-timm", "mobilenet-v2-timm", "the tensor 'blocks.3.4.bn1.weight' is missing"),
        ("mamba-hf", "falcon-mamba", "should have shape"),
        ("mamba2-hf", "mamba-hf", "the tensor 'lm_head.weight' of shape [288, 32] is missing"),
    ])
    func `a checkpoint beside another model's configuration`(
        name: String,
        other: String,
        expected: String
    ) throws {
        let folder = try PublishedFolder(name)
        let from = try PublishedFolder(other)
        try folder.write(try from.data("model.safetensors"), to: "model.safetensors")
        let message = try refusal(of: folder)
        #expect(message.contains(expected), "\(message)")
        #expect(message.contains("model.safetensors"), "\(message)")
    }

    @Test(arguments: [
        ("mobilevlm", "ldpnet", "mlp2x_gelu", "model.mm_projector.0.bias' of shape [32] is"),
        ("mobilevlm", "ldpnet", "ldpnetv2", "model.mm_projector.mlp.mlp.0.bias' of shape [32]"),
        (
            "mobilevlm-v2", "ldpnetv2", "ldpnet",
            "model.mm_projector.model.mb_block.1.block.0.0.weight' of shape [32, 1, 3, 3]"
        ),
        (
            "vl-mamba-csm", "csm", "bsm",
            "model.mm_projector.1.op.A_logs' should have shape [72, 5], has [144, 5]"
        ),
        (
            "vl-mamba-bsm", "bsm", "csm",
            "model.mm_projector.1.op.A_logs' should have shape [144, 5], has [72, 5]"
        ),
        (
            "vl-mamba-mlp", "mlp3x_gelu", "mlp2x_gelu",
            "model.mm_projector.2.bias' should have shape [32], has [28]"
        ),
        ("vl-mamba-csm", "vss_l2", "mlp2x_gelu", "model.mm_projector.1."),
        (
            "cobra", "fused-gelu-mlp", "fused-ldpnet",
            "projector.2.bias' should have shape [32], has [40]"
        ),
        (
            "cobra-ldpnet", "fused-ldpnet", "fused-gelu-mlp",
            "projector.4.bias' of shape [32] is missing"
        ),
    ])
    func `a projector of another kind`(
        name: String,
        kind: String,
        other: String,
        expected: String
    ) throws {
        let folder = try PublishedFolder(name)
        try folder.replaceOnce(kind, by: other, in: "config.json")
        let message = try refusal(of: folder, options(of: name))
        #expect(message.contains(expected), "\(message)")
    }

    @Test(arguments: [
        ("mobilevlm", "model.mm_projector.model.mlp.5.weight"),
        ("mobilevlm-v2", "model.mm_projector.peg.peg.2.weight"),
        ("vl-mamba-bsm", "model.mm_projector.1.mlp.fc1.bias"),
        ("vl-mamba-bsm", "backbone.norm_f.weight"),
        ("cobra", "model.projector.projector.6.weight"),
        ("cobra", "model.vision_backbone.featurizer.norm.weight"),
        ("cobra-ldpnet", "model.projector.projector.4.peg.1.weight"),
        ("clip-hf", "vision_model.embeddings.register_tokens"),
        ("mamba-hf", "backbone.layers.1.mixer.B_norm.weight"),
    ])
    func `a tensor that nothing reads`(name: String, tensor: String) throws {
        let model = try AlteredCheckpoint(name)
        let shapes = model.shapes.merging([tensor: [32]]) { own, _ in own }
        let message = try model.refusal(of: shapes, options(of: name))
        let isNamed = message?.contains("'\(tensor)' of shape [32] has no place") ?? false
        #expect(isNamed, "\(message ?? "converts")")
    }

    @Test(arguments: ["siglip-hf", "dinov2-hf", "siglip-timm", "siglip2-open", "mobileclip-b-timm"])
    func `MobileVLM sees with a CLIP`(tower: String) throws {
        var options = ConversionOptions()
        options.vision = [Fixture(tower).path]
        let message = try refusal(of: PublishedFolder("mobilevlm"), options)
        #expect(message.contains("\(tower)/"), "\(message)")
        #expect(message.contains("not a CLIP, which"), "\(message)")
    }

    @Test(arguments: [
        ("dinov2-timm", "cls_token", "[1, 1, 24]"), ("dinov2-timm", "reg_token", "[1, 4, 24]"),
        ("dinov2-timm", "blocks.0.ls1.gamma", "[24]"),
        ("siglip-timm", "pos_embed", "[1, 16, 20]"),
    ])
    func `a part of Cobra without a tensor`(part: String, tensor: String, shape: String) throws {
        let tower = try AlteredCheckpoint(part)
        try tower.write(tower.shapes.filter { $0.key != tensor })
        var options = options(of: "cobra")
        options.vision = options.vision.map { $0.hasSuffix(part) ? tower.folder.path : $0 }
        let message = try refusal(of: PublishedFolder("cobra"), options)
        let expected = "model.safetensors: the tensor '\(tensor)' of shape \(shape) is missing"
        #expect(message.contains("\(tower.folder.path)/\(expected)"), "\(message)")
    }

    @Test(arguments: [
        ("dinov2-timm", "vit_large_patch14_reg4_dinov2", "vit_large_patch14_dinov2"),
        ("siglip-timm", "vit_so400m_patch14_siglip_384", "vit_so400m_patch14_siglip_378"),
    ])
    func `Cobra sees with the towers that it is trained with`(
        part: String,
        name: String,
        other: String
    ) throws {
        let tower = try PublishedFolder(part)
        try tower.replaceOnce(name, by: other, in: "config.json")
        var options = options(of: "cobra")
        options.vision = options.vision.map { $0.hasSuffix(part) ? tower.path : $0 }
        let message = try refusal(of: PublishedFolder("cobra"), options)
        let expected = "\(tower.path)/config.json: 'architecture' should be "
        #expect(message.contains(expected), "\(message)")
        #expect(message.contains(" or vit_so400m_patch14_siglip_384, which"), "\(message)")
        #expect(message.contains("is '\(other)'"), "\(message)")
    }

    @Test
    func `a tokenizer of fewer tokens is that of another model`() throws {
        let model = try AlteredCheckpoint("mamba-hf")
        try model.folder.replaceOnce(
            "\"vocab_size\": 288",
            by: "\"vocab_size\": 406",
            in: "config.json"
        )
        var shapes = model.shapes
        shapes["backbone.embeddings.weight"] = [406, 32]
        let message = try model.refusal(of: shapes, ConversionOptions())
        let expected = "tokens for all of the embedding's 406 rows but 128 at most, has 275; it is"
        #expect(message?.contains(expected) ?? false, "\(message ?? "converts")")
        try model.folder.replaceOnce(
            "\"vocab_size\": 406",
            by: "\"vocab_size\": 403",
            in: "config.json"
        )
        shapes["backbone.embeddings.weight"] = [403, 32]
        #expect(try model.refusal(of: shapes, ConversionOptions()) == nil)
    }

    /// Features before the last block would be those before another one.
    @Test(arguments: [
        (
            "clip-hf", "config.json", "num_hidden_layers\": 3", "vision_model.encoder.layers.",
            "layer_norm1"
        ),
        (
            "clip-open", "open_clip_config.json", "layers\": 3", "visual.transformer.resblocks.",
            "ln_1"
        ),
    ])
    func `blocks behind the features are there, as many as are stated`(
        name: String,
        file: String,
        count: String,
        blocks: String,
        norm: String
    ) throws {
        let model = try AlteredCheckpoint(name)
        let shapes = model.shapes.filter { !$0.key.hasPrefix(blocks + "2.") }
        let without = try model.refusal(of: shapes, ConversionOptions())
        let expected = "the tensor '\(blocks)2.\(norm).weight' of shape [24] is missing"
        #expect(without?.contains(expected) ?? false, "\(without ?? "converts")")
        for (other, expected) in [
            ("4", "the tensor '\(blocks)3.\(norm).weight' of shape [24] is missing"),
            ("2", "the tensor '\(blocks)2."),
            ("16777216", "the tensor '\(blocks)3.\(norm).weight'"),
        ] {
            let folder = try PublishedFolder(name)
            try folder.replace(count, by: count.dropLast() + other, in: file)
            let message = try refusal(of: folder)
            #expect(message.contains(expected), "\(message)")
        }
    }

    @Test
    func `open_clip's checkpoint goes with open_clip's configuration`() throws {
        let folder = try PublishedFolder("clip-open")
        try folder.write(Data(#"{"model_type": "clip"}"#.utf8), to: "config.json")
        #expect(
            try PublishedModel(path: folder.path).settings.path.hasSuffix("open_clip_config.json")
        )
    }

    @Test
    func `MobileVLM sees with the CLIP that it is trained with`() throws {
        let folder = try PublishedFolder("mobilevlm")
        try folder.replaceOnce(
            "\"mm_hidden_size\": 24",
            by: "\"mm_hidden_size\": 1024",
            in: "config.json"
        )
        let narrow = try refusal(of: folder, options(of: "mobilevlm"))
        #expect(
            narrow.contains("clip-hf/config.json: the CLIP should have width 1024"),
            "\(narrow)"
        )
        #expect(narrow.contains("as mm_hidden_size, has 24"), "\(narrow)")
        let clip = try PublishedFolder("clip-hf")
        try clip.replaceOnce("\"hidden_size\": 24", by: "\"hidden_size\": 1024", in: "config.json")
        var options = ConversionOptions()
        options.vision = [clip.path]
        let small = try refusal(of: folder, options)
        #expect(small.contains("the CLIP should see pictures of 336 pixels, as"), "\(small)")
        #expect(small.contains("sees 28"), "\(small)")
    }

    @Test
    func `Cobra's projector makes what its decoder reads`() throws {
        let model = try AlteredCheckpoint("cobra")
        var shapes = model.shapes
        shapes["model.projector.projector.4.weight"] = [40, 40]
        shapes["model.projector.projector.4.bias"] = [40]
        let message = try model.refusal(of: shapes, options(of: "cobra"))
        #expect(
            message?.contains("'model.projector.projector.4.bias' should have shape [32], has [40]")
                ?? false
        )
    }

    /// Models of published widths whose last block is missing with all of its tensors.
    @Test
    func `a published width says how many blocks there are`() throws {
        let cobra = try AlteredCheckpoint("cobra")
        try cobra.folder.replaceOnce("mamba-small", by: "mamba-2.8b", in: "config.json")
        let (d, e, n, r) = (2560, 5120, 16, 160)
        var shapes = cobra.shapes.filter { !$0.key.contains(".layers.") }
        for name in ["backbone.embedding", "lm_head"] {
            shapes["model.llm_backbone.llm.\(name).weight"] = [288, d]
        }
        shapes["model.llm_backbone.llm.backbone.norm_f.weight"] = [d]
        for layer in 0..<63 {
            for (name, shape) in [
                "norm.weight": [d], "mixer.A_log": [e, n], "mixer.D": [e],
                "mixer.in_proj.weight": [2 * e, d], "mixer.conv1d.weight": [e, 1, 4],
                "mixer.conv1d.bias": [e], "mixer.x_proj.weight": [r + 2 * n, e],
                "mixer.dt_proj.weight": [e, r], "mixer.dt_proj.bias": [e],
                "mixer.out_proj.weight": [d, e],
            ] { shapes["model.llm_backbone.llm.backbone.layers.\(layer).\(name)"] = shape }
        }
        let message = try cobra.refusal(of: shapes, options(of: "cobra"))
        let expected = "'model.llm_backbone.llm.backbone.layers.63.norm.weight' of shape [2560] is"
        #expect(message?.contains(expected) ?? false, "\(message ?? "")")

        let tower = try AlteredCheckpoint("siglip2-open")
        let wide = tower.shapes.mapValues { shape in
            shape.map { [24: 768, 72: 2304, 48: 3072][$0] ?? $0 }
        }
        let refusal = try tower.refusal(of: wide, ConversionOptions())
        #expect(
            refusal?.contains("'visual.trunk.blocks.3.norm1.weight' of shape [768] is missing")
                ?? false,
            "\(refusal ?? "")"
        )
    }

    @Test(arguments: [
        (
            "mamba-hf", "\"vocab_size\": 288", "\"vocab_size\": 280",
            "'backbone.embeddings.weight' should have shape [280, 32], has [288, 32]"
        ),
        (
            "mamba", "\"vocab_size\": 277", "\"vocab_size\": 289",
            "'backbone.embedding.weight' should have shape [304, 32], has [288, 32]"
        ),
        (
            "mamba", "\"pad_vocab_size_multiple\": 16", "\"pad_vocab_size_multiple\": 1",
            "'backbone.embedding.weight' should have shape [277, 32], has [288, 32]"
        ),
        (
            "mamba-sharded", "\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true",
            "the tensor 'lm_head.weight' is not 'backbone.embeddings.weight', which the configuration says"
        ),
        (
            "mamba-hf", "\"vocab_size\": 288", "\"vocab_size\": \"288\"",
            "config.json: 'vocab_size' should be a whole number from 1 to 16777216, is '288'"
        ),
        (
            "mamba-hf", "\"tie_word_embeddings\": true", "\"tie_word_embeddings\": 1",
            "config.json: 'tie_word_embeddings' should be true or false, is 1"
        ),
        (
            "mamba-hf", "\"model_type\": \"mamba\"", "\"model_type\": 1",
            "config.json: 'model_type' should be a text, is 1"
        ),
        (
            "mamba", "\"rms_norm\": true", "\"rms_norm\": true, \"attn_layer_idx\": 3",
            "config.json: 'attn_layer_idx' should be a list, is 3"
        ),
        (
            "dinov2-timm", "\"img_size\": [", "\"img_size\": \"35\", \"unused\": [",
            "'model_args.img_size' should be one side from 1 to 4096, or twice the same, is '35'"
        ),
    ])
    func `a configuration that its tensors contradict`(
        name: String,
        text: String,
        other: String,
        expected: String
    ) throws {
        try expectRefusal(
            expected,
            of: name,
            replacing: text,
            by: other,
            namesFile: false
        )
    }

    private func options(of name: String) -> ConversionOptions {
        var options = ConversionOptions()
        options.vision = (VisionTests.visionOptions[name] ?? []).map { Fixture($0).path }
        return options
    }
}
