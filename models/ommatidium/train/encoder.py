# SPDX-License-Identifier: Apache-2.0
"""The vision encoder: MobileNetV1 0.5 up to stride 16, a linear layer, learned positions, one ViT block.

(frames, 128, 128, 3) RGB uint8 -> (frames, 64, 192). The backbone starts from Google Coral's quantised ImageNet weights
(Apache-2.0), dequantised; batch norm is already folded in them. TensorFlow's padding: at stride 2 only right and bottom.
"""
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import kinds

DEPTHWISE_STRIDES = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1]    # up to stride 16; the network's last two blocks are cut off
WIDTH, HEADS, HIDDEN, EPSILON = 192, 4, 384, 1e-5
CELLS = kinds.ENCODER_GRID ** 2


def dequantised_layers(path: Path) -> list[tuple[bool, np.ndarray, np.ndarray]]:
    """(is depthwise, weight, bias) of every convolution in the TensorFlow Lite file, in order, as float32."""
    import tflite
    model = tflite.Model.GetRootAsModel(path.read_bytes(), 0)
    graph = model.Subgraphs(0)

    def values(index: int, dtype) -> np.ndarray:
        tensor = graph.Tensors(index)
        quantization = tensor.Quantization()
        raw = model.Buffers(tensor.Buffer()).DataAsNumpy().view(dtype).reshape(tensor.ShapeAsNumpy())
        zero = quantization.ZeroPointAsNumpy() if dtype != np.int32 else 0
        return ((raw.astype(np.float64) - zero) * quantization.ScaleAsNumpy()).astype(np.float32)

    layers = []
    for k in range(graph.OperatorsLength()):
        operator = graph.Operators(k)
        opcode = model.OperatorCodes(operator.OpcodeIndex())
        code = max(opcode.BuiltinCode(), opcode.DeprecatedBuiltinCode())
        if code in (3, 4):      # CONV_2D, DEPTHWISE_CONV_2D
            layers.append((code == 4, values(operator.Inputs(1), np.uint8), values(operator.Inputs(2), np.int32)))
    return layers


class Backbone(nn.Module):
    """27 convolutions with ReLU6 would be the whole of MobileNetV1; this is the first 23: a stem and 11 depthwise-pointwise pairs."""

    def __init__(self, multiplier: float = 0.5):
        super().__init__()
        width = lambda channels: int(channels * multiplier)
        channels, self.layers = width(32), nn.ModuleList([nn.Conv2d(3, width(32), 3, 2)])
        for stride, out in zip(DEPTHWISE_STRIDES, [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512]):
            self.layers.append(nn.Conv2d(channels, channels, 3, stride, groups=channels))
            self.layers.append(nn.Conv2d(channels, width(out), 1))
            channels = width(out)
        self.channels = channels

    def load_tflite(self, path: Path) -> None:
        with torch.no_grad():
            for layer, (depthwise, weight, bias) in zip(self.layers, dequantised_layers(path)):
                order = (3, 0, 1, 2) if depthwise else (0, 3, 1, 2)
                layer.weight.copy_(torch.from_numpy(weight.transpose(order).copy()))
                layer.bias.copy_(torch.from_numpy(bias.reshape(-1)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            if layer.kernel_size[0] == 3:
                x = F.pad(x, (1, 1, 1, 1) if layer.stride[0] == 1 else (0, 1, 0, 1))
            x = F.relu6(layer(x))
        return x


class Block(nn.Module):
    """A pre-norm ViT block."""

    def __init__(self):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(WIDTH, EPSILON), nn.LayerNorm(WIDTH, EPSILON)
        self.attn_q, self.attn_k, self.attn_v, self.attn_out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.ffn_up, self.ffn_down = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        normed = self.ln1(x)
        split = lambda t: t.unflatten(-1, (HEADS, -1)).transpose(1, 2)
        mixed = F.scaled_dot_product_attention(split(self.attn_q(normed)), split(self.attn_k(normed)), split(self.attn_v(normed)))
        x = x + self.attn_out(mixed.transpose(1, 2).flatten(2))
        return x + self.ffn_down(F.gelu(self.ffn_up(self.ln2(x))))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = Backbone().to(memory_format=torch.channels_last)
        self.patch_embd = nn.Linear(self.backbone.channels, WIDTH)
        self.position_embd = nn.Parameter(torch.randn(CELLS, WIDTH) * .02)
        self.block = Block()
        self.post_ln = nn.LayerNorm(WIDTH, EPSILON)

    @staticmethod
    def normalised(pixels: torch.Tensor) -> torch.Tensor:
        """(n, H, W, 3) uint8 -> (n, 3, H, W), -1...1 as the backbone was trained."""
        return ((pixels.permute(0, 3, 1, 2).float() - 128) / 128).contiguous(memory_format=torch.channels_last)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        cells = self.backbone(self.normalised(pixels)).flatten(2).transpose(1, 2)
        return self.post_ln(self.block(self.patch_embd(cells) + self.position_embd))
