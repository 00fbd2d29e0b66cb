# SPDX-License-Identifier: Apache-2.0
"""Mamba-2 in PyTorch for training: chunked SSD, and states that many questions can share.

Names follow the paper: u input, z gate, x values, B write keys, C read keys, dt step size, h hidden state (heads, P, N).
The formulas equal `transformers`' Mamba2 with one group; `check_equivalence.py` compares them with a plain recurrence.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

KERNEL = 4
EPSILON = 1e-5


class RMSNorm(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.rms_norm(x.float(), (x.shape[-1],), self.weight, EPSILON).to(x.dtype)


class Mamba2(nn.Module):
    """One residual block: x + out_proj(norm(y * silu(z)))."""

    def __init__(self, width: int, state: int = 64, head: int = 64, chunk: int = 51):
        super().__init__()
        self.inner, self.state, self.head, self.chunk = 2 * width, state, head, chunk
        self.heads = heads = self.inner // head
        self.convolved = self.inner + 2 * state      # channels of xBC
        self.norm, self.gate_norm = RMSNorm(width), RMSNorm(self.inner)
        self.in_proj = nn.Linear(width, self.inner + self.convolved + heads, bias=False)
        self.out_proj = nn.Linear(self.inner, width, bias=False)
        self.conv_bias, self.D = nn.Parameter(torch.zeros(self.convolved)), nn.Parameter(torch.ones(heads))
        # Content addressing from the first step: the convolution passes the current token on, C reads with the keys that
        # B writes, steps are large and decays slow (2 to 1000 tokens).
        taps = torch.randn(self.convolved, KERNEL) * .15
        taps[:, -1] += 1
        dt = torch.exp(torch.rand(heads) * math.log(10) + math.log(.1))
        with torch.no_grad():
            rows = self.inner * 2
            self.in_proj.weight[rows + state:rows + 2 * state] = self.in_proj.weight[rows:rows + state]
            taps[self.inner + state:] = taps[self.inner:self.inner + state]
        self.conv_weight = nn.Parameter(taps)
        self.A_log = nn.Parameter(torch.log(torch.logspace(-3, -.5, heads) / dt))
        self.dt_bias = nn.Parameter(dt + torch.log(-torch.expm1(-dt)))

    def forward(self, u: torch.Tensor, past=None, forks: int = 1, keep: bool = True):
        """u (clips * forks, tokens, width); past = (convolution (clips, 3, channels), h (clips, heads, P, N)) shared by the forks.

        Returns the block's output and, with `keep`, the state after the last token.
        """
        rows, tokens, _ = u.shape
        z, xbc, dt = self.in_proj(self.norm(u)).split([self.inner, self.convolved, self.heads], -1)
        before = xbc.new_zeros(rows, KERNEL - 1, self.convolved) if past is None else past[0].to(xbc.dtype).repeat_interleave(forks, 0)
        padded, taps = torch.cat([before, xbc], 1), self.conv_weight.to(u.dtype)
        convolution = padded[:, 1 - KERNEL:] if keep else None
        xbc = F.silu(self.conv_bias.to(u.dtype) + sum(padded[:, k:k + tokens] * taps[:, k] for k in range(KERNEL)))
        x, B, C = xbc.split([self.inner, self.state, self.state], -1)
        x = x.unflatten(-1, (self.heads, self.head))
        dt = F.softplus(dt.float() + self.dt_bias)
        decay = -torch.exp(self.A_log) * dt
        h, outputs = (None if past is None else past[1]), []
        for start in range(0, tokens, self.chunk):
            part = slice(start, start + self.chunk)
            y, h = self.scan(x[:, part], dt[:, part], decay[:, part], B[:, part], C[:, part], h, forks, keep or start + self.chunk < tokens)
            outputs.append(y)
        y = torch.cat(outputs, 2).transpose(1, 2) + x * self.D[:, None].to(x.dtype)
        y = self.gate_norm(y.flatten(2) * F.silu(z))
        return u + self.out_proj(y), (convolution, h) if keep else None

    def scan(self, x, dt, decay, B, C, h, forks: int, keep: bool):
        """One chunk: ((rows, heads, tokens, P) output, (rows, heads, P, N) next state)."""
        rows, tokens = B.shape[:2]
        total = decay.cumsum(1).transpose(1, 2)                                   # rows, heads, tokens
        xdt = (x * dt.unsqueeze(-1).to(x.dtype)).transpose(1, 2)                  # rows, heads, tokens, P
        causal = torch.ones(tokens, tokens, dtype=torch.bool).tril()
        fade = torch.exp((total.unsqueeze(-1) - total.unsqueeze(-2)).masked_fill(~causal, -1e4))
        match = torch.bmm(C, B.transpose(1, 2)).unsqueeze(1)
        y = torch.matmul((match * fade).to(x.dtype), xdt)
        if h is not None:
            keys = h.to(x.dtype).transpose(-1, -2)                                # clips, heads, N, P
            clips = rows // forks
            read = torch.matmul(C.reshape(clips, 1, forks * tokens, self.state), keys)
            read = read.reshape(clips, self.heads, forks, tokens, self.head).transpose(1, 2).reshape(y.shape)
            y = y + read * torch.exp(total).unsqueeze(-1).to(x.dtype)
        if not keep:
            return y, None
        left = torch.exp(total[..., -1:] - total).unsqueeze(-1).to(x.dtype)
        written = torch.matmul((xdt * left).transpose(-1, -2), B.unsqueeze(1)).float()
        return y, written if h is None else h * torch.exp(total[..., -1])[..., None, None] + written
