# SPDX-License-Identifier: Apache-2.0
"""Stage 2: fine-tunes the encoder to name the thing in every cell of rendered frames and of photographs.

A linear head on the features gives one class per cell: background or one of the kinds; unclear cells of photographs do not count. The
weights that are kept are an exponential moving average. Run again with the same --out to resume; --start begins with earlier weights.
"""
import argparse
import copy
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import checkpoints
import kinds
from album import Album
from encoder import WIDTH, Encoder
from facts import cell_classes
from render import Painter

BATCH, BACKGROUND_WEIGHT = 32, .25
REPORT = 300      # seconds between two reports


def batch(rng: np.random.Generator, painter: Painter, album: Album | None = None, photographs: int = 0, size: int = BATCH):
    """(size, 128, 128, 3) pixels and (size, 64) classes; the first `photographs` are photographs."""
    pixels, labels = [], []
    for i in range(size):
        scene, frames, cells = album.take(rng, 1) if i < photographs else painter.take(rng, 1, crowd=.6)
        pixels.append(frames[0])
        labels.append(cell_classes(scene, cells[0]))
    return torch.from_numpy(np.stack(pixels)), torch.from_numpy(np.stack(labels)).flatten(1).long()


@torch.no_grad()
def accuracy(encoder, head, painter: Painter, album: Album | None = None, batches: int = 8) -> tuple[float, float]:
    """(share of cells with a thing that are named right, share of background cells that are); on photographs when there is an album."""
    rng, right, total = np.random.default_rng(99), np.zeros(2), np.zeros(2)
    encoder.eval()
    for _ in range(batches):
        pixels, labels = batch(rng, painter, album, BATCH if album else 0)
        guess = head(encoder(pixels)).argmax(-1)
        for i, mask in enumerate((labels > 0, labels == 0)):
            right[i] += (guess == labels)[mask].sum().item()
            total[i] += mask.sum().item()
    encoder.train()
    return tuple(right / total)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True, help="mobilenet_v1_0.5_160_quant.tflite")
    parser.add_argument("--start", type=Path, help="checkpoint to start from")
    parser.add_argument("--photographs", type=float, default=.5, help="share of a batch")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint, .pt")
    parser.add_argument("--seconds", type=float, default=2400, help="of training in all, resumed time included")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    encoder, head = Encoder(), nn.Linear(WIDTH, kinds.COUNT + 1)
    encoder.backbone.load_tflite(options.weights)
    slow = list(encoder.backbone.parameters())
    fast = [p for p in list(encoder.parameters()) + list(head.parameters()) if not any(p is q for q in slow)]
    optimizer = torch.optim.AdamW([dict(params=fast, scale=1.), dict(params=slow, scale=.4)], lr=1e-3, weight_decay=.05, betas=(.9, .98))
    steps, spent = 0, 0.
    if options.start:
        state = checkpoints.load(options.start)
        encoder.load_state_dict(state["encoder"]), head.load_state_dict(state["head"])
    average = copy.deepcopy(nn.ModuleList([encoder, head]))
    if options.out.exists():
        state = checkpoints.load(options.out)
        encoder.load_state_dict(state["live"]), head.load_state_dict(state["live_head"]), optimizer.load_state_dict(state["optimizer"])
        average[0].load_state_dict(state["encoder"]), average[1].load_state_dict(state["head"])
        steps, spent = state["steps"], state["seconds"]
    curve = checkpoints.Curve(options.out.with_suffix(".jsonl"), fresh=steps == 0)
    train, dev = Painter(options.cache, "train"), Painter(options.cache, "dev")
    album, dev_album = Album(options.cache, "train"), Album(options.cache, "dev")
    rng = np.random.default_rng([options.seed, steps])
    weight = torch.ones(kinds.COUNT + 1)
    weight[0] = BACKGROUND_WEIGHT
    begin, reported, smooth = time.time() - spent, spent, None
    while (spent := time.time() - begin) < options.seconds:
        rate = options.rate * min(1, (steps + 1) / 100) * (1 - spent / options.seconds) + 1e-5
        for group in optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        pixels, labels = batch(rng, train, album, round(options.photographs * BATCH))
        logits = head(encoder(pixels))      # in f32: depthwise convolutions go backwards twice as fast as in bfloat16
        loss = F.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), weight=weight, label_smoothing=.05)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(fast + slow, 1.)
        optimizer.step()
        steps += 1
        smooth = loss.item() if smooth is None else .98 * smooth + .02 * loss.item()
        with torch.no_grad():
            mix = 1 - min(.997, steps / (steps + 50))
            for kept, live in zip(average.parameters(), parameters_of(encoder, head)):
                kept.lerp_(live, mix)
        if spent - reported > REPORT:
            reported = spent
            report(curve, options.out, average, encoder, head, optimizer, (train, dev, dev_album), steps, spent, smooth)
    report(curve, options.out, average, encoder, head, optimizer, (train, dev, dev_album), steps, spent, smooth)


def parameters_of(encoder, head):
    return list(encoder.parameters()) + list(head.parameters())


def report(curve, out, average, encoder, head, optimizer, sources, steps, spent, loss) -> None:
    train, dev, dev_album = sources
    seen, new, photographs = accuracy(*average, train, batches=4), accuracy(*average, dev), accuracy(*average, dev, dev_album)
    curve.add(seconds=spent, steps=steps, loss=loss, train=seen[0], dev=new[0], dev_background=new[1], dev_photographs=photographs[0])
    checkpoints.save(out, encoder=average[0].state_dict(), head=average[1].state_dict(), live=encoder.state_dict(),
                     live_head=head.state_dict(), optimizer=optimizer.state_dict(), steps=steps, seconds=spent)


if __name__ == "__main__":
    main()
