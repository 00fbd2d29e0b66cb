# SPDX-License-Identifier: Apache-2.0
"""Stage 5: trains projector and decoder on cached features: one clip, many questions on forks of its state.

Losses: the answers; what the state knows at each noun; class and motion at each image token; the light at each frame token. Starts
from --start (the warm-up on text or an earlier run); run again with the same --out to resume. New shards are taken in while it runs.
A batch is of rendered clips or, a share of them, of photographs.
"""
import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import checkpoints
import kinds
from batches import Score, question_tensors
from facts import UNKNOWN
from model import Model, load_matching
from questions import questions
from shards import Shards
from train_text import optimizer_for
from vocabulary import Vocabulary

CLIPS, FORKS = 8, 20
FRAMES, SHARES = (1, 2, 3, 4, 5, 6, 7, 8), (.2, .05, .05, .08, .07, .4, .05, .1)
WORD, CLASS, MOVE, LIGHT, BACKGROUND = .5, .5, .3, .2, .2      # weights of the auxiliary losses, and of the class "nothing"
ONE_PHOTOGRAPH = .5                                 # share of windows of one frame, besides SHARES: little happens in photographs
REPORT, RELOAD = 600, 50                            # seconds between two reports; steps between two looks for new shards
DROPOUT = .1                                        # of whole feature channels


class Trainer:
    def __init__(self, model: Model, vocabulary: Vocabulary):
        self.model, self.vocabulary = model, vocabulary
        self.class_tokens = torch.tensor([0] + vocabulary.kind_tokens())
        self.class_weight = torch.ones(kinds.COUNT + 1)
        self.class_weight[0] = BACKGROUND

    def losses(self, rng: np.random.Generator, shards: Shards, one: float = 0.) -> list[torch.Tensor]:
        """`one`: chance of a window of one frame, besides SHARES."""
        frames = 1 if rng.random() < one else int(rng.choice(FRAMES, p=SHARES))
        clips = CLIPS * 2 if frames == 1 else CLIPS
        forks = FORKS // 2 if frames == 1 else FORKS
        features, colour, classes, moves, facts = shards.window(rng, clips, frames)
        tensors = question_tensors(self.vocabulary, [(f, questions(rng, f, forks)) for f in facts])
        ids, labels, positions, targets = tensors
        keep = (torch.rand(clips, 1, 1, features.shape[-1]) > DROPOUT) / (1 - DROPOUT)
        with torch.autocast("cpu", torch.bfloat16):
            pooled, states, late = self.model.see(features * keep, colour)
            logits, middle = self.model.decoder.ask(states, ids, forks)
            word = self.model.word_loss(middle, positions, targets)
            names, motions = self.model.class_logits(pooled, self.class_tokens), self.model.move_logits(late)
            light = self.model.light_loss(late, torch.from_numpy(np.stack([f.light_targets() for f in facts])))
        answer = F.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=UNKNOWN)
        name = F.cross_entropy(names.flatten(0, 1), classes.flatten(), weight=self.class_weight)
        known = (moves >= 0).any()
        motion = F.cross_entropy(motions.flatten(0, 2), moves.flatten(), ignore_index=UNKNOWN) if known else answer.new_zeros(())
        return [answer, word, name, motion, light]

    @torch.no_grad()
    def score(self, shards: Shards, frames: int, clips: int = 256) -> Score:
        rng, score = np.random.default_rng(77), Score()
        for first in range(0, min(clips, len(shards)), 32):
            features, colour, _, _, facts = shards.window(rng, 32, frames, range(first, first + 32))
            asked = [(f, questions(rng, f, FORKS)) for f in facts]
            ids, labels, _, _ = question_tensors(self.vocabulary, asked)
            with torch.autocast("cpu", torch.bfloat16):
                _, states, _ = self.model.see(features, colour)
                logits, _ = self.model.decoder.ask(states, ids, FORKS)
            score.add_batch([q for _, qs in asked for q in qs], logits, labels, self.vocabulary)
        return score


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=Path, required=True, help="folder of shards, train and dev")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="checkpoint to start from")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=2400, help="of training in all, resumed time included")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--photographs", type=float, default=.35, help="share of the batches")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    vocabulary = Vocabulary(options.tokenizer)
    resumed = options.out.exists()
    state = checkpoints.load(options.out if resumed else options.start)
    model = Model(**state["shape"])
    fresh = load_matching(model, state["model"])
    print("new weights:", fresh)
    optimizer = optimizer_for(model, options.rate)
    steps, spent = (state["steps"], state["seconds"]) if resumed else (0, 0.)
    if resumed:
        optimizer.load_state_dict(state["optimizer"])
    torch.manual_seed(steps)
    rng = np.random.default_rng([7, steps])
    curve = checkpoints.Curve(options.out.with_suffix(".jsonl"), fresh=not resumed)
    train, dev, album, dev_album = (Shards(options.features, s) for s in ("train", "dev", "photographs_train", "photographs_dev"))
    trainer = Trainer(model, vocabulary)
    begin, reported, smooth = time.time() - spent, spent, None

    def report() -> None:
        clip, picture, photograph = trainer.score(dev, 6), trainer.score(dev, 1, 128), trainer.score(dev_album, 1)
        print("clips      ", clip.line(), "\npictures   ", picture.line(), "\nphotographs", photograph.line(), flush=True)
        accuracies, photographs = ({k: r["accuracy"] for k, r in s.table().items()} for s in (clip, photograph))
        curve.add(seconds=spent, steps=steps, clips=len(train), answer=smooth[0], word=smooth[1], name=smooth[2], motion_loss=smooth[3], light=smooth[4],
                  dev=accuracies, pictures=picture.table()["all"]["accuracy"], photographs=photographs)
        checkpoints.save(options.out, model=model.state_dict(), shape=model.shape, optimizer=optimizer.state_dict(), steps=steps, seconds=spent)

    while (spent := time.time() - begin) < options.seconds:
        for group in optimizer.param_groups:
            group["lr"] = options.rate * min(1, (steps + 1) / 50) * min(1, (1 - spent / options.seconds) / .4 + .01)
        filmed = rng.random() < options.photographs
        losses = trainer.losses(rng, album if filmed else train, ONE_PHOTOGRAPH if filmed else 0)
        optimizer.zero_grad(set_to_none=True)
        sum(w * l for w, l in zip((1, WORD, CLASS, MOVE, LIGHT), losses)).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.)
        optimizer.step()
        steps += 1
        if steps % RELOAD == 0:
            train.reload(), album.reload()
        values = np.array([l.item() for l in losses])
        smooth = values if smooth is None else .97 * smooth + .03 * values
        if spent - reported > REPORT or steps == 10:
            reported = spent
            report()
    report()


if __name__ == "__main__":
    main()
