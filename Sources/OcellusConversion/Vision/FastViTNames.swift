// SPDX-License-Identifier: Apache-2.0

/// What a library calls the parts of a FastViT.
///
/// A convolution that was folded before it was stored ("reparameterized") has a bias and no branches.
///
/// - Source: timm, models/fastvit.py; Apple, ml-mobileclip, mobileclip/models/mci.py.
struct FastViTNames {
    /// Where the parts of a stage are; nil for what it has not.
    struct Stage {
        var downsample: String?
        var positions: String?
        var blocks: String
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
    /// What the names of layer scales end with.
    let scaleEnd: String

    /// The names that a checkpoint has.
    ///
    /// - Throws: `ConversionError.missingTensor` if it has none that are known.
    static func names(in checkpoint: Checkpoint) throws(ConversionError) -> FastViTNames {
        let known = [timm(below: ""), timm(below: "visual.trunk."), apple]
        let found = known.first { names in
            let stem = names.prefix + names.stem + ".0."
            return checkpoint.tensors.keys.contains { $0.hasPrefix(stem) }
        }
        guard let found else {
            throw .missingTensor(path: checkpoint.path, tensor: "stem.0.*", expected: [])
        }
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
            scaleEnd: ".gamma"
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
        scaleEnd: ""
    )

    /// The stages, where `has` tells whether the checkpoint has any tensor below a name.
    ///
    /// timm numbers stages; Apple numbers downsamplings, positions and rows of blocks alike.
    func stages(where has: (String) -> Bool) -> [Stage] {
        var stages: [Stage] = []
        if has("stages") {
            while has("stages.\(stages.count)") {
                let name = "stages.\(stages.count)."
                stages.append(
                    Stage(
                        downsample: has(name + "downsample") ? name + "downsample.proj" : nil,
                        positions: has(name + "pos_emb") ? name + "pos_emb" : nil,
                        blocks: name + "blocks"
                    )
                )
            }
            return stages
        }
        var next = Stage(blocks: "")
        var index = 0
        while has("network.\(index)") {
            let name = "network.\(index)"
            if has(name + ".proj") {
                next.downsample = name + ".proj"
            } else if has("\(name).\(positions)") || has(name + ".reparam_conv") {
                next.positions = name
            } else {
                next.blocks = name
                stages.append(next)
                next = Stage(blocks: "")
            }
            index += 1
        }
        return stages
    }
}
