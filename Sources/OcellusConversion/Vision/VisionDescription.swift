// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

/// The vision file of one transformer, alone or with a projector in LLaVA's manner.
enum VisionDescription {
    /// Whether a model is a vision transformer, or has one and a projector.
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
        let (tower, projector) =
            VLMambaDescription.describes(model.settings)
            ? try VLMambaDescription.parts(of: model, options)
            : try MobileVLMDescription.parts(of: model, options)
        return try plan(tower, projector, model, options)
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
