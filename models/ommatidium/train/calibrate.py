# SPDX-License-Identifier: Apache-2.0
"""Sets where the decoder begins to say yes, by changing the embeddings of "yes" and "no" alone.

On new cut-outs a thing that is there is missed more often than one is seen that is not. For every kind of yes-or-no question about
a thing, the shift of the logit of "yes" against that of "no" is found at which as many of the true yes as of the true no of `dev`
are right. Then ridge regression on the normalised activations gives the one vector that shifts each kind of question by that much,
and the others, among them those about the light, not at all: half of it is added to "yes" and half taken from "no".
"""
import argparse
from pathlib import Path

import numpy as np
import torch

import checkpoints
from batches import question_tensors
from model import Model
from questions import questions
from shards import Shards
from vocabulary import Vocabulary

KINDS = ("exist", "seen", "moved", "arrived", "departed")
WINDOWS = (("dev", 6), ("dev", 1), ("photographs_dev", 1))      # shards, and frames of the windows in them
BATCH = 32
RIDGE = 3e-4
UNCHANGED = 20      # weight of the questions about the light, which are close to "is there": each kind counts 1


class Answers:
    """Of every question: its kind, its answer, the decoder's normalised activations where the answer begins, and by how much the
    logit of "yes" is above that of "no" there."""

    def __init__(self):
        self.kind, self.answer, self.activations, self.margin = [], [], [], []

    @torch.no_grad()
    def collect(self, model: Model, vocabulary: Vocabulary, shards: Shards, frames: int, rng: np.random.Generator) -> None:
        normalised = []
        hook = model.decoder.norm.register_forward_hook(lambda _, inputs, output: normalised.append(output))
        yes, no = (vocabulary.answer(word)[0] for word in ("yes", "no"))
        for first in range(0, len(shards), BATCH):
            features, colour, _, _, facts = shards.window(rng, BATCH, frames, range(first, first + BATCH))
            states = model.see(features, colour)[1]
            for i, own in enumerate(facts):
                asked = questions(rng, own, None)
                ids, labels, _, _ = question_tensors(vocabulary, [(own, asked)])
                clip = [tuple(part[i:i + 1] for part in state) for state in states]
                logits, _ = model.decoder.ask(clip, ids, len(asked))
                rows, begin = torch.arange(len(asked)), (labels >= 0).int().argmax(1)
                self.kind += [q.kind for q in asked]
                self.answer += [q.answer for q in asked]
                self.activations.append(normalised.pop()[rows, begin])
                self.margin.append(logits[rows, begin, yes] - logits[rows, begin, no])
        hook.remove()

    def arrays(self) -> tuple[np.ndarray, ...]:
        activations, margin = (torch.cat(part).double().numpy() for part in (self.activations, self.margin))
        return np.array(self.kind), np.array(self.answer), activations, margin


def recalls(margin: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    return (margin[truth] > 0).mean(), (margin[~truth] <= 0).mean()


def equal_recalls(margin: np.ndarray, truth: np.ndarray) -> float:
    """The shift at which yes and no are right equally often."""
    candidates = np.linspace(-3, 3, 601)
    return candidates[np.argmin([abs(np.subtract(*recalls(margin + shift, truth))) for shift in candidates])]


def shifting(groups: list[tuple[np.ndarray, float, float]]) -> np.ndarray:
    """The vector whose product with the activations of each group is close to its shift: of (activations, shift, weight)."""
    width = groups[0][0].shape[1]
    matrix, right = RIDGE * np.eye(width), np.zeros(width)
    for activations, shift, weight in groups:
        matrix += weight * activations.T @ activations / len(activations)
        right += weight * shift * activations.mean(0)
    return np.linalg.solve(matrix, right)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=Path, required=True, help="folder of shards of dev")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--decoder", type=Path, required=True, help="checkpoint")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    state, vocabulary = checkpoints.load(options.decoder), Vocabulary(options.tokenizer)
    model = Model(**state["shape"]).eval()
    model.load_state_dict(state["model"])
    rng, answers = np.random.default_rng(options.seed), Answers()
    for split, frames in WINDOWS:
        answers.collect(model, vocabulary, Shards(options.features, split), frames, rng)
    kind, answer, activations, margin = answers.arrays()
    activations *= model.decoder.scale
    truth, asked = answer == "yes", {k: kind == k for k in KINDS}
    shifts = {k: equal_recalls(margin[rows], truth[rows]) for k, rows in asked.items()}
    others = ~np.isin(kind, KINDS) & (kind != "light")
    vector = shifting([(activations[rows], shifts[k], 1) for k, rows in asked.items()]
                      + [(activations[kind == "light"], 0, UNCHANGED), (activations[others], 0, 1)])
    for k, rows in (asked | {"light": kind == "light"}).items():
        before, after = recalls(margin[rows], truth[rows]), recalls((margin + activations @ vector)[rows], truth[rows])
        print(f"{k:9} n {rows.sum():5}, shift {shifts.get(k, 0):5.2f}, right yes {before[0]:.3f} to {after[0]:.3f}, "
              f"no {before[1]:.3f} to {after[1]:.3f}, mean {np.mean(before):.4f} to {np.mean(after):.4f}")
    with torch.no_grad():
        for word, sign in (("yes", .5), ("no", -.5)):
            model.decoder.embedding.weight[vocabulary.answer(word)[0]] += sign * torch.from_numpy(vector).float()
    checkpoints.save(options.out, model=model.state_dict(), shape=model.shape)


if __name__ == "__main__":
    main()
