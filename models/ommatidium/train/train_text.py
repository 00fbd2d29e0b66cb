# SPDX-License-Identifier: Apache-2.0
"""Stage 3: warms the decoder up on written reports of scenes, with the same questions as about pictures.

"cup top left still apple right gone light", then 20 questions on the forked state. A few minutes; it saves many later.
"""
import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import checkpoints
import story
from batches import Score, question_tensors
from facts import UNKNOWN, Facts
from model import Model
from questions import questions, report
from vocabulary import END, Vocabulary

CLIPS, FORKS, WORD_WEIGHT = 8, 20, .5


def draw(rng, vocabulary, clips: int):
    asked, reports = [], []
    for _ in range(clips):
        scene = story.draw(rng)
        frames = int(rng.choice([1, 2, 4, 6, 8], p=[.2, .1, .1, .4, .2]))
        facts = Facts(scene, 0, frames)
        asked.append((facts, questions(rng, facts, FORKS)))
        reports.append(vocabulary.encode(" " + report(facts)))
    length = max(map(len, reports))
    ids = np.full((clips, length), END)
    for row, ids_of in zip(ids, reports):
        row[length - len(ids_of):] = ids_of
    return torch.from_numpy(ids), asked


def optimizer_for(model: nn.Module, rate: float) -> torch.optim.Optimizer:
    """AdamW; weight decay on matrices only, not on embeddings and positions."""
    matrices = [p for n, p in model.named_parameters() if p.ndim >= 2 and "embedding" not in n and "position" not in n]
    others = [p for p in model.parameters() if not any(p is q for q in matrices)]
    return torch.optim.AdamW([dict(params=matrices, weight_decay=.05), dict(params=others, weight_decay=0)], lr=rate, betas=(.9, .98))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--layers", type=int, default=4)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    vocabulary = Vocabulary(options.tokenizer)
    model = Model(vocabulary.size, options.width, options.layers)
    optimizer, steps, spent = optimizer_for(model, options.rate), 0, 0.
    if options.out.exists():
        state = checkpoints.load(options.out)
        model.load_state_dict(state["model"]), optimizer.load_state_dict(state["optimizer"])
        steps, spent = state["steps"], state["seconds"]
    rng = np.random.default_rng([1, steps])
    curve = checkpoints.Curve(options.out.with_suffix(".jsonl"), fresh=steps == 0)

    def keep() -> None:
        checkpoints.save(options.out, model=model.state_dict(), shape=model.shape, optimizer=optimizer.state_dict(), steps=steps, seconds=spent)

    begin, reported = time.time() - spent, spent
    while (spent := time.time() - begin) < options.seconds:
        for group in optimizer.param_groups:
            group["lr"] = options.rate * min(1, (steps + 1) / 50) * min(1, (1 - spent / options.seconds) / .4 + .02)
        ids, asked = draw(rng, vocabulary, CLIPS)
        tokens, labels, positions, targets = question_tensors(vocabulary, asked)
        with torch.autocast("cpu", torch.bfloat16):
            states, _ = model.decoder.prefix(model.decoder.embedding(ids))
            logits, middle = model.decoder.ask(states, tokens, FORKS)
            word = model.word_loss(middle, positions, targets)
        loss = F.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=UNKNOWN)
        optimizer.zero_grad(set_to_none=True)
        (loss + WORD_WEIGHT * word).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.)
        optimizer.step()
        steps += 1
        if spent - reported > 30 or steps == 10:
            reported = spent
            score, judge = Score(), np.random.default_rng(77)
            with torch.no_grad():
                for _ in range(3):
                    ids, asked = draw(judge, vocabulary, 32)
                    tokens, labels, _, _ = question_tensors(vocabulary, asked)
                    states, _ = model.decoder.prefix(model.decoder.embedding(ids))
                    score.add_batch([q for _, qs in asked for q in qs], model.decoder.ask(states, tokens, FORKS)[0], labels, vocabulary)
            print(score.line())
            curve.add(seconds=spent, steps=steps, loss=loss.item(), word=word.item(), accuracy=score.table()["all"]["accuracy"])
            keep()
    keep()


if __name__ == "__main__":
    main()
