# SPDX-License-Identifier: Apache-2.0
"""Tells what an importance matrix does to the logits of a quantised model.

    python scripts/references/compare_importance.py models/ommatidium samples.json evaluation.json

Both lists are those of `ocellus-kit quantize --help`; the second one with pictures. For each type, without
and with the samples: how far the logits of the prompts are from the original's, the mean Kullback-Leibler
divergence in nats, and how often the most probable token is the same.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

TYPES = ("q8_0", "q6_k", "q4_k", "q4_0")


def logits(program: str, model: Path, evaluation: Path, work: Path) -> np.ndarray:
    """The logits (tokens, vocabulary) of all prompts, each after its pictures."""
    found = []
    for item in json.loads(evaluation.read_text()):
        pictures = [word for frame in item["frames"] for word in ("--image", evaluation.parent / frame)]
        for question in item["questions"]:
            command = [program, "trace", "--model", model, *pictures, "--text", question, "--out", work]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            found.append(np.load(work / "logits.npy").astype(np.float64))
    return np.concatenate(found)


def log_softmax(x: np.ndarray) -> np.ndarray:
    shifted = x - x.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="a folder in F32 or F16")
    parser.add_argument("samples", type=Path)
    parser.add_argument("evaluation", type=Path)
    parser.add_argument("--program", default=".build/release/ocellus-kit")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small, work = Path(folder) / "small", Path(folder) / "trace"
        original = logits(arguments.program, arguments.model, arguments.evaluation, work)
        expected = log_softmax(original)
        for kind in TYPES:
            for name, samples in (("plain", []), ("samples", ["--imatrix", arguments.samples])):
                command = [arguments.program, "quantize", arguments.model, small, "--type", kind, *samples]
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                actual = logits(arguments.program, small, arguments.evaluation, work)
                error = np.sqrt(((actual - original) ** 2).sum() / (original**2).sum())
                divergence = (np.exp(expected) * (expected - log_softmax(actual))).sum(1).mean()
                same = (actual.argmax(1) == original.argmax(1)).mean()
                print(f"{kind} {name:<8} error {error:.4f}  divergence {divergence:.5f}  same {same:.3f} of {len(actual)}")


if __name__ == "__main__":
    main()
