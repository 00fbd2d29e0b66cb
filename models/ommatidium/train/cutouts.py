# SPDX-License-Identifier: Apache-2.0
"""Stage 1: packs cut-outs and backgrounds into one file per split.

The data folder has `sprites/{train,held}/<kind>/*.webp` (RGBA) with `sprites/index.json`, and
`backgrounds/{train,held}/*.jpg` with `backgrounds/index.json`. One tenth of the training files, chosen by a hash of the file's
name, becomes the split `dev`: every decision is made on it, and `held` is used for the model card only.
"""
import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
from PIL import Image

import kinds

SPRITE_SIZE = 160      # longest side of a cut-out
BACKGROUND_SIZE = 240


def split_of(entry: dict) -> str:
    if entry["split"] == "held":
        return "held"
    digest = hashlib.md5(Path(entry["file"]).name.encode()).digest()
    return "dev" if digest[0] % 10 == 0 else "train"


def is_crate(entry: dict) -> bool:
    """Crates of other vegetables: with all of them, training learns that a full crate is nothing; a quarter is kept."""
    return entry["kind"] == "store crate/shelf"


def squared(image: Image.Image) -> np.ndarray:
    """The cut-out (RGBA) in the middle of a transparent square: (160, 160, 4) uint8."""
    scale = SPRITE_SIZE / max(image.size)
    size = [max(1, round(side * scale)) for side in image.size]
    image = image.resize(size, Image.Resampling.BILINEAR)
    canvas = np.zeros((SPRITE_SIZE, SPRITE_SIZE, 4), np.uint8)
    x, y = (SPRITE_SIZE - size[0]) // 2, (SPRITE_SIZE - size[1]) // 2
    canvas[y:y + size[1], x:x + size[0]] = np.asarray(image)
    return canvas


def pack(data: Path, out: Path) -> None:
    sprites = json.loads((data / "sprites/index.json").read_text())
    backgrounds = json.loads((data / "backgrounds/index.json").read_text())
    index = {kinds.folder(name): i for i, name in enumerate(kinds.NAMES)}
    out.mkdir(parents=True, exist_ok=True)
    for split in ("train", "dev", "held"):
        chosen = [s for s in sprites if split_of(s) == split]
        pixels = np.stack([squared(Image.open(data / "sprites" / s["file"]).convert("RGBA")) for s in chosen])
        kind = np.array([index.get(s["cls"], -1) for s in chosen], np.int8)   # -1: a thing the model does not know
        grey = np.array([s["colour"] == "grey photo" for s in chosen])
        scenes = [np.asarray(Image.open(data / "backgrounds" / b["file"]).convert("RGB")
                             .resize((BACKGROUND_SIZE, BACKGROUND_SIZE), Image.Resampling.BILINEAR))
                  for i, b in enumerate(backgrounds) if split_of(b) == split and (split == "held" or not is_crate(b) or i % 4 == 0)]
        np.savez(out / f"cutouts_{split}.npz", pixels=pixels, kind=kind, grey=grey, backgrounds=np.stack(scenes))
        counts = ", ".join(f"{n} {np.sum(kind == i)}" for i, n in enumerate(kinds.NAMES))
        print(f"{split}: {len(chosen)} cut-outs ({counts}), {len(scenes)} backgrounds", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    pack(options.data, options.out)
