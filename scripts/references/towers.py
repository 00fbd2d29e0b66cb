# SPDX-License-Identifier: Apache-2.0
"""Vision transformers beside those of encoders.py: DINOv2 of `transformers`, the towers of Cobra from timm,
and a CLIP file with llama.cpp's newer names."""

import torch
from torch import nn
from transformers import Dinov2Config, Dinov2Model, Dinov2WithRegistersConfig, Dinov2WithRegistersModel

import timm_cpu  # noqa: F401, first
from timm.models.vision_transformer import VisionTransformer

from encoders import BLOCK_NAMES, Transformer
from fixture import Fixture

IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])

DINOV2_NAMES = {
    "norm1": "ln1",
    "norm2": "ln2",
    "attention.q_proj": "attn_q",
    "attention.k_proj": "attn_k",
    "attention.v_proj": "attn_v",
    "attention.o_proj": "attn_out",
    "mlp.fc1": "ffn_up",
    "mlp.fc2": "ffn_down",
}


class Dinov2(nn.Module):
    """DINOv2, with registers or without, its positions resampled as transformers does for the size of the
    picture. The features are those after the last norm, or those before the last block: the file then has
    the last block all the same, and says which features are meant."""

    kind, activation, epsilon = "vit", "gelu_erf", 1e-6

    def __init__(
        self, image: int, trained: int, patch: int, width: int, blocks: int, heads: int, registers: int = 0,
        feature_layer: int = -1,
    ) -> None:  # fmt: skip
        super().__init__()
        self.image, self.patch, self.width, self.heads, self.hidden = image, patch, width, heads, 2 * width
        self.blocks, self.grid, self.feature_layer = blocks, image // patch, feature_layer
        sizes = dict(
            image_size=trained, patch_size=patch, hidden_size=width, num_hidden_layers=blocks,
            num_attention_heads=heads, mlp_ratio=2, attn_implementation="eager",
        )  # fmt: skip
        if registers:
            self.model = Dinov2WithRegistersModel(Dinov2WithRegistersConfig(**sizes, num_register_tokens=registers))
        else:
            self.model = Dinov2Model(Dinov2Config(**sizes))
        self.first = 1 + registers

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        output = self.model(pixels, output_hidden_states=True)
        states = output.last_hidden_state if self.feature_layer == -1 else output.hidden_states[self.feature_layer]
        return states[0, self.first :]

    def store(self, fixture: Fixture) -> None:
        embeddings = self.model.embeddings
        fixture.writer.add_int32("ocellus.vision.feature_layer", self.feature_layer)
        fixture.store_layer("v.patch_embd", embeddings.patch_embeddings.projection)
        resampled = embeddings.interpolate_pos_encoding(torch.zeros(1, 1 + self.grid**2, self.width), self.image, self.image)
        fixture.store("v.position_embd.weight", resampled[0])
        fixture.store_parameter("v.class_embd", embeddings.cls_token.data.view(-1))
        if self.first > 1:
            fixture.store_parameter("v.register_embd", embeddings.register_tokens.data[0])
        fixture.store_layer("v.post_ln", self.model.layernorm)
        for index, block in enumerate(self.model.encoder.layer):
            for theirs, ours in DINOV2_NAMES.items():
                fixture.store_layer(f"v.blk.{index}.{ours}", block.get_submodule(theirs))
            for part in (1, 2):
                scale = block.get_submodule(f"layer_scale{part}").lambda1
                fixture.store_parameter(f"v.blk.{index}.ls{part}.weight", scale)


class TimmTower(nn.Module):
    """One of Cobra's towers: features before the last block, without prefix tokens and without the last norm.
    Blocks and names as timm has them, query, key and value as one tensor."""

    def __init__(self, image: int, patch: int, width: int, blocks: int, heads: int, dino: bool) -> None:
        super().__init__()
        self.image, self.patch, self.width, self.heads, self.hidden = image, patch, width, heads, 2 * width
        self.blocks, self.grid = blocks, image // patch
        prefix = dict(init_values=1e-5, reg_tokens=4, no_embed_class=True) if dino else dict(class_token=False)
        self.model = VisionTransformer(
            image, patch, embed_dim=width, depth=blocks + 1, num_heads=heads, mlp_ratio=2, num_classes=0,
            global_pool="token" if dino else "avg", **prefix,
        )  # fmt: skip

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        [features] = self.model.get_intermediate_layers(pixels, n={self.blocks - 1})
        return features[0]

    def store(self, fixture: Fixture, names: str) -> None:
        fixture.store_layer(names + "patch_embd", self.model.patch_embed.proj)
        fixture.store_parameter(names + "position_embd.weight", self.model.pos_embed.data[0])
        if self.model.cls_token is not None:
            fixture.store_parameter(names + "class_embd", self.model.cls_token.data.view(-1))
            fixture.store_parameter(names + "register_embd", self.model.reg_token.data[0])
        for index, block in enumerate(self.model.blocks[: self.blocks]):
            name = f"{names}blk.{index}."
            fixture.store_layer(name + "ln1", block.norm1)
            fixture.store_layer(name + "ln2", block.norm2)
            fixture.store_layer(name + "attn_qkv", block.attn.qkv)
            fixture.store_layer(name + "attn_out", block.attn.proj)
            fixture.store_layer(name + "ffn_up", block.mlp.fc1)
            fixture.store_layer(name + "ffn_down", block.mlp.fc2)
            for part in (1, 2):
                scale = block.get_submodule(f"ls{part}")
                if not isinstance(scale, nn.Identity):
                    fixture.store_parameter(f"{name}ls{part}.weight", scale.gamma)


class FusedTowers(nn.Module):
    """DINOv2 and SigLIP as Cobra joins them: on one picture in two normalisations, channels joined."""

    kind, activation, epsilon = "vit", "gelu_erf", 1e-6
    mean, std = IMAGENET

    def __init__(self, dino: TimmTower, siglip: TimmTower) -> None:
        super().__init__()
        self.dino, self.siglip = dino, siglip
        self.image, self.patch, self.grid, self.hidden = dino.image, dino.patch, dino.grid, dino.hidden
        self.heads, self.blocks, self.own_width = dino.heads, dino.blocks, dino.width
        self.width = dino.width + siglip.width

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in IMAGENET)
        other = (pixels * std + mean - 0.5) / 0.5
        return torch.cat([self.dino(pixels), self.siglip(other)], dim=1)

    def store(self, fixture: Fixture) -> None:
        writer, keys = fixture.writer, "ocellus.vision.1."
        writer.add_uint32("ocellus.vision.towers", 2)
        sizes = {
            "image_size": self.image,
            "patch_size": self.siglip.patch,
            "embedding_length": self.siglip.width,
            "feed_forward_length": self.siglip.hidden,
            "block_count": self.siglip.blocks,
            "attention.head_count": self.siglip.heads,
        }
        for key, value in sizes.items():
            writer.add_uint32(keys + key, value)
        writer.add_float32(keys + "attention.layer_norm_epsilon", self.epsilon)
        writer.add_array(keys + "image_mean", [0.5] * 3)
        writer.add_array(keys + "image_std", [0.5] * 3)
        writer.add_string(keys + "encoder", "vit")
        writer.add_string(keys + "activation", "gelu_erf")
        self.dino.store(fixture, "v.")
        self.siglip.store(fixture, "v1.")


class ConvertedCLIP(Transformer):
    """CLIP in a file with llama.cpp's newer names, without keys of ours: whole, with query, key and value joined.
    The features are those before the last block. (The older names: llama_files.py.)"""

    has_own_keys = False

    def __init__(self, *sizes: int) -> None:
        super().__init__("clip", *sizes, hidden_act="gelu")
        self.blocks += 1

    def store(self, fixture: Fixture) -> None:
        fixture.writer.add_bool("clip.use_gelu", True)
        self.store_embeddings(fixture)
        fixture.store_layer("v.post_ln", self.model.post_layernorm)
        for index, block in enumerate(self.model.encoder.layers):
            name = f"v.blk.{index}."
            for theirs, ours in BLOCK_NAMES.items():
                if not theirs.endswith(("q_proj", "k_proj", "v_proj")):
                    fixture.store_layer(name + ours, block.get_submodule(theirs))
            parts = [block.get_submodule(f"self_attn.{part}_proj") for part in "qkv"]
            for kind in ("weight", "bias"):
                joined = torch.cat([getattr(part, kind) for part in parts])
                stored = fixture.store(f"{name}attn_qkv.{kind}", joined)
                for part, values in zip(parts, stored.chunk(3)):
                    getattr(part, kind).data.copy_(values)
