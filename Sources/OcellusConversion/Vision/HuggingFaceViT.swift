// SPDX-License-Identifier: Apache-2.0

/// Vision transformers of transformers: CLIP, SigLIP, SigLIP2, DINOv2.
///
/// SigLIP2 of fixed size is a SigLIP. NaFlex ("siglip2") takes any grid of patches; here it has the square one
/// of its positions, which then need no resampling, and pictures are stretched to it.
///
/// - Source: transformers, models/{clip,siglip,siglip2,dinov2,dinov2_with_registers}/configuration_*.py.
enum HuggingFaceViT {
    private enum Family { case clip, siglip, dinov2 }

    private static func family(_ settings: ModelSettings) -> Family? {
        switch settings.json["model_type"]?.string {
        case "clip", "clip_vision_model": .clip
        case "siglip", "siglip_vision_model", "siglip2", "siglip2_vision_model": .siglip
        case "dinov2", "dinov2_with_registers": .dinov2
        default: nil
        }
    }

    private static func isNaFlex(_ settings: ModelSettings) -> Bool {
        settings.json["model_type"]?.string?.hasPrefix("siglip2") ?? false
    }

    /// Whether settings are those of such a model.
    static func describes(_ settings: ModelSettings) -> Bool { family(settings) != nil }

    /// Reads the sizes.
    static func sizes(of model: PublishedModel) throws -> ViTSizes {
        let type = try model.settings.text("model_type")
        guard let family = family(model.settings) else {
            throw model.settings.bad("model_type", "that of a vision model", .string(type))
        }
        let settings =
            model.settings.has("vision_config")
            ? try model.settings.below("vision_config") : model.settings
        try settings.require("use_swiglu_ffn", false)
        try settings.require("qkv_bias", true)
        let width = try settings.size("hidden_size", default: 768)
        let hidden =
            family == .dinov2
            ? try settings.size("mlp_ratio", times: width, default: 4)
            : try settings.size("intermediate_size", default: 3072)
        let pictures = try pictures(of: model, family, settings)
        return ViTSizes(
            names: family == .dinov2 ? .dinov2 : .clip,
            parts: try parts(of: type, family, settings),
            patchSize: try settings.size("patch_size", default: usual(family, 32, 16, 14)),
            width: width,
            hidden: hidden,
            headCount: try settings.size("num_attention_heads", default: 12),
            blockCount: try settings.size("num_hidden_layers", default: 12),
            epsilon: try settings.number(
                "layer_norm_eps",
                default: usual(family, 1e-5, 1e-6, 1e-6)
            ),
            activation: try activation(family, settings),
            featureLayer: usual(family, -2, -1, -1),
            pictures: pictures,
            positionSide: try side(model, settings),
            resamplesWithAntialias: type == "dinov2_with_registers",
            hasLinearPatches: isNaFlex(model.settings)
        )
    }

    private static func parts(
        of type: String,
        _ family: Family,
        _ settings: ModelSettings
    ) throws(ConversionError) -> ViTParts {
        var parts = usual(family, ViTParts.clip, .siglip, .dinov2)
        if type == "dinov2_with_registers" {
            parts.registerCount = try settings.size("num_register_tokens", default: 4)
        }
        return parts
    }

    /// What a key has by default.
    private static func usual<Value>(
        _ family: Family,
        _ clip: Value,
        _ siglip: Value,
        _ dinov2: Value
    ) -> Value {
        switch family {
        case .clip: clip
        case .siglip: siglip
        case .dinov2: dinov2
        }
    }

    private static func pictures(
        of model: PublishedModel,
        _ family: Family,
        _ settings: ModelSettings
    ) throws -> PictureSettings {
        let own = try side(model, settings)
        // DINOv2 is trained on larger pictures than its processor makes, and resamples its positions.
        let usual =
            switch family {
            case .clip: PictureSettings(side: own, norm: PictureSettings.openAI, strategy: "crop")
            case .siglip:
                PictureSettings(side: own, norm: PictureSettings.half, strategy: "stretch")
            case .dinov2:
                PictureSettings(side: own, norm: PictureSettings.imageNet, strategy: "crop")
            }
        let pictures = try usual.overridden(besides: model)
        guard family == .dinov2 || pictures.side == own else {
            throw settings.bad(
                "image_size",
                "\(pictures.side) as in preprocessor_config.json",
                .number(Double(own))
            )
        }
        return pictures
    }

    /// Width and height of the pictures that the positions are for.
    private static func side(
        _ model: PublishedModel,
        _ settings: ModelSettings
    ) throws(ConversionError) -> Int {
        guard isNaFlex(model.settings) else {
            return try settings.size("image_size", default: 224)
        }
        let count = try settings.size("num_patches", default: 256)
        let root = Int(Double(count).squareRoot())
        guard root * root == count else {
            throw settings.bad("num_patches", "a square", .number(Double(count)))
        }
        return root * (try settings.size("patch_size", default: 16))
    }

    private static func activation(
        _ family: Family,
        _ settings: ModelSettings
    ) throws(ConversionError) -> String {
        let name = try settings.text(
            "hidden_act",
            default: usual(family, "quick_gelu", "gelu_pytorch_tanh", "gelu")
        )
        switch name {
        case "quick_gelu": return "quick_gelu"
        case "gelu": return "gelu_erf"
        case "gelu_pytorch_tanh": return "gelu_tanh"
        default:
            throw settings.bad(
                "hidden_act",
                "'quick_gelu', 'gelu' or 'gelu_pytorch_tanh'",
                .string(name)
            )
        }
    }
}
