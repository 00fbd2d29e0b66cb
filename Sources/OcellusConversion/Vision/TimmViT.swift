// SPDX-License-Identifier: Apache-2.0

/// Vision transformers of timm, whose configurations name an architecture; its sizes are in timm's code, and
/// in the shapes of the tensors.
///
/// - Source: timm, models/vision_transformer.py.
enum TimmViT {
    /// Whether an architecture is one of these.
    static func describes(_ architecture: String?) -> Bool {
        architecture?.hasPrefix("vit_") ?? false
    }

    /// Reads the sizes.
    static func sizes(of model: PublishedModel) throws -> ViTSizes {
        let settings = model.settings
        let architecture = try settings.text("architecture")
        let arguments =
            settings.has("model_args")
            ? try settings.below("model_args")
            : ModelSettings(path: settings.path, json: .object([]), prefix: "model_args.")
        var pictures = try PictureSettings(timm: try settings.below("pretrained_cfg"))
        let side = try side(arguments) ?? pictures.side
        if side != pictures.side {
            pictures.margin = pictures.margin * side / pictures.side
            pictures.side = side
        }
        return try sizes(architecture, arguments, pictures, of: model.checkpoint)
    }

    /// The side of the pictures: a number, or a list of two that are the same.
    private static func side(_ arguments: ModelSettings) throws(ConversionError) -> Int? {
        guard arguments.has("img_size") else { return nil }
        let value = try arguments.value("img_size")
        let sides = value.int.map { [$0] } ?? value.ints ?? []
        guard let side = sides.first, 1...4096 ~= side, sides.allSatisfy({ $0 == side }) else {
            throw arguments.bad("img_size", "one side from 1 to 4096, or twice the same", value)
        }
        return side
    }

    /// The sizes of an architecture whose tensors a checkpoint has, with `arguments` in place of the
    /// architecture's own.
    static func sizes(
        _ architecture: String,
        _ arguments: ModelSettings,
        _ pictures: PictureSettings,
        of checkpoint: Checkpoint
    ) throws(ConversionError) -> ViTSizes {
        let isMobileCLIP = architecture.contains("_mci_")
        let isCLIP = architecture.contains("_clip_")
        let width = try arguments.sizeIfStated("embed_dim")
        let stated = (
            // Behind a stem a patch is as large as the steps of all convolutions make it.
            patchSize: isMobileCLIP ? nil : try arguments.sizeIfStated("patch_size"),
            width: width,
            hidden: try hidden(width, arguments),
            blockCount: try arguments.sizeIfStated("depth")
        )
        return try ViTSizes(
            names: isMobileCLIP ? .timmWithStem : .timm,
            parts: ViTParts.timm(architecture).overridden(by: arguments),
            measuring: checkpoint,
            stated: stated,
            epsilon: isCLIP ? 1e-5 : 1e-6,
            activation: try activation(architecture, arguments),
            featureLayer: isCLIP || isMobileCLIP ? -2 : -1,
            pictures: pictures,
            headCount: { (width) throws(ConversionError) in
                try arguments.size("num_heads", default: headCount(architecture, width: width))
            }
        )
    }

    /// The width between the layers of an MLP, if the arguments state it.
    private static func hidden(
        _ width: Int?,
        _ arguments: ModelSettings
    ) throws(ConversionError) -> Int? {
        guard let width, arguments.has("mlp_ratio") else { return nil }
        return try arguments.size("mlp_ratio", times: width, default: 4)
    }

    /// 16 for the shape-optimised and the largest models and one more, else one for each 64 channels.
    private static func headCount(_ architecture: String, width: Int) -> Int {
        let with16 = ["_so400m_", "_huge_", "_gigantic_", "_giantopt_", "_base_patch16_gap_"]
        let has16 =
            with16.contains { architecture.contains($0) }
            || architecture.contains("_giant_") && width != 1536
        return has16 ? 16 : max(width / 64, 1)
    }

    private static func activation(
        _ architecture: String,
        _ arguments: ModelSettings
    ) throws(ConversionError) -> String {
        let withTanh = ["_patch32_", "_so400m_patch16_", "_giantopt_"]
        let hasTanh =
            architecture.contains("_siglip_")
            && (withTanh.contains { architecture.contains($0) }
                || architecture.contains("_large_") && architecture.hasSuffix("_512"))
        let own =
            hasTanh ? "gelu_tanh" : architecture.contains("_quickgelu_") ? "quick_gelu" : "gelu"
        let name = try arguments.text("act_layer", default: own)
        switch name {
        case "gelu": return "gelu_erf"
        case "gelu_tanh", "quick_gelu": return name
        default:
            throw arguments.bad("act_layer", "'gelu', 'gelu_tanh' or 'quick_gelu'", .string(name))
        }
    }
}
