# SPDX-License-Identifier: Apache-2.0
"""Vision encoders: CLIP and SigLIP of `transformers`, a MobileNet of torch, and a MobileNet followed
by transformer blocks of torch.

Each encoder maps pixels (1, 3, H, W) to features (cells, dVision), has its sizes as attributes, and
knows how to store itself with the names of llama.cpp's mmproj files.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional
from transformers import CLIPVisionConfig, CLIPVisionModel, SiglipVisionConfig, SiglipVisionModel

from fixture import Fixture

# transformers' names of the parts of a block, and ours
BLOCK_NAMES = {
    "layer_norm1": "ln1",
    "layer_norm2": "ln2",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.out_proj": "attn_out",
    "mlp.fc1": "ffn_up",
    "mlp.fc2": "ffn_down",
}


class Transformer(nn.Module):
    """CLIP or SigLIP. CLIP's features are those before its last block, as MobileVLM uses them; the
    last block and the last norm are then not in the file. SigLIP's are those after its last norm."""

    kind = "vit"

    def __init__(
        self, family: str, image: int, patch: int, width: int, blocks: int, heads: int, hidden: int, **more
    ) -> None:
        super().__init__()
        self.is_clip = family == "clip"
        self.activation = "quick_gelu" if self.is_clip else "gelu_tanh"
        self.image, self.patch, self.width, self.heads, self.hidden = image, patch, width, heads, hidden
        self.blocks = blocks
        self.grid = image // patch
        self.epsilon = 1e-5 if self.is_clip else 1e-6
        sizes = dict(
            image_size=image,
            patch_size=patch,
            hidden_size=width,
            intermediate_size=hidden,
            num_attention_heads=heads,
            layer_norm_eps=self.epsilon,
            attn_implementation="eager",
            **more,
        )
        if self.is_clip:
            self.model = CLIPVisionModel(CLIPVisionConfig(**sizes, num_hidden_layers=blocks + 1))
        else:
            config = SiglipVisionConfig(**sizes, num_hidden_layers=blocks, vision_use_head=False)
            self.model = SiglipVisionModel(config)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        output = self.model(pixels, output_hidden_states=True)
        if self.is_clip:
            return output.hidden_states[-2][0, 1:]  # without the class token
        return output.last_hidden_state[0]

    def store_embeddings(self, fixture: Fixture) -> None:
        embeddings = self.model.embeddings
        fixture.store_layer("v.patch_embd", embeddings.patch_embedding)
        fixture.store_parameter("v.position_embd.weight", embeddings.position_embedding.weight)
        if self.is_clip:
            fixture.store_parameter("v.class_embd", embeddings.class_embedding)
            fixture.store_layer("v.pre_ln", self.model.pre_layrnorm)

    def store(self, fixture: Fixture) -> None:
        self.store_embeddings(fixture)
        if not self.is_clip:
            fixture.store_layer("v.post_ln", self.model.post_layernorm)
        for index, block in enumerate(self.model.encoder.layers[: self.blocks]):
            for theirs, ours in BLOCK_NAMES.items():
                fixture.store_layer(f"v.blk.{index}.{ours}", block.get_submodule(theirs))


@dataclass(frozen=True)
class Convolution:
    """One layer of a MobileNet: convolution, batch norm, activation."""

    outputs: int
    kernel: int
    stride: int
    depthwise: bool = False
    activation: str = "relu6"


class ConvolutionLayer(nn.Module):
    """A convolution with TensorFlow's or PyTorch's padding, then batch norm and activation."""

    ACTIVATIONS = {"relu6": functional.relu6, "relu": functional.relu, "none": lambda x: x}

    def __init__(self, inputs: int, layer: Convolution, padding: str) -> None:
        super().__init__()
        self.layer, self.padding = layer, padding
        groups = inputs if layer.depthwise else 1
        self.convolution = nn.Conv2d(inputs, layer.outputs, layer.kernel, layer.stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(layer.outputs, eps=1e-3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kernel, stride = self.layer.kernel, self.layer.stride
        if self.padding == "pytorch":
            x = functional.pad(x, [kernel // 2] * 4)
        else:
            x = functional.pad(x, self.same(x.shape[3]) + self.same(x.shape[2]))
        return self.ACTIVATIONS[self.layer.activation](self.norm(self.convolution(x)))

    def same(self, size: int) -> list[int]:
        """TensorFlow's SAME: ceil(size / stride) outputs, the smaller half of the padding first."""
        kernel, stride = self.layer.kernel, self.layer.stride
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        return [total // 2, total - total // 2]

    def store(self, fixture: Fixture, name: str) -> None:
        """Stores the convolution with the batch norm folded in, and unfolds what was rounded."""
        scale = self.norm.weight / torch.sqrt(self.norm.running_var + self.norm.eps)
        weight = self.convolution.weight * scale.view(-1, 1, 1, 1)
        pointwise = self.layer.kernel == 1
        stored = fixture.store(name + ".weight", weight.flatten(1) if pointwise else weight)
        with torch.no_grad():
            self.convolution.weight.copy_(stored.view_as(weight) / scale.view(-1, 1, 1, 1))
        fixture.store(name + ".bias", self.norm.bias - self.norm.running_mean * scale)


class MobileNet(nn.Module):
    """Convolutions one after the other. The features are the cells of the last map."""

    kind = "cnn"
    activation = "gelu_erf"
    heads, hidden, blocks, epsilon = 1, 1, 0, 1e-6  # of transformer blocks, which it has not

    def __init__(self, image: int, layers: list[Convolution], padding: str) -> None:
        super().__init__()
        self.image, self.padding = image, padding
        inputs = [3] + [layer.outputs for layer in layers[:-1]]
        self.layers = nn.ModuleList(ConvolutionLayer(i, layer, padding) for i, layer in zip(inputs, layers))
        self.width = layers[-1].outputs
        self.patch, self.grid = 1, image
        for layer in layers:
            self.patch *= layer.stride
            self.grid = -(-self.grid // layer.stride)

    def enliven(self, generator: torch.Generator) -> None:
        """Gives the norms statistics that matter, and the weights a size that uses ReLU6's range."""
        for layer in self.layers:
            layer.norm.running_mean.normal_(0, 0.3, generator=generator)
            layer.norm.running_var.uniform_(0.5, 2, generator=generator)
            layer.convolution.weight.data *= 2

    def map(self, pixels: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            pixels = layer(pixels)
        return pixels

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.map(pixels)[0].flatten(1).T

    def store(self, fixture: Fixture) -> None:
        layers = [layer.layer for layer in self.layers]
        fixture.add_counts("ocellus.vision.cnn.stride", [layer.stride for layer in layers])
        fixture.writer.add_array("ocellus.vision.cnn.depthwise", [layer.depthwise for layer in layers])
        fixture.writer.add_array("ocellus.vision.cnn.activation", [layer.activation for layer in layers])
        fixture.writer.add_string("ocellus.vision.cnn.padding", self.padding)
        for index, layer in enumerate(self.layers):
            layer.store(fixture, f"v.cnn.{index}")


class MobileNetTransformer(nn.Module):
    """A MobileNet whose cells become the tokens of transformer blocks (torch's own, with exact GELU)."""

    kind = "cnn-vit"
    activation = "gelu_erf"
    epsilon = 1e-6

    def __init__(self, stem: MobileNet, width: int, blocks: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.stem, self.width, self.heads, self.hidden = stem, width, heads, hidden
        self.blocks, self.image, self.patch, self.grid = blocks, stem.image, stem.patch, stem.grid
        self.embedding = nn.Linear(stem.width, width)
        self.positions = nn.Parameter(torch.zeros(stem.grid**2, width))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, heads, hidden, 0.0, "gelu", self.epsilon, batch_first=True, norm_first=True
            )
            for _ in range(blocks)
        )
        self.norm = nn.LayerNorm(width, eps=self.epsilon)

    def enliven(self, generator: torch.Generator) -> None:
        self.stem.enliven(generator)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        x = (self.embedding(self.stem(pixels)) + self.positions)[None]
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)[0]

    def store(self, fixture: Fixture) -> None:
        self.stem.store(fixture)
        fixture.store_layer("v.patch_embd", self.embedding)
        fixture.store_parameter("v.position_embd.weight", self.positions)
        fixture.store_layer("v.post_ln", self.norm)
        for index, layer in enumerate(self.layers):
            name, attention = f"v.blk.{index}.", layer.self_attn
            for part, weight, bias in zip("qkv", attention.in_proj_weight.chunk(3), attention.in_proj_bias.chunk(3)):
                fixture.store_parameter(f"{name}attn_{part}.weight", weight)
                fixture.store_parameter(f"{name}attn_{part}.bias", bias)
            fixture.store_layer(name + "attn_out", attention.out_proj)
            fixture.store_layer(name + "ln1", layer.norm1)
            fixture.store_layer(name + "ln2", layer.norm2)
            fixture.store_layer(name + "ffn_up", layer.linear1)
            fixture.store_layer(name + "ffn_down", layer.linear2)
