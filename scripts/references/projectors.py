# SPDX-License-Identifier: Apache-2.0
"""Projectors from vision features to image tokens: LDPv2 (MobileVLM V2) and MLP, with the options
that a model file may ask for."""

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


class Projector(nn.Module):
    """MLP, then for LDPv2 an adaptive average pool and a depthwise convolution added to its input."""

    def __init__(
        self, kind: str, inputs: int, hidden: int, outputs: int, grid: int,
        pooled: tuple[int, int] | None = None, options: Options = Options(),
    ) -> None:  # fmt: skip
        super().__init__()
        self.kind, self.grid, self.options, self.outputs = kind, grid, options, outputs
        self.states_grid = pooled is not None
        self.pooled = pooled or ((grid + 1) // 2, (grid + 1) // 2)
        self.first = nn.Linear(inputs * (2 if options.temporal_difference else 1), hidden)
        self.second = nn.Linear(hidden, outputs)
        tokens = grid * grid
        if kind == "ldpv2":
            self.peg = nn.Conv2d(outputs, outputs, 3, padding=1, groups=outputs)
            tokens = self.pooled[0] * self.pooled[1]
        if options.positions:
            self.positions = nn.Parameter(torch.zeros(tokens, outputs))
        if options.frame_token:
            self.frame_token = nn.Linear(inputs + (3 if options.frame_color else 0), outputs)

    def forward(self, features: torch.Tensor, previous: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
        """The tokens (tokens, outputs) of a frame; for the first frame, `previous` is `features`."""
        x = features
        if self.options.temporal_difference:
            x = torch.cat([x, features - previous], dim=1)
        x = self.second(functional.gelu(self.first(x)))
        if self.kind == "ldpv2":
            cells = x.T.reshape(1, self.outputs, self.grid, self.grid)
            cells = functional.adaptive_avg_pool2d(cells, self.pooled)
            x = (self.peg(cells) + cells)[0].flatten(1).T
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
            fixture.writer.add_bool(f"ocellus.projector.{option}", getattr(self.options, option))
        prefix = "mm.model.mlp" if self.kind == "ldpv2" else "mm"
        fixture.store_layer(prefix + ".0", self.first)
        fixture.store_layer(prefix + ".2", self.second)
        if self.kind == "ldpv2":
            if self.states_grid:
                fixture.add_counts("ocellus.projector.grid", list(self.pooled))
            weight = fixture.store("mm.model.peg.0.weight", self.peg.weight.squeeze(1))
            with torch.no_grad():
                self.peg.weight.copy_(weight.unsqueeze(1))
            fixture.store_parameter("mm.model.peg.0.bias", self.peg.bias)
        if self.options.positions:
            fixture.store_parameter("mm.model.position_embd.weight", self.positions)
        if self.options.frame_token:
            fixture.store_layer("mm.model.frame_token", self.frame_token)
