# SPDX-License-Identifier: Apache-2.0
"""Records what llama.cpp computes from the decoder fixtures and from the shipped decoder: greedy tokens and logits.

    python scripts/references/llama_decoders.py --models Tests/Fixtures/models --shipped models/ommatidium \
        --out Tests/Fixtures/llama.cpp

Per model, after the fixture's own tokens: `tokens` (32), the most probable next token again and again;
`margins` (32), by how much each beat the second; `logits` (8, vocabulary), from which the first 8 were
chosen. The shipped decoder has its `prompt` (tokens) recorded, too; its weights, F16, are widened to F32
first, since llama.cpp rounds activations to the type of the weights.
"""

import argparse
import ctypes
import tempfile
from pathlib import Path

import llama_cpp
import numpy as np
from llama_cpp import Llama

SHIPPED_PROMPT = b"<|question|> What do you see?<|answer|> a cat and a cup<|question|> Is there a dog?<|answer|>"
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


def record(model_path: Path, prompt: list[int], folder: Path) -> None:
    tokens, logits = continue_greedily(model_path, prompt)
    ranked = np.sort(logits, axis=1)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "tokens.npy", tokens)
    np.save(folder / "margins.npy", ranked[:, -1] - ranked[:, -2])
    np.save(folder / "logits.npy", logits[:LOGITS_COUNT])


def record_shipped(model_path: Path, folder: Path) -> None:
    prompt = Llama(str(model_path), vocab_only=True, verbose=False).tokenize(SHIPPED_PROMPT, add_bos=False, special=True)
    settings = llama_cpp.llama_model_quantize_default_params()
    settings.ftype = llama_cpp.LLAMA_FTYPE_ALL_F32
    with tempfile.TemporaryDirectory() as temporary:
        wide = Path(temporary) / "decoder.gguf"
        if llama_cpp.llama_model_quantize(bytes(model_path), bytes(wide), ctypes.byref(settings)) != 0:
            raise SystemExit(f"llama.cpp cannot widen {model_path}")
        record(wide, prompt, folder)
    np.save(folder / "prompt.npy", np.array(prompt, np.int64))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, required=True, help="the folder of the model fixtures")
    parser.add_argument("--shipped", type=Path, required=True, help="the folder of the shipped model")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    arguments = parser.parse_args()
    for model_path in sorted(arguments.models.glob("*/decoder.gguf")):
        prompt = np.load(model_path.parent / "tokens.npy").tolist()
        record(model_path, prompt, arguments.out / model_path.parent.name)
    record_shipped(arguments.shipped / "decoder.gguf", arguments.out / arguments.shipped.name)


if __name__ == "__main__":
    main()
