# SPDX-License-Identifier: Apache-2.0
"""Records what llama.cpp computes from the decoder fixtures and from the shipped decoder: most probable tokens and logits.

    python scripts/references/llama_decoders.py --models Tests/Fixtures/models --shipped models/ommatidium \
        --out Tests/Fixtures/llama.cpp

Per model, after the fixture's own tokens: `tokens` (32), the most probable next token again and again;
`margins` (32), by how much each beat the second; `logits` (8, vocabulary), from which the first 8 were
chosen. The shipped decoder reads a conversation instead, whose tokens are in `prompt` (n): `tokens` and
`margins` (n - 1) are what it thought came next after each, `logits` (8, vocabulary) those of the last 8.
Its weights, F16, are widened to F32 first, since llama.cpp rounds activations to the type of the weights.
"""

import argparse
import ctypes
import tempfile
from pathlib import Path

import llama_cpp
import numpy as np
from llama_cpp import Llama

CONVERSATION = (
    b"<|question|> What do you see?<|answer|> a cat and a cup<|endoftext|>"
    b"<|question|> How many people are there?<|answer|> two<|endoftext|>"
    b"<|question|> where is the stop sign<|answer|> top left<|endoftext|>"
    b"<|question|> Did the car move?<|answer|> yes<|endoftext|>"
    b"<|question|> Which way did the motorbike move?<|answer|> right<|endoftext|>"
    b"<|question|> Is there a dog?<|answer|> no<|endoftext|>"
)
TOKEN_COUNT = 32
LOGITS_COUNT = 8


def opened(model_path: Path) -> Llama:
    return Llama(str(model_path), n_ctx=128, n_batch=64, n_threads=1, n_threads_batch=1, logits_all=True, verbose=False)


def continue_greedily(model: Llama, prompt: list[int]) -> np.ndarray:
    """The logits (tokens, vocabulary) from which the greedy continuation of a prompt is chosen."""
    model.eval(prompt)
    for _ in range(TOKEN_COUNT - 1):
        model.eval([int(model.scores[model.n_tokens - 1].argmax())])
    return model.scores[len(prompt) - 1:model.n_tokens].copy()


def save(logits: np.ndarray, kept: slice, folder: Path) -> None:
    ranked = np.sort(logits, axis=1)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "tokens.npy", logits.argmax(axis=1))
    np.save(folder / "margins.npy", ranked[:, -1] - ranked[:, -2])
    np.save(folder / "logits.npy", logits[kept])


def record_shipped(model_path: Path, folder: Path) -> None:
    settings = llama_cpp.llama_model_quantize_default_params()
    settings.ftype = llama_cpp.LLAMA_FTYPE_ALL_F32
    with tempfile.TemporaryDirectory() as temporary:
        wide = Path(temporary) / "decoder.gguf"
        if llama_cpp.llama_model_quantize(bytes(model_path), bytes(wide), ctypes.byref(settings)) != 0:
            raise SystemExit(f"llama.cpp cannot widen {model_path}")
        model = opened(wide)
        prompt = model.tokenize(CONVERSATION, add_bos=False, special=True)
        model.eval(prompt)
        save(model.scores[:len(prompt) - 1].copy(), slice(-LOGITS_COUNT, None), folder)
    np.save(folder / "prompt.npy", np.array(prompt, np.int64))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, required=True, help="the folder of the model fixtures")
    parser.add_argument("--shipped", type=Path, required=True, help="the folder of the shipped model")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    arguments = parser.parse_args()
    for model_path in sorted(arguments.models.glob("mamba*/decoder.gguf")):
        prompt = np.load(model_path.parent / "tokens.npy").tolist()
        logits = continue_greedily(opened(model_path), prompt)
        save(logits, slice(LOGITS_COUNT), arguments.out / model_path.parent.name)
    record_shipped(arguments.shipped / "decoder.gguf", arguments.out / arguments.shipped.name)


if __name__ == "__main__":
    main()
