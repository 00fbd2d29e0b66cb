# SPDX-License-Identifier: Apache-2.0
"""Stage 4: renders clips or, with --photographs, films photographs; runs the frozen encoder and stores the features in shards.

Shard `<split>_<number>.npy`, of photographs `photographs_<split>_<number>.npy`, is (clips, 8, 64, 192) float16; the `.pkl` beside it
holds, per clip, the story, the thing of every image token (8, 16) and the mean normalised colour of every frame (8, 3). Finished
shards are kept, so the stage can be resumed.
"""
import argparse
import os
import pickle
from pathlib import Path

import numpy as np
import torch

import checkpoints
import kinds
from album import Album
from encoder import CELLS, WIDTH, Encoder
from render import Painter

CLIPS = 256      # in a shard


def token_things(cells: np.ndarray) -> np.ndarray:
    """The thing that fills most of each 2x2 block of cells, else unclear (-2) if a cell is: (frames, 8, 8) -> (frames, 16)."""
    grid = kinds.TOKEN_GRID
    blocks = cells.reshape(-1, grid, 2, grid, 2).transpose(0, 1, 3, 2, 4).reshape(-1, 4)
    votes = np.where(blocks >= 0, (blocks[:, :, None] == blocks[:, None, :]).sum(-1), 0)
    fullest = blocks[np.arange(len(blocks)), votes.argmax(-1)]
    return np.where(votes.any(-1), fullest, blocks.min(-1)).reshape(len(cells), grid * grid)


def make_shard(source: Painter | Album, encoder: Encoder, seed: tuple, features: np.memmap) -> list:
    rng, labels = np.random.default_rng(seed), []
    for i in range(len(features)):
        scene, frames, cells = source.take(rng)
        pixels = torch.from_numpy(frames)
        with torch.no_grad():
            features[i] = encoder(pixels).numpy().astype(np.float16)
        colour = Encoder.normalised(pixels).mean((2, 3)).numpy()
        labels.append((scene, token_things(cells), colour))
    return labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.add_argument("--split", default="train")
    parser.add_argument("--photographs", action="store_true")
    parser.add_argument("--shards", type=int, default=40)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    encoder = Encoder()
    encoder.load_state_dict(checkpoints.load(options.encoder)["encoder"])
    encoder.eval()
    source = (Album if options.photographs else Painter)(options.cache, options.split)
    prefix = "photographs_" if options.photographs else ""
    for number in range(options.first, options.first + options.shards):
        stem = options.out / f"{prefix}{options.split}_{number:04d}"
        if stem.with_suffix(".pkl").exists():
            continue
        features = np.lib.format.open_memmap(stem.with_suffix(".npy"), "w+", np.float16, (CLIPS, kinds.CLIP_FRAMES, CELLS, WIDTH))
        salt = {"train": 0, "dev": 1, "held": 2}[options.split]
        labels = make_shard(source, encoder, (salt, number), features)
        partial = stem.with_suffix(".partial")
        partial.write_bytes(pickle.dumps(labels))
        os.replace(partial, stem.with_suffix(".pkl"))
        print(stem.name, flush=True)


if __name__ == "__main__":
    main()
