// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// The vision file of MobileCLIP-S0 to S4: a FastViT of timm, of open_clip or of Apple.
///
/// It may be folded. The features are the cells of the last map, before the pooling.
enum FastViTDescription {
    /// Those that activate behind each downsampling, as no other FastViT does.
    private static let architectures = (0...4).map { "fastvit_mci\($0)" }

    /// timm's name of the architecture; Apple leaves out what all of its own have in common.
    private static func architecture(_ settings: ModelSettings) -> String? {
        let json = settings.json
        if let name = json["image_cfg"]?["model_name"]?.string {
            return name.hasPrefix("mci") ? "fastvit_" + name : name
        }
        return json["model_cfg"]?["vision_cfg"]?["timm_model_name"]?.string
            ?? json["architecture"]?.string
    }

    /// Whether settings are those of a FastViT, converted or not.
    static func describes(_ settings: ModelSettings) -> Bool {
        architecture(settings)?.hasPrefix("fastvit_") ?? false
    }

    private static func pictures(
        _ settings: ModelSettings
    ) throws(ConversionError) -> PictureSettings {
        if settings.has("image_cfg") {
            return try PictureSettings(apple: try settings.below("image_cfg"))
        }
        guard settings.has("model_cfg") else {
            return try PictureSettings(timm: try settings.below("pretrained_cfg"))
        }
        let vision = try settings.below("model_cfg").below("vision_cfg")
        return try PictureSettings(
            openCLIP: try settings.below("preprocess_cfg"),
            side: try vision.size("image_size", default: 224)
        )
    }

    /// Plans the file.
    ///
    /// - Throws: `ConversionError`.
    static func plan(
        for model: PublishedModel,
        _ options: ConversionOptions
    ) throws -> ConversionPlan {
        let (settings, checkpoint) = (model.settings, model.checkpoint)
        let name = architecture(settings) ?? ""
        guard architectures.contains(name) else {
            throw ConversionError.unsupported(
                path: settings.path,
                what: "'\(name)' is not converted; of FastViT, MobileCLIP's are: "
                    + architectures.joined(separator: ", ")
            )
        }
        let names = try FastViTNames.names(in: checkpoint)
        let pictures = try pictures(settings)
        let network = try FastViTLayers(of: checkpoint, names)
        var file = FileDescription(fileName: "vision.gguf", architecture: "clip")
        ModelConversion.addOrigin(of: model, options, to: &file)
        try ProjectorDescription.none.add(to: &file, of: checkpoint, width: 0)
        pictures.add(to: &file)
        pictures.addSize("clip.vision.", to: &file)
        file.add("clip.vision.attention.layer_norm_epsilon", .float32(FastViTLayers.epsilon))
        try LayerDescription.addNetwork(
            network.layers,
            padding: "pytorch",
            width: network.width,
            of: checkpoint,
            to: &file
        )
        for name in checkpoint.tensors.keys
        where !name.hasPrefix(names.prefix) || name.hasPrefix(names.prefix + "head.")
            || name.hasSuffix("num_batches_tracked")
        {
            file.ignored.insert(name)
        }
        return try ConversionPlan(file, of: checkpoint, type: options.type)
    }
}
