# SPDX-License-Identifier: Apache-2.0
"""Whole systems as they are published: the vision sides of MobileVLM and VL-Mamba, and Cobra with its decoder.

Their parts are those of transformers, timm and the papers' equations in torch; the folders have the names that the
authors' programs give (spelled out here, since none is a library). VL-Mamba's authors have published none: it has
LLaVA's and VMamba's.
"""

import json
from collections import OrderedDict
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from torch import nn
from transformers import CLIPModel, SiglipModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from timm_cpu import timm  # first of all that needs timm

from PIL import Image
from timm.layers import resample_abs_pos_embed

from checkpoints import enliven as enliven_decoder
from checkpoints import tokens_of, write_tokenizer
from connectors import LDP, VSS
from fixture import randomize
from projectors import MLP, LDPv2
from state_spaces import LanguageModel, Mixer1

PICTURE = "picture.png"
# What VL-Mamba's paper calls the scans of a model file.
SCANS = {"bidirectional": "bsm", "cross": "csm"}


def save(path: Path, values: torch.Tensor) -> None:
    np.save(path, values.detach().contiguous().float().numpy())


def prefixed(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {prefix + name: values for name, values in tensors.items()}


# MobileVLM


def write_mobilevlm(folder: Path, clip: Path, version: int, outputs: int) -> None:
    """The projector of V1 or V2 behind a CLIP of the same folder, with a few tensors of the decoder beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    tower = CLIPModel.from_pretrained(clip, dtype=torch.float32).vision_model
    config = tower.config
    grid, width, side = config.image_size // config.patch_size, config.hidden_size, config.image_size
    projector = LDP(width, grid, outputs) if version == 1 else LDPv2(width, grid, outputs, outputs)
    randomize(projector, torch.Generator().manual_seed(31))
    tensors = ldp_names(projector) if version == 1 else ldpv2_names(projector)
    tensors |= {"model.embed_tokens.weight": torch.zeros(4, 2), "model.norm.weight": torch.ones(2)}
    # A tower that was trained further is in the checkpoint; the authors' program reads that of V2 alone.
    trained = deepcopy(tower)
    for parameter in trained.parameters():
        parameter.data *= 1.125
    tensors |= prefixed("model.vision_tower.vision_tower.vision_model.", trained.state_dict())
    torch.save(tensors, folder / "pytorch_model.bin")
    settings = {
        "model_type": "mobilevlm", "mm_vision_tower": "openai/clip-vit-large-patch14-336", "mm_hidden_size": width,
        "mm_projector_type": "ldpnet" if version == 1 else "ldpnetv2", "mm_vision_select_layer": -2,
        "mm_vision_select_feature": "patch", "image_aspect_ratio": "pad", "hidden_size": outputs,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(settings, indent=2) + "\n")

    pixels = mobilevlm_pixels(clip)
    seeing = tower if version == 1 else trained
    states = seeing(pixels[None], output_hidden_states=True).hidden_states
    features = states[-2][0, 1:]
    for name, values in {"pixels": pixels, "encoder": features, "projector": projector(features)}.items():
        save(folder / f"{name}.npy", values)


def ldp_names(projector: LDP) -> dict[str, torch.Tensor]:
    """Their Sequential begins with an Identity, ours with the first block."""
    own = projector.state_dict().items()
    return {"model.mm_projector.model." + shifted(name): values for name, values in own}


def ldpv2_names(projector: LDPv2) -> dict[str, torch.Tensor]:
    return {
        **prefixed("model.mm_projector.mlp.mlp.0.", projector.first.state_dict()),
        **prefixed("model.mm_projector.mlp.mlp.2.", projector.second.state_dict()),
        **prefixed("model.mm_projector.peg.peg.0.", projector.peg.state_dict()),
    }


def shifted(name: str) -> str:
    """`mb_block.0` of ours is `mb_block.1` of theirs."""
    parts = name.split(".")
    return ".".join([parts[0], str(int(parts[1]) + 1), *parts[2:]]) if parts[0] == "mb_block" else name


def mobilevlm_pixels(clip: Path) -> torch.Tensor:
    processor = CLIPImageProcessorPil.from_pretrained(clip)
    picture = expand2square(Image.open(clip.parent / PICTURE), processor)
    return processor(picture, return_tensors="pt")["pixel_values"][0]


def expand2square(picture: Image.Image, processor: object) -> Image.Image:
    """What LLaVA's and MobileVLM's utils call so: the shorter side is filled up with the mean color."""
    width, height = picture.size
    side = max(width, height)
    square = Image.new("RGB", (side, side), tuple(int(255 * mean) for mean in processor.image_mean))
    square.paste(picture, ((side - width) // 2, (side - height) // 2))
    return square


# VL-Mamba


def write_vl_mamba(folder: Path, tower: Path, projector: nn.Module, kind: dict, aspect: str) -> None:
    """A projector as LLaVA saves it alone, behind the tower of another folder."""
    folder.mkdir(parents=True, exist_ok=True)
    is_clip = tower.name.startswith("clip")
    model = (CLIPModel if is_clip else SiglipModel).from_pretrained(tower, dtype=torch.float32).vision_model
    processor = (CLIPImageProcessorPil if is_clip else SiglipImageProcessorPil).from_pretrained(tower)
    randomize(projector, torch.Generator().manual_seed(34))
    names = vss_names(projector) if projector.kind == "vss" else mlp_names(projector, "")
    torch.save(prefixed("model.mm_projector.", names), folder / "mm_projector.bin")
    settings = {
        "model_type": "vl_mamba", "mm_vision_tower": "openai/clip-vit-large-patch14-336" if is_clip else
        "google/siglip-so400m-patch14-384", "mm_hidden_size": model.config.hidden_size, **kind,
        "mm_vision_select_layer": -2, "mm_vision_select_feature": "patch", "image_aspect_ratio": aspect,
        "hidden_size": projector.outputs,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(settings, indent=2) + "\n")

    picture = Image.open(folder.parent / PICTURE)
    picture = expand2square(picture, processor) if aspect == "pad" else picture
    pixels = processor(picture, return_tensors="pt")["pixel_values"][0]
    features = model(pixels[None], output_hidden_states=True).hidden_states[-2][0, 1 if is_clip else 0 :]
    for name, values in {"pixels": pixels, "encoder": features, "projector": projector(features)}.items():
        save(folder / f"{name}.npy", values)


def vss_names(projector: VSS) -> dict[str, torch.Tensor]:
    """A Sequential of a linear layer, VMamba's VSSBlock, whose routes are stacked, and another linear layer."""
    layers = {"0": "linear1", "1.norm": "norm", "1.op.in_proj": "in_proj", "1.op.conv2d": "conv",
              "1.op.out_norm": "out_norm", "1.op.out_proj": "out_proj", "2": "linear2"}  # fmt: skip
    names = {}
    for theirs, ours in layers.items():
        names |= prefixed(theirs + ".", projector.get_submodule(ours).state_dict())
    return names | {
        "1.op.x_proj_weight": torch.stack([layer.weight for layer in projector.x_proj]),
        "1.op.dt_projs_weight": torch.stack([layer.weight for layer in projector.dt_proj]),
        "1.op.dt_projs_bias": torch.stack([layer.bias for layer in projector.dt_proj]),
        "1.op.A_logs": torch.cat(list(projector.a_log)),
        "1.op.Ds": torch.cat(list(projector.d)),
    }


# Cobra


def cobra_tower(folder: Path, side: int) -> nn.Module:
    """timm's model of a folder for pictures of another size, its positions resampled as timm does."""
    config = json.loads((folder / "config.json").read_text())
    arguments = {**config["model_args"], "img_size": side}
    model = timm.create_model(config["architecture"], **arguments).eval()
    from safetensors.torch import load_file

    tensors = load_file(folder / "model.safetensors")
    new_size = model.patch_embed.grid_size
    tensors["pos_embed"] = resample_abs_pos_embed(tensors["pos_embed"], new_size, num_prefix_tokens=0)
    model.load_state_dict(tensors)
    return model


def cobra_pixels(picture: Path, side: int, mean: list[float], std: list[float]) -> torch.Tensor:
    """resize-naive of cobra/models/backbones/vision/dinosiglip_vit.py."""
    resized = Image.open(picture).resize((side, side), Image.Resampling.BICUBIC)
    values = np.asarray(resized, dtype=np.float32) / 255
    return torch.from_numpy((values - np.float32(mean)) / np.float32(std)).permute(2, 0, 1)


def cobra_features(out: Path, side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The first tower's pixels, and the joined features before each tower's last block."""
    parts, first = [], None
    for name in ("dinov2-timm", "siglip-timm"):
        config = json.loads((out / name / "config.json").read_text())["pretrained_cfg"]
        pixels = cobra_pixels(out / PICTURE, side, config["mean"], config["std"])
        first = pixels if first is None else first
        model = cobra_tower(out / name, side)
        [features] = model.get_intermediate_layers(pixels[None], n={len(model.blocks) - 2})
        parts.append(features[0])
    return first, torch.cat(parts, dim=1)


def write_cobra(folder: Path, projector: nn.Module, names: Callable, side: int, variant: str, decoder: LanguageModel) -> None:
    """A folder with config.json and checkpoints/latest-checkpoint.pt; what it makes of a picture and tokens."""
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    randomize(projector, torch.Generator().manual_seed(32))
    enliven_decoder(decoder)
    model = {
        "projector": OrderedDict(names(projector)),
        "llm_backbone": OrderedDict(prefixed("llm.", decoder.state_dict())),
    }
    torch.save({"model": model}, folder / "checkpoints" / "latest-checkpoint.pt")
    settings = {
        "model": {
            "type": "cobra+3b", "model_id": "cobra+3b", "arch_specifier": f"no-align+fused-{variant}",
            "vision_backbone_id": f"dinosiglip-vit-so-{side}px", "llm_backbone_id": "mamba-small-zephyr",
            "image_resize_strategy": "resize-naive", "llm_max_length": 2048,
        }
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(settings, indent=2) + "\n")
    write_tokenizer(folder, len(decoder.backbone.embedding.weight))
    pixels, features = cobra_features(folder.parent, side)
    image = projector(features)
    tokens = tokens_of(6)
    logits, _ = decoder.read(torch.cat([image, decoder.backbone.embedding(tokens)]))
    np.save(folder / "tokens.npy", tokens.numpy())
    stages = {"pixels": pixels, "encoder": features, "projector": image, "logits": logits[len(image) :]}
    for name, values in stages.items():
        save(folder / f"{name}.npy", values)


def mlp_names(projector: MLP, prefix: str = "projector.") -> dict[str, torch.Tensor]:
    layers = [projector.first, projector.second, projector.third]
    parts = (prefixed(f"{prefix}{2 * index}.", layer.state_dict()) for index, layer in enumerate(layers))
    return {name: values for part in parts for name, values in part.items()}


def ldpnet_names(projector: LDPv2) -> dict[str, torch.Tensor]:
    return {
        **prefixed("projector.0.", projector.first.state_dict()),
        **prefixed("projector.2.", projector.second.state_dict()),
        **prefixed("projector.4.peg.0.", projector.peg.state_dict()),
    }


def decoder_of(d: int, rows: int, layers: int, n: int, rank: int) -> LanguageModel:
    torch.manual_seed(33)
    return LanguageModel(d, rows, [Mixer1(d, n, rank) for _ in range(layers)])


def write_systems(out: Path) -> None:
    """Small systems behind the towers of vision_checkpoints.py."""
    write_mobilevlm(out / "mobilevlm", out / "clip-hf", 1, 32)
    write_mobilevlm(out / "mobilevlm-v2", out / "clip-hf", 2, 32)
    for scan, tower, aspect in (("bidirectional", "clip-hf", "square"), ("cross", "siglip-hf", "pad")):
        kind = {"mm_projector_type": "vss_l2", "mm_projector_scan": SCANS[scan]}
        vss = VSS(24, 4, 20, 32, inner=36, states=5, rank=3, scan=scan)
        write_vl_mamba(out / f"vl-mamba-{SCANS[scan]}", out / tower, vss, kind, aspect)
    mlp = MLP(24, 4, 40, 28, 32)
    write_vl_mamba(out / "vl-mamba-mlp", out / "siglip-hf", mlp, {"mm_projector_type": "mlp3x_gelu"}, "square")
    # 31 pixels are 4 x 4 patches of 7 and a rest; 24 + 20 channels of two towers.
    write_cobra(out / "cobra", MLP(44, 4, 48, 40, 32), mlp_names, 31, "gelu-mlp", decoder_of(32, 288, 2, 8, 2))
    write_cobra(
        out / "cobra-ldpnet", LDPv2(44, 4, 48, 32, (2, 2)), ldpnet_names, 31, "ldpnet", decoder_of(32, 288, 2, 8, 2)
    )


def write_full_mobilevlm(out: Path) -> None:
    """LDPv2 of the 3B model behind CLIP L/14-336."""
    write_mobilevlm(out / "mobilevlm-v2", out / "clip-hf", 2, 2560)


def write_full_vl_mamba(out: Path) -> None:
    """The cross scan between layers as wide as Mamba 2.8b, behind SigLIP SO400M/14-384."""
    vss = VSS(1152, 27, 2560, 2560, inner=5120, states=16, rank=160, scan="cross")
    kind = {"mm_projector_type": "vss_l2", "mm_projector_scan": "csm"}
    write_vl_mamba(out / "vl-mamba-csm", out / "siglip-hf", vss, kind, "square")


def write_full_cobra(out: Path, tower: Callable, timm_transformer: Callable) -> None:
    """Cobra's widths, with few layers: 729 patches of 1024 + 1152 channels, a decoder 2560 wide."""
    dino = dict(patch_size=14, embed_dim=1024, depth=4, num_heads=16, mlp_ratio=4)
    siglip = dict(patch_size=14, embed_dim=1152, depth=3, num_heads=16, mlp_ratio=3.7362)
    timm_transformer(out / "dinov2-timm", tower("vit_large_patch14_reg4_dinov2", 518, **dino), 518)
    timm_transformer(out / "siglip-timm", tower("vit_so400m_patch14_siglip_384", 384, **siglip), 384)
    projectors = {
        "gelu-mlp": (MLP(2176, 27, 8704, 2560, 2560), mlp_names),
        "ldpnet": (LDPv2(2176, 27, 8704, 2560), ldpnet_names),
    }
    for variant, (projector, names) in projectors.items():
        decoder = decoder_of(2560, 50280, 2, 16, 160)
        write_cobra(out / f"cobra-{variant}", projector, names, 384, variant, decoder)
