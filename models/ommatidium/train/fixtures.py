# SPDX-License-Identifier: Apache-2.0
"""Makes the pictures and clips that the repository's tests look at, from scikit-image's public-domain photographs.

Photos are scaled to at most 320 px (JPEG). Clips pan a window over a photo, or turn the light off: six small PNG frames each.
"""
import argparse
from pathlib import Path

import skimage
from PIL import Image, ImageEnhance

PHOTOS = {"chelsea.png": "cat", "coffee.png": "coffee", "astronaut.png": "astronaut", "rocket.jpg": "rocket", "camera.png": "cameraman"}
FRAME = (96, 72)


def pan(photo: Image.Image, begin: tuple, end: tuple, share: float = .6) -> list[Image.Image]:
    """A window of `share` of the photo whose corner goes from `begin` to `end` (fractions of the free way)."""
    width, height = (int(side * share) for side in photo.size)
    frames = []
    for i in range(6):
        x, y = ((b + (e - b) * i / 5) * (full - part) for b, e, full, part in zip(begin, end, photo.size, (width, height)))
        frames.append(photo.crop((int(x), int(y), int(x) + width, int(y) + height)).resize(FRAME, Image.Resampling.BILINEAR))
    return frames


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the tests' fixtures folder")
    options = parser.parse_args()
    source, photos = Path(skimage.__file__).parent / "data", {}
    (options.out / "photos").mkdir(parents=True, exist_ok=True)
    for file, name in PHOTOS.items():
        photo = Image.open(source / file).convert("RGB")
        photo.thumbnail((320, 320), Image.Resampling.LANCZOS)
        photo.save(options.out / "photos" / f"{name}.jpg", quality=88)
        photos[name] = photo
    still = photos["coffee"].resize(FRAME, Image.Resampling.BILINEAR)
    clips = {"cat-pan-right": pan(photos["cat"], (0, .5), (1, .5)), "coffee-pan-down": pan(photos["coffee"], (.5, 0), (.5, 1), .7),
             "astronaut-pan-left": pan(photos["astronaut"], (1, .3), (0, .3)),
             "light-off": [ImageEnhance.Brightness(still).enhance(1 if i < 3 else .25) for i in range(6)]}
    for name, frames in clips.items():
        folder = options.out / "clips" / name
        folder.mkdir(parents=True, exist_ok=True)
        for i, frame in enumerate(frames):
            frame.save(folder / f"{i:02d}.png", optimize=True)


if __name__ == "__main__":
    main()
