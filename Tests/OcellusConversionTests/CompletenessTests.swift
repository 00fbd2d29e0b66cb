// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusConversion
import Testing

/// No checkpoint converts that lacks a tensor or has one of another shape, whichever it is; those that no
/// feature depends on are listed here, and convert without.
struct CompletenessTests {
    private static let checkpoints: [String] = {
        let names = try? FileManager.default.contentsOfDirectory(atPath: Fixture("").path)
        return (names ?? []).filter { !$0.contains(".") }.sorted()
    }()

    /// Beginnings of the names of tensors that are not read.
    private static let unread: [String: [String]] = [
        "clip-hf": texts + ["vision_model.post_layernorm."],
        "clip-open": [
            "logit_scale", "ln_final.", "positional_embedding", "text_projection",
            "token_embedding.", "transformer.", "visual.ln_post.", "visual.proj",
        ],
        "dinov2-hf": ["embeddings.mask_token"],
        "dinov2-registers-hf": ["embeddings.mask_token"],
        // Equal to the embedding, which a checkpoint may say by leaving it out.
        "mamba": ["lm_head."], "mamba2": ["lm_head."],
        "cobra": ["model.llm_backbone.llm.lm_head."],
        "cobra-ldpnet": ["model.llm_backbone.llm.lm_head."],
        "mobileclip-apple": ["logit_scale", "image_encoder.model.head."],
        "mobileclip-b-apple": [
            "logit_scale", "image_encoder.model.classifier.",
            "image_encoder.model.post_transformer_norm.",
        ],
        "mobileclip-b-timm": ["head.", "norm."],
        "mobileclip-folded-apple": ["logit_scale", "image_encoder.model.head."],
        "mobileclip-folded-timm": ["head."], "mobileclip-large-timm": ["head."],
        "mobileclip-open": ["logit_scale", "text.", "visual.head.", "visual.trunk.head."],
        "mobileclip-timm": ["head."],
        "mobilenet-v1-timm": ["classifier."], "mobilenet-v2-timm": ["classifier."],
        // V1 sees with the CLIP that is published apart.
        "mobilevlm": ["model.embed_tokens.", "model.norm.", "model.vision_tower."],
        "mobilevlm-v2": [
            "model.embed_tokens.", "model.norm.",
            "model.vision_tower.vision_tower.vision_model.post_layernorm.",
        ],
        "siglip-hf": texts + ["vision_model.head."],
        "siglip-timm": ["attn_pool."],
        "siglip2-naflex-hf": texts + ["vision_model.head."],
        "siglip2-open": ["logit_", "text.", "visual.head.", "visual.trunk.attn_pool."],
    ]
    private static let texts = [
        "logit_", "text_model.", "text_projection.", "visual_projection.",
    ]

    /// Last blocks of models that are cut down: of published widths the count of blocks is known, of others a
    /// note says that nothing tells it.
    private static let lastBlocks: [String: String] = [
        "cobra": "model.llm_backbone.llm.backbone.layers.1.",
        "cobra-ldpnet": "model.llm_backbone.llm.backbone.layers.1.",
        "mobileclip-b-apple": "image_encoder.model.transformer.2.",
        "mobileclip-b-timm": "blocks.2.",
        "mobileclip-apple": "image_encoder.model.network.0.1.",
        "mobileclip-folded-apple": "image_encoder.model.network.0.1.",
        "mobileclip-open": "visual.trunk.stages.0.blocks.1.",
        "siglip2-open": "visual.trunk.blocks.2.",
    ]

    /// Ends of the names of tensors that sizes are taken from, where no configuration states them: if such a
    /// one has another shape, a tensor that does not fit it any more is named.
    private static let measured: [String: [String]] = [
        "cobra": [
            "embedding.weight", "norm_f.weight", "layers.0.mixer.A_log",
            "layers.0.mixer.conv1d.weight", "layers.0.mixer.dt_proj.weight",
            "projector.0.bias", "projector.2.bias",
        ],
        "mobileclip": [
            "fc1.bias", "se.reduce.bias", "stem.0.conv_kxk.0.bn.weight",
            "patch_embed.0.rbr_conv.0.bn.weight", "large_conv.bn.weight", "lkb_origin.bn.weight",
            "0.reparam_conv.bias", "lkb_reparam.bias",
        ],
        "mobileclip-b": ["conv.weight", "ffn.1.bias"],
        "mobilenet": ["bn1.weight", "bn2.weight", "bn3.weight", "normalization.weight"],
        "siglip2": ["patch_embed.proj.weight", "blocks.0.mlp.fc1.bias"],
        "vl-mamba": [
            "0.bias", "mm_projector.2.bias", "out_norm.weight", "dt_projs_weight", "A_logs",
        ],
    ]

    @Test(arguments: checkpoints)
    func `a tensor that is missing is named`(name: String) throws {
        let model = try AlteredCheckpoint(name)
        for tensor in model.shapes.keys.sorted() {
            var shapes = model.shapes
            shapes[tensor] = nil
            let message = try model.refusal(of: shapes, options(name))
            if isUnread(tensor, in: name) {
                #expect(message == nil, "\(name) without \(tensor)")
            } else {
                let isNamed = message?.contains("'\(tensor)'") ?? false
                #expect(isNamed, "\(name) without \(tensor): \(message ?? "converts")")
            }
        }
    }

    @Test(arguments: checkpoints)
    func `a tensor of another shape is named`(name: String) throws {
        let model = try AlteredCheckpoint(name)
        let tensors = model.shapes.filter { !isUnread($0.key, in: name) }
        for (index, (tensor, shape)) in tensors.sorted(by: { $0.key < $1.key }).enumerated() {
            // One dimension greater, or one more, in turn.
            var other = shape + [1]
            if index % (shape.count + 1) < shape.count {
                other.removeLast()
                other[index % (shape.count + 1)] += 1
            }
            var shapes = model.shapes
            shapes[tensor] = other
            let message = try model.refusal(of: shapes, options(name))
            let named = isMeasured(tensor, in: name) ? "" : "'\(tensor)'"
            let isNamed = named.isEmpty ? message != nil : message?.contains(named) ?? false
            #expect(isNamed, "\(name) with \(tensor) \(other): \(message ?? "converts")")
        }
    }

    @Test(arguments: checkpoints)
    func `a part that is missing is noticed`(name: String) throws {
        let model = try AlteredCheckpoint(name)
        let modules = Set(
            model.shapes.keys.flatMap { tensor in
                let parts = tensor.split(separator: ".")
                return (1..<max(parts.count, 1)).map {
                    parts.prefix($0).joined(separator: ".") + "."
                }
            }
        )
        for module in modules.sorted()
        where !isUnread(module, in: name) && module != Self.lastBlocks[name] {
            let shapes = model.shapes.filter { !$0.key.hasPrefix(module) }
            // Single tensors are taken away above.
            guard shapes.count < model.shapes.count - 1 else { continue }
            let message = try model.refusal(of: shapes, options(name))
            #expect(message != nil, "\(name) without \(module) converts")
        }
    }

    @Test(arguments: checkpoints)
    func `a note says which counts of blocks nothing states`(name: String) throws {
        let plans = try ModelConversion.plans(
            for: PublishedModel(path: Fixture(name).path),
            options(name)
        )
        let notes = plans.flatMap(\.description.notes).filter { $0.contains("nothing states how") }
        #expect(notes.count == (Self.lastBlocks[name] == nil ? 0 : 1), "\(notes)")
    }

    private func isUnread(_ tensor: String, in name: String) -> Bool {
        tensor.hasSuffix("num_batches_tracked")
            || (Self.unread[name] ?? []).contains { tensor.hasPrefix($0) }
    }

    private func isMeasured(_ tensor: String, in name: String) -> Bool {
        Self.measured.contains { family, ends in
            name.hasPrefix(family) && ends.contains { tensor.hasSuffix($0) }
        }
    }

    private func options(_ name: String) -> ConversionOptions {
        var options = ConversionOptions()
        options.vision = (VisionTests.visionOptions[name] ?? []).map { Fixture($0).path }
        return options
    }
}
