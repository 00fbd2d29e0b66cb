# SPDX-License-Identifier: Apache-2.0
"""Loads the shipped GGUF files into PyTorch (F16 weights as f32) and answers questions, one token at a time.

`transformers`-free and independent of the training code's chunked scan: the decoder here is the plain recurrence, so equal
answers also check the chunked one.
"""
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from gguf import GGUFReader
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

LONGEST_ANSWER = 16


class File:
    """Metadata and tensors of one GGUF file."""

    def __init__(self, path: Path):
        reader = GGUFReader(path)
        self.fields = {name: field.contents() for name, field in reader.fields.items()}
        self.tensors = {t.name: torch.from_numpy(np.array(t.data).reshape([int(n) for n in t.shape][::-1])).float() for t in reader.tensors}

    def linear(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, self.tensors[name + ".weight"], self.tensors.get(name + ".bias"))


@dataclass
class State:
    """What the decoder remembers: per layer the last three columns of xBC and h, and the features of the last frame."""
    convolution: list
    h: list
    features: torch.Tensor | None = None

    def fork(self) -> "State":
        return State([c.clone() for c in self.convolution], [h.clone() for h in self.h], self.features)


class Vision:
    def __init__(self, path: Path):
        self.file = File(path)
        self.fields = self.file.fields
        self.size = self.fields["clip.vision.image_size"]

    def pixels(self, image: Image.Image) -> np.ndarray:
        """Stretched to a square by Pillow: (size, size, 3) uint8."""
        return np.asarray(image.convert("RGB").resize((self.size, self.size), Image.Resampling.BILINEAR))

    def normalised(self, pixels: np.ndarray) -> torch.Tensor:
        mean, deviation = (torch.tensor(self.fields[f"clip.vision.image_{k}"]) for k in ("mean", "std"))
        return ((torch.from_numpy(pixels.copy()).float() / 255 - mean) / deviation).permute(2, 0, 1)[None]

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """(1, 3, H, W) -> (64, width)."""
        tensors, linear = self.file.tensors, self.file.linear
        layers = zip(self.fields["ocellus.vision.cnn.stride"], self.fields["ocellus.vision.cnn.depthwise"])
        for i, (stride, depthwise) in enumerate(layers):
            weight, bias = tensors[f"v.cnn.{i}.weight"], tensors[f"v.cnn.{i}.bias"]
            if weight.ndim == 2:
                weight = weight[:, :, None, None]
            if weight.ndim == 3:
                weight = weight[:, None]
            if weight.shape[-1] == 3:
                x = F.pad(x, (1, 1, 1, 1) if stride == 1 else (0, 1, 0, 1))
            x = F.relu6(F.conv2d(x, weight, bias, stride, groups=len(weight) if depthwise else 1))
        x = linear("v.patch_embd", x[0].flatten(1).T) + tensors["v.position_embd.weight"]
        epsilon, heads = self.fields["clip.vision.attention.layer_norm_epsilon"], self.fields["clip.vision.attention.head_count"]
        norm = lambda name, v: F.layer_norm(v, v.shape[-1:], tensors[name + ".weight"], tensors[name + ".bias"], epsilon)
        for i in range(self.fields["clip.vision.block_count"]):
            block = f"v.blk.{i}."
            normed = norm(block + "ln1", x)
            q, k, v = (linear(block + n, normed).unflatten(-1, (heads, -1)).transpose(0, 1) for n in ("attn_q", "attn_k", "attn_v"))
            weights = torch.softmax(q @ k.transpose(1, 2) / q.shape[-1] ** .5, -1)
            x = x + linear(block + "attn_out", (weights @ v).transpose(0, 1).flatten(1))
            x = x + linear(block + "ffn_down", F.gelu(linear(block + "ffn_up", norm(block + "ln2", x))))
        return norm("v.post_ln", x)

    def tokens(self, pixels: np.ndarray, before: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """One frame: (17, width) for the decoder, and its features for the next frame's difference."""
        tensors, linear = self.file.tensors, self.file.linear
        x = self.normalised(pixels)
        features = self.features(x)
        change = torch.zeros_like(features) if before is None else features - before
        cells = linear("mm.model.mlp.2", F.gelu(linear("mm.model.mlp.0", torch.cat([features, change], -1))))
        side = int(len(cells) ** .5)
        grid = F.adaptive_avg_pool2d(cells.T.reshape(1, -1, side, side), tuple(self.fields["ocellus.projector.grid"]))
        peg = F.conv2d(grid, tensors["mm.model.peg.0.weight"][:, None], tensors["mm.model.peg.0.bias"], padding=1, groups=grid.shape[1])
        image = (grid + peg)[0].flatten(1).T + tensors["mm.model.position_embd.weight"]
        frame = linear("mm.model.frame_token", torch.cat([features.mean(0), x[0].mean((1, 2))]))
        return torch.cat([frame[None], image]), features


class Decoder:
    def __init__(self, path: Path):
        self.file = File(path)
        fields = self.fields = self.file.fields
        self.layers, self.heads = fields["mamba2.block_count"], fields["mamba2.ssm.time_step_rank"]
        self.inner, self.state = fields["mamba2.ssm.inner_size"], fields["mamba2.ssm.state_size"]
        self.kernel, self.epsilon = fields["mamba2.ssm.conv_kernel"], fields["mamba2.attention.layer_norm_rms_epsilon"]
        self.tokenizer = tokenizer_of(fields)

    def start(self) -> State:
        channels = self.inner + 2 * self.state
        return State([torch.zeros(self.kernel - 1, channels) for _ in range(self.layers)],
                     [torch.zeros(self.heads, self.inner // self.heads, self.state) for _ in range(self.layers)])

    def norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return F.rms_norm(x, x.shape[-1:], self.file.tensors[name].flatten(), self.epsilon)

    def step(self, state: State, u: torch.Tensor) -> torch.Tensor:
        """One token (width) through all layers; changes the state and returns the logits."""
        tensors = self.file.tensors
        for i in range(self.layers):
            block = f"blk.{i}."
            projected = self.file.linear(block + "ssm_in", self.norm(block + "attn_norm.weight", u))
            z, xbc, dt = projected.split([self.inner, self.inner + 2 * self.state, self.heads])
            window = torch.cat([state.convolution[i], xbc[None]])
            state.convolution[i] = window[1:]
            xbc = F.silu((window * tensors[block + "ssm_conv1d.weight"].T).sum(0) + tensors[block + "ssm_conv1d.bias"])
            x, B, C = xbc.split([self.inner, self.state, self.state])
            x, dt = x.reshape(self.heads, -1), F.softplus(dt + tensors[block + "ssm_dt.bias"])
            keep = torch.exp(dt * tensors[block + "ssm_a"].flatten())[:, None, None]
            state.h[i] = keep * state.h[i] + (dt[:, None] * x)[:, :, None] * B
            y = state.h[i] @ C + tensors[block + "ssm_d"] * x
            u = u + self.file.linear(block + "ssm_out", self.norm(block + "ssm_norm.weight", y.flatten() * F.silu(z)))
        return F.linear(self.norm("output_norm.weight", u), tensors["token_embd.weight"])

    def prompt(self, question: str) -> list[int]:
        """The question's ids in the file's template; control tokens come from the template only."""
        before, after = self.fields["ocellus.prompt.question"].split("{}")
        space = " " if before.endswith(" ") else ""
        ids = [self.control(before.rstrip())] + self.tokenizer.encode(space + question, add_special_tokens=False).ids
        return ids + [self.control(after)]

    def control(self, token: str) -> int:
        return self.fields["tokenizer.ggml.tokens"].index(token)


def tokenizer_of(fields: dict) -> Tokenizer:
    tokens, merges = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.merges"]
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, [tuple(m.split(" ")) for m in merges]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


class Eye:
    """The whole model: see frames, then answer questions on forks of the state."""

    def __init__(self, folder: Path):
        self.vision, self.decoder = Vision(folder / "vision.gguf"), Decoder(folder / "decoder.gguf")

    @torch.no_grad()
    def see(self, frames: list[Image.Image] | list[np.ndarray]) -> State:
        state = self.decoder.start()
        for frame in frames:
            pixels = frame if isinstance(frame, np.ndarray) else self.vision.pixels(frame)
            tokens, state.features = self.vision.tokens(pixels, state.features)
            for token in tokens:
                self.decoder.step(state, token)
        return state

    @torch.no_grad()
    def answer(self, state: State, question: str) -> dict:
        """{"answer", "prompt" ids, "tokens" ids of the answer, "logits" of the first answer token}."""
        state, decoder = state.fork(), self.decoder
        prompt = decoder.prompt(question)
        for token in prompt:
            logits = decoder.step(state, decoder.file.tensors["token_embd.weight"][token])
        first, tokens, end = logits, [], decoder.fields["tokenizer.ggml.eos_token_id"]
        while len(tokens) < LONGEST_ANSWER and (token := int(logits.argmax())) != end:
            tokens.append(token)
            logits = decoder.step(state, decoder.file.tensors["token_embd.weight"][token])
        return dict(answer=decoder.tokenizer.decode(tokens).strip(), prompt=prompt, tokens=tokens, logits=first)
