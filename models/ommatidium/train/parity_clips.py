# SPDX-License-Identifier: Apache-2.0
"""Writes rendered held-out clips as PNG frames with questions and true answers, for one run of the runtime beside PyTorch."""
import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

import story
from facts import Facts
from questions import questions
from render import Painter


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=250)
    options = parser.parse_args()
    painter, rng, asked, truth = Painter(options.cache, "held"), np.random.default_rng(11), {}, {}
    for n in range(options.clips):
        scene = story.draw(rng)
        frames = painter.paint(rng, scene)[0][:6]
        name = f"clips/{n:03d}"
        folder = options.out / name
        folder.mkdir(parents=True, exist_ok=True)
        for i, frame in enumerate(frames):
            Image.fromarray(frame).save(folder / f"{i:02d}.png")
        drawn = questions(rng, Facts(scene, 0, 6), 6)
        asked[name], truth[name] = [q.text for q in drawn], [q.answer for q in drawn]
    (options.out / "questions.json").write_text(json.dumps(asked))
    (options.out / "truth.json").write_text(json.dumps(truth))


if __name__ == "__main__":
    main()
