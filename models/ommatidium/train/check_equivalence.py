# SPDX-License-Identifier: Apache-2.0
"""Checks the exported files against the training code: features, image tokens and logits of a rendered clip.

The training side runs the chunked scan with shared, forked states in f32; the other side is the plain recurrence of `shipped.py`
with F16 weights. What remains is the rounding of the weights.
"""
import argparse
from pathlib import Path

import numpy as np
import torch

import checkpoints
import story
from encoder import Encoder
from model import Model
from render import Painter
from shipped import Eye
from vocabulary import Vocabulary

QUESTIONS = ["Is there a cat?", "How many apples are there?", "What moved?", "did you see a dog"]


def rounded(module: torch.nn.Module) -> None:
    """Rounds what the files keep in F16."""
    for name, p in module.named_parameters():
        if p.ndim >= 2 and "conv_weight" not in name:
            p.data = p.data.half().float()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("cache", "encoder", "decoder", "tokenizer", "model"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    options = parser.parse_args()
    encoder, state = Encoder(), checkpoints.load(options.decoder)
    encoder.load_state_dict(checkpoints.load(options.encoder)["encoder"])
    model, vocabulary, eye = Model(**state["shape"]), Vocabulary(options.tokenizer), Eye(options.model)
    model.load_state_dict(state["model"])
    rounded(encoder), rounded(model)
    encoder.eval(), model.eval()
    rng, worst = np.random.default_rng(5), 0.
    painter = Painter(options.cache, "dev")
    for _ in range(3):
        frames, _ = painter.paint(rng, story.draw(rng))
        pixels = torch.from_numpy(frames)
        shipped = eye.see(list(frames))
        with torch.no_grad():
            features, colour = encoder(pixels)[None], Encoder.normalised(pixels).mean((2, 3))[None]
            _, states, _ = model.see(features, colour)
            print("features", relative(shipped.features, features[0, -1]), "state", relative(shipped.h[-1], states[-1][1][0]))
            for question in QUESTIONS:
                prompt = vocabulary.prompt(question)[0]
                logits, _ = model.decoder.ask(states, torch.tensor([prompt]), 1)
                other = eye.answer(shipped, question)
                assert tuple(other["prompt"]) == prompt
                worst = max(worst, relative(other["logits"], logits[0, -1]))
    print("largest relative difference of the logits:", worst)
    if worst > 1e-3:
        raise SystemExit("the exported files and the training code disagree")


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().max() / b.abs().max())


if __name__ == "__main__":
    main()
