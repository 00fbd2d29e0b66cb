# SPDX-License-Identifier: Apache-2.0
"""Memory banks for the tests of `--memory bank`, computed by NumPy from the paper.

    python3 scripts/references/memory_bank.py Tests/Fixtures/memory

He et al. 2024, "MA-LMM: Memory-Augmented Large Multimodal Model for Long-Term Video Understanding",
section 3.2: when the bank is longer than its limit, the cosine similarity of all adjacent frames is
computed for each token position, and the most similar pair becomes its mean. Here the mean is one
over all frames that a pair stands for. Written in the paper's terms, in f64: f is the bank as a list
of frames for each position, s the similarities.
"""

import json
import sys
from pathlib import Path

import numpy as np

FRAMES, POSITIONS, WIDTH, LIMIT = 40, 3, 10, 6


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def scene(rng: np.random.Generator) -> np.ndarray:
    """Frames that change slowly, and now and then at once: (FRAMES, POSITIONS, WIDTH)."""
    steps = rng.normal(size=(FRAMES, POSITIONS, WIDTH)) * rng.choice(
        [0.02, 0.2, 1.5], p=[0.6, 0.25, 0.15], size=(FRAMES, POSITIONS, 1)
    )
    return np.cumsum(steps, 0).astype(np.float32)


def watch(frames: np.ndarray) -> list:
    """The bank of each position after each frame: [(entries, counts)]."""
    banks = [([], []) for _ in range(POSITIONS)]
    history = []
    for frame in frames:
        for (f, n), token in zip(banks, frame.astype(np.float64)):
            f.append(token)
            n.append(1)
            if len(f) > LIMIT:
                s = [cosine(f[t], f[t + 1]) for t in range(len(f) - 1)]
                k = int(np.argmax(s))
                f[k] = (n[k] * f[k] + n[k + 1] * f[k + 1]) / (n[k] + n[k + 1])
                n[k] += n[k + 1]
                del f[k + 1], n[k + 1]
        history.append(([list(f) for f, _ in banks], [list(n) for _, n in banks]))
    return history


def tensor(array: np.ndarray) -> dict:
    values = np.asarray(array, np.float64).ravel()
    return dict(shape=list(np.shape(array)), values=[float(f"{v:.9g}") for v in values])


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    frames = scene(np.random.default_rng(23))
    history = watch(frames)
    fixture = dict(frames=tensor(frames))
    for count in (LIMIT, LIMIT + 1, 2 * LIMIT, FRAMES):
        entries, counts = history[count - 1]
        # (entries, positions, width), as frames are
        fixture[f"bank{count}"] = tensor(np.array(entries).transpose(1, 0, 2))
        fixture[f"counts{count}"] = tensor(np.array(counts).T)
    (folder / "bank.json").write_text(json.dumps(fixture) + "\n")


if __name__ == "__main__":
    main()
