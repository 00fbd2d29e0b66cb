# SPDX-License-Identifier: Apache-2.0
"""Writes vision models as they are published, and what their libraries compute from a picture.

    python scripts/references/vision_checkpoints.py --out Tests/Fixtures/checkpoints
    python scripts/references/vision_checkpoints.py --full cobra --out full       (not committed)

Each folder is what a user downloads, tiny and random, saved by the library itself. Beside it: `pixels` (3, H, W),
`v.embd` and `v.blk.N` (tokens, width) or `v.cnn.N` (cells, channels) after the layers, `encoder` (cells, dVision),
and `projector` (tokens, dModel) of a whole system. All of picture.png.
"""

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from transformers import CLIPConfig, CLIPModel, Dinov2Config, Dinov2Model, Dinov2WithRegistersConfig
from transformers import Dinov2WithRegistersModel, MobileNetV1Config, MobileNetV1Model, MobileNetV2Config
from transformers import MobileNetV2Model, Siglip2Config, Siglip2Model, SiglipConfig, SiglipModel
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.mobilenet_v1.image_processing_pil_mobilenet_v1 import MobileNetV1ImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil

from timm_cpu import open_clip, timm  # first of all that needs timm

from timm.layers import BatchNormAct2d
from timm.models.efficientnet import _gen_mobilenet_v1, _gen_mobilenet_v2
from timm.models.fastvit import PatchEmbed, RepConditionalPosEnc, RepMixerBlock
from timm.models.vision_transformer_hybrid import ConvStem, _create_vision_transformer_hybrid

from fixture import randomize
from systems import PICTURE, save, write_full_cobra, write_full_mobilevlm, write_full_vl_mamba, write_systems

IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}


def write_picture(out: Path) -> None:
    """Noise on a gradient, not square."""
    generator = np.random.default_rng(3)
    rows, columns = np.mgrid[0:52, 0:76]
    gradient = np.stack([4 * rows, 3 * columns, 255 - 2 * rows - columns], axis=-1)
    noise = generator.integers(-40, 40, gradient.shape)
    Image.fromarray((gradient + noise).clip(0, 255).astype(np.uint8)).save(out / PICTURE)


@torch.no_grad()
def enliven(model: nn.Module, seed: int) -> nn.Module:
    """Gives all parameters and the statistics of batch norms values that matter."""
    generator = torch.Generator().manual_seed(seed)
    randomize(model, generator)
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.copy_(0.2 * torch.randn(buffer.shape, generator=generator))
        elif name.endswith("running_var"):
            buffer.copy_(0.5 + torch.rand(buffer.shape, generator=generator))
    return model.eval()


@dataclass
class Stages:
    """What is recorded of one picture."""

    pixels: torch.Tensor
    encoder: torch.Tensor
    layers: dict[str, torch.Tensor] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        for name, values in {"pixels": self.pixels, "encoder": self.encoder, **self.layers}.items():
            save(folder / f"{name}.npy", values)


def transformer_stages(pixels: torch.Tensor, states: list[torch.Tensor], features: torch.Tensor, kept: int) -> Stages:
    """The stages up to block `kept`, from the hidden states of all (tokens, width)."""
    names = ["v.embd"] + [f"v.blk.{index}" for index in range(kept)]
    return Stages(pixels, features, dict(zip(names, states)))


def hooked_states(model: nn.Module, embedding: nn.Module, blocks: nn.ModuleList, pixels: torch.Tensor) -> list:
    """What goes into the first block, and what comes out of each."""
    states, hooks = [], [embedding.register_forward_hook(lambda _, i, o: states.append(o[0]))]
    hooks += [block.register_forward_hook(lambda _, i, o: states.append(o[0])) for block in blocks]
    model(pixels[None])
    for hook in hooks:
        hook.remove()
    return states


def convolution_stages(pixels: torch.Tensor, model: nn.Module, boundaries: list[nn.Module]) -> Stages:
    """The results of some modules of a MobileNet, each under the number of its last convolution."""
    layers, count = {}, 0

    def note(_: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        nonlocal count
        count += 1

    def keep(_: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        layers[f"v.cnn.{count - 1}"] = output[0].flatten(1).T

    convolutions = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    hooks = [module.register_forward_hook(note) for module in convolutions]
    hooks += [module.register_forward_hook(keep) for module in boundaries]
    model(pixels[None])
    for hook in hooks:
        hook.remove()
    return Stages(pixels, layers[f"v.cnn.{count - 1}"], layers)


def processed(processor: object, out: Path) -> torch.Tensor:
    """The pixels of a processor of transformers."""
    return processor(Image.open(out / PICTURE), return_tensors="pt")["pixel_values"][0]


def transformed(out: Path, config: dict) -> torch.Tensor:
    """timm's transforms for a configuration, and open_clip's, in Pillow."""
    picture, side = Image.open(out / PICTURE), config["input_size"][1]
    edge = int(side / config["crop_pct"])
    width, height = picture.size
    scale = edge / min(width, height)
    size = (edge, edge) if config["crop_mode"] == "squash" else (int(width * scale), int(height * scale))
    picture = picture.resize(size, getattr(Image.Resampling, config["interpolation"].upper()))
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    values = np.asarray(picture.crop((left, top, left + side, top + side)), dtype=np.float32) / 255
    return torch.from_numpy((values - np.float32(config["mean"])) / np.float32(config["std"])).permute(2, 0, 1)


def save_hugging_face(folder: Path, model: nn.Module, processor: object) -> None:
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def clip_transformers(folder: Path, full: bool) -> Stages:
    """OpenAI's layout: the model with its text tower, features before the last block."""
    vision = dict(hidden_size=24, intermediate_size=36, num_hidden_layers=3, num_attention_heads=3, image_size=28,
                  patch_size=7)  # fmt: skip
    if full:
        vision = dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16,
                      image_size=336, patch_size=14)  # fmt: skip
    text = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, vocab_size=32)
    model = enliven(CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)), 1)
    side = vision["image_size"]
    processor = CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size={"height": side, "width": side})
    save_hugging_face(folder, model, processor)
    pixels = processed(processor, folder.parent)
    states = [s[0] for s in model.vision_model(pixels[None], output_hidden_states=True).hidden_states]
    return transformer_stages(pixels, states, states[-2][1:], len(states) - 2)


def clip_open(folder: Path) -> Stages:
    """open_clip's layout, with its quick GELU and LayerScale."""
    vision = dict(layers=3, width=24, head_width=8, patch_size=7, image_size=28, mlp_ratio=1.5, ls_init_value=0.1)
    text = dict(context_length=8, vocab_size=32, width=16, heads=2, layers=1)
    model = enliven(open_clip.model.CLIP(16, vision, text, quick_gelu=True), 2)
    mean, std = CLIPImageProcessorPil.image_mean, CLIPImageProcessorPil.image_std
    config = {
        "model_cfg": {"embed_dim": 16, "quick_gelu": True, "vision_cfg": vision, "text_cfg": text},
        "preprocess_cfg": {"mean": mean, "std": std, "interpolation": "bicubic", "resize_mode": "shortest"},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n")
    torch.save(model.state_dict(), folder / "open_clip_pytorch_model.bin")
    pixels = transformed(folder.parent, {**config["preprocess_cfg"], "input_size": (3, 28, 28), "crop_pct": 1,
                                         "crop_mode": "center"})  # fmt: skip
    visual = model.visual
    states = hooked_states(visual, visual.ln_pre, visual.transformer.resblocks, pixels)
    return transformer_stages(pixels, states, states[-2][1:], len(states) - 2)


def siglip2_open(folder: Path) -> Stages:
    """SigLIP2 of fixed size in open_clip's layout, whose tower is timm's."""
    vision = dict(image_size=30, timm_model_name="vit_base_patch16_siglip_224", timm_model_pretrained=False,
                  timm_pool="map", timm_proj="none")  # fmt: skip
    text = dict(context_length=8, vocab_size=32, width=16, heads=2, layers=1)
    model = open_clip.model.CustomTextCLIP(24, {**vision, "image_size": 224}, text)
    model.visual.trunk = tower("vit_base_patch16_siglip_224", 30, embed_dim=24, num_heads=1, num_classes=0)
    preprocess = dict(mean=[0.5] * 3, std=[0.5] * 3, interpolation="bicubic", resize_mode="squash")
    config = {"model_cfg": {"embed_dim": 24, "vision_cfg": vision, "text_cfg": text}, "preprocess_cfg": preprocess}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_file(enliven(model, 10).state_dict(), folder / "open_clip_model.safetensors")
    pixels = transformed(folder.parent, {**preprocess, "input_size": (3, 30, 30), "crop_pct": 1,
                                         "crop_mode": "squash"})  # fmt: skip
    trunk = model.visual.trunk
    states = hooked_states(trunk, trunk.norm_pre, trunk.blocks, pixels)
    return transformer_stages(pixels, states, trunk.forward_features(pixels[None])[0], len(states) - 1)


def siglip(folder: Path, full: bool) -> Stages:
    """SigLIP and SigLIP2 of fixed size: features behind the last norm, pixels beyond the last patch ignored."""
    vision = dict(hidden_size=24, intermediate_size=36, num_hidden_layers=2, num_attention_heads=2, image_size=30,
                  patch_size=7)  # fmt: skip
    if full:  # SO400M/14-384 but for the depth
        vision = dict(hidden_size=1152, intermediate_size=4304, num_hidden_layers=3, num_attention_heads=16,
                      image_size=384, patch_size=14)  # fmt: skip
    text = dict(hidden_size=24, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, vocab_size=32,
                max_position_embeddings=8)  # fmt: skip
    model = enliven(SiglipModel(SiglipConfig(text_config=text, vision_config=vision)), 3)
    side = vision["image_size"]
    processor = SiglipImageProcessorPil(size={"height": side, "width": side}, resample=2)
    save_hugging_face(folder, model, processor)
    pixels = processed(processor, folder.parent)
    output = model.vision_model(pixels[None], output_hidden_states=True)
    states = [s[0] for s in output.hidden_states]
    return transformer_stages(pixels, states, output.last_hidden_state[0], len(states) - 1)


def naflex(folder: Path) -> Stages:
    """SigLIP2 NaFlex on a square picture of as many patches as it has positions, 4 x 4."""
    vision = dict(hidden_size=24, intermediate_size=36, num_hidden_layers=2, num_attention_heads=2, num_patches=16,
                  patch_size=7)  # fmt: skip
    text = dict(hidden_size=24, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, vocab_size=32,
                max_position_embeddings=8)  # fmt: skip
    model = enliven(Siglip2Model(Siglip2Config(text_config=text, vision_config=vision)), 13)
    processor = Siglip2ImageProcessorPil(patch_size=7, max_num_patches=16)
    save_hugging_face(folder, model, processor)
    square = Image.open(folder.parent / PICTURE).resize((28, 28), Image.Resampling.BILINEAR)
    inputs = processor(square, return_tensors="pt")
    assert inputs["spatial_shapes"].tolist() == [[4, 4]]
    # Patches of rows, columns and channels, back to a picture.
    pixels = inputs["pixel_values"].view(4, 4, 7, 7, 3).permute(4, 0, 2, 1, 3).reshape(3, 28, 28)
    states = []
    for block in model.vision_model.encoder.layers:
        block.register_forward_hook(lambda _, i, output: states.append(output[0]))
    model.vision_model.encoder.layers[0].register_forward_pre_hook(lambda _, i: states.append(i[0][0]))
    mask = inputs["pixel_attention_mask"]
    output = model.vision_model(inputs["pixel_values"], mask, inputs["spatial_shapes"])
    return transformer_stages(pixels, states, output.last_hidden_state[0], len(states) - 1)


def dinov2(folder: Path, registers: int) -> Stages:
    """DINOv2, whose positions are resampled from 5 x 5 cells to 4 x 4."""
    sizes = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, mlp_ratio=2, image_size=35, patch_size=7,
                 attn_implementation="eager")  # fmt: skip
    if registers:
        model = Dinov2WithRegistersModel(Dinov2WithRegistersConfig(**sizes, num_register_tokens=registers))
    else:
        model = Dinov2Model(Dinov2Config(**sizes))
    enliven(model, 4)
    size, crop = {"shortest_edge": 32}, {"height": 28, "width": 28}
    processor = BitImageProcessorPil(size=size, crop_size=crop, **IMAGENET)
    save_hugging_face(folder, model, processor)
    pixels = processed(processor, folder.parent)
    output = model(pixels[None], output_hidden_states=True)
    states = [s[0] for s in output.hidden_states]
    return transformer_stages(pixels, states, output.last_hidden_state[0, 1 + registers :], len(states) - 1)


def save_timm(folder: Path, model: nn.Module, side: int) -> torch.Tensor:
    """A folder of timm; the pixels as its configuration says."""
    model.pretrained_cfg = {**model.pretrained_cfg, "input_size": (3, side, side)}
    timm.models.save_for_hf(model, folder, safe_serialization=True)
    config = json.loads((folder / "config.json").read_text())["pretrained_cfg"]
    return transformed(folder.parent, config)


def tower(name: str, side: int, **sizes: object) -> nn.Module:
    """A small model of one of timm's architectures."""
    usual = dict(patch_size=7, depth=3, num_heads=3, mlp_ratio=2)
    return timm.create_model(name, img_size=side, **{**usual, **sizes})


def timm_transformer(folder: Path, model: nn.Module, side: int) -> Stages:
    """One of timm's towers alone: features behind the last norm."""
    pixels = save_timm(folder, enliven(model, 5), side)
    states = hooked_states(model, model.norm_pre, model.blocks, pixels)
    features = model.forward_features(pixels[None])[0, model.num_prefix_tokens :]
    return transformer_stages(pixels, states, features, len(states) - 1)


def mobilenet_transformers(folder: Path, version: int) -> Stages:
    """MobileNet of transformers, with TensorFlow's padding."""
    if version == 1:
        model = MobileNetV1Model(MobileNetV1Config(depth_multiplier=0.05, image_size=40))
        enliven(model, 6)
        boundaries = [model.conv_stem, *model.layer]
    else:
        model = MobileNetV2Model(MobileNetV2Config(depth_multiplier=0.05, image_size=40, finegrained_output=False))
        enliven(model, 7)
        boundaries = [model.conv_stem, *model.layer, model.conv_1x1]
    size, crop = {"shortest_edge": 44}, {"height": 40, "width": 40}
    processor = MobileNetV1ImageProcessorPil(size=size, crop_size=crop)
    save_hugging_face(folder, model, processor)
    return convolution_stages(processed(processor, folder.parent), model, boundaries)


def mobilenet_timm(folder: Path, version: int) -> Stages:
    """MobileNet of timm, with PyTorch's padding."""
    if version == 1:
        model = _gen_mobilenet_v1("mobilenetv1_100", 0.05, num_classes=2)
        boundaries = [model.bn1, *(block for stage in model.blocks for block in stage)]
    else:
        model = _gen_mobilenet_v2("mobilenetv2_100", 0.05, num_classes=2)
        # The head is 1280 wide for any multiplier; a fixture has to be small.
        model.conv_head = nn.Conv2d(model.conv_head.in_channels, 40, 1, bias=False)
        model.bn2 = BatchNormAct2d(40, act_layer=nn.ReLU6)
        model.classifier = nn.Linear(40, 2)
        boundaries = [model.bn1, *(block for stage in model.blocks for block in stage), model.bn2]
    pixels = save_timm(folder, enliven(model, 8), 40)
    return convolution_stages(pixels, model, boundaries)


def small_fastvit() -> nn.Module:
    return timm.create_model("fastvit_mci0.apple_mclip", embed_dims=(4, 8, 16, 64), layers=(2, 1, 1, 1),
                             mlp_ratios=(2, 2, 2, 1), num_classes=2)  # fmt: skip


def fastvit_stages(pixels: torch.Tensor, model: nn.Module) -> Stages:
    """The results of the blocks of timm's FastViT, each under the number of its last layer."""
    layers, hooks, count = {}, [], 0

    def keep(module: nn.Module, convolutions: int) -> None:
        nonlocal count
        count += convolutions
        name = f"v.cnn.{count - 1}"
        hooks.append(module.register_forward_hook(lambda _, i, o: layers.update({name: o[0].flatten(1).T})))

    for block in model.stem:
        keep(block, 1)
    for stage in model.stages:
        if isinstance(stage.downsample, PatchEmbed):
            keep(stage.downsample, 2)
        if isinstance(stage.pos_emb, RepConditionalPosEnc):
            keep(stage.pos_emb, 1)
        for block in stage.blocks:
            keep(block, 4 if isinstance(block, RepMixerBlock) else 5)
    keep(model.final_conv, 1)
    model(pixels[None])
    for hook in hooks:
        hook.remove()
    return Stages(pixels, layers[f"v.cnn.{count - 1}"], layers)


def mobileclip_timm(folder: Path, full: bool) -> Stages:
    """MobileCLIP's encoder in timm, as it is trained: nothing folded."""
    model = timm.create_model("fastvit_mci0.apple_mclip") if full else small_fastvit()
    pixels = save_timm(folder, enliven(model, 9), 256 if full else 72)
    return fastvit_stages(pixels, model)


def mobileclip_folded(folder: Path) -> Stages:
    """The same, folded by timm before it was saved; recorded is what the folded model computes."""
    model = timm.utils.reparameterize_model(enliven(small_fastvit(), 12))
    return fastvit_stages(save_timm(folder, model, 72), model)


def mobileclip_large(folder: Path, full: bool) -> Stages:
    """MobileCLIP-S3 and S4: five stages, layer norms before attention."""
    small = dict(embed_dims=(4, 8, 16, 32, 32), layers=(1, 1, 1, 1, 2), mlp_ratios=(2, 2, 2, 2, 1), num_classes=2)
    model = timm.create_model("fastvit_mci3", **({} if full else small))
    pixels = save_timm(folder, enliven(model, 14), 256 if full else 104)
    return fastvit_stages(pixels, model)


def small_mobileclip_b() -> nn.Module:
    """MobileCLIP-B: a ViT behind a stem of convolutions."""
    stem = ConvStem(channels=(6, 10, 24), stride=(4, 2, 2), kernel_size=(4, 2, 2), padding=0, act_layer=nn.GELU)
    return _create_vision_transformer_hybrid(
        "vit_base_mci_224", backbone=stem, embed_args=dict(proj=False), embed_dim=24, depth=3, num_heads=1,
        no_embed_class=True, mlp_ratio=0.5, num_classes=2, img_size=64,
    )  # fmt: skip


def mobileclip_b_timm(folder: Path, full: bool) -> Stages:
    """MobileCLIP-B of timm; as of other CLIPs, the features are those before the last block."""
    model = enliven(timm.create_model("vit_base_mci_224") if full else small_mobileclip_b(), 15)
    pixels = save_timm(folder, model, 224 if full else 64)
    return mobileclip_b_stages(pixels, model)


def mobileclip_b_stages(pixels: torch.Tensor, model: nn.Module) -> Stages:
    states = hooked_states(model, model.norm_pre, model.blocks, pixels)
    stages = transformer_stages(pixels, states, states[-2][1:], len(states) - 2)
    x = pixels[None]
    for index in range(2):
        x = model.patch_embed.backbone[index](x)
        stages.layers[f"v.cnn.{index}"] = x[0].flatten(1).T
    return stages


def apple_b_name(name: str) -> str:
    """What Apple calls a tensor of timm's MobileCLIP-B."""
    for theirs, ours in {
        "patch_emb.": "patch_embed.backbone.",
        "block.conv": "conv",
        "block.norm": "bn",
        "transformer.": "blocks.",
        "pre_norm_mha.0": "norm1",
        "pre_norm_mha.1": "attn",
        "pre_norm_ffn.0": "norm2",
        "pre_norm_ffn.1": "mlp.fc1",
        "pre_norm_ffn.4": "mlp.fc2",
        "qkv_proj.": "qkv.",
        "1.out_proj.": "1.proj.",
        "pos_embed.pos_embed.pos_embed": "pos_embed",
    }.items():
        name = name.replace(ours, theirs)
    return "image_encoder.model." + ("post_transformer_" + name if name.startswith("norm.") else name)


def mobileclip_b_apple(folder: Path) -> Stages:
    """The same as Apple publishes it. open_clip's own converter must read the names."""
    vision = dict(timm_model_name="vit_base_mci_224", timm_model_pretrained=False, timm_pool="token", timm_proj=None)
    text = dict(context_length=8, vocab_size=32, width=16, heads=2, layers=1)
    model = open_clip.model.CustomTextCLIP(2, {**vision, "image_size": 224}, text)
    model.visual.trunk = small_mobileclip_b()
    # Apple's norms, which timm's own reading of these files does not take over.
    for norm in model.visual.trunk.modules():
        if isinstance(norm, nn.LayerNorm):
            norm.eps = 1e-5
    enliven(model, 16)
    trunk = model.visual.trunk
    tower = {name: tensor for name, tensor in trunk.state_dict().items() if not name.startswith("head.")}
    renamed = {apple_b_name(name): tensor for name, tensor in tower.items()}
    positions = "image_encoder.model.pos_embed.pos_embed.pos_embed"
    renamed[positions] = renamed[positions][None]
    renamed |= {"image_encoder.model.classifier.proj": trunk.head.weight.T.contiguous(),
                "logit_scale": model.logit_scale}  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(renamed, folder / "mobileclip_b.pt")
    config = {"embed_dim": 2, "image_cfg": {"image_size": 64, "model_name": "vit_b16"}, "text_cfg": {"dim": 16}}
    (folder / "mobileclip_b.json").write_text(json.dumps(config, indent=2) + "\n")
    read = open_clip.convert.convert_state_dict(model, torch.load(folder / "mobileclip_b.pt"))
    assert all(torch.equal(read["visual.trunk." + name], tensor) for name, tensor in tower.items())
    preprocess = dict(mean=[0, 0, 0], std=[1, 1, 1], interpolation="bilinear")
    pixels = transformed(folder.parent, {**preprocess, "input_size": (3, 64, 64), "crop_pct": 1,
                                         "crop_mode": "center"})  # fmt: skip
    return mobileclip_b_stages(pixels, trunk)


def write_mobileclip(folder: Path, config: dict, name: str) -> tuple[nn.Module, torch.Tensor]:
    """A small MobileCLIP of open_clip, and the pixels that it sees; only its configuration is written."""
    text = dict(context_length=8, vocab_size=32, width=16, heads=2, layers=1, no_causal_mask=True)
    vision = dict(timm_model_name="fastvit_mci0", timm_model_pretrained=False, timm_pool="avg", timm_proj=None)
    model = open_clip.model.CustomTextCLIP(24, {**vision, "image_size": 256}, text)
    model.visual.trunk = small_fastvit()
    folder.mkdir(parents=True, exist_ok=True)
    preprocess = dict(mean=[0, 0, 0], std=[1, 1, 1], interpolation="bilinear", resize_mode="shortest")
    config = config or {
        "model_cfg": {"embed_dim": 24, "vision_cfg": {**vision, "image_size": 72}, "text_cfg": text},
        "preprocess_cfg": preprocess,
    }
    (folder / name).write_text(json.dumps(config, indent=2) + "\n")
    pixels = transformed(folder.parent, {**preprocess, "input_size": (3, 72, 72), "crop_pct": 1,
                                         "crop_mode": "center"})  # fmt: skip
    return enliven(model, 11), pixels


def mobileclip_open(folder: Path) -> Stages:
    """MobileCLIP in open_clip's layout, whose tower is timm's."""
    model, pixels = write_mobileclip(folder, {}, "open_clip_config.json")
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return fastvit_stages(pixels, model.visual.trunk)


def apple_name(name: str) -> str:
    """What Apple calls a tensor of open_clip's MobileCLIP-S0; networks count downsamplings and positions, too."""
    network = {"stages.0.": 0, "stages.1.": 2, "stages.2.": 4, "stages.3.": 7}
    for stage, index in network.items():
        name = name.replace(stage + "downsample.", f"network.{index - (2 if index == 7 else 1)}.")
        name = name.replace(stage + "pos_emb.pos_enc", f"network.{index - 1}.pe")
        name = name.replace(stage + "blocks.", f"network.{index}.")
    for theirs, ours in {
        "patch_embed": "stem",
        "rbr_conv": "conv_kxk",
        "rbr_scale": "conv_scale",
        "rbr_skip": "identity",
        "lkb_origin": "large_conv",
        "convffn": "mlp",
        "conv_exp.se.reduce": "final_conv.se.fc1",
        "conv_exp.se.expand": "final_conv.se.fc2",
        "conv_exp": "final_conv",
        "": ".gamma",
    }.items():
        name = name.replace(ours, theirs)
    return name.replace("visual.trunk.", "image_encoder.model.")


def mobileclip_apple(folder: Path) -> Stages:
    """MobileCLIP as Apple publishes it, configuration beside it. open_clip's own converter must read the names."""
    config = {"embed_dim": 24, "image_cfg": {"image_size": 72, "model_name": "mci0"}, "text_cfg": {"dim": 16}}
    model, pixels = write_mobileclip(folder, config, "mobileclip_s0.json")
    tower = {name: tensor for name, tensor in model.state_dict().items() if name.startswith("visual.trunk.")}
    renamed = {apple_name(name): tensor for name, tensor in tower.items() if ".head." not in name}
    projection = model.visual.trunk.head.fc.weight.T.contiguous()
    renamed |= {"image_encoder.model.head.proj": projection, "logit_scale": model.logit_scale}
    torch.save(renamed, folder / "mobileclip_s0.pt")
    read = open_clip.convert.convert_state_dict(model, torch.load(folder / "mobileclip_s0.pt"))
    assert all(torch.equal(read[name], tensor) for name, tensor in tower.items() if "head.fc.bias" not in name)
    return fastvit_stages(pixels, model.visual.trunk)


def mobileclip_apple_folded(folder: Path) -> Stages:
    """The same, folded before it was saved, with the names that Apple's modules have then
    (mobileclip/modules/image/replknet.py: lkb_reparam)."""
    config = {"embed_dim": 24, "image_cfg": {"image_size": 72, "model_name": "mci0"}, "text_cfg": {"dim": 16}}
    model, pixels = write_mobileclip(folder, config, "mobileclip_s0.json")
    trunk = timm.utils.reparameterize_model(model.visual.trunk)
    renamed = {"logit_scale": model.logit_scale}
    for name, tensor in trunk.state_dict().items():
        name = apple_name("visual.trunk." + name.replace("pos_emb.reparam_conv", "pos_emb.pos_enc"))
        for theirs, ours in {"proj.0.lkb_reparam": "proj.0.reparam_conv", ".reparam_conv.": ".pe."}.items():
            name = name.replace(ours, theirs)
        if ".head." not in name:
            renamed[name] = tensor
    torch.save(renamed, folder / "mobileclip_s0.pt")
    return fastvit_stages(pixels, trunk)


@torch.no_grad()
def write_small(out: Path) -> None:
    write_picture(out)
    models = {
        "clip-hf": lambda folder: clip_transformers(folder, full=False),
        "clip-open": clip_open,
        "siglip-hf": lambda folder: siglip(folder, full=False),
        "siglip2-open": siglip2_open,
        "siglip2-naflex-hf": naflex,
        "dinov2-hf": lambda folder: dinov2(folder, 0),
        "dinov2-registers-hf": lambda folder: dinov2(folder, 4),
        "dinov2-timm": lambda folder: timm_transformer(
            folder, tower("vit_large_patch14_reg4_dinov2", 35, embed_dim=24), 35
        ),
        "siglip-timm": lambda folder: timm_transformer(
            folder, tower("vit_so400m_patch14_siglip_384", 31, embed_dim=20, num_heads=2), 31
        ),
        "mobilenet-v1-hf": lambda folder: mobilenet_transformers(folder, 1),
        "mobilenet-v2-hf": lambda folder: mobilenet_transformers(folder, 2),
        "mobilenet-v1-timm": lambda folder: mobilenet_timm(folder, 1),
        "mobilenet-v2-timm": lambda folder: mobilenet_timm(folder, 2),
        "mobileclip-timm": lambda folder: mobileclip_timm(folder, full=False),
        "mobileclip-folded-timm": mobileclip_folded,
        "mobileclip-open": mobileclip_open,
        "mobileclip-apple": mobileclip_apple,
        "mobileclip-folded-apple": mobileclip_apple_folded,
        "mobileclip-large-timm": lambda folder: mobileclip_large(folder, full=False),
        "mobileclip-b-timm": lambda folder: mobileclip_b_timm(folder, full=False),
        "mobileclip-b-apple": mobileclip_b_apple,
    }
    for name, write in models.items():
        write(out / name).save(out / name)
    write_systems(out)


@torch.no_grad()
def write_full(out: Path, name: str) -> None:
    """Models of published sizes."""
    out.mkdir(parents=True, exist_ok=True)
    write_picture(out)
    if name == "mobilevlm":
        clip_transformers(out / "clip-hf", full=True).save(out / "clip-hf")
        write_full_mobilevlm(out)
    elif name == "vl-mamba":
        siglip(out / "siglip-hf", full=True).save(out / "siglip-hf")
        write_full_vl_mamba(out)
    elif name == "mobileclip":
        sizes = {"timm": mobileclip_timm, "large-timm": mobileclip_large, "b-timm": mobileclip_b_timm}
        for size, write in sizes.items():
            write(out / f"mobileclip-{size}", full=True).save(out / f"mobileclip-{size}")
    else:
        write_full_cobra(out, tower, timm_transformer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    parser.add_argument("--full", choices=["mobilevlm", "vl-mamba", "mobileclip", "cobra"], help="one of full size")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.full:
        write_full(arguments.out, arguments.full)
    else:
        write_small(arguments.out)


if __name__ == "__main__":
    main()
