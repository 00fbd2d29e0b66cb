// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// The vision file of one transformer, alone or with the projector of MobileVLM.
///
/// MobileVLM's own decoder is not Mamba: what is converted is its vision side, to stand before a Mamba
/// decoder of equal width.
enum VisionDescription {
    /// Whether a model is a vision transformer, or has one and a projector of MobileVLM.
    static func describes(_ settings: ModelSettings) -> Bool {
        settings.has("mm_projector_type") || ViTSizes.describes(settings)
    }

    /// Plans the file.
    ///
    /// - Throws: `ConversionError`, and `ModelFileError.cannotOpen`.
    static func plan(
        for model: PublishedModel,
        _ options: ConversionOptions
    ) throws -> ConversionPlan {
        guard model.settings.has("mm_projector_type") else {
            let tower = try ViTDescription(
                ViTSizes.sizes(of: model),
                tower: 0,
                in: model.checkpoint,
                below: ""
            )
            return try plan(tower, .none, model, options)
        }
        guard let path = options.vision.first, options.vision.count == 1 else {
            let name = model.settings.json["mm_vision_tower"]?.string
            throw ConversionError.unsupported(
                path: model.settings.path,
                what: "needs one --vision, the CLIP that it is trained with: "
                    + (name ?? "openai/clip-vit-large-patch14-336")
            )
        }
        let clip = try PublishedModel(path: path)
        let sizes = try ViTSizes.sizes(of: clip)
        guard sizes.parts == .clip else {
            throw ConversionError.unsupported(
                path: clip.settings.path,
                what: "not a CLIP, which \(model.settings.path) needs as --vision"
            )
        }
        try requireSameTower(sizes, of: clip, as: model.settings)
        let projector = try mobileVLM(model.settings, inputs: sizes.width)
        let joined = Checkpoint.joining([("", model.checkpoint), ("vision.", clip.checkpoint)])
        var pictures = sizes.pictures
        let aspect = try model.settings.text("image_aspect_ratio", default: "pad")
        guard aspect == "pad" else {
            throw model.settings.bad("image_aspect_ratio", "'pad'", .string(aspect))
        }
        pictures.strategy = "pad"
        let seen = sizes.seeing(
            pictures,
            featureLayer: try featureLayer(model.settings, blockCount: sizes.blockCount)
        )
        let tower = try ViTDescription(
            seen,
            tower: 0,
            in: joined,
            below: projector.kind == "ldpv2" ? ownTower : "vision."
        )
        return try plan(tower, projector, model, options)
    }

    /// The width of CLIP-L, which all published MobileVLMs see with.
    private static let publishedWidth = 1024

    /// Refuses a CLIP of another width than MobileVLM's projector is for, or for pictures of another size
    /// than the name of its tower ends with: clip-vit-large-patch14-336.
    private static func requireSameTower(
        _ sizes: ViTSizes,
        of clip: PublishedModel,
        as settings: ModelSettings
    ) throws(ConversionError) {
        let width = try settings.sizeIfStated("mm_hidden_size") ?? sizes.width
        guard sizes.width == width else {
            throw .unsupported(
                path: clip.settings.path,
                what: "the CLIP should have width \(width), which \(settings.path) states as "
                    + "mm_hidden_size, has \(sizes.width)"
            )
        }
        // Names of towers for 224 pixels end with the patch; a model that is cut down keeps the name.
        let tower = try settings.text("mm_vision_tower", default: "")
        let side = tower.split(separator: "-").last.flatMap { Int($0) }
        guard let side, width == publishedWidth, sizes.positionSide != side else { return }
        throw .unsupported(
            path: clip.settings.path,
            what: "the CLIP should see pictures of \(side) pixels, as \(tower) in "
                + "\(settings.path) does, sees \(sizes.positionSide)"
        )
    }

    /// What the names of the tower begin with in MobileVLM's own checkpoint.
    ///
    /// The authors' program takes the one of V2's checkpoint, and of V1 the published CLIP, whatever the
    /// checkpoint has.
    ///
    /// - Source: Meituan-AutoML/MobileVLM, mobilevlm/model/mobilevlm.py (load_pretrained_model).
    private static let ownTower = "model.vision_tower.vision_tower.vision_model."

    /// After which block the features are, counted from the first: never behind the last norm.
    ///
    /// - Source: Meituan-AutoML/MobileVLM, mobilevlm/model/vision_encoder.py (feature_select).
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

    /// The projector, whose layers are all as wide as the decoder.
    private static func mobileVLM(
        _ settings: ModelSettings,
        inputs: Int
    ) throws(ConversionError) -> ProjectorDescription {
        let kind = try settings.text("mm_projector_type")
        let (prefix, d) = ("model.mm_projector.", try settings.size("hidden_size"))
        switch kind {
        case "ldpnet":
            return .ldp(below: prefix, inputs: inputs, outputs: d)
        case "ldpnetv2":
            return .ldpv2(
                below: prefix,
                ("mlp.mlp.0", "mlp.mlp.2", "peg.peg.0"),
                widths: (inputs: inputs, hidden: d, outputs: d)
            )
        case "mlp2x_gelu":
            return .mlp(below: prefix, ["0", "2"], widths: [inputs, d, d])
        default:
            throw settings.bad(
                "mm_projector_type",
                "'ldpnet', 'ldpnetv2' or 'mlp2x_gelu'",
                .string(kind)
            )
        }
    }

    private static func plan(
        _ tower: ViTDescription,
        _ projector: ProjectorDescription,
        _ model: PublishedModel,
        _ options: ConversionOptions
    ) throws -> ConversionPlan {
        var file = FileDescription(fileName: "vision.gguf", architecture: "clip")
        ModelConversion.addOrigin(of: model, options, to: &file)
        projector.add(to: &file)
        try tower.add(to: &file)
        tower.sizes.pictures.add(to: &file)
        // What is neither of the tower nor of the projector: text towers, decoders.
        for name in tower.checkpoint.tensors.keys
        where !name.hasPrefix(tower.prefix) && !projector.owns(name) {
            file.ignored.insert(name)
        }
        return try ConversionPlan(file, of: tower.checkpoint, type: options.type)
    }
}
