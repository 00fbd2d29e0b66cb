// SPDX-License-Identifier: Apache-2.0

/// MobileCLIP-B as Apple publishes it: a ViT-B/16 behind a stem of convolutions.
///
/// - Source: Vasu et al. 2024 (MobileCLIP), section 4.1; ml-mobileclip, mobileclip/models/vit.py.
enum AppleViT {
    /// Whether settings are those of a MobileCLIP of Apple's that is no FastViT.
    static func describes(_ settings: ModelSettings) -> Bool {
        settings.json["image_cfg"]?["model_name"] != nil
    }

    /// Reads the sizes.
    static func sizes(of model: PublishedModel) throws(ConversionError) -> ViTSizes {
        let settings = try model.settings.below("image_cfg")
        let name = try settings.text("model_name")
        guard name == "vit_b16" else {
            throw settings.bad("model_name", "'mci0', 'mci1', 'mci2' or 'vit_b16'", .string(name))
        }
        return try ViTSizes(
            names: .apple,
            parts: .mobileCLIP,
            measuring: model.checkpoint.removingPrefix("image_encoder.model."),
            epsilon: 1e-5,
            activation: "gelu_erf",
            featureLayer: -2,
            pictures: try PictureSettings(apple: settings),
            headCount: { (width) throws(ConversionError) in max(width / 64, 1) }
        )
    }
}
