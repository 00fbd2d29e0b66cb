// SPDX-License-Identifier: Apache-2.0

/// What a library calls the tensors of a vision transformer; those of a block behind its own prefix.
struct ViTNames {
    var patch: String
    let positions: String
    /// What stands before (rows, width) in the shape of the positions.
    let positionShape: [Int]
    let classToken: String
    /// What stands before the width in the shape of the class token.
    let classShape: [Int]
    let registers: String
    let preNorm: String
    let finalNorm: String
    /// What the names of the blocks begin with, before their numbers and a dot.
    let blocks: String
    let norm1: String
    let norm2: String
    /// One name for a fused layer, three otherwise, without the ending "weight" or "bias".
    let queryKeyValue: [String]
    let attentionOut: String
    let up: String
    let down: String
    let scale1: String
    let scale2: String
    /// Beginnings of names that no feature depends on: pooling heads, classifiers, mask tokens.
    let unused: [String]
    /// Convolutions before the patches and their batch norms, if there are any: side by side, without
    /// padding, with GELU.
    var stem: [(convolution: String, norm: String)] = []

    /// CLIP and SigLIP of transformers.
    static let clip = ViTNames(
        patch: "embeddings.patch_embedding",
        positions: "embeddings.position_embedding.weight",
        positionShape: [],
        classToken: "embeddings.class_embedding",
        classShape: [],
        registers: "",
        preNorm: "pre_layrnorm",
        finalNorm: "post_layernorm",
        blocks: "encoder.layers.",
        norm1: "layer_norm1",
        norm2: "layer_norm2",
        queryKeyValue: ["self_attn.q_proj.", "self_attn.k_proj.", "self_attn.v_proj."],
        attentionOut: "self_attn.out_proj",
        up: "mlp.fc1",
        down: "mlp.fc2",
        scale1: "",
        scale2: "",
        unused: ["head.", "embeddings.position_ids"]
    )

    /// DINOv2 of transformers, with registers or without.
    static let dinov2 = ViTNames(
        patch: "embeddings.patch_embeddings.projection",
        positions: "embeddings.position_embeddings",
        positionShape: [1],
        classToken: "embeddings.cls_token",
        classShape: [1, 1],
        registers: "embeddings.register_tokens",
        preNorm: "",
        finalNorm: "layernorm",
        blocks: "encoder.layer.",
        norm1: "norm1",
        norm2: "norm2",
        queryKeyValue: [
            "attention.attention.query.", "attention.attention.key.",
            "attention.attention.value.",
        ],
        attentionOut: "attention.output.dense",
        up: "mlp.fc1",
        down: "mlp.fc2",
        scale1: "layer_scale1.lambda1",
        scale2: "layer_scale2.lambda1",
        unused: ["embeddings.mask_token"]
    )

    /// timm's VisionTransformer.
    static let timm = ViTNames(
        patch: "patch_embed.proj",
        positions: "pos_embed",
        positionShape: [1],
        classToken: "cls_token",
        classShape: [1, 1],
        registers: "reg_token",
        preNorm: "norm_pre",
        finalNorm: "norm",
        blocks: "blocks.",
        norm1: "norm1",
        norm2: "norm2",
        queryKeyValue: ["attn.qkv."],
        attentionOut: "attn.proj",
        up: "mlp.fc1",
        down: "mlp.fc2",
        scale1: "ls1.gamma",
        scale2: "ls2.gamma",
        unused: ["attn_pool.", "head.", "fc_norm.", "mask_token"]
    )

    /// timm's VisionTransformer behind a stem of convolutions, whose last one makes the patches.
    static let timmWithStem: ViTNames = {
        var names = timm
        names.patch = "patch_embed.backbone.2.conv"
        names.stem = (0...1).map {
            ("patch_embed.backbone.\($0).conv", "patch_embed.backbone.\($0).bn")
        }
        return names
    }()

    /// The same as Apple calls it.
    static let apple = ViTNames(
        patch: "patch_emb.2.block.conv",
        positions: "pos_embed.pos_embed.pos_embed",
        positionShape: [1, 1],
        classToken: "cls_token",
        classShape: [1, 1],
        registers: "",
        preNorm: "",
        finalNorm: "post_transformer_norm",
        blocks: "transformer.",
        norm1: "pre_norm_mha.0",
        norm2: "pre_norm_ffn.0",
        queryKeyValue: ["pre_norm_mha.1.qkv_proj."],
        attentionOut: "pre_norm_mha.1.out_proj",
        up: "pre_norm_ffn.1",
        down: "pre_norm_ffn.4",
        scale1: "",
        scale2: "",
        unused: ["classifier."],
        stem: (0...1).map { ("patch_emb.\($0).block.conv", "patch_emb.\($0).block.norm") }
    )

    /// open_clip's VisionTransformer.
    static let openCLIP = ViTNames(
        patch: "conv1",
        positions: "positional_embedding",
        positionShape: [],
        classToken: "class_embedding",
        classShape: [],
        registers: "",
        preNorm: "ln_pre",
        finalNorm: "ln_post",
        blocks: "transformer.resblocks.",
        norm1: "ln_1",
        norm2: "ln_2",
        queryKeyValue: ["attn.in_proj_"],
        attentionOut: "attn.out_proj",
        up: "mlp.c_fc",
        down: "mlp.c_proj",
        scale1: "ls_1.gamma",
        scale2: "ls_2.gamma",
        unused: ["proj"]
    )
}
