// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// Cobra: a Mamba decoder behind DINOv2 and SigLIP, whose features are joined, and a projector.
///
/// Its checkpoint has projector and decoder; the two towers are published apart, by timm.
///
/// - Source: Zhao et al. 2024; cobra/conf/models.py, models/vlms/cobra.py,
///   models/backbones/vision/dinosiglip_vit.py, prompting/zephyr_prompter.py.
enum CobraDescription {
    /// What timm calls the towers that Cobra is trained with.
    private static let architectures = [
        "vit_large_patch14_reg4_dinov2", "vit_so400m_patch14_siglip_384",
    ]

    /// Whether a configuration is Cobra's.
    static func describes(_ settings: ModelSettings) -> Bool {
        settings.json["model"]?["arch_specifier"] != nil
    }

    /// Plans both files.
    ///
    /// - Throws: `ConversionError`, and `ModelFileError.cannotOpen`.
    static func plans(
        for model: PublishedModel,
        _ options: ConversionOptions
    ) throws -> [ConversionPlan] {
        let settings = try model.settings.below("model")
        let nested = model.checkpoint.removingPrefix("model.")
        let own = nested.tensors.isEmpty ? model.checkpoint : nested
        try own.expectAll(below: ["llm_backbone.llm.", "projector."])
        let decoder = try decoder(model, own.removingPrefix("llm_backbone.llm."), settings, options)
        let vision = try vision(
            model,
            own.removingPrefix("projector."),
            dModel: decoder.steps[0].mapping.shape[1],
            settings,
            options
        )
        return [decoder, vision]
    }

    private static func decoder(
        _ model: PublishedModel,
        _ checkpoint: Checkpoint,
        _ settings: ModelSettings,
        _ options: ConversionOptions
    ) throws -> ConversionPlan {
        let sizes = try DecoderSizes(
            ModelSettings(path: settings.path, json: try decoderSettings(checkpoint, settings))
        )
        var file = try MambaDescription.file(sizes, of: checkpoint)
        if try !is2800M(settings) { file.noteMeasured("\(sizes.layerCount) layers") }
        ModelConversion.addOrigin(of: model, options, to: &file)
        let isChat = try settings.text("llm_backbone_id", default: "zephyr").contains("zephyr")
        let prompt = options.prompt ?? (isChat ? PromptStyle.zephyr : .inOut).template
        if let prompt, !prompt.isEmpty { file.add("ocellus.prompt.question", .string(prompt)) }
        let rowCount = file.tensors[0].shape[0]
        let path = options.tokenizer ?? model.folder
        try TokenizerSource.addTokenizer(path: path, to: &file, rowCount: rowCount)
        return try ConversionPlan(file, of: checkpoint, type: options.type)
    }

    /// Whether the decoder's name states its sizes.
    private static func is2800M(_ settings: ModelSettings) throws(ConversionError) -> Bool {
        try settings.text("llm_backbone_id", default: "").hasPrefix("mamba-2.8b")
    }

    /// The sizes of the decoder, which Cobra's configuration does not repeat: those that its name
    /// states, the others by its tensors.
    ///
    /// - Source: cobra/models/backbones/llm/mamba.py (MAMBA_MODELS); state-spaces/mamba-2.8b, config.json.
    private static func decoderSettings(
        _ checkpoint: Checkpoint,
        _ settings: ModelSettings
    ) throws(ConversionError) -> JSONValue {
        func size(_ name: String, _ dimension: Int) throws(ConversionError) -> JSONValue {
            .number(Double(try checkpoint.size(of: name, in: dimension)))
        }
        let is2800M = try is2800M(settings)
        let layers = "backbone.layers."
        let layerCount = is2800M ? 64 : checkpoint.moduleCount(below: layers)
        let mixer = layers + "0.mixer."
        return .object([
            ("d_model", is2800M ? .number(2560) : try size("backbone.norm_f.weight", 0)),
            ("n_layer", .number(Double(layerCount))),
            (
                "ssm_cfg",
                .object([
                    ("d_state", try size(mixer + "A_log", 1)),
                    ("dt_rank", try size(mixer + "dt_proj.weight", 1)),
                    ("d_conv", try size(mixer + "conv1d.weight", 2)),
                ])
            ),
        ])
    }

    private static func vision(
        _ model: PublishedModel,
        _ projector: Checkpoint,
        dModel: Int,
        _ settings: ModelSettings,
        _ options: ConversionOptions
    ) throws -> ConversionPlan {
        let backbone = try settings.text("vision_backbone_id")
        let resize = try settings.text("image_resize_strategy", default: "resize-naive")
        guard resize == "resize-naive" else {
            throw settings.bad("image_resize_strategy", "'resize-naive'", .string(resize))
        }
        let towerCount = backbone.hasPrefix("dinosiglip") ? 2 : 1
        guard options.vision.count == towerCount else {
            throw ConversionError.unsupported(
                path: settings.path,
                what: "\(backbone) needs --vision \(towerCount) times: timm's "
                    + (towerCount == 2 ? "vit_large_patch14_reg4_dinov2.lvd142m and " : "")
                    + "vit_so400m_patch14_siglip_384"
            )
        }
        let towers = try towers(options.vision, backbone, settings)
        let joined = Checkpoint.joining(
            [("projector.", projector)]
                + towers.enumerated().map { ("vision.\($0.offset).", $0.element.model.checkpoint) }
        )
        var file = FileDescription(fileName: "vision.gguf", architecture: "clip")
        ModelConversion.addOrigin(of: model, options, to: &file)
        file.add("ocellus.vision.towers", .uint32(UInt32(towerCount)))
        let side = try side(of: backbone, settings)
        var width = 0
        for (index, tower) in towers.enumerated() {
            let sizes = tower.sizes
            var pictures = sizes.pictures
            (pictures.side, pictures.margin, pictures.strategy) = (side, 0, "stretch")
            if index == 0 { pictures.add(to: &file) }
            try ViTDescription(
                sizes.seeing(pictures, featureLayer: -2),
                tower: index,
                in: joined,
                below: "vision.\(index)."
            ).add(to: &file)
            width += sizes.width
        }
        try projectorDescription(settings, joined, inputs: width, outputs: dModel).add(to: &file)
        return try ConversionPlan(file, of: joined, type: options.type)
    }

    /// The towers in the order of their channels: DINOv2 comes first.
    private static func towers(
        _ paths: [String],
        _ backbone: String,
        _ settings: ModelSettings
    ) throws -> [(model: PublishedModel, sizes: ViTSizes)] {
        let towers = try paths.map { path in
            let model = try PublishedModel(path: path)
            // Those of transformers have another GELU than the ones that Cobra is trained with.
            let architecture = model.settings.json["architecture"]
            guard TimmViT.describes(architecture?.string) else {
                throw ConversionError.unsupported(
                    path: model.checkpoint.path,
                    what: "not a tower of timm, with an architecture that begins with vit_"
                )
            }
            guard let architecture, architectures.contains(architecture.string ?? "") else {
                throw model.settings.bad(
                    "architecture",
                    "\(architectures.joined(separator: " or ")), which \(backbone) is trained with",
                    architecture ?? .null
                )
            }
            return (model: model, sizes: try ViTSizes.sizes(of: model))
        }
        let (dino, siglip) = (
            towers.filter { $0.sizes.parts.hasLayerScale },
            towers.filter { $0.sizes.parts == .siglip }
        )
        guard siglip.count == 1, dino.count == towers.count - 1 else {
            throw ConversionError.unsupported(
                path: settings.path,
                what: "\(backbone) needs "
                    + (towers.count == 2 ? "one DINOv2 and " : "")
                    + "one SigLIP, found \(dino.count) and \(siglip.count): "
                    + towers.map(\.model.checkpoint.path).joined(separator: ", ")
            )
        }
        return dino + siglip
    }

    /// The projector; how wide its inner layers are, no configuration states.
    ///
    /// - Source: cobra/models/vlms/cobra.py and util/nn_utils.py.
    private static func projectorDescription(
        _ settings: ModelSettings,
        _ checkpoint: Checkpoint,
        inputs: Int,
        outputs: Int
    ) throws(ConversionError) -> ProjectorDescription {
        let architecture = try settings.text("arch_specifier")
        let prefix = "projector.projector."
        func width(of layer: String) throws(ConversionError) -> Int {
            try checkpoint.size(of: prefix + layer + ".bias", in: 0)
        }
        if architecture.hasSuffix("ldpnet") {
            return .ldpv2(
                below: prefix,
                ("0", "2", "4.peg.0"),
                widths: (inputs: inputs, hidden: try width(of: "0"), outputs: outputs)
            )
        }
        guard architecture.hasSuffix("gelu-mlp") else {
            throw settings.bad(
                "arch_specifier",
                "one with gelu-mlp or ldpnet",
                .string(architecture)
            )
        }
        let layers = architecture.hasSuffix("fused-gelu-mlp") ? ["0", "2", "4"] : ["0", "2"]
        var widths = [inputs]
        for layer in layers.dropLast() { widths.append(try width(of: layer)) }
        return .mlp(below: prefix, layers, widths: widths + [outputs])
    }

    /// 384 of "dinosiglip-vit-so-384px".
    private static func side(
        of backbone: String,
        _ settings: ModelSettings
    ) throws(ConversionError) -> Int {
        let last = backbone.split(separator: "-").last ?? ""
        guard last.hasSuffix("px"), let size = Int(last.dropLast(2)), 1...4096 ~= size else {
            throw settings.bad(
                "vision_backbone_id",
                "a name that ends with -384px",
                .string(backbone)
            )
        }
        return size
    }
}
