# SPDX-License-Identifier: Apache-2.0
"""Projectors that are networks of their own: LDP of MobileVLM V1, the C-Abstractor of Honeybee, and the
VSS connector of VL-Mamba."""

from functools import partial

import torch
from torch import nn
from torch.nn import functional

import timm_cpu  # noqa: F401, first
from timm.layers import LayerNorm2d, LayerNormAct2d
from timm.models.regnet import RegStage

from fixture import Fixture


class SqueezeExcitation(nn.Module):
    """MobileNetV3's: ReLU inside, hard sigmoid at the end, a quarter of the channels in multiples of 8."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = max(8, (channels // 4 + 4) // 8 * 8)
        if squeezed < 0.9 * (channels // 4):
            squeezed += 8
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scale = functional.relu(self.fc1(x.mean((2, 3), keepdim=True)))
        return x * functional.hardsigmoid(self.fc2(scale))


class InvertedResidual(nn.Module):
    """MobileNetV3's block without expansion, with layer norms over the channels."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        depthwise = nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False)
        pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.block = nn.Sequential(
            nn.Sequential(depthwise, LayerNormAct2d(channels, act_layer=None), nn.Hardswish()),
            SqueezeExcitation(channels),
            nn.Sequential(pointwise, LayerNormAct2d(channels, act_layer=None)),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.block(x) + (x if self.stride == 1 else 0)

    def store(self, fixture: Fixture, name: str) -> None:
        fixture.store_filter(name + ".block.0.0", self.block[0][0])
        fixture.store_layer(name + ".block.0.1", self.block[0][1])
        fixture.store_layer(name + ".block.1.fc1", self.block[1].fc1)
        fixture.store_layer(name + ".block.1.fc2", self.block[1].fc2)
        fixture.store_layer(name + ".block.2.0", self.block[2][0])
        fixture.store_layer(name + ".block.2.1", self.block[2][1])


class LDP(nn.Module):
    """Chu et al. 2023 (MobileVLM), section 3.4."""

    kind = "ldp"

    def __init__(self, inputs: int, grid: int, outputs: int) -> None:
        super().__init__()
        self.outputs, self.grid, self.tokens = outputs, grid, ((grid + 1) // 2) ** 2
        self.mlp = nn.Sequential(nn.Identity(), nn.Linear(inputs, outputs), nn.GELU(), nn.Linear(outputs, outputs))
        self.mb_block = nn.Sequential(InvertedResidual(outputs, 1), InvertedResidual(outputs, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        cells = self.mlp(x).T.reshape(1, self.outputs, self.grid, self.grid)
        return self.mb_block(cells)[0].flatten(1).T

    def store(self, fixture: Fixture) -> None:
        for index in (1, 3):
            fixture.store_layer(f"mm.model.mlp.{index}", self.mlp[index])
        for index, block in enumerate(self.mb_block):
            block.store(fixture, f"mm.model.mb_block.{index + 1}")


class CAbstractor(nn.Module):
    """Cha et al. 2024 (Honeybee), section 3.2, with timm's RegStage as their code has it."""

    kind = "cabstractor"

    def __init__(self, inputs: int, grid: int, width: int, outputs: int, depth: int, pooled: int) -> None:
        super().__init__()
        self.outputs, self.grid, self.pooled, self.tokens = outputs, grid, pooled, pooled**2
        stage = partial(RegStage, depth, stride=1, dilation=1, act_layer=nn.SiLU, norm_layer=LayerNorm2d)
        self.positions = nn.Parameter(torch.zeros(grid * grid, inputs))
        self.stages = nn.ModuleList([stage(inputs, width), stage(width, width)])
        self.readout = nn.Sequential(nn.Linear(width, outputs), nn.SiLU(), nn.Linear(outputs, outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        cells = (x + self.positions).T.reshape(1, -1, self.grid, self.grid)
        cells = functional.adaptive_avg_pool2d(self.stages[0](cells), self.pooled)
        return self.readout(self.stages[1](cells)[0].flatten(1).T)

    def store(self, fixture: Fixture) -> None:
        fixture.add_counts("ocellus.projector.grid", [self.pooled, self.pooled])
        fixture.store_parameter("mm.abstractor.position_embd.weight", self.positions)
        for number, stage in enumerate(self.stages):
            for index, block in enumerate(stage.children()):
                name = f"mm.abstractor.{number}.{index}."
                for part in (1, 2, 3):
                    layer = block.get_submodule(f"conv{part}")
                    store = fixture.store_filter if part == 2 else fixture.store_layer
                    store(f"{name}conv{part}", layer.conv)
                    fixture.store_layer(f"{name}norm{part}", layer.bn)
                fixture.store_layer(name + "se.fc1", block.se.fc1)
                fixture.store_layer(name + "se.fc2", block.se.fc2)
                if not isinstance(block.downsample, nn.Identity):
                    fixture.store_layer(name + "shortcut", block.downsample.conv)
                    fixture.store_layer(name + "shortcut_norm", block.downsample.bn)
        for index in (0, 2):
            fixture.store_layer(f"mm.abstractor.readout.{index}", self.readout[index])


class VSS(nn.Module):
    """Qiao et al. 2024 (VL-Mamba), section 3.2: VMamba's 2D selective scan between two linear layers. The scan
    is written step by step, as Gu and Dao 2023 define it."""

    kind = "vss"
    ROUTES = {"bidirectional": (0, 2), "cross": (0, 1, 2, 3)}

    def __init__(
        self, inputs: int, grid: int, width: int, outputs: int, inner: int, states: int, rank: int, scan: str
    ) -> None:
        super().__init__()
        self.outputs, self.grid, self.tokens = outputs, grid, grid * grid
        self.inner, self.states, self.rank, self.scan = inner, states, rank, scan
        count = len(self.ROUTES[scan])
        self.linear1 = nn.Linear(inputs, width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.in_proj = nn.Linear(width, 2 * inner, bias=False)
        self.conv = nn.Conv2d(inner, inner, 3, padding=1, groups=inner)
        self.x_proj = nn.ModuleList(nn.Linear(inner, rank + 2 * states, bias=False) for _ in range(count))
        self.dt_proj = nn.ModuleList(nn.Linear(rank, inner) for _ in range(count))
        self.a_log = nn.ParameterList(torch.zeros(inner, states) for _ in range(count))
        self.d = nn.ParameterList(torch.ones(inner) for _ in range(count))
        self.out_norm = nn.LayerNorm(inner)
        self.out_proj = nn.Linear(inner, width, bias=False)
        self.linear2 = nn.Linear(width, outputs)

    def order(self, route: int) -> torch.Tensor:
        """The cells in the order of a route: rows, columns, and both from their ends."""
        cells = torch.arange(self.tokens).reshape(self.grid, self.grid)
        cells = (cells.T if route % 2 else cells).flatten()
        return cells.flip(0) if route >= 2 else cells

    def selective_scan(self, u: torch.Tensor, index: int) -> torch.Tensor:
        dt, b, c = self.x_proj[index](u).split([self.rank, self.states, self.states], dim=1)
        delta = functional.softplus(self.dt_proj[index](dt))
        a = -torch.exp(self.a_log[index])
        h, results = torch.zeros_like(a), []
        for t in range(len(u)):
            h = torch.exp(delta[t, :, None] * a) * h + delta[t, :, None] * b[t] * u[t, :, None]
            results.append(h @ c[t] + self.d[index] * u[t])
        return torch.stack(results)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        x = self.linear1(features)
        u, z = self.in_proj(self.norm(x)).chunk(2, dim=1)
        s = functional.silu(self.conv(u.T.reshape(1, self.inner, self.grid, self.grid)))[0].flatten(1).T
        y = torch.zeros_like(s)
        for index, route in enumerate(self.ROUTES[self.scan]):
            order = self.order(route)
            y[order] += self.selective_scan(s[order], index)
        x = x + self.out_proj(self.out_norm(y) * functional.silu(z))
        return self.linear2(x)

    def store(self, fixture: Fixture) -> None:
        fixture.writer.add_string("ocellus.projector.scan", self.scan)
        for part in ("linear1", "norm", "in_proj", "out_norm", "out_proj", "linear2"):
            fixture.store_layer("mm.vss." + part, self.get_submodule(part))
        fixture.store_filter("mm.vss.conv", self.conv)
        for index in range(len(self.d)):
            name = f"mm.vss.route.{index}."
            fixture.store_layer(name + "x_proj", self.x_proj[index])
            fixture.store_layer(name + "dt_proj", self.dt_proj[index])
            fixture.store(name + "a", -torch.exp(self.a_log[index]), exact=True)
            fixture.store(name + "d", self.d[index], exact=True)
