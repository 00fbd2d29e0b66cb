# SPDX-License-Identifier: Apache-2.0
"""Projectors from vision features to image tokens: MLP (LLaVA, Cobra) and LDPv2 (MobileVLM V2, Cobra), and
the options that a model file may ask for around any projector."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from fixture import Fixture


@dataclass(frozen=True)
class Options:
    """What a projector does beside the projection of each frame on its own."""

    temporal_difference: bool = False
    frame_token: bool = False
    frame_color: bool = False
    positions: bool = False


class MLP(nn.Module):
    """Linear layers with exact GELU between them."""

    kind = "mlp"

    def __init__(self, inputs: int, grid: int, *widths: int) -> None:
        super().__init__()
        self.tokens, self.outputs = grid * grid, widths[-1]
        self.first = nn.Linear(inputs, widths[0])
        self.second = nn.Linear(widths[0], widths[1])
        self.third = nn.Linear(widths[1], widths[2]) if len(widths) == 3 else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.second(functional.gelu(self.first(x)))
        return self.third(functional.gelu(x)) if self.third else x

    def store(self, fixture: Fixture) -> None:
        layers = [self.first, self.second, self.third]
        for index, layer in enumerate(layer for layer in layers if layer):
            fixture.store_layer(f"mm.{2 * index}", layer)


class LDPv2(nn.Module):
    """MLP, then an adaptive average pool and a depthwise convolution added to its input."""

    kind = "ldpv2"

    def __init__(
        self, inputs: int, grid: int, hidden: int, outputs: int, pooled: tuple[int, int] | None = None
    ) -> None:
        super().__init__()
        self.outputs, self.grid, self.states_grid = outputs, grid, pooled is not None
        self.pooled = pooled or ((grid + 1) // 2, (grid + 1) // 2)
        self.tokens = self.pooled[0] * self.pooled[1]
        self.first = nn.Linear(inputs, hidden)
        self.second = nn.Linear(hidden, outputs)
        self.peg = nn.Conv2d(outputs, outputs, 3, padding=1, groups=outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.second(functional.gelu(self.first(x)))
        cells = x.T.reshape(1, self.outputs, self.grid, self.grid)
        cells = functional.adaptive_avg_pool2d(cells, self.pooled)
        return (self.peg(cells) + cells)[0].flatten(1).T

    def store(self, fixture: Fixture) -> None:
        fixture.store_layer("mm.model.mlp.0", self.first)
        fixture.store_layer("mm.model.mlp.2", self.second)
        if self.states_grid:
            fixture.add_counts("ocellus.projector.grid", list(self.pooled))
        fixture.store_filter("mm.model.peg.0", self.peg)


class Projector(nn.Module):
    """A network of this file or of connectors.py with options; `make` gets the count of inputs and the grid."""

    def __init__(self, make, inputs: int, grid: int, options: Options) -> None:
        super().__init__()
        self.options = options
        self.network = make(inputs * (2 if options.temporal_difference else 1), grid)
        self.kind, self.outputs = self.network.kind, self.network.outputs
        if options.positions:
            self.positions = nn.Parameter(torch.zeros(self.network.tokens, self.outputs))
        if options.frame_token:
            self.frame_token = nn.Linear(inputs + (3 if options.frame_color else 0), self.outputs)

    def forward(self, features: torch.Tensor, previous: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
        """The tokens (tokens, outputs) of a frame; for the first frame, `previous` is `features`."""
        x = features
        if self.options.temporal_difference:
            x = torch.cat([x, features - previous], dim=1)
        x = self.network(x)
        if self.options.positions:
            x = x + self.positions
        if self.options.frame_token:
            summary = features.mean(0)
            if self.options.frame_color:
                summary = torch.cat([summary, pixels.mean((1, 2))])
            x = torch.cat([self.frame_token(summary)[None], x])
        return x

    def store(self, fixture: Fixture) -> None:
        for option in ("temporal_difference", "frame_token", "frame_color", "positions"):
            if fixture.has_own_keys:
                fixture.writer.add_bool(f"ocellus.projector.{option}", getattr(self.options, option))
        self.network.store(fixture)
        if self.options.positions:
            fixture.store_parameter("mm.model.position_embd.weight", self.positions)
        if self.options.frame_token:
            fixture.store_layer("mm.model.frame_token", self.frame_token)
