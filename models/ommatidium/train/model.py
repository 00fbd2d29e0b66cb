# SPDX-License-Identifier: Apache-2.0
"""Projector, decoder, and the two together: from the encoder's features to the answer's logits."""
import torch
import torch.nn.functional as F
from torch import nn

import kinds
from encoder import WIDTH as VISION_WIDTH
from facts import UNKNOWN
from mamba2 import Mamba2, RMSNorm

TOKENS = kinds.TOKEN_GRID ** 2
LIGHT_HEADS = (2, 3)      # at the frame token: lit, change since the first frame
# auxiliary targets at the word that names a thing: count, seen, direction, place, change; then those of the light
WORD_HEADS = (len(kinds.NUMBERS), 2, len(kinds.DIRECTIONS), len(kinds.PLACES), 3) + LIGHT_HEADS


class Projector(nn.Module):
    """LDPv2: two linear layers, 2x2 average pooling, a depthwise 3x3 convolution with a residual; learned token positions.

    Reads [features, change since the last frame]. One frame token goes before the image tokens: a linear map of the mean features
    and the mean colour, which tells how bright it is.
    """

    def __init__(self, width: int):
        super().__init__()
        self.up, self.mix = nn.Linear(2 * VISION_WIDTH, width), nn.Linear(width, width)
        self.peg = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.position = nn.Parameter(torch.randn(TOKENS, width))
        self.frame = nn.Linear(VISION_WIDTH + 3, width)
        nn.init.normal_(self.frame.bias)
        nn.init.normal_(self.frame.weight[:, -3:], std=.5)      # the colour must be heard among 192 features

    def forward(self, features: torch.Tensor, colour: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """features (clips, frames, 64, 192), colour (clips, frames, 3) ->
        pooled tokens before the convolution (clips * frames, 16, width), sequence (clips, frames * 17, width)."""
        clips, frames = features.shape[:2]
        change = torch.cat([torch.zeros_like(features[:, :1]), features[:, 1:] - features[:, :-1]], 1)
        cells = self.mix(F.gelu(self.up(torch.cat([features, change], -1).flatten(0, 1))))
        grid = F.avg_pool2d(cells.transpose(1, 2).unflatten(2, (kinds.ENCODER_GRID,) * 2), 2)
        tokens = (grid + self.peg(grid)).flatten(2).transpose(1, 2) + self.position.to(grid.dtype)
        frame = self.frame(torch.cat([features.mean(2), colour.to(features.dtype)], -1)).flatten(0, 1).unsqueeze(1)
        sequence = torch.cat([frame, tokens], 1).reshape(clips, frames * (1 + TOKENS), -1)
        return grid.flatten(2).transpose(1, 2), sequence


class Decoder(nn.Module):
    """Mamba-2 with tied embeddings of unit variance; logits are scaled by width^-1/2."""

    def __init__(self, vocabulary: int, width: int, layers: int, state: int = 64):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.layers = nn.ModuleList([Mamba2(width, state) for _ in range(layers)])
        self.norm, self.scale, self.middle = RMSNorm(width), width ** -.5, max(1, layers - 2)
        for layer in self.layers:
            layer.out_proj.weight.data.mul_((2 * layers) ** -.5)

    def prefix(self, x: torch.Tensor):
        """Folds a sequence into the state: (states per layer, activations before the last layer)."""
        states = []
        for i, layer in enumerate(self.layers):
            if i == len(self.layers) - 1:
                late = x
            x, state = layer(x)
            states.append(state)
        return states, late

    def ask(self, states, ids: torch.Tensor, forks: int):
        """Continues the states with (clips * forks, tokens) ids: (logits, activations in the middle)."""
        x, middle = self.embedding(ids), None
        for i, layer in enumerate(self.layers):
            x, _ = layer(x, states[i] if states else None, forks, keep=False)
            if i + 1 == self.middle:
                middle = x
        return F.linear(self.norm(x), self.embedding.weight) * self.scale, middle


class Model(nn.Module):
    def __init__(self, vocabulary: int, width: int = 192, layers: int = 4, state: int = 64):
        super().__init__()
        self.shape = dict(vocabulary=vocabulary, width=width, layers=layers, state=state)
        self.projector, self.decoder = Projector(width), Decoder(vocabulary, width, layers, state)
        # Only for training: heads of the auxiliary losses.
        self.word_head = nn.Linear(width, sum(WORD_HEADS))
        self.light_head = nn.Linear(width, sum(LIGHT_HEADS))
        self.class_head, self.move_head = nn.Linear(width, width), nn.Linear(width, len(kinds.DIRECTIONS))

    def see(self, features, colour):
        pooled, sequence = self.projector(features, colour)
        states, late = self.decoder.prefix(sequence)
        return pooled, states, late

    def word_loss(self, middle, positions, targets) -> torch.Tensor:
        """At the noun of each question: does the state know its count, presence, direction and place?"""
        return heads_loss(self.word_head(middle[torch.arange(len(positions)), positions]), WORD_HEADS, targets)

    def light_loss(self, late, targets) -> torch.Tensor:
        """At each frame token: late (clips, frames * 17, width), targets (clips, frames, 2)."""
        frame_tokens = late.unflatten(1, (-1, 1 + TOKENS))[:, :, 0]
        return heads_loss(self.light_head(frame_tokens.flatten(0, 1)), LIGHT_HEADS, targets.flatten(0, 1))

    def class_logits(self, pooled, class_tokens) -> torch.Tensor:
        """At each image token, before the position is added: the class, through the words' own embeddings."""
        return F.linear(self.class_head(pooled), self.decoder.embedding.weight[class_tokens]).float() * self.decoder.scale

    def move_logits(self, late) -> torch.Tensor:
        """At each image token, before the last layer: (clips, frames, 16, directions)."""
        return self.move_head(late).float().unflatten(1, (-1, 1 + TOKENS))[:, :, 1:]


def heads_loss(logits: torch.Tensor, sizes: tuple[int, ...], targets: torch.Tensor) -> torch.Tensor:
    """The sum of one cross-entropy per group of logits; (rows, sum of sizes) and (rows, groups)."""
    loss = logits.new_zeros((), dtype=torch.float32)
    for part, target in zip(logits.float().split(sizes, -1), targets.T):
        if (target >= 0).any():
            loss = loss + F.cross_entropy(part, target, ignore_index=UNKNOWN)
    return loss


def load_matching(model: nn.Module, state: dict) -> list[str]:
    """Loads what fits in name and shape; returns the names of the rest, which stay as initialised."""
    own = model.state_dict()
    fitting = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    model.load_state_dict(fitting, strict=False)
    return sorted(own.keys() - fitting.keys())
