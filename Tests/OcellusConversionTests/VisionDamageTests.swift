// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusConversion
import Testing

/// Wrong and mixed-up vision models: each is refused with a message that names file and tensor or key, what
/// was expected and what was found, and nothing is left behind.
struct VisionDamageTests {
    @Test
    func `a configuration of another size names tensor, expected and found shape`() throws {
        for (name, text, other, expected) in [
            (
                "clip-hf", "\"intermediate_size\": 36", "\"intermediate_size\": 48",
                "model.safetensors: the tensor 'vision_model.encoder.layers.0.mlp.fc1.weight' should have "
                    + "shape [48, 24], has [36, 24]"
            ),
            (
                "siglip-hf", "\"patch_size\": 7", "\"patch_size\": 6",
                "'vision_model.embeddings.patch_embedding.weight' should have shape [24, 3, 6, 6], has "
                    + "[24, 3, 7, 7]"
            ),
            (
                "dinov2-hf", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3",
                "the tensor 'encoder.layer.2.norm1.weight' of shape [24] is missing"
            ),
            (
                "dinov2-timm", "\"depth\": 3", "\"depth\": 16777216",
                "model.safetensors: the tensor 'blocks.3.norm1.weight' of shape [24] is missing"
            ),
            (
                "siglip-timm", "\"embed_dim\": 20", "\"embed_dim\": 24",
                "the tensor 'patch_embed.proj.weight' should have shape [24, 3, 7, 7], has [20, 3, 7, 7]"
            ),
            (
                "dinov2-registers-hf", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1",
                "has no place in this model"
            ),
        ] {
            try expectRefusal(expected, of: name, replacing: text, by: other, namesFile: false)
        }
    }

    @Test
    func `what a configuration may not say`() throws {
        for (name, file, text, other, expected) in [
            (
                "clip-hf", "config.json", "\"quick_gelu\"", "\"relu\"",
                "'vision_config.hidden_act' should be"
            ),
            (
                "clip-hf", "config.json", "\"image_size\": 28", "\"image_size\": 35",
                "'vision_config.image_size' should be 28 as in preprocessor_config.json, is 35"
            ),
            (
                "siglip2-naflex-hf", "config.json", "\"num_patches\": 16", "\"num_patches\": 15",
                "'vision_config.num_patches' should be a square, is 15"
            ),
            (
                "siglip-hf", "preprocessor_config.json", "\"rescale_factor\": 0.00392156862745098",
                "\"rescale_factor\": 0.5", "'rescale_factor' should be 1 / 255, is 0.5"
            ),
            (
                "siglip-hf", "preprocessor_config.json", "\"resample\": 2", "\"resample\": 1",
                "'resample' should be 2 (bilinear) or 3 (bicubic), is 1"
            ),
            (
                "dinov2-hf", "preprocessor_config.json", "\"shortest_edge\": 32",
                "\"shortest_edge\": 16", "'size' should be at least 28, at most twice that, is 16"
            ),
            (
                "siglip-timm", "config.json", "\"crop_mode\": \"center\"",
                "\"crop_mode\": \"border\"", "'pretrained_cfg.crop_mode' should be"
            ),
            (
                "mobileclip-timm", "config.json", "\"fastvit_mci0\"", "\"fastvit_t8\"",
                "'fastvit_t8' is not converted; of FastViT, MobileCLIP's are: fastvit_mci0,"
            ),
            (
                "mobileclip-apple", "mobileclip_s0.json", "\"mci0\"", "\"vit_l14\"",
                "'image_cfg.model_name' should be 'mci0', 'mci1', 'mci2' or 'vit_b16', is 'vit_l14'"
            ),
            (
                "siglip2-open", "open_clip_config.json", "\"vit_base_patch16_siglip_224\"",
                "\"convnext_base\"", "one that begins with vit_, is 'convnext_base'"
            ),
            (
                "clip-open", "open_clip_config.json", "\"layers\": 3", "\"layers\": [3, 4]",
                "ResNets are not converted"
            ),
            (
                "mobilevlm", "config.json", "layer\": -2", "layer\": -9",
                "'mm_vision_select_layer' should be a whole number from -4 to 3, is -9"
            ),
            (
                "mobilevlm", "config.json", "layer\": -2", "layer\": 99999999999",
                "from -4 to 3, is 99999999999"
            ),
            (
                "mobilevlm", "config.json", "\"patch\"", "\"cls_patch\"",
                "'mm_vision_select_feature' should be 'patch', is 'cls_patch'"
            ),
            (
                "dinov2-hf", "config.json", "\"mlp_ratio\": 2", "\"mlp_ratio\": 3e9",
                "'mlp_ratio' should be a number that times 24 is from 1 to 16777216, is 3000000000"
            ),
            (
                "clip-open", "open_clip_config.json", "\"mlp_ratio\": 1.5", "\"mlp_ratio\": 3e9",
                "'model_cfg.vision_cfg.mlp_ratio' should be"
            ),
            (
                "mobilenet-v2-hf", "config.json", "\"relu6\"", "\"swish\"",
                "'hidden_act' should be 'relu' or 'relu6', is 'swish'"
            ),
            (
                "mobilenet-v2-hf", "config.json", "\"layer_norm_eps\": 0.001",
                "\"layer_norm_eps\": 1e300", "'layer_norm_eps' should be a number from 0, is 1e+300"
            ),
            (
                "dinov2-hf", "preprocessor_config.json", "\"shortest_edge\": 32",
                "\"shortest_edge\": 57", "'size' should be at least 28, at most twice that, is 57"
            ),
            (
                "dinov2-hf", "preprocessor_config.json", "\"shortest_edge\": 32",
                "\"shortest_edge\": 9999",
                "'size.shortest_edge' should be a whole number from 1 to 4096, is 9999"
            ),
            (
                "siglip-hf", "preprocessor_config.json", "\"width\": 30", "\"width\": 35",
                "'size.width' should be 30 as the height, is 35"
            ),
            (
                "mobilevlm", "config.json", "\"ldpnet\"", "\"qformer\"",
                "'mm_projector_type' should be 'ldpnet', 'ldpnetv2' or 'mlp2x_gelu', is 'qformer'"
            ),
            (
                "vl-mamba-csm", "config.json", "\"vss_l2\"", "\"vss_mlp\"",
                "'mm_projector_type' should be 'vss_l2', 'mlp2x_gelu' or 'mlp3x_gelu', is 'vss_mlp'"
            ),
            (
                "vl-mamba-csm", "config.json", "\"csm\"", "\"raster\"",
                "'mm_projector_scan' should be 'bsm' or 'csm', is 'raster'"
            ),
            (
                "vl-mamba-csm", "config.json", "_scan\"", "_scam\"",
                "the key 'mm_projector_scan' is missing"
            ),
            (
                "vl-mamba-bsm", "config.json", "\"square\"", "\"anyres\"",
                "'image_aspect_ratio' should be 'pad' or 'square', is 'anyres'"
            ),
        ] {
            try expectRefusal(
                expected,
                of: name,
                options(VisionTests.visionOptions[name] ?? []),
                replacing: text,
                by: other,
                in: file
            )
        }
    }

    @Test
    func `heads divide the width`() throws {
        let folder = try PublishedFolder("dinov2-hf")
        try folder.replaceOnce(
            "\"num_attention_heads\": ",
            by: "\"num_attention_heads\": 1",
            in: "config.json"
        )
        #expect(try refusal(of: folder).contains("heads must divide the width"))
    }

    @Test
    func `a picture is not divided by nothing`() throws {
        let folder = try PublishedFolder("dinov2-hf")
        try folder.replaceOnce(
            "\"image_std\": [",
            by: "\"image_std\": [0, 1, 1], \"unused\": [",
            in: "preprocessor_config.json"
        )
        #expect(try refusal(of: folder).contains("'image_std' should be three numbers above 0"))
    }

    @Test
    func `more blocks than a checkpoint has end at the first that is missing`() throws {
        let folder = try PublishedFolder("dinov2-hf")
        try folder.replaceOnce(
            "\"num_hidden_layers\": 2",
            by: "\"num_hidden_layers\": 16777216",
            in: "config.json"
        )
        #expect(try refusal(of: folder).contains("'encoder.layer.2.norm1.weight'"))
    }

    @Test
    func `a layer that is missing is named as the file would name it`() throws {
        for (name, file, tensor, expected) in [
            (
                "mobileclip-folded-timm", "model.safetensors",
                "stages.0.blocks.1.token_mixer.reparam_conv.bias",
                "the tensor 'stages.0.blocks.1.token_mixer.reparam_conv.bias' of shape [4] is missing"
            ),
            (
                "mobileclip-open", "open_clip_model.safetensors",
                "visual.trunk.final_conv.conv_kxk.0.bn.running_var",
                "the tensor 'visual.trunk.final_conv.conv_kxk.0.bn.running_var' of shape [128] is missing"
            ),
            (
                "mobileclip-apple", "mobileclip_s0.pt",
                "image_encoder.model.network.1.proj.0.lkb_origin.conv.weight",
                "the tensor 'image_encoder.model.network.1.proj.0.lkb_origin.conv.weight' of shape "
                    + "[8, 1, 7, 7] is missing"
            ),
            (
                "mobileclip-b-timm", "model.safetensors", "patch_embed.backbone.1.bn.running_mean",
                "the tensor 'patch_embed.backbone.1.bn.running_mean' of shape [10] is missing"
            ),
        ] {
            let folder = try PublishedFolder(name)
            try folder.replace(tensor, by: tensor.dropLast() + "_", in: file)
            let message = try refusal(of: folder)
            #expect(message.contains(expected), "\(message)")
        }
    }

    @Test
    func `parts that are published apart must be those of the system`() throws {
        for (name, parts, expected) in [
            ("mobilevlm", [], "needs one --vision, the CLIP that it is trained with"),
            (
                "mobilevlm", ["siglip-timm"],
                "siglip-timm/config.json: not a CLIP"
            ),
            (
                "mobilevlm-v2", ["siglip-timm"],
                "siglip-timm/config.json: not a CLIP"
            ),
            ("vl-mamba-csm", [], "CLIP or SigLIP that it is trained with: google/siglip-so400m-"),
            ("vl-mamba-csm", ["dinov2-hf"], "dinov2-hf/config.json: not a CLIP or SigLIP, which"),
            ("vl-mamba-csm", ["siglip-timm"], "should have width 24, which"),
            ("cobra", ["dinov2-timm"], "needs --vision 2 times"),
            (
                "cobra", ["dinov2-timm", "dinov2-timm"],
                "needs one DINOv2 and one SigLIP, found 2 and 0"
            ),
            ("cobra", ["dinov2-timm", "siglip-hf"], "not a tower of timm"),
            ("mobilevlm", ["mamba-hf"], "mamba-hf/config.json: not a vision transformer"),
            ("mamba-hf", ["clip-hf"], "clip-hf would do nothing: no part of this model is"),
            ("clip-hf", ["siglip-timm"], "siglip-timm would do nothing: no part of this model is"),
        ] as [(String, [String], String)] {
            let message = try refusal(of: PublishedFolder(name), options(parts))
            #expect(message.contains(expected), "\(message)")
        }
    }

    @Test
    func `what only a decoder has is no option of an encoder`() throws {
        var options = ConversionOptions()
        options.tokenizer = Fixture("mamba-hf").path
        let message = try refusal(of: PublishedFolder("mobilenet-v1-hf"), options)
        #expect(message.contains("--tokenizer would do nothing: no decoder is converted"))
    }

    @Test
    func `pictures must be whole patches behind a stem, at least one of them elsewhere`() throws {
        for (name, file, text, other, expected) in [
            (
                "mobileclip-b-apple", "mobileclip_b.json", "\"image_size\": 64",
                "\"image_size\": 72", "pictures of 72 x 72 pixels are not whole patches of 16"
            ),
            (
                "dinov2-timm", "config.json", "      35,\n      35\n", "      6,\n      6\n",
                "pictures of 6 x 6 pixels are smaller than a patch of 7"
            ),
        ] {
            try expectRefusal(
                expected,
                of: name,
                replacing: text,
                by: other,
                in: file,
                namesFile: false
            )
        }
    }

    @Test
    func `a cut checkpoint of a system is told as cut`() throws {
        let folder = try PublishedFolder("cobra")
        let name = "checkpoints/latest-checkpoint.pt"
        let data = try folder.data(name)
        try folder.write(data.prefix(data.count / 2), to: name)
        let message = try refusal(of: folder, options("dinov2-timm", "siglip-timm"))
        #expect(message.contains("latest-checkpoint.pt"), "\(message)")
    }

    @Test(
        arguments: [
            ("mobileclip-open", "open_clip_model.safetensors"), ("clip-hf", "model.safetensors"),
            ("mobileclip-apple", "mobileclip_s0.pt"), ("mobilevlm-v2", "pytorch_model.bin"),
            ("mobileclip-b-timm", "model.safetensors"),
        ]
    )
    func `a changed byte is refused, or plans a file`(name: String, file: String) throws {
        let folder = try PublishedFolder(name)
        let data = try folder.data(file)
        // Safetensors begin with their names and shapes, zip archives end with theirs; a pickle comes first.
        let ends = Array(0..<6000) + Array(max(data.count - 3000, 6000)..<data.count)
        for (index, position) in ends.enumerated() where index % 12 == 0 {
            var changed = data
            changed[position] = UInt8(index / 12 % 10) + (index % 24 == 0 ? 0x30 : 0)
            try folder.write(changed, to: file)
            _ = try? ModelConversion.plans(
                for: PublishedModel(path: folder.path),
                options(VisionTests.visionOptions[name] ?? [])
            )
        }
    }

    private func options(_ parts: String...) -> ConversionOptions { options(parts) }

    private func options(_ parts: [String]) -> ConversionOptions {
        var options = ConversionOptions()
        options.vision = parts.map { Fixture($0).path }
        return options
    }
}
