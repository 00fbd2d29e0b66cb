# SPDX-License-Identifier: Apache-2.0
"""Reads cached features: windows of 1 to 8 frames of random clips, with what is true of them."""
import pickle
from pathlib import Path

import numpy as np
import torch

import kinds
from facts import Facts, token_targets


class Shards:
    def __init__(self, folder: Path, split: str):
        self.folder, self.split = folder, split
        self.features, self.labels = [], []
        self.reload()

    def reload(self) -> None:
        """Takes in the shards that were finished since the last look."""
        names = sorted(self.folder.glob(f"{self.split}_*.pkl"))
        for name in names[len(self.features):]:
            self.features.append(np.load(name.with_suffix(".npy"), mmap_mode="r"))
            self.labels.append(pickle.loads(name.read_bytes()))

    def __len__(self) -> int:
        return sum(map(len, self.labels))

    def window(self, rng: np.random.Generator, clips: int, frames: int, indices=None):
        """(features, colour, token classes, token moves, facts per clip) of windows of `frames` frames."""
        found = []
        for n in range(clips):
            if indices is None:
                shard = int(rng.integers(len(self.labels)))
                clip = int(rng.integers(len(self.labels[shard])))
            else:
                shard, clip = divmod(indices[n], len(self.labels[0]))
            story, things, colour = self.labels[shard][clip]
            begin = int(rng.integers(kinds.CLIP_FRAMES - frames + 1))
            end = begin + frames
            classes, moves = token_targets(story, things, begin, end)
            found.append((self.features[shard][clip, begin:end], colour[begin:end], classes, moves, Facts(story, begin, end)))
        features, colour, classes, moves, facts = zip(*found)
        tensor = lambda values, dtype: torch.from_numpy(np.stack(values).astype(dtype))
        return tensor(features, np.float32), tensor(colour, np.float32), tensor(classes, np.int64), tensor(moves, np.int64), facts
