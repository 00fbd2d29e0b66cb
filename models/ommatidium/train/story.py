# SPDX-License-Identifier: Apache-2.0
"""What happens in a clip: things with kinds, sizes, paths and visibility, and the light. No pixels here.

A story is drawn for `CLIP_FRAMES` frames. Questions look at a window of it (see `questions.py`), so everything is kept per frame.
Coordinates are fractions of the frame: x to the right, y down.
"""
from dataclasses import dataclass

import numpy as np

import kinds

PILES, PILES_IN_CROWDS = .13, .4      # share of scenes that are piles
MOST_IN_A_PILE = 120
STEP = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


@dataclass(frozen=True)
class Known:
    """What is known of a scene: everything of a rendered one, less of a photograph."""
    unsure: frozenset = frozenset()       # kinds that may be there or not
    uncounted: frozenset = frozenset()    # kinds of which there may be more than the story has
    complete: bool = True                 # nothing else is in the picture
    placed: bool = True                   # the things are where the story says


@dataclass
class Story:
    kind: np.ndarray      # (things,) index of the kind, -1 for a thing the model does not know
    size: np.ndarray      # (things,) longest side as a fraction of the frame
    path: np.ndarray      # (things, frames, 2) centre
    present: np.ndarray   # (things, frames) whether the thing is there at all (it may still be outside the frame)
    light: np.ndarray     # (frames,) brightness factor; below 0.5 is dark
    known: Known = Known()

    @property
    def frames(self) -> int:
        return len(self.light)

    def visible(self) -> np.ndarray:
        """The fraction of each thing's square that lies inside the frame: (things, frames)."""
        half = self.size[:, None, None] / 2
        inside = np.minimum(self.path + half, 1) - np.maximum(self.path - half, 0)
        return np.prod(np.clip(inside / (2 * half), 0, 1), -1) * self.present


def draw_light(rng: np.random.Generator, frames: int) -> np.ndarray:
    light = np.ones(frames, np.float32)
    dim, chance = rng.uniform(.18, .42), rng.random()
    turn = int(rng.integers(1, frames)) if frames > 1 else 0
    if chance < .14 and frames > 1:
        light[turn:] = dim
    elif chance < .28 and frames > 1:
        light[:turn] = dim
    elif chance < .38:
        light[:] = dim
    return light


def draw_path(rng: np.random.Generator, size: float, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """One thing's way through the clip: ((frames, 2) centre, (frames,) present)."""
    margin = max(.02, min(.5, size * rng.uniform(.2, .55)))
    start = rng.uniform(margin, 1 - margin, 2)
    path, present = np.tile(start, (frames, 1)), np.ones(frames, bool)
    if frames == 1:
        return path, present
    behaviour = rng.choice(["still", "move", "cross", "appear", "leave"], p=[.38, .27, .15, .1, .1])
    if behaviour in ("move", "cross"):
        step = np.array(STEP[rng.choice(list(STEP))])
        axis = int(step[1] != 0)
        if behaviour == "move":      # inside the frame; sometimes it waits before or after
            length = rng.uniform(.38, .85)
            begin = start - step * length / 2
            begin[axis] = np.clip(begin[axis], min(.12, 1 - .12), .88)
            end = begin + step * length
            end[axis] = np.clip(end[axis], .1, .9)
        else:                        # through an edge of the frame: in, out, or right across
            outside = .5 + size * .55
            begin, end = start.copy(), start.copy()
            begin[axis], end[axis] = .5 - step[axis] * outside, .5 + step[axis] * outside
            style = rng.random()
            if style < .4:
                end[axis] = .5 + step[axis] * rng.uniform(-.2, .35)
            elif style < .8:
                begin[axis] = .5 - step[axis] * rng.uniform(-.2, .35)
        first, last = 0, frames - 1
        if rng.random() < .3:
            first, last = sorted(rng.choice(frames, 2, replace=False))
            if last - first < 3:
                first, last = 0, frames - 1
        progress = np.clip((np.arange(frames) - first) / (last - first), 0, 1)[:, None]
        path = begin + (end - begin) * progress
        path = path + rng.normal(0, .006, path.shape)
    elif behaviour == "appear":
        present[:rng.integers(1, frames)] = False
    elif behaviour == "leave":
        present[rng.integers(1, frames):] = False
    return path, present


def collides(path, present, size, other) -> bool:
    other_path, other_present, other_size = other
    together = present & other_present
    near = np.abs(path - other_path).max(-1) < .4 * (size + other_size)
    return bool(np.any(near & together))


def draw_pile(rng: np.random.Generator, frames: int, light: np.ndarray) -> Story:
    """Many things of one kind, as in a crate or on a shelf: loose in a part of the frame, or dense over all of it. Nothing moves."""
    kind = rng.choice(list(kinds.ROUND)) if rng.random() < .85 else rng.integers(kinds.COUNT)
    dense = rng.random() < .7
    across = np.exp(rng.uniform(np.log(2), np.log(13 if dense else 4)))      # things over the width of the frame
    spread = rng.uniform(.45, 1.1, 2) if rng.random() < .6 else np.full(2, 1.1)
    grid = np.maximum(2, np.round(across * spread * np.array([1, rng.uniform(.7, 1.1)])).astype(int))
    cells = rng.permutation(grid.prod())[:MOST_IN_A_PILE]
    if not dense:
        cells = cells[:max(5, int(len(cells) * rng.uniform(.5, 1)))]
    column, row = cells % grid[0], cells // grid[0]
    corner = (1 - spread) * rng.random(2)
    centre = corner + spread * np.stack([column + .5 * (row % 2), row + .5], 1) / grid
    centre = centre + rng.normal(0, .1, centre.shape) / grid
    size = np.full(len(cells), (spread / grid).max()) * (rng.uniform(1., 1.6) if dense else rng.uniform(.8, 1.1))
    path = np.repeat(centre[:, None], frames, 1)
    return Story(np.full(len(cells), kind), size, path, np.ones((len(cells), frames), bool), light)


def draw(rng: np.random.Generator, frames: int = kinds.CLIP_FRAMES, crowd: float = 0.) -> Story:
    """A random story. `crowd` is the chance of one thing more, and of more piles (encoder training wants full frames)."""
    light = draw_light(rng, frames)
    if rng.random() < (PILES_IN_CROWDS if crowd else PILES):
        return draw_pile(rng, frames, light)
    wanted = int(rng.choice(6, p=[.04, .24, .28, .24, .13, .07])) + (rng.random() < crowd)
    found_kinds, sizes, ways = [], [], []
    for _ in range(wanted):
        chance = rng.random()
        kind = found_kinds[-1] if found_kinds and chance < .38 else int(rng.integers(kinds.COUNT))
        if chance > .95:
            kind = -1
        smallest, largest = {1: (.3, 1.2), 2: (.25, .65)}.get(wanted, (.24, .46))
        size = float(np.exp(rng.uniform(np.log(smallest), np.log(largest))))
        for _ in range(10):
            path, present = draw_path(rng, size, frames)
            if not any(collides(path, present, size, other) for other in ways):
                found_kinds.append(kind), sizes.append(size), ways.append((path, present, size))
                break
    if not ways:
        return Story(np.zeros(0, int), np.zeros(0), np.zeros((0, frames, 2)), np.zeros((0, frames), bool), light)
    return Story(np.array(found_kinds), np.array(sizes), np.stack([w[0] for w in ways]), np.stack([w[1] for w in ways]), light)
