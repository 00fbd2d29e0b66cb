// SPDX-License-Identifier: Apache-2.0

/// The sizes and habits of a published vision transformer.
struct ViTSizes {
    let names: ViTNames
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
    }

    /// Reads the sizes of a published model; the features are those that systems made of such a tower
    /// take, before the last block for CLIP (LLaVA), else behind the last norm.
    ///
    /// - Throws: `ConversionError.missingKey`, `.badValue`, `.missingTensor` and `.unsupported`.
    static func sizes(of model: PublishedModel) throws -> ViTSizes {
        if OpenCLIPViT.describes(model.settings) { return try OpenCLIPViT.sizes(of: model) }
        if HuggingFaceViT.describes(model.settings) { return try HuggingFaceViT.sizes(of: model) }
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
