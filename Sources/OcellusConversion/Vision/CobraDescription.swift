// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// Cobra: a Mamba decoder behind DINOv2 and SigLIP, whose features are joined, and a projector.
///
/// Its checkpoint has projector and decoder; the two towers are published apart, by timm.
///
/// - Source: Zhao et al. 2024; cobra/conf/models.py, models/vlms/cobra.py,
///   models/backbones/vision/dinosiglip_vit.py, prompting/zephyr_prompter.py.
enum CobraDescription {
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
        return [
            try decoder(model, own.removingPrefix("llm_backbone.llm."), settings, options),
            try vision(model, own.removingPrefix("projector."), settings, options),
        ]
    }

    private static func decoder(
        _ model: PublishedModel,
        _ checkpoint: Checkpoint,
        _ settings: ModelSettings,
        _ options: ConversionOptions
    ) throws -> ConversionPlan {
        let sizes = try DecoderSizes(
            ModelSettings(path: settings.path, json: try decoderSettings(checkpoint))
        )
        var file = try MambaDescription.file(sizes, of: checkpoint)
        ModelConversion.addOrigin(of: model, options, to: &file)
        let isChat = try settings.text("llm_backbone_id", default: "zephyr").contains("zephyr")
        let prompt = options.prompt ?? (isChat ? PromptStyle.zephyr : .inOut).template
        if let prompt, !prompt.isEmpty { file.add("ocellus.prompt.question", .string(prompt)) }
        let rowCount = file.tensors[0].shape[0]
        let path = options.tokenizer ?? model.folder
        try TokenizerSource.addTokenizer(path: path, to: &file, rowCount: rowCount)
        return try ConversionPlan(file, of: checkpoint, type: options.type)
    }

    /// The sizes of the decoder, which Cobra's configuration does not repeat, by its tensors.
    private static func decoderSettings(
        _ checkpoint: Checkpoint
    ) throws(ConversionError) -> JSONValue {
        func size(_ name: String, _ dimension: Int) throws(ConversionError) -> JSONValue {
            guard let tensor = checkpoint[name], tensor.shape.count > dimension else {
                throw .missingTensor(path: checkpoint.path, tensor: name, expected: [])
            }
            return .number(Double(tensor.shape[dimension]))
        }
        var layerCount = 0
        while checkpoint["backbone.layers.\(layerCount).norm.weight"] != nil { layerCount += 1 }
        let mixer = "backbone.layers.0.mixer."
        return .object([
            ("d_model", try size("backbone.norm_f.weight", 0)),
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
                + towers.enumerated().map { ("vision.\($0.offset).", $0.element.checkpoint) }
        )
        var file = FileDescription(fileName: "vision.gguf", architecture: "clip")
        ModelConversion.addOrigin(of: model, options, to: &file)
        file.add("ocellus.vision.towers", .uint32(UInt32(towerCount)))
        let side = try side(of: backbone, settings)
        var width = 0
        for (index, tower) in towers.enumerated() {
            let sizes = try ViTSizes.sizes(of: tower)
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
        try projectorDescription(settings).add(to: &file, of: joined, width: width)
        return try ConversionPlan(file, of: joined, type: options.type)
    }

    /// The towers in the order of their channels: DINOv2, which alone has a class token, comes first.
    private static func towers(
        _ paths: [String],
        _ backbone: String,
        _ settings: ModelSettings
    ) throws -> [PublishedModel] {
        let towers = try paths.map { try PublishedModel(path: $0) }
        // Those of transformers have another GELU than the ones that Cobra is trained with.
        for tower in towers
        where !TimmViT.describes(tower.settings.json["architecture"]?.string) {
            throw ConversionError.unsupported(
                path: tower.checkpoint.path,
                what: "not a tower of timm, with an architecture that begins with vit_"
            )
        }
        let (dino, siglip) = (
            towers.filter { $0.checkpoint["cls_token"] != nil },
            towers.filter { $0.checkpoint["cls_token"] == nil }
        )
        guard siglip.count == 1, dino.count == towers.count - 1 else {
            throw ConversionError.unsupported(
                path: settings.path,
                what: "\(backbone) needs "
                    + (towers.count == 2 ? "one DINOv2 (with 'cls_token') and " : "")
                    + "one SigLIP (without 'cls_token'), found \(dino.count) and \(siglip.count): "
                    + towers.map(\.checkpoint.path).joined(separator: ", ")
            )
        }
        return dino + siglip
    }

    private static func projectorDescription(
        _ settings: ModelSettings
    ) throws(ConversionError) -> ProjectorDescription {
        let architecture = try settings.text("arch_specifier")
        let prefix = "projector.projector."
        if architecture.hasSuffix("ldpnet") {
            return ProjectorDescription(
                kind: "ldpv2",
                first: prefix + "0.weight",
                names: [(prefix + "4.peg.", "mm.model.peg."), (prefix, "mm.model.mlp.")]
            )
        }
        guard architecture.hasSuffix("gelu-mlp") else {
            throw settings.bad(
                "arch_specifier",
                "one with gelu-mlp or ldpnet",
                .string(architecture)
            )
        }
        return ProjectorDescription(
            kind: "mlp",
            first: prefix + "0.weight",
            names: [(prefix, "mm.")]
        )
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
