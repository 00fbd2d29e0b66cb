# SPDX-License-Identifier: Apache-2.0
"""Golden values for the kernels' tests, computed by PyTorch, NumPy and gguf.

    python3 scripts/references/kernels.py Tests/Fixtures/kernels

Needs torch, numpy and gguf. Each file holds the operands of one kernel and
its result as {"name": {"shape": [...], "values": [...]}}. Operands are f32;
results are computed in f64 and rounded once.
"""

import json
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
import torch.nn.functional as F

torch.manual_seed(20)


def normal(*shape, scale=1.0):
    """Random f32 operands, widened to f64 for the computation."""
    return (torch.randn(*shape) * scale).float().double()


def save(folder, name, **tensors):
    """Writes one fixture; each value with the nine digits that an f32 needs."""
    fixture = {}
    for key, tensor in tensors.items():
        tensor = torch.as_tensor(tensor)
        values = tensor.double().flatten().tolist()
        fixture[key] = {
            "shape": list(tensor.shape),
            "values": [float(f"{value:.9g}") for value in values],
        }
    (folder / f"{name}.json").write_text(json.dumps(fixture) + "\n")


def activations(folder):
    points = [-1e4, -100.0, -40.0, -20.5, 20.5, 40.0, 100.0, 1e4]
    x = torch.cat([torch.linspace(-9, 9, 145), torch.tensor(points)]).double()
    save(
        folder,
        "activations",
        x=x,
        relu=F.relu(x),
        relu6=F.relu6(x),
        silu=F.silu(x),
        geluErf=x * torch.special.erfc(-x / 2**0.5) / 2,
        geluTanh=F.gelu(x, approximate="tanh"),
        quickGelu=x * torch.sigmoid(1.702 * x),
        sigmoid=torch.sigmoid(x),
        hardSwish=F.hardswish(x),
        hardSigmoid=F.hardsigmoid(x),
        softplus=F.softplus(x, threshold=20),
    )


def norms(folder):
    x, z = normal(3, 20, scale=3), normal(3, 20)
    weight, bias = normal(20), normal(20)
    gated = (x * F.silu(z)).reshape(3, 2, 10)
    gated = F.rms_norm(gated, [10], eps=1e-5).reshape(3, 20) * weight
    save(
        folder,
        "norms",
        x=x,
        z=z,
        weight=weight,
        bias=bias,
        rms=F.rms_norm(x, [20], weight, eps=1e-5),
        layer=F.layer_norm(x, [20], weight, bias, eps=1e-6),
        gated=gated,
    )


def products(folder):
    """Blocks of each type with the values that gguf reads, and a product."""
    x, bias = normal(3, 64), normal(4)
    tensors = {"x": x, "bias": bias}
    weights = normal(4, 64).float().numpy()
    kinds = gguf.GGMLQuantizationType
    simple = (kinds.Q8_0, kinds.Q4_0, kinds.Q4_1, kinds.Q5_0, kinds.Q5_1)
    for kind in (kinds.F32, kinds.F16, kinds.BF16, *simple):
        data = gguf.quants.quantize(weights, kind)
        values = torch.from_numpy(gguf.quants.dequantize(data, kind)).double()
        name = kind.name.lower()
        tensors[f"{name}_bytes"] = np.array(data).view(np.uint8)
        tensors[f"{name}_values"] = values
        tensors[f"{name}_product"] = F.linear(x, values, bias)
    save(folder, "products", **tensors)


def k_products(folder):
    """The same for blocks of 256, which gguf reads but does not write: random
    bytes, with scales of such a size that the weights are below four."""
    x, bias = normal(3, 512), normal(4)
    tensors = {"x": x, "bias": bias}
    generator = np.random.default_rng(20)
    kinds = gguf.GGMLQuantizationType
    halves = {kinds.Q4_K: (0, 2), kinds.Q5_K: (0, 2), kinds.Q6_K: (208,)}
    for kind, offsets in halves.items():
        size = gguf.GGML_QUANT_SIZES[kind][1]
        blocks = generator.integers(0, 256, (4, 2, size), dtype=np.uint8)
        for offset in offsets:
            scales = generator.uniform(0.5, 2, (4, 2, 1)) / 2000
            blocks[..., offset : offset + 2] = scales.astype(np.float16).view(np.uint8)
        data = blocks.reshape(4, -1)
        values = torch.from_numpy(gguf.quants.dequantize(data, kind)).double()
        name = kind.name.lower()
        tensors[f"{name}_bytes"] = data
        tensors[f"{name}_values"] = values
        tensors[f"{name}_product"] = F.linear(x, values, bias)
    save(folder, "k_products", **tensors)


def attention(folder):
    heads, tokens, width = 2, 7, 5
    q, k, v = (normal(tokens, heads * width) for _ in range(3))

    def split(x):
        return x.reshape(tokens, heads, width).transpose(0, 1)

    out = F.scaled_dot_product_attention(split(q), split(k), split(v))
    out = out.transpose(0, 1).reshape(tokens, heads * width)
    save(folder, "attention", query=q, key=k, value=v, out=out)


def convolutions(folder):
    """Pictures (1, c, h, w); the tests read them as planes or as pixels."""
    x = normal(1, 3, 9, 8)
    dense, depthwise, bias = normal(4, 3, 3, 3), normal(3, 1, 3, 3), normal(3)
    # TensorFlow's "SAME" at stride 2: 8 columns need one zero, at the right;
    # 9 rows need two, one at each end.
    padded = F.pad(x, (0, 1, 1, 1))
    save(
        folder,
        "convolutions",
        x=x,
        dense=dense,
        depthwise=depthwise,
        bias=bias,
        denseOut=F.conv2d(x, dense, stride=2, padding=1),
        depthwiseOut=F.relu6(F.conv2d(x, depthwise, bias, padding=1, groups=3)),
        sameOut=F.conv2d(padded, depthwise, bias, stride=2, groups=3),
        pooled=F.adaptive_avg_pool2d(x, (4, 3)),
    )


def causal_convolution(folder):
    tokens, channels, taps = 5, 6, 4
    history, x = normal(taps - 1, channels), normal(tokens, channels)
    weight, bias = normal(channels, taps), normal(channels)
    series = torch.cat([history, x])
    out = F.conv1d(series.T[None], weight[:, None], bias, groups=channels)
    save(
        folder,
        "causal_convolution",
        x=x,
        weight=weight,
        bias=bias,
        history=history,
        out=F.silu(out)[0].T,
        historyAfter=series[-(taps - 1) :],
    )


def selective_scan(folder):
    """Mamba's recurrence, in whole-tensor operations per token."""
    tokens, channels, states = 6, 5, 16
    u, delta, z = (normal(tokens, channels) for _ in range(3))
    b, c = normal(tokens, states), normal(tokens, states)
    a = -torch.exp(normal(channels, states)).float().double()
    bias, d, h = normal(channels), normal(channels), normal(channels, states)
    before, outs = h.clone(), []
    for t in range(tokens):
        step = F.softplus(delta[t] + bias, threshold=20)
        h = torch.exp(step[:, None] * a) * h
        h = h + (step * u[t])[:, None] * b[t]
        outs.append((h @ c[t] + d * u[t]) * F.silu(z[t]))
    save(
        folder,
        "selective_scan",
        u=u,
        delta=delta,
        deltaBias=bias,
        a=a,
        b=b,
        c=c,
        d=d,
        z=z,
        state=before,
        out=torch.stack(outs),
        stateAfter=h,
    )


def state_space_scan(folder):
    """Mamba-2's recurrence: h (heads, width, states)."""
    tokens, heads, width, groups, states = 5, 4, 3, 2, 7
    x = normal(tokens, heads, width)
    b, c = normal(tokens, groups, states), normal(tokens, groups, states)
    dt, bias, d = normal(tokens, heads), normal(heads), normal(heads)
    a = -torch.exp(normal(heads)).float().double()
    h = normal(heads, width, states)
    before, outs = h.clone(), []
    for t in range(tokens):
        step = F.softplus(dt[t] + bias, threshold=20)
        bt = b[t].repeat_interleave(heads // groups, 0)
        ct = c[t].repeat_interleave(heads // groups, 0)
        h = torch.exp(step * a)[:, None, None] * h + torch.einsum(
            "h,hp,hn->hpn", step, x[t], bt
        )
        outs.append(torch.einsum("hpn,hn->hp", h, ct) + d[:, None] * x[t])
    save(
        folder,
        "state_space_scan",
        xbc=torch.cat([x.flatten(1), b.flatten(1), c.flatten(1)], 1),
        dt=dt,
        dtBias=bias,
        a=a,
        d=d,
        state=before.flatten(0, 1),
        out=torch.stack(outs).flatten(1),
        stateAfter=h.flatten(0, 1),
    )


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    activations(folder)
    norms(folder)
    products(folder)
    attention(folder)
    convolutions(folder)
    causal_convolution(folder)
    selective_scan(folder)
    state_space_scan(folder)
    k_products(folder)


if __name__ == "__main__":
    main()
