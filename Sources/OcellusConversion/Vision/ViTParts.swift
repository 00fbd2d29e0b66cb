// SPDX-License-Identifier: Apache-2.0

/// Which parts a vision transformer has, of those that not all have.
///
/// | | patch bias | class token | norm before the blocks | LayerScale |
/// |---|---|---|---|---|
/// | CLIP | no | yes | yes | no |
/// | SigLIP, SigLIP2 | yes | no | no | no |
/// | DINOv2 | yes | yes, and registers or none | no | yes |
/// | MobileCLIP-B | yes | yes, without a position | no | no |
struct ViTParts: Equatable {
    var hasPatchBias = true
    var hasClassToken = true
    var registerCount = 0
    /// Whether the first position is that of the class token.
    var hasClassPosition = true
    var hasPreNorm = false
    var hasLayerScale = false

    static let clip = ViTParts(hasPatchBias: false, hasPreNorm: true)
    static let siglip = ViTParts(hasClassToken: false, hasClassPosition: false)
    static let dinov2 = ViTParts(hasLayerScale: true)
    static let mobileCLIP = ViTParts(hasClassPosition: false)

    /// Those of one of timm's architectures, whose name tells them.
    ///
    /// - Source: timm, models/vision_transformer.py.
    static func timm(_ architecture: String) -> ViTParts {
        if architecture.contains("_mci_") { return .mobileCLIP }
        let isCLIP = architecture.contains("_clip_")
        var parts = isCLIP ? clip : ViTParts(hasLayerScale: architecture.contains("_dinov2"))
        let name = architecture + "_"
        if name.contains("_siglip_") || name.contains("_gap_") { parts.hasClassToken = false }
        // "_reg4_" is four registers, beside which the class token has no position.
        let register = architecture.split(separator: "_").first { $0.hasPrefix("reg") }
        parts.registerCount = register.flatMap { Int($0.dropFirst(3)) } ?? 0
        parts.hasClassPosition = parts.hasClassToken && parts.registerCount == 0
        return parts
    }

    /// The same with what the arguments of one of timm's models say.
    func overridden(by arguments: ModelSettings) throws(ConversionError) -> ViTParts {
        var parts = self
        parts.hasClassToken = try arguments.flag("class_token", default: hasClassToken)
        if arguments.has("reg_tokens") {
            parts.registerCount =
                arguments.json["reg_tokens"]?.int == 0 ? 0 : try arguments.size("reg_tokens")
        }
        let isWithout = try arguments.flag("no_embed_class", default: !hasClassPosition)
        parts.hasClassPosition = parts.hasClassToken && !isWithout
        parts.hasPreNorm = try arguments.flag("pre_norm", default: hasPreNorm)
        parts.hasPatchBias = !parts.hasPreNorm
        if arguments.json["init_values"] != nil {
            parts.hasLayerScale = arguments.has("init_values")
        }
        return parts
    }
}
