# SPDX-License-Identifier: Apache-2.0
"""Vision models: an encoder and a projector, run on two frames in a row.

Recorded: `pixels` (frames, 3, H, W), normalised; `encoder` (frames, cells, dVision); `projector`
(frames, tokens, dModel).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from connectors import LDP, VSS, CAbstractor
from encoders import Convolution, MobileNet, MobileNetTransformer, Transformer
from fixture import Fixture, Recording, Type, randomize
from projectors import MLP, LDPv2, Options, Projector
from towers import ConvertedCLIP, Dinov2, FusedTowers, TimmTower

EVERY_OPTION = Options(temporal_difference=True, frame_token=True, frame_color=True, positions=True)


def mobilenet(image: int, padding: str, depthwise_kernel: int = 3) -> MobileNet:
    """Stride 4 in three kinds of layers, with each activation."""
    layers = [
        Convolution(8, 3, 2),
        Convolution(8, depthwise_kernel, 1, depthwise=True),
        Convolution(16, 1, 1),
        Convolution(16, 3, 2, depthwise=True, activation="relu"),
        Convolution(24, 1, 1, activation="none"),
    ]
    return MobileNet(image, layers, padding)


def with_blocks(image: int, width: int, heads: int, hidden: int) -> MobileNetTransformer:
    return MobileNetTransformer(mobilenet(image, "tensorflow"), width, 2, heads, hidden)


def cobra(image: int, patch: int) -> FusedTowers:
    """Towers of different widths and depths; pixels beyond the last whole patch are ignored."""
    return FusedTowers(TimmTower(image, patch, 24, 2, 2, dino=True), TimmTower(image, patch, 20, 3, 1, dino=False))


Network = Callable[[int, int], nn.Module]  # from the count of inputs and the grid


def ldpv2(hidden: int, outputs: int, pooled: tuple[int, int] | None = None) -> Network:
    return lambda inputs, grid: LDPv2(inputs, grid, hidden, outputs, pooled)


def mlp(*widths: int) -> Network:
    return lambda inputs, grid: MLP(inputs, grid, *widths)


def vss(scan: str) -> Network:
    """Inner width 24, 5 states, Δ of rank 3."""
    return lambda inputs, grid: VSS(inputs, grid, 20, 28, 24, 5, 3, scan)


@dataclass(frozen=True)
class Vision:
    """A vision fixture: how to make its encoder and its projector."""

    name: str
    encoder: Callable[[], nn.Module]
    projector: Network
    options: Options = Options()
    weight_type: Type = Type.F32


MODELS = [
    Vision("clip-ldpv2", lambda: Transformer("clip", 37, 7, 36, 2, 3, 76), ldpv2(28, 40)),
    Vision("siglip-mlp", lambda: Transformer("siglip", 35, 5, 40, 2, 5, 52), mlp(44, 20)),
    Vision("cnn-tensorflow", lambda: mobilenet(33, "tensorflow"), ldpv2(20, 36, (4, 4)),
           Options(temporal_difference=True)),
    Vision("cnn-pytorch", lambda: mobilenet(27, "pytorch", 5), ldpv2(36, 20, (4, 3)),
           Options(frame_token=True, positions=True)),
    Vision("cnn-vit", lambda: with_blocks(26, 28, 4, 60), ldpv2(40, 36, (4, 3)), EVERY_OPTION),
    Vision("clip-f16", lambda: Transformer("clip", 35, 7, 32, 1, 2, 48), ldpv2(24, 24), weight_type=Type.F16),
    Vision("siglip-q8_0", lambda: Transformer("siglip", 30, 6, 64, 2, 4, 96), ldpv2(64, 64, (3, 3)),
           weight_type=Type.Q8_0),
    Vision("cnn-vit-q8_0", lambda: with_blocks(34, 32, 2, 64), ldpv2(64, 32, (4, 4)), EVERY_OPTION, Type.Q8_0),
    Vision("dinov2-ldp", lambda: Dinov2(25, 35, 5, 20, 2, 2), lambda i, g: LDP(i, g, 36)),
    Vision("dinov2-cabstractor", lambda: Dinov2(20, 30, 5, 24, 3, 3, registers=4, feature_layer=-2),
           lambda i, g: CAbstractor(i, g, 20, 28, 2, 3), Options(frame_token=True)),
    Vision("cobra-mlp", lambda: cobra(26, 5), mlp(36, 28, 20)),
    Vision("cobra-ldpnet", lambda: cobra(27, 5), ldpv2(36, 28, (3, 3))),
    Vision("siglip-vss", lambda: Transformer("siglip", 20, 5, 20, 1, 2, 28), vss("cross")),
    Vision("clip-vss", lambda: Transformer("clip", 20, 5, 24, 1, 2, 28), vss("bidirectional"), Options(positions=True)),
    Vision("clip-newer", lambda: ConvertedCLIP(21, 7, 20, 2, 2, 28), mlp(24, 20), weight_type=Type.F16),
]  # fmt: skip


def store_model(fixture: Fixture, encoder: nn.Module, projector: Projector) -> None:
    """Writes the vision file."""
    writer = fixture.writer
    writer.add_clip_has_vision_encoder(True)
    writer.add_bool("clip.has_llava_projector", True)
    writer.add_clip_projector_type(projector.kind)
    writer.add_vision_image_size(encoder.image)
    writer.add_vision_patch_size(encoder.patch)
    writer.add_vision_embedding_length(getattr(encoder, "own_width", encoder.width))
    writer.add_vision_feed_forward_length(encoder.hidden)
    writer.add_vision_projection_dim(projector.outputs)
    writer.add_vision_block_count(encoder.blocks)
    writer.add_vision_head_count(encoder.heads)
    writer.add_vision_attention_layernorm_eps(encoder.epsilon)
    writer.add_vision_image_mean(getattr(encoder, "mean", [0.5] * 3))
    writer.add_vision_image_std(getattr(encoder, "std", [0.5] * 3))
    if fixture.has_own_keys:
        writer.add_string("ocellus.vision.encoder", encoder.kind)
        writer.add_string("ocellus.vision.activation", encoder.activation)
    encoder.store(fixture)
    projector.store(fixture)
    fixture.close()


@torch.no_grad()
def record_frames(recording: Recording, encoder: nn.Module, projector: Projector, generator: torch.Generator) -> None:
    """Runs two frames, the second a change of the first, and records each stage."""
    size = (encoder.image, encoder.image)
    first = torch.empty(3, *size).uniform_(-1, 1, generator=generator)
    second = (first + torch.empty(3, *size).uniform_(-0.5, 0.5, generator=generator)).clamp(-1, 1)
    frames = [first, second]
    features = [encoder(frame[None]) for frame in frames]
    tokens = [projector(f, previous, frame) for f, previous, frame in zip(features, [features[0], *features], frames)]
    recording.record("pixels", torch.stack(frames))
    recording.record("encoder", torch.stack(features))
    recording.record("projector", torch.stack(tokens))


def write_vision(out: Path) -> None:
    """Writes all vision fixtures."""
    for seed, model in enumerate(MODELS):
        generator = torch.Generator().manual_seed(100 + seed)
        encoder = model.encoder().eval()
        projector = Projector(model.projector, encoder.width, encoder.grid, model.options)
        randomize(encoder, generator)
        randomize(projector, generator)
        if hasattr(encoder, "enliven"):
            encoder.enliven(generator)
        has_own_keys = getattr(encoder, "has_own_keys", True)
        fixture = Fixture(out / model.name, "vision.gguf", "clip", model.weight_type, has_own_keys)
        store_model(fixture, encoder, projector)
        record_frames(fixture, encoder, projector, generator)
