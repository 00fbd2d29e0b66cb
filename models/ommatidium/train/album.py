# SPDX-License-Identifier: Apache-2.0
"""Pixels and a story for a real photograph: a window of it, as a camera that stands still would show it.

What is known of a photograph is less than what is known of a rendered scene; `Known` says what may be asked. A thing of which
little is inside the window, or that is small, makes its kind unsure instead of being asked about.
"""
import pickle
from pathlib import Path

import cv2
import numpy as np

import kinds
from render import COVERED, SIZE, Camera, recolour
from story import Known, Story, draw_light

OTHERS = .15                    # share of photographs without any known kind
DIMMED = .3                     # share of clips in which the light may be off or change
SMALLEST, HIDDEN = .12, .06     # of a thing's part inside the window: root of its area, share of the thing
INSIDE, FILLS = .3, .35         # a thing is there when so much of it is inside, or when it fills so much of the window
UNCLEAR = -2                    # a cell that may or may not show a thing
MASK = 64


class Album:
    def __init__(self, cache: Path, split: str):
        self.pixels = np.load(cache / f"photographs_{split}.npy", mmap_mode="r")
        self.notes = pickle.loads((cache / f"photographs_{split}.pkl").read_bytes())
        of_kind: dict[int, list[int]] = {}
        for i, note in enumerate(self.notes):
            for kind in {kind for kind, _ in note["things"]} or {-1}:
                of_kind.setdefault(kind, []).append(i)
        self.others = of_kind.pop(-1)
        self.by_kind = [of_kind[k] for k in sorted(of_kind)]

    def choose(self, rng: np.random.Generator) -> int:
        """Every kind equally often."""
        found = self.others if rng.random() < OTHERS else self.by_kind[rng.integers(len(self.by_kind))]
        return found[rng.integers(len(found))]

    @staticmethod
    def window(rng: np.random.Generator, things: list) -> np.ndarray:
        """left, top, width, height: the whole, most of it, or a thing close up."""
        chance = rng.random()
        if chance < .3:
            return np.array([0., 0., 1., 1.])
        if chance < .6 or not things:
            size, centre = np.full(2, rng.uniform(.6, 1)), rng.random(2)
        else:
            left, top, right, bottom = things[rng.integers(len(things))][1]
            size = np.full(2, max(right - left, bottom - top) * rng.uniform(.6, 1.8))
            centre = np.array([left + right, top + bottom]) / 2 + rng.normal(0, .1, 2) * size
        size = np.clip(size * np.exp(rng.normal(0, .1, 2)), .3, 1)
        return np.concatenate([np.clip(centre - size / 2, 0, 1 - size), size])

    def take(self, rng: np.random.Generator, frames: int = kinds.CLIP_FRAMES) -> tuple[Story, np.ndarray, np.ndarray]:
        """A story, its frames (frames, 128, 128, 3) uint8 and the thing of each cell (frames, 8, 8) int8: -1 none, -2 unclear."""
        index = self.choose(rng)
        note, window = self.notes[index], self.window(rng, self.notes[index]["things"])
        light = draw_light(rng, frames) if rng.random() < DIMMED else np.ones(frames, np.float32)
        inside = [(kind, *part_inside(np.array(box), window)) for kind, box in note["things"]]
        clear = [(kind, part) for kind, part, share in inside if is_there(part, share)]
        doubtful = {kind for kind, part, share in inside if share > HIDDEN and not is_there(part, share)}
        mirrored = rng.random() < .5
        parts = np.array([part for _, part in clear]).reshape(-1, 4)
        if mirrored:
            parts[:, [0, 2]] = 1 - parts[:, [2, 0]]
        found = np.array([kind for kind, _ in clear], int)
        known = Known(unsure=frozenset(doubtful | set(note["unsure"])) - set(found), complete=False, placed=note["boxed"],
                      uncounted=frozenset(doubtful if note["counted"] else range(kinds.COUNT)))
        centre, size = (parts[:, :2] + parts[:, 2:]) / 2, np.sqrt(np.prod(parts[:, 2:] - parts[:, :2], 1))
        story = Story(found, size, np.repeat(centre[:, None], frames, 1), np.ones((len(found), frames), bool), light, known)
        cells = cells_of(parts, outside=-1 if note["boxed"] and not doubtful else UNCLEAR)
        if not note["things"]:
            cells[:] = -1
        return story, self.film(rng, index, window, mirrored, light), np.repeat(cells[None], frames, 0)

    def film(self, rng: np.random.Generator, index: int, window: np.ndarray, mirrored: bool, light: np.ndarray) -> np.ndarray:
        whole = self.pixels.shape[1]
        left, top = (window[:2] * whole).astype(int)
        width, height = np.maximum(8, (window[2:] * whole).astype(int))
        side = SIZE + 2 * Camera.MARGIN
        cut = np.ascontiguousarray(self.pixels[index, top:top + height, left:left + width])
        scene = cv2.resize(cut[:, ::-1] if mirrored else cut, (side, side), interpolation=cv2.INTER_AREA)
        if rng.random() < .5:
            scene = recolour(rng, scene, 4)
        camera, scene = Camera(rng), scene.astype(np.float32) * rng.uniform(.7, 1.2)
        return np.stack([camera.develop(camera.look(scene), brightness) for brightness in light])


def part_inside(box: np.ndarray, window: np.ndarray) -> tuple[np.ndarray, float]:
    """The part of a box inside the window, in fractions of the window, and its share of the box."""
    within = (box.reshape(2, 2) - window[:2]) / window[2:]
    part = np.clip(within, 0, 1)
    return part.ravel(), float(np.prod(part[1] - part[0]) / max(np.prod(within[1] - within[0]), 1e-9))


def is_there(part: np.ndarray, share: float) -> bool:
    area = np.prod(part[2:] - part[:2])
    return area >= SMALLEST ** 2 and (share >= INSIDE or area >= FILLS)


def cells_of(parts: np.ndarray, outside: int) -> np.ndarray:
    """(8, 8): the thing whose ellipse covers most of a cell; a box that is the whole window covers it all. A box's corners are unclear."""
    grid = (kinds.ENCODER_GRID,) * 2
    cells, most = np.full(grid, outside, np.int8), np.zeros(grid, np.float32)
    y, x = np.mgrid[:MASK, :MASK] / MASK + .5 / MASK
    shrunk = lambda mask: cv2.resize(mask.astype(np.float32), grid, interpolation=cv2.INTER_AREA)
    for thing, (left, top, right, bottom) in enumerate(parts):
        width, height = right - left, bottom - top
        in_box = (x > left) & (x < right) & (y > top) & (y < bottom)
        ellipse = ((2 * x - left - right) / width) ** 2 + ((2 * y - top - bottom) / height) ** 2 < 1
        cover = shrunk(in_box if width * height > .98 else ellipse)
        cells[(shrunk(in_box) > .05) & (most == 0)] = UNCLEAR
        won = (cover > most) & (cover > COVERED)
        cells[won], most[won] = thing, cover[won]
    return cells


def contact_sheet(album: Album, path: str, rows: int = 12, columns: int = 10, seed: int = 0) -> None:
    """Frames with the word of every cell's kind by its first letters."""
    rng, lines = np.random.default_rng(seed), []
    for _ in range(rows):
        line = []
        for _ in range(columns):
            story, frames, cells = album.take(rng, 1)
            picture = cv2.resize(frames[0], None, fx=2, fy=2)
            for (row, column), thing in np.ndenumerate(cells[0]):
                mark = "?" if thing == UNCLEAR else "" if thing < 0 else kinds.NAMES[story.kind[thing]][:3]
                cv2.putText(picture, mark, (column * 32 + 4, row * 32 + 20), cv2.FONT_HERSHEY_SIMPLEX, .35, (255, 255, 0))
            line.append(picture)
        lines.append(np.concatenate(line, 1))
    cv2.imwrite(path, np.concatenate(lines, 0)[..., ::-1])


if __name__ == "__main__":
    import argparse
    parser = argparse.ArgumentParser(description="Draws a sheet of windows of photographs with their cells, to be looked at.")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--split", default="train")
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    contact_sheet(Album(options.cache, options.split), options.out)
