// SPDX-License-Identifier: Apache-2.0

/// VL-Mamba's vision side: a CLIP or a SigLIP, and its connector.
///
/// Its authors have published neither weights nor code. What is read has LLaVA's names, on whose code theirs is
/// built, and VMamba's for the scan: a checkpoint of the connector alone, as LLaVA saves it ("mm_projector.bin"),
/// and "config.json" with LLaVA's keys, `model_type` "vl_mamba" and `mm_projector_scan`.
///
/// - Source: Qiao et al. 2024 (VL-Mamba), section 3.2; haotian-liu/LLaVA,
///   llava/model/multimodal_projector/builder.py.
enum VLMambaDescription {
    private static let prefix = "model.mm_projector."

    /// Whether a configuration is that of such a system.
    static func describes(_ settings: ModelSettings) -> Bool {
        settings.json["model_type"]?.string == "vl_mamba"
    }

    /// The tower and the connector, in one checkpoint.
    ///
    /// - Throws: `ConversionError`, and `ModelFileError.cannotOpen`.
    static func parts(
        of model: PublishedModel,
        _ options: ConversionOptions
    ) throws -> (ViTDescription, ProjectorDescription) {
        let settings = model.settings
        let aspect = try settings.text("image_aspect_ratio", default: "square")
        guard ["pad", "square"].contains(aspect) else {
            throw settings.bad("image_aspect_ratio", "'pad' or 'square'", .string(aspect))
        }
        let tower = try LLaVATower(
            of: settings,
            options,
            kinds: [.clip, .siglip],
            name: "CLIP or SigLIP",
            usual: "google/siglip-so400m-patch14-384",
            strategy: aspect == "pad" ? "pad" : nil
        )
        try model.checkpoint.expectAll(below: [prefix])
        let joined = Checkpoint.joining([
            ("", model.checkpoint), ("vision.", tower.model.checkpoint),
        ])
        return (
            try ViTDescription(tower.sizes, tower: 0, in: joined, below: "vision."),
            try connector(settings, model.checkpoint, inputs: tower.sizes.width)
        )
    }

    private static func connector(
        _ settings: ModelSettings,
        _ checkpoint: Checkpoint,
        inputs: Int
    ) throws(ConversionError) -> ProjectorDescription {
        let (kind, d) = (try settings.text("mm_projector_type"), try settings.size("hidden_size"))
        switch kind {
        case "vss_l2":
            let name = try settings.text("mm_projector_scan")
            guard let scan = ProjectorDescription.Scan(rawValue: name) else {
                throw settings.bad("mm_projector_scan", "'bsm' or 'csm'", .string(name))
            }
            return try .vss(scan, below: prefix, of: checkpoint, inputs: inputs, outputs: d)
        case "mlp2x_gelu", "mlp3x_gelu":
            let layers = kind == "mlp2x_gelu" ? ["0", "2"] : ["0", "2", "4"]
            var widths = [inputs]
            for layer in layers.dropLast() {
                widths.append(try checkpoint.size(of: prefix + layer + ".bias", in: 0))
            }
            return .mlp(below: prefix, layers, widths: widths + [d])
        default:
            throw settings.bad(
                "mm_projector_type",
                "'vss_l2', 'mlp2x_gelu' or 'mlp3x_gelu'",
                .string(kind)
            )
        }
    }
}
