// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// The vision file of MobileCLIP-S0 to S4: a FastViT of timm, of open_clip or of Apple.
///
/// It may be folded. The features are the cells of the last map, before the pooling.
enum FastViTDescription {
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

    /// The counts of blocks that the arguments of timm's model state, if they do.
    private static func blockCounts(
        _ settings: ModelSettings,
        _ architecture: FastViTArchitecture
    ) throws(ConversionError) -> [Int]? {
        guard settings.has("model_args") else { return nil }
        let arguments = try settings.below("model_args")
        guard arguments.has("layers") else { return nil }
        let value = try arguments.value("layers")
        let stageCount = architecture.stageCount
        guard let counts = value.ints, counts.count == stageCount,
            counts.allSatisfy({ 1...1024 ~= $0 })
        else { throw arguments.bad("layers", "\(stageCount) counts of blocks", value) }
        return counts
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
        guard let architecture = FastViTArchitecture.all.first(where: { $0.name == name }) else {
            throw ConversionError.unsupported(
                path: settings.path,
                what: "'\(name)' is not converted; of FastViT, MobileCLIP's are: "
                    + FastViTArchitecture.all.map(\.name).joined(separator: ", ")
            )
        }
        let names = try FastViTNames.names(in: checkpoint)
        let pictures = try pictures(settings)
        let network = try FastViTLayers(
            of: checkpoint,
            names,
            architecture,
            blockCounts: try blockCounts(settings, architecture)
        )
        var file = FileDescription(fileName: "vision.gguf", architecture: "clip")
        ModelConversion.addOrigin(of: model, options, to: &file)
        ProjectorDescription.none.add(to: &file)
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
        if network.isDepthMeasured {
            file.noteMeasured("\(network.blockCount) blocks in all stages")
        }
        for name in checkpoint.tensors.keys
        where !name.hasPrefix(names.prefix) || name.hasPrefix(names.prefix + "head.")
            || name.hasSuffix("num_batches_tracked")
        {
            file.ignored.insert(name)
        }
        return try ConversionPlan(file, of: checkpoint, type: options.type)
    }
}
