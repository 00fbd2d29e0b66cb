# SPDX-License-Identifier: Apache-2.0
"""Pixels for a story: augmented cut-outs on a background, 128 x 128 RGB.

`Painter` holds the cut-outs and backgrounds of one split. The frame stands for a whole camera picture that was stretched to a
square, so all cut-outs of a clip share a random aspect ratio (1:1, 4:3, 16:9, 3:4).
"""
from pathlib import Path

import cv2
import numpy as np

import kinds
from story import Story, draw

SIZE = kinds.IMAGE_SIZE
DIFFERENT = 12      # cut-outs in a clip; the things of a pile share them
COVERED = .28       # a cell that is covered less counts as background
cv2.setNumThreads(1)


def radial_outline(rng: np.random.Generator, side: int) -> np.ndarray:
    """A soft random blob inside the unit disc, (side, side) in 0...1: the exact discs get a natural outline."""
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    radius, angle = np.hypot(axis[None], axis[:, None]), np.arctan2(axis[:, None], axis[None])
    limit = 1 - abs(rng.normal(0, .07)) - sum(
        abs(rng.normal(0, .05 / k)) * (1 + np.cos(k * angle + rng.uniform(0, 6.3))) for k in (1, 2, 3, 5))
    return np.clip((limit - radius) * side / 4 + .5, 0, 1)


def recolour(rng: np.random.Generator, rgb: np.ndarray, hue_shift: int) -> np.ndarray:
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + rng.integers(-hue_shift, hue_shift + 1)) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(.55, 1.4), 0, 255)
    hsv[..., 2] = 255 * (hsv[..., 2] / 255) ** rng.uniform(.65, 1.5)
    return cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)


class Camera:
    """What a camera does to a scene: it may shake a little; colour cast, noise, blur, JPEG. Drawn once per clip."""
    MARGIN = 4      # pixels around the frame that a shake can show

    def __init__(self, rng: np.random.Generator):
        self.rng, self.shakes = rng, rng.random() < .4
        self.noise, self.blurred = rng.uniform(0, 7), rng.random() < .12
        self.quality = int(rng.integers(35, 95)) if rng.random() < .3 else 0
        self.cast = (1 + rng.normal(0, .05, 3)).astype(np.float32)
        self.grain = rng.standard_normal((SIZE + 16, SIZE + 16, 3), np.float32)
        self.offset = [self.MARGIN, self.MARGIN]

    def look(self, scene: np.ndarray) -> np.ndarray:
        """A copy of the scene without its margin, at the camera's place in the next frame: (128, 128, 3) float."""
        if self.shakes:
            self.offset = [int(np.clip(v + self.rng.integers(-1, 2), 0, 2 * self.MARGIN)) for v in self.offset]
        dx, dy = self.offset
        return scene[dy:dy + SIZE, dx:dx + SIZE].copy()

    def develop(self, frame: np.ndarray, brightness: float) -> np.ndarray:
        """The frame in its light as uint8; changes `frame`."""
        frame *= brightness * self.cast
        if self.noise > .5:
            sy, sx = self.rng.integers(0, 16, 2)
            frame += self.noise * self.grain[sy:sy + SIZE, sx:sx + SIZE]
        picture = np.clip(frame, 0, 255).astype(np.uint8)
        if self.blurred:
            picture = cv2.GaussianBlur(picture, (3, 3), 0)
        if self.quality:
            picture = cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, self.quality])[1], 1)
        return picture


class Painter:
    def __init__(self, cache: Path, split: str):
        store = np.load(cache / f"cutouts_{split}.npz")
        self.backgrounds, self.grey = store["backgrounds"], store["grey"]
        self.by_kind = {k: np.flatnonzero(store["kind"] == k) for k in range(-1, kinds.COUNT)}
        pixels = store["pixels"]
        halve = lambda images: np.stack([cv2.resize(i, None, fx=.5, fy=.5, interpolation=cv2.INTER_AREA) for i in images])
        half = halve(pixels)
        self.levels = [halve(half), half, pixels]      # longest side 40, 80, 160

    def sprite(self, rng: np.random.Generator, kind: int, size: float, aspect: float) -> tuple[np.ndarray, np.ndarray]:
        """An augmented cut-out of about `size` pixels: (rgb float (n, n, 3), alpha (n, n, 1))."""
        index = rng.choice(self.by_kind[kind])
        level = next((images for images in self.levels if images.shape[1] >= size * .9), self.levels[-1])
        source, side = level[index], level.shape[1]
        rgb, alpha = source[..., :3], source[..., 3].astype(np.float32) / 255
        is_round = kind in kinds.ROUND
        if self.grey[index] and rng.random() < .7:
            rgb = np.clip(rgb * rng.uniform(.3, 1.3, 3) + rng.uniform(-10, 20), 0, 255).astype(np.uint8)
        if rng.random() < .7:
            rgb = recolour(rng, np.ascontiguousarray(rgb), 4 if is_round else 20)
        if is_round and rng.random() < .75:
            alpha = alpha * radial_outline(rng, side)
        if rng.random() < .15:      # something covers a part of it
            cut = rng.uniform(.15, .4)
            span = slice(0, int(side * cut)) if rng.random() < .5 else slice(int(side * (1 - cut)), side)
            alpha = alpha.copy()
            alpha[(span, slice(None)) if rng.random() < .5 else (slice(None), span)] = 0
        if rng.random() < .5:
            rgb, alpha = rgb[:, ::-1], alpha[:, ::-1]
        if kind in kinds.ANY_ANGLE and rng.random() < (1 if is_round else .6):
            angle = rng.uniform(0, 360)
        else:
            angle = rng.normal(0, 14)
        fill = float(alpha.mean())      # thin things (a plane, a car from the side) are drawn longer
        size = size * float(np.clip((.5 / max(fill, .05)) ** .4, .95, 1.5))
        extent = int(size * 1.45) + 1
        rotation = cv2.getRotationMatrix2D((side / 2, side / 2), angle, size / side)[:, :2]
        shear = np.array([[rng.uniform(.85, 1.15), rng.normal(0, .08)], [rng.normal(0, .08), rng.uniform(.85, 1.15)]])
        matrix = np.diag([aspect, 1.]) @ shear @ rotation
        offset = np.full(2, extent / 2) - matrix @ np.full(2, side / 2)
        picture = np.dstack([rgb.astype(np.float32), alpha])
        picture = cv2.warpAffine(picture, np.concatenate([matrix, offset[:, None]], 1), (extent, extent), flags=cv2.INTER_LINEAR)
        if rng.random() < .3:
            picture = cv2.GaussianBlur(picture, (3, 3) if rng.random() < .7 else (5, 5), 0)
        tint = rng.uniform(.7, 1.2) * (1 + rng.normal(0, .05, 3))
        return picture[..., :3] * tint.astype(np.float32), picture[..., 3:]

    def background(self, rng: np.random.Generator, margin: int) -> np.ndarray:
        """A background of (SIZE + 2 margin)^2, float."""
        side = SIZE + 2 * margin
        photo = self.backgrounds[rng.integers(len(self.backgrounds))]
        whole = photo.shape[0]
        if rng.random() < .7:
            height, width = (rng.integers(whole // 3, whole + 1, 2))
            y, x = rng.integers(0, whole - height + 1), rng.integers(0, whole - width + 1)
            scene = cv2.resize(photo[y:y + height, x:x + width], (side, side), interpolation=cv2.INTER_AREA)
            scene = scene[:, ::-1] if rng.random() < .5 else scene
            return scene.astype(np.float32) * rng.uniform(.55, 1.15)
        scene = np.empty((side, side, 3), np.float32)      # a wall and a table
        colour = lambda: rng.uniform(15, 250, 3) if rng.random() < .4 else rng.uniform(15, 250) + rng.normal(0, 9, 3)
        edge = int(rng.uniform(0, 1) * side)
        scene[:edge], scene[edge:] = colour(), colour()
        if rng.random() < .5:
            patch = cv2.resize(photo[:80, :80], (side, side)).astype(np.float32)
            scene[edge:] = .5 * scene[edge:] + .5 * patch[edge:]
        ramp = np.linspace(rng.uniform(.7, 1.1), rng.uniform(.7, 1.1), side, dtype=np.float32)
        return scene * (ramp[None, :, None] if rng.random() < .5 else ramp[:, None, None])

    def take(self, rng: np.random.Generator, frames: int = kinds.CLIP_FRAMES, crowd: float = 0.) -> tuple[Story, np.ndarray, np.ndarray]:
        """A random story, its frames and the thing of each cell; as `Album.take` for photographs."""
        story = draw(rng, frames, crowd)
        return story, *self.paint(rng, story)

    def paint(self, rng: np.random.Generator, story: Story) -> tuple[np.ndarray, np.ndarray]:
        """Frames (frames, 128, 128, 3) uint8 and the thing that covers most of each cell (frames, 8, 8) int8, -1 for none."""
        aspect = float(rng.choice([1., .75, .5625, 1.25], p=[.35, .35, .2, .1]))
        sprites = [self.sprite(rng, int(k), s * SIZE, aspect) for k, s in zip(story.kind[:DIFFERENT], story.size)]
        if len(story.kind) > DIFFERENT:      # a pile: of one sort or of many
            sprites = sprites[:rng.integers(2, DIFFERENT + 1)]
        scene = self.background(rng, Camera.MARGIN)
        camera = Camera(rng)
        frames = np.empty((story.frames, SIZE, SIZE, 3), np.uint8)
        cells = np.full((story.frames, kinds.ENCODER_GRID, kinds.ENCODER_GRID), -1, np.int8)
        for f in range(story.frames):
            frame = camera.look(scene)
            own, total = np.zeros((2, *cells.shape[1:]), np.float32)      # cover by the cell's thing, by all things
            for thing in np.flatnonzero(story.present[:, f]):
                rgb, alpha = sprites[thing % len(sprites)]
                cover = self.blend(frame, rgb, alpha, story.path[thing, f] * SIZE)
                if cover is not None:
                    own, total = own * (1 - cover), 1 - (1 - total) * (1 - cover)
                    won = cover > own
                    cells[f][won], own[won] = thing, cover[won]
            cells[f][total < COVERED] = -1
            frames[f] = camera.develop(frame, story.light[f])
        return frames, cells

    @staticmethod
    def blend(frame: np.ndarray, rgb: np.ndarray, alpha: np.ndarray, centre: np.ndarray) -> np.ndarray | None:
        """Draws one cut-out into the frame; returns how much of each cell it covers, None when it lies outside."""
        side = alpha.shape[0]
        x, y = (int(round(c - side / 2)) for c in centre)
        left, top, right, bottom = max(x, 0), max(y, 0), min(x + side, SIZE), min(y + side, SIZE)
        if left >= right or top >= bottom:
            return None
        part = slice(top - y, bottom - y), slice(left - x, right - x)
        spot = frame[top:bottom, left:right]
        spot += alpha[part] * (rgb[part] - spot)
        mask = np.zeros((SIZE, SIZE), np.float32)
        mask[top:bottom, left:right] = alpha[part][..., 0]
        return cv2.resize(mask, (kinds.ENCODER_GRID,) * 2, interpolation=cv2.INTER_AREA)


def contact_sheet(painter: Painter, path: str, rows: int = 10, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    clips = [np.concatenate(list(painter.take(rng)[1]), 1) for _ in range(rows)]
    cv2.imwrite(path, np.concatenate(clips, 0)[..., ::-1])


if __name__ == "__main__":
    import argparse
    parser = argparse.ArgumentParser(description="Draws a sheet of random clips, to be looked at.")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--split", default="train")
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    contact_sheet(Painter(options.cache, options.split), options.out)
