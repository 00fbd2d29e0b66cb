// SPDX-License-Identifier: Apache-2.0

/// The tower that a system in LLaVA's manner sees with: published apart, and named in the configuration
/// beside the projector.
///
/// - Source: haotian-liu/LLaVA, llava/model/multimodal_encoder/clip_encoder.py (feature_select).
struct LLaVATower {
    /// The widths of CLIP-L and SigLIP-SO400M, which published systems see with.
    private static let publishedWidths = [1024, 1152]

    /// The tower as it was published.
    let model: PublishedModel
    /// Its sizes, with the features that the projector takes.
    let sizes: ViTSizes

    /// Finds the tower among the options.
    ///
    /// - Parameters:
    ///   - settings: The configuration beside the projector.
    ///   - options: Of which `vision` names the tower.
    ///   - kinds: The parts of the towers that it may be.
    ///   - name: What those are called.
    ///   - usual: The tower that is meant if the configuration names none.
    ///   - strategy: How pictures are made square, or nil as the tower's own configuration says.
    /// - Throws: `ConversionError`, and `ModelFileError.cannotOpen`.
    init(
        of settings: ModelSettings,
        _ options: ConversionOptions,
        kinds: [ViTParts],
        name: String,
        usual: String,
        strategy: String?
    ) throws {
        guard let path = options.vision.first, options.vision.count == 1 else {
            throw ConversionError.unsupported(
                path: settings.path,
                what: "needs one --vision, the \(name) that it is trained with: "
                    + (settings.json["mm_vision_tower"]?.string ?? usual)
            )
        }
        model = try PublishedModel(path: path)
        let sizes = try ViTSizes.sizes(of: model)
        guard kinds.contains(sizes.parts) else {
            throw ConversionError.unsupported(
                path: model.settings.path,
                what: "not a \(name), which \(settings.path) needs as --vision"
            )
        }
        try Self.requireSame(sizes, of: model, name, as: settings)
        var pictures = sizes.pictures
        if let strategy { pictures.strategy = strategy }
        let layer = try Self.featureLayer(settings, blockCount: sizes.blockCount)
        self.sizes = sizes.seeing(pictures, featureLayer: layer)
    }

    /// Refuses a tower of another width than the projector is for, or for pictures of another size than its
    /// name ends with: clip-vit-large-patch14-336, siglip-so400m-patch14-384.
    private static func requireSame(
        _ sizes: ViTSizes,
        of model: PublishedModel,
        _ name: String,
        as settings: ModelSettings
    ) throws(ConversionError) {
        let width = try settings.sizeIfStated("mm_hidden_size") ?? sizes.width
        guard sizes.width == width else {
            throw .unsupported(
                path: model.settings.path,
                what: "the \(name) should have width \(width), which \(settings.path) states as "
                    + "mm_hidden_size, has \(sizes.width)"
            )
        }
        // Names of towers for 224 pixels end with the patch; a model that is cut down keeps the name.
        let tower = try settings.text("mm_vision_tower", default: "")
        let side = tower.split(separator: "-").last.flatMap { Int($0) }
        guard let side, publishedWidths.contains(width), sizes.positionSide != side else { return }
        throw .unsupported(
            path: model.settings.path,
            what: "the \(name) should see pictures of \(side) pixels, as \(tower) in "
                + "\(settings.path) does, sees \(sizes.positionSide)"
        )
    }

    /// After which block the features are, counted from the first: never behind the last norm.
    private static func featureLayer(
        _ settings: ModelSettings,
        blockCount: Int
    ) throws(ConversionError) -> Int {
        let feature = try settings.text("mm_vision_select_feature", default: "patch")
        guard feature == "patch" else {
            throw settings.bad("mm_vision_select_feature", "'patch'", .string(feature))
        }
        guard settings.has("mm_vision_select_layer") else { return blockCount - 1 }
        let value = try settings.value("mm_vision_select_layer")
        guard let layer = value.int, -blockCount - 1...blockCount ~= layer else {
            throw settings.bad(
                "mm_vision_select_layer",
                "a whole number from \(-blockCount - 1) to \(blockCount)",
                value
            )
        }
        return layer < 0 ? blockCount + 1 + layer : layer
    }
}
