// SPDX-License-Identifier: Apache-2.0

/// The sizes and habits of a published vision transformer.
struct ViTSizes {
    let names: ViTNames
    let parts: ViTParts
    /// The side of a patch, in pixels or in cells of a stem's map.
    let patchSize: Int
    let width: Int
    let hidden: Int
    let headCount: Int
    /// The count of blocks of the checkpoint.
    let blockCount: Int
    /// Whether that count is what the checkpoint has, as nothing states it.
    var isDepthMeasured = false
    let epsilon: Float
    /// The value of "ocellus.vision.activation".
    let activation: String
    /// After which block the features are, as `hidden_states` counts: -1 is behind the last norm.
    var featureLayer: Int
    /// How its pictures are made.
    var pictures: PictureSettings
    /// Width and height of the pictures that its positions are for, in pixels.
    let positionSide: Int
    /// Whether positions of another grid are resampled with antialias.
    let resamplesWithAntialias: Bool
    /// Whether the patch embedding is a matrix on (row, column, channel) instead of a convolution.
    var hasLinearPatches = false

    /// Whether settings are those of a vision transformer that is known.
    static func describes(_ settings: ModelSettings) -> Bool {
        HuggingFaceViT.describes(settings) || OpenCLIPViT.describes(settings)
            || TimmViT.describes(settings.json["architecture"]?.string)
            || AppleViT.describes(settings)
    }

    /// Reads the sizes of a published model; the features are those that systems made of such a tower
    /// take, before the last block for CLIP (LLaVA), else behind the last norm.
    ///
    /// - Throws: `ConversionError.missingKey`, `.badValue`, `.missingTensor`, `.wrongShape` and
    ///   `.unsupported`.
    static func sizes(of model: PublishedModel) throws -> ViTSizes {
        if OpenCLIPViT.describes(model.settings) { return try OpenCLIPViT.sizes(of: model) }
        if HuggingFaceViT.describes(model.settings) { return try HuggingFaceViT.sizes(of: model) }
        if AppleViT.describes(model.settings) { return try AppleViT.sizes(of: model) }
        guard TimmViT.describes(model.settings.json["architecture"]?.string) else {
            let kind = model.settings.json["model_type"]?.string ?? "no model_type"
            throw ConversionError.unsupported(
                path: model.settings.path,
                what: "not a vision transformer that is converted: \(kind)"
            )
        }
        return try TimmViT.sizes(of: model)
    }

    /// The same tower for other pictures, with features after another block.
    func seeing(_ pictures: PictureSettings, featureLayer: Int) -> ViTSizes {
        var sizes = self
        sizes.pictures = pictures
        sizes.featureLayer = featureLayer
        return sizes
    }
}

extension ViTSizes {
    /// The counts of blocks of published towers that no configuration states, by their widths.
    private static let depths = [
        192: 12, 320: 14, 384: 12, 640: 12, 768: 12, 832: 21, 1024: 24, 1152: 27, 1280: 32,
        1408: 40, 1536: 40, 1664: 48,
    ]

    /// The sizes that the tensors of a tower have, where its configuration names an architecture.
    ///
    /// Its positions are for its pictures, and are resampled with antialias.
    ///
    /// - Parameters:
    ///   - names: What its tensors are called.
    ///   - parts: Which ones there are.
    ///   - checkpoint: Its tensors.
    ///   - stated: What the configuration states of its sizes.
    ///   - epsilon: Of its norms.
    ///   - activation: The value of "ocellus.vision.activation".
    ///   - featureLayer: After which block the features are.
    ///   - pictures: How its pictures are made.
    ///   - headCount: The count of heads for a width.
    /// - Throws: `ConversionError.missingTensor` and `.wrongShape`.
    init(
        names: ViTNames,
        parts: ViTParts,
        measuring checkpoint: Checkpoint,
        stated: (patchSize: Int?, width: Int?, hidden: Int?, blockCount: Int?) = (
            nil, nil, nil, nil
        ),
        epsilon: Float,
        activation: String,
        featureLayer: Int,
        pictures: PictureSettings,
        headCount: (Int) throws(ConversionError) -> Int
    ) throws(ConversionError) {
        func shape(_ name: String, _ rank: Int) throws(ConversionError) -> [Int] {
            guard let tensor = checkpoint[name] else { throw checkpoint.missing(name) }
            guard tensor.shape.count == rank else {
                throw .wrongShape(
                    path: tensor.path,
                    tensor: tensor.name,
                    expected: Array((tensor.shape + [1, 1, 1, 1]).prefix(rank)),
                    found: tensor.shape
                )
            }
            return tensor.shape
        }
        let patch = try shape(names.patch + ".weight", 4)
        let width = stated.width ?? patch[0]
        let first = names.blocks + "0." + names.up + ".bias"
        let hidden = if let hidden = stated.hidden { hidden } else { try shape(first, 1)[0] }
        let known = stated.blockCount ?? Self.depths[width]
        self.init(
            names: names,
            parts: parts,
            patchSize: stated.patchSize ?? patch[3],
            width: width,
            hidden: hidden,
            headCount: try headCount(width),
            blockCount: known ?? checkpoint.moduleCount(below: names.blocks),
            isDepthMeasured: known == nil,
            epsilon: epsilon,
            activation: activation,
            featureLayer: featureLayer,
            pictures: pictures,
            positionSide: pictures.side,
            resamplesWithAntialias: true
        )
    }
}
