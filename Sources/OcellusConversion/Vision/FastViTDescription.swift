// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// The vision file of MobileCLIP-S0, S1 or S2: a FastViT of timm, alone or as the tower of open_clip.
///
/// The features are the cells of the last map, before the pooling.
enum FastViTDescription {
    /// Those whose attention is behind batch norms.
    private static let architectures = ["fastvit_mci0", "fastvit_mci1", "fastvit_mci2"]

    private static func towerSettings(_ settings: ModelSettings) -> String? {
        settings.json["model_cfg"]?["vision_cfg"]?["timm_model_name"]?.string
    }

    /// Whether settings are those of a FastViT, converted or not.
    static func describes(_ settings: ModelSettings) -> Bool {
        (towerSettings(settings) ?? settings.json["architecture"]?.string ?? "")
            .hasPrefix("fastvit_")
    }

    /// Plans the file.
    ///
    /// - Throws: `ConversionError`.
    static func plan(
        for model: PublishedModel,
        _ options: ConversionOptions
    ) throws -> ConversionPlan {
        let (settings, checkpoint) = (model.settings, model.checkpoint)
        let tower = towerSettings(settings)
        let name = try tower ?? settings.text("architecture")
        guard architectures.contains(name) else {
            throw ConversionError.unsupported(
                path: settings.path,
                what: "'\(name)' is not converted; " + architectures.joined(separator: ", ")
                    + " are"
            )
        }
        let prefix = tower == nil ? "" : "visual.trunk."
        let pictures: PictureSettings
        if tower == nil {
            pictures = try PictureSettings(timm: try settings.below("pretrained_cfg"))
        } else {
            let vision = try settings.below("model_cfg").below("vision_cfg")
            pictures = try PictureSettings(
                openCLIP: try settings.below("preprocess_cfg"),
                side: try vision.size("image_size", default: 224)
            )
        }
        let layers = try FastViTLayers(of: checkpoint, below: prefix).layers
        var file = FileDescription(fileName: "vision.gguf", architecture: "clip")
        ModelConversion.addOrigin(of: model, options, to: &file)
        try ProjectorDescription.none.add(to: &file, of: checkpoint, width: 0)
        pictures.add(to: &file)
        pictures.addSize("clip.vision.", to: &file)
        try LayerDescription.add(
            layers,
            padding: "pytorch",
            width: checkpoint[prefix + "final_conv.conv_kxk.0.conv.weight"]?.shape.first ?? 0,
            of: checkpoint,
            to: &file
        )
        for name in checkpoint.tensors.keys
        where !name.hasPrefix(prefix) || name.hasPrefix(prefix + "head.")
            || name.hasSuffix("num_batches_tracked")
        {
            file.ignored.insert(name)
        }
        return try ConversionPlan(file, of: checkpoint, type: options.type)
    }
}
