# SPDX-License-Identifier: Apache-2.0
"""Mamba-1 and Mamba-2 as their authors store them, written from the papers and the specification.

The names of modules and parameters are those of state-spaces/mamba, so that `state_dict()` is a
checkpoint in the original layout. Everything is computed token by token, in f32.

Gu and Dao 2023 (Mamba), section 3 and algorithm 2; Dao and Gu 2024 (Mamba-2), section 7.
"""

from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional

KERNEL = 4
EPSILON = 1e-5


def rms_norm(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPSILON) * weight


class Norm(nn.Module):
    """A weight for `rms_norm`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return rms_norm(x, self.weight)


@dataclass
class State:
    """What a layer keeps: the last inputs of the convolution (dConv - 1, channels), and h."""

    history: torch.Tensor
    hidden: torch.Tensor


@dataclass
class Run:
    """The states of all layers."""

    layers: list[State] = field(default_factory=list)


def convolve(x: torch.Tensor, convolution: nn.Conv1d) -> tuple[torch.Tensor, torch.Tensor]:
    """The causal convolution with SiLU of x (tokens, channels), and its last inputs."""
    padded = functional.pad(x, (0, 0, KERNEL - 1, 0))
    y = functional.conv1d(padded.T[None], convolution.weight, convolution.bias, groups=x.shape[1])
    return functional.silu(y[0].T), padded[-(KERNEL - 1) :]


class Mixer1(nn.Module):
    """h = exp(dt A) h + dt B x; y = C h + D x, with a diagonal A for each channel."""

    def __init__(self, d: int, n: int, rank: int) -> None:
        super().__init__()
        e = 2 * d
        self.n, self.rank = n, rank
        self.in_proj = nn.Linear(d, 2 * e, bias=False)
        self.conv1d = nn.Conv1d(e, e, KERNEL, groups=e, padding=KERNEL - 1)
        self.x_proj = nn.Linear(e, rank + 2 * n, bias=False)
        self.dt_proj = nn.Linear(rank, e)
        self.A_log = nn.Parameter(torch.log(torch.arange(1, n + 1).float()).repeat(e, 1))
        self.D = nn.Parameter(torch.ones(e))
        self.out_proj = nn.Linear(e, d, bias=False)

    def forward(self, u: torch.Tensor) -> tuple[torch.Tensor, State]:
        x, z = self.in_proj(u).chunk(2, dim=-1)
        x, history = convolve(x, self.conv1d)
        dt, b, c = self.x_proj(x).split([self.rank, self.n, self.n], dim=-1)
        dt = functional.softplus(self.dt_proj(dt))
        a = -torch.exp(self.A_log)
        h, rows = torch.zeros_like(a), []
        for t in range(len(u)):
            h = torch.exp(dt[t, :, None] * a) * h + dt[t, :, None] * b[t] * x[t, :, None]
            rows.append(h @ c[t] + self.D * x[t])
        return self.out_proj(torch.stack(rows) * functional.silu(z)), State(history, h)


class Mixer2(nn.Module):
    """The same recurrence with one decay for each head; B and C are shared by the heads of a group."""

    def __init__(self, d: int, n: int, head_width: int, groups: int) -> None:
        super().__init__()
        e = 2 * d
        self.n, self.p, self.groups, self.heads = n, head_width, groups, e // head_width
        channels = e + 2 * groups * n
        self.in_proj = nn.Linear(d, e + channels + self.heads, bias=False)
        self.conv1d = nn.Conv1d(channels, channels, KERNEL, groups=channels, padding=KERNEL - 1)
        self.dt_bias = nn.Parameter(torch.zeros(self.heads))
        self.A_log = nn.Parameter(torch.log(torch.arange(1, self.heads + 1).float()))
        self.D = nn.Parameter(torch.ones(self.heads))
        self.norm = Norm(e)
        self.out_proj = nn.Linear(e, d, bias=False)

    def forward(self, u: torch.Tensor) -> tuple[torch.Tensor, State]:
        e, gn = self.heads * self.p, self.groups * self.n
        z, xbc, dt = self.in_proj(u).split([e, e + 2 * gn, self.heads], dim=-1)
        xbc, history = convolve(xbc, self.conv1d)
        x, b, c = xbc.split([e, gn, gn], dim=-1)
        share = self.heads // self.groups
        x = x.view(-1, self.heads, self.p)
        b = b.view(-1, self.groups, self.n).repeat_interleave(share, dim=1)
        c = c.view(-1, self.groups, self.n).repeat_interleave(share, dim=1)
        dt = functional.softplus(dt + self.dt_bias)
        decay = torch.exp(dt * -torch.exp(self.A_log))
        h, rows = torch.zeros(self.heads, self.p, self.n), []
        for t in range(len(u)):
            step = torch.einsum("h,hp,hn->hpn", dt[t], x[t], b[t])
            h = decay[t, :, None, None] * h + step
            rows.append(torch.einsum("hpn,hn->hp", h, c[t]) + self.D[:, None] * x[t])
        y = torch.stack(rows).view(-1, e) * functional.silu(z)
        grouped = y.view(-1, self.groups, e // self.groups)
        y = rms_norm(grouped, self.norm.weight.view(self.groups, -1)).view(-1, e)
        return self.out_proj(y), State(history, h.view(e, self.n))


class Layer(nn.Module):
    """hidden += mixer(norm(hidden))."""

    def __init__(self, d: int, mixer: nn.Module) -> None:
        super().__init__()
        self.norm = Norm(d)
        self.mixer = mixer


class Backbone(nn.Module):
    """Embedding, layers, norm."""

    def __init__(self, d: int, rows: int, mixers: list[nn.Module]) -> None:
        super().__init__()
        self.embedding = nn.Embedding(rows, d)
        self.layers = nn.ModuleList([Layer(d, mixer) for mixer in mixers])
        self.norm_f = Norm(d)


class LanguageModel(nn.Module):
    """A model whose head shares the embedding's weights."""

    def __init__(self, d: int, rows: int, mixers: list[nn.Module]) -> None:
        super().__init__()
        self.backbone = Backbone(d, rows, mixers)
        self.lm_head = nn.Linear(d, rows, bias=False)
        self.lm_head.weight = self.backbone.embedding.weight

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, Run]:
        """The logits (tokens, rows), and the states at the end."""
        return self.read(self.backbone.embedding(tokens))

    def read(self, hidden: torch.Tensor) -> tuple[torch.Tensor, Run]:
        """As `forward`, of embedded tokens."""
        run = Run()
        for layer in self.backbone.layers:
            mixed, state = layer.mixer(layer.norm(hidden))
            hidden = hidden + mixed
            run.layers.append(state)
        return self.lm_head(self.backbone.norm_f(hidden)), run
