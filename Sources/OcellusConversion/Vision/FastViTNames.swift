// SPDX-License-Identifier: Apache-2.0

/// What a library calls the parts of a FastViT.
///
/// A convolution that was folded before it was stored ("reparameterized") has a bias and no branches.
///
/// - Source: timm, models/fastvit.py; Apple, ml-mobileclip, mobileclip/models/mci.py.
struct FastViTNames {
    /// Where the parts of a stage are; nil for what it has not.
    struct Stage {
        let downsample: String?
        let positions: String?
        /// What the names of blocks begin with, before their numbers.
        let blocks: String
    }

    /// What all names begin with.
    let prefix: String
    let stem: String
    let final: String
    /// The branches of a MobileOneBlock: convolutions, the pointwise one, the norm alone.
    let kernels, pointwise, identity: String
    /// The wider one of a downsampling's convolutions, and both folded.
    let large, foldedLarge: String
    /// The convolution of conditional positions.
    let positions: String
    let mlp: String
    /// The two layers of the last squeeze-and-excitation.
    let finalExcitation: [String]
    /// What the names of layer scales end with.
    let scaleEnd: String
    /// Whether numbers count parts of stages, not stages.
    let numbersAll: Bool

    /// The names that a checkpoint has.
    ///
    /// - Throws: `ConversionError.missingTensor` if it has none that are known.
    static func names(in checkpoint: Checkpoint) throws(ConversionError) -> FastViTNames {
        let known = [timm(below: ""), timm(below: "visual.trunk."), apple]
        let found = known.first { names in
            let stem = names.prefix + names.stem + ".0."
            return checkpoint.tensors.keys.contains { $0.hasPrefix(stem) }
        }
        guard let found else { throw checkpoint.missing("stem.0.conv_kxk.0.conv.weight") }
        return found
    }

    private static func timm(below prefix: String) -> FastViTNames {
        FastViTNames(
            prefix: prefix,
            stem: "stem",
            final: "final_conv",
            kernels: "conv_kxk",
            pointwise: "conv_scale",
            identity: "identity",
            large: "large_conv",
            foldedLarge: "reparam_conv",
            positions: "pos_enc",
            mlp: "mlp",
            finalExcitation: ["fc1", "fc2"],
            scaleEnd: ".gamma",
            numbersAll: false
        )
    }

    /// Those of Apple's own files.
    private static let apple = FastViTNames(
        prefix: "image_encoder.model.",
        stem: "patch_embed",
        final: "conv_exp",
        kernels: "rbr_conv",
        pointwise: "rbr_scale",
        identity: "rbr_skip",
        large: "lkb_origin",
        foldedLarge: "lkb_reparam",
        positions: "pe",
        mlp: "convffn",
        finalExcitation: ["reduce", "expand"],
        scaleEnd: "",
        numbersAll: true
    )

    /// Where a stage is.
    ///
    /// timm numbers stages; Apple numbers downsamplings, positions and rows of blocks alike.
    func stage(_ index: Int, of architecture: FastViTArchitecture) -> Stage {
        let hasPositions = architecture.hasAttention(in: index)
        guard numbersAll else {
            let name = "stages.\(index)."
            return Stage(
                downsample: index > 0 ? name + "downsample.proj" : nil,
                positions: hasPositions ? name + "pos_emb" : nil,
                blocks: name + "blocks."
            )
        }
        let earlier = (0..<index).filter { architecture.hasAttention(in: $0) }.count
        let first = 2 * index + earlier  // where the blocks would be without positions
        return Stage(
            downsample: index > 0 ? "network.\(first - 1).proj" : nil,
            positions: hasPositions ? "network.\(first)" : nil,
            blocks: "network.\(hasPositions ? first + 1 : first)."
        )
    }
}
