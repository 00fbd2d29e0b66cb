// SPDX-License-Identifier: Apache-2.0

/// MobileVLM's vision side: a CLIP and a projector.
///
/// Its own decoder is not Mamba: what is converted is to stand before a Mamba decoder of equal width.
///
/// - Source: Chu et al. 2023 and 2024; Meituan-AutoML/MobileVLM, mobilevlm/model.
enum MobileVLMDescription {
    /// What the names of the tower begin with in MobileVLM's own checkpoint.
    ///
    /// The authors' program takes the one of V2's checkpoint, and of V1 the published CLIP, whatever the
    /// checkpoint has.
    ///
    /// - Source: mobilevlm/model/mobilevlm.py (load_pretrained_model).
    private static let ownTower = "model.vision_tower.vision_tower.vision_model."

    /// The tower and the projector, in one checkpoint.
    ///
    /// - Throws: `ConversionError`, and `ModelFileError.cannotOpen`.
    static func parts(
        of model: PublishedModel,
        _ options: ConversionOptions
    ) throws -> (ViTDescription, ProjectorDescription) {
        let clip = try LLaVATower(
            of: model.settings,
            options,
            kinds: [.clip],
            name: "CLIP",
            usual: "openai/clip-vit-large-patch14-336",
            strategy: "pad"
        )
        let projector = try projector(model.settings, inputs: clip.sizes.width)
        let aspect = try model.settings.text("image_aspect_ratio", default: "pad")
        guard aspect == "pad" else {
            throw model.settings.bad("image_aspect_ratio", "'pad'", .string(aspect))
        }
        let tower = try ViTDescription(
            clip.sizes,
            tower: 0,
            in: .joining([("", model.checkpoint), ("vision.", clip.model.checkpoint)]),
            below: projector.kind == "ldpv2" ? ownTower : "vision."
        )
        return (tower, projector)
    }

    /// The projector, whose layers are all as wide as the decoder.
    private static func projector(
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
}
