# SPDX-License-Identifier: Apache-2.0
"""Records what llama.cpp computes from the decoder fixtures: greedy tokens and logits.

    python scripts/references/llama_decoders.py --models Tests/Fixtures/models --out Tests/Fixtures/llama.cpp

Per model, after the fixture's own tokens: `tokens` (32), the most probable next token again and again;
`margins` (32), by how much each beat the second; `logits` (8, vocabulary), from which the first 8 were
chosen.
"""

import argparse
from pathlib import Path

import numpy as np
from llama_cpp import Llama

TOKEN_COUNT = 32
LOGITS_COUNT = 8


def continue_greedily(model_path: Path, prompt: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """The greedy continuation of a prompt, and the logits (tokens, vocabulary) that it was chosen from."""
    model = Llama(
        str(model_path), n_ctx=128, n_batch=64, n_threads=1, n_threads_batch=1, logits_all=True, verbose=False
    )
    model.eval(prompt)
    tokens, logits = [], []
    for _ in range(TOKEN_COUNT):
        scores = model.scores[model.n_tokens - 1].copy()
        tokens.append(int(scores.argmax()))
        logits.append(scores)
        model.eval(tokens[-1:])
    return np.array(tokens, np.int64), np.array(logits, np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, required=True, help="the folder of the model fixtures")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    arguments = parser.parse_args()
    for model_path in sorted(arguments.models.glob("*/decoder.gguf")):
        prompt = np.load(model_path.parent / "tokens.npy").tolist()
        tokens, logits = continue_greedily(model_path, prompt)
        ranked = np.sort(logits, axis=1)
        folder = arguments.out / model_path.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "tokens.npy", tokens)
        np.save(folder / "margins.npy", ranked[:, -1] - ranked[:, -2])
        np.save(folder / "logits.npy", logits[:LOGITS_COUNT])


if __name__ == "__main__":
    main()
