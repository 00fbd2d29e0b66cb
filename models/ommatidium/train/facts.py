# SPDX-License-Identifier: Apache-2.0
"""What is true of a window of a story: the ground truth behind every question.

A thing counts as there when at least 30 % of its square lies inside the frame, as absent below 10 %; in between nothing is asked
about its kind. In the same way small displacements are neither "still" nor a direction.
"""
import numpy as np

import kinds
from story import Story

THERE, ABSENT = .3, .1
MOVED, STILL = .15, .03      # displacement over the window, as a fraction of the frame
EDGES = (.37, .63)           # of the three columns and rows of places
UNKNOWN = -100               # "no target" for cross-entropy


def place_of(centre: np.ndarray, slack: float = .03) -> int | None:
    """Index in PLACES, or None close to a boundary."""
    centre = np.clip(centre, 0, 1)
    if np.abs(centre[:, None] - np.array(EDGES)).min() < slack:
        return None
    column, row = (int(np.searchsorted(EDGES, c)) for c in centre)
    return 3 * row + column


def direction_of(displacement: np.ndarray, moved: float = MOVED, still: float = STILL) -> int | None:
    """Index in DIRECTIONS, or None when unclear."""
    axis = int(np.abs(displacement[1]) > np.abs(displacement[0]))
    length = displacement[axis]
    if abs(length) < still:
        return 0
    if abs(length) < moved:
        return None
    return 1 + 2 * axis + int(length > 0)


class Facts:
    def __init__(self, story: Story, begin: int, end: int):
        self.kind, self.known, self.frames = story.kind, story.known, end - begin
        self.path = story.path[:, begin:end]
        visible = story.visible()[:, begin:end]
        now = visible[:, -1] if len(visible) else np.zeros(0)
        self.now = now >= THERE
        self.unsure_now = (now > ABSENT) & (now < THERE)
        most = visible.max(1) if len(visible) else np.zeros(0)
        self.seen = most >= THERE
        self.unsure_seen = (most > ABSENT) & (most < THERE)
        self.lit = story.light[begin:end] > .5
        self.direction = [self.overall_direction(i, visible[i]) for i in range(len(visible))]
        first = visible[:, 0] if len(visible) else now
        several = self.frames > 1
        self.appeared = (first <= .05) & self.now & several
        self.left = (first >= THERE) & (now <= .05) & several
        self.unsure_change = several & ((first > .05) & (first < THERE) | (now > .05) & (now < THERE))
        self.visible = visible

    def overall_direction(self, thing: int, visible: np.ndarray) -> int | None:
        shown = np.flatnonzero(visible > .15)
        if len(shown) < 2 or not self.seen[thing]:
            return None
        path = np.clip(self.path[thing], 0, 1)
        return direction_of(path[shown[-1]] - path[shown[0]])

    def of(self, kind: int) -> np.ndarray:
        return np.flatnonzero(self.kind == kind)

    def kinds_where(self, mask: np.ndarray) -> list[int]:
        """Known kinds of the things in the mask, each once."""
        return [int(k) for k in dict.fromkeys(self.kind[mask]) if k >= 0]

    def is_unsure(self, kind: int) -> bool:
        """Whether one may be there now or not."""
        return kind in self.known.unsure or bool(self.unsure_now[self.of(kind)].any())

    def count(self, kind: int) -> int | None:
        there = int(self.now[self.of(kind)].sum())
        return None if self.is_unsure(kind) or (there and kind in self.known.uncounted) else there

    def place(self, kind: int) -> int | None:
        things = self.of(kind)
        if not self.known.placed or self.count(kind) != 1:
            return None
        return place_of(self.path[things[self.now[things]][0], -1])

    def motion(self, kind: int) -> int | None:
        things = self.of(kind)
        if self.unsure_seen[things].any() or self.seen[things].sum() != 1:
            return None
        return self.direction[things[self.seen[things]][0]]

    def was_seen(self, kind: int) -> bool | None:
        things = self.of(kind)
        if self.seen[things].any():
            return True
        return None if self.unsure_seen[things].any() or kind in self.known.unsure else False

    def change(self, kind: int) -> int | None:
        """0 neither, 1 one of the kind came, 2 one left."""
        things = self.of(kind)
        both = self.appeared[things].any() and self.left[things].any()
        if self.frames == 1 or kind in self.known.unsure or self.unsure_change[things].any() or both:
            return None
        return int(self.appeared[things].any()) + 2 * int(self.left[things].any())

    def word_targets(self, kind: int) -> tuple[int, ...]:
        """Auxiliary targets at the word that names the kind: count, seen, direction, place, change; for a kind below 0 at the
        last word of a question about the light: lit, change of the light."""
        if kind < 0:
            return (UNKNOWN,) * 5 + tuple(int(v) for v in self.light_targets()[-1])
        values = self.count(kind), self.was_seen(kind), self.motion(kind), self.place(kind), self.change(kind), None, None
        count, *others = (UNKNOWN if v is None else int(v) for v in values)
        return min(count, 5), *others

    def light_targets(self) -> np.ndarray:
        """Per frame: (0 dark, 1 lit) and (0 as at first, 1 turned on since, 2 turned off): (frames, 2)."""
        lit = self.lit.astype(int)
        return np.stack([lit, np.where(lit == lit[0], 0, 2 - lit)], 1)


def cell_classes(story: Story, cells: np.ndarray) -> np.ndarray:
    """Things in cells or tokens (-1 none, -2 unclear) as classes: 0 none, else kind + 1, UNKNOWN where it is unclear."""
    return np.concatenate([story.kind + 1, [UNKNOWN, 0]]).astype(int)[cells]


def token_targets(story: Story, cells: np.ndarray, begin: int, end: int) -> tuple[np.ndarray, np.ndarray]:
    """Auxiliary targets per image token: its class (0 none, else kind + 1) and how it moves since the last frame.

    `cells` is (frames, 16): the thing that each token shows, -1 for none, -2 unclear. Returns two (end - begin, 16) arrays.
    """
    classes = cell_classes(story, cells[begin:end])
    moves = np.full(classes.shape, UNKNOWN)
    for f in range(begin + 1, end):
        now = [direction_of(step, .025, .012) for step in story.path[:, f] - story.path[:, f - 1]] + [None, None]
        shown = story.present[:, f] & story.present[:, f - 1] if len(story.kind) else np.zeros(0, bool)
        table = np.array([UNKNOWN if v is None or not ok else v for v, ok in zip(now, [*shown, False, False])])
        moves[f - begin] = table[cells[f]]
    return classes, moves
