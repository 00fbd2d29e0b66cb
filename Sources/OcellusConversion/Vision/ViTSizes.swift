// SPDX-License-Identifier: Apache-2.0

/// The sizes and habits of a published vision transformer.
struct ViTSizes {
    let names: ViTNames
    /// The side of a patch, in pixels or in cells of a stem's map.
    let patchSize: Int
    let width: Int
    let hidden: Int
    let headCount: Int
    /// The count of blocks of the checkpoint.
    let blockCount: Int
    let epsilon: Float
    /// The value of "ocellus.vision.activation".
    let activation: String
    /// After which block the features are, as `hidden_states` counts: -1 is behind the last norm.
    var featureLayer: Int
    /// How its pictures are made.
    var pictures: PictureSettings
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
    /// - Throws: `ConversionError.missingKey`, `.badValue`, `.missingTensor` and `.unsupported`.
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
    /// The sizes that the tensors of a tower have.
    ///
    /// Positions are resampled with antialias.
    ///
    /// - Parameters:
    ///   - names: What its tensors are called.
    ///   - checkpoint: Its tensors.
    ///   - epsilon: Of its norms.
    ///   - activation: The value of "ocellus.vision.activation".
    ///   - featureLayer: After which block the features are.
    ///   - pictures: How its pictures are made.
    ///   - headCount: The count of heads for a width.
    /// - Throws: `ConversionError.missingTensor` and `.unsupported`.
    init(
        names: ViTNames,
        measuring checkpoint: Checkpoint,
        epsilon: Float,
        activation: String,
        featureLayer: Int,
        pictures: PictureSettings,
        headCount: (Int) throws(ConversionError) -> Int
    ) throws(ConversionError) {
        func shape(_ name: String, _ rank: Int) throws(ConversionError) -> [Int] {
            guard let tensor = checkpoint[name] else {
                throw .missingTensor(path: checkpoint.path, tensor: name, expected: [])
            }
            guard tensor.shape.count == rank else {
                throw .unsupported(
                    path: tensor.path,
                    what: "the tensor '\(name)' should have \(rank) dimensions, has \(tensor.shape)"
                )
            }
            return tensor.shape
        }
        let patch = try shape(names.patch + ".weight", 4)
        var blockCount = 0
        while checkpoint["\(names.blocks)\(blockCount).\(names.norm1).weight"] != nil {
            blockCount += 1
        }
        guard blockCount > 0 else {
            let norm = "\(names.blocks)0.\(names.norm1).weight"
            throw .missingTensor(path: checkpoint.path, tensor: norm, expected: [])
        }
        self.init(
            names: names,
            patchSize: patch[3],
            width: patch[0],
            hidden: try shape("\(names.blocks)0.\(names.up).weight", 2)[0],
            headCount: try headCount(patch[0]),
            blockCount: blockCount,
            epsilon: epsilon,
            activation: activation,
            featureLayer: featureLayer,
            pictures: pictures,
            resamplesWithAntialias: true
        )
    }
}
