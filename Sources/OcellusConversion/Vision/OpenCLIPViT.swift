// SPDX-License-Identifier: Apache-2.0

/// Vision towers of open_clip: its own transformer (CLIP), or one of timm's (SigLIP, SigLIP2).
///
/// - Source: open_clip, model.py (CLIPVisionCfg) and transformer.py.
enum OpenCLIPViT {
    /// Whether settings are those of such a model.
    static func describes(_ settings: ModelSettings) -> Bool {
        settings.json["model_cfg"]?["vision_cfg"]?.members != nil
    }

    /// Reads the sizes.
    static func sizes(of model: PublishedModel) throws(ConversionError) -> ViTSizes {
        let config = try model.settings.below("model_cfg")
        let vision = try config.below("vision_cfg")
        let pictures = try PictureSettings(
            openCLIP: try model.settings.below("preprocess_cfg"),
            side: try vision.size("image_size", default: 224)
        )
        if vision.has("timm_model_name") {
            let name = try vision.text("timm_model_name")
            guard TimmViT.describes(name) else {
                throw vision.bad("timm_model_name", "one that begins with vit_", .string(name))
            }
            return try TimmViT.sizes(
                name,
                ModelSettings(path: model.settings.path, json: .object([])),
                pictures,
                of: model.checkpoint.removingPrefix("visual.trunk.")
            )
        }
        if vision.json["layers"]?.array != nil {
            throw vision.bad(
                "layers",
                "a count: ResNets are not converted",
                try vision.value("layers")
            )
        }
        for key in ["qk_norm", "scaled_cosine_attn", "scale_heads", "scale_attn", "scale_fc"] {
            try vision.require(key, false)
        }
        let width = try vision.size("width", default: 768)
        var parts = ViTParts.clip
        parts.hasPreNorm = try !vision.flag("no_ln_pre", default: false)
        parts.hasLayerScale = vision.has("ls_init_value")
        return ViTSizes(
            names: .openCLIP,
            parts: parts,
            patchSize: try vision.size("patch_size", default: 16),
            width: width,
            hidden: try vision.size("mlp_ratio", times: width, default: 4),
            headCount: max(width / (try vision.size("head_width", default: 64)), 1),
            blockCount: try vision.size("layers", default: 12),
            epsilon: 1e-5,
            activation: try config.flag("quick_gelu", default: false) ? "quick_gelu" : "gelu_erf",
            featureLayer: -2,
            pictures: pictures,
            positionSide: pictures.side,
            resamplesWithAntialias: true
        )
    }
}
