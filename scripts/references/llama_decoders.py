# SPDX-License-Identifier: Apache-2.0
"""Records what llama.cpp computes from the decoder fixtures and from the shipped decoder: greedy text and logits.

    python scripts/references/llama_decoders.py --models Tests/Fixtures/models --shipped models/ommatidium \
        --out Tests/Fixtures/llama.cpp

llama.cpp rounds activations before it multiplies them: to int8 for quantised weights, to F16 and BF16 for those. So
it runs twice: on the file, and on a copy with the same weights as F32, where nothing is rounded. Per model:

    prompts.npy   (4, n), the fixture's tokens in four orders
    tokens.npy    (4, 8), after each prompt the most probable token again and again, from the file
    exact.npy     (4, 8, vocabulary), the logits from which they are chosen, from the copy
    distance.npy  (2), how far the file's logits are from them: root of the mean square, and the largest

A random model often finds two tokens almost as good, and rounding then picks one by chance. So a text is recorded only
if it is clear: llama.cpp's own largest distance in it, on the best token and against it on any other, changes no token.

The shipped decoder, whose weights are F16, reads a conversation instead: `prompts` (1, n), `tokens` (1, n - 1), what it
thinks comes next after each; `exact` has the last 8.
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
TEXT_COUNT = 4
TOKEN_COUNT = 8


def opened(model_path: Path) -> Llama:
    return Llama(str(model_path), n_ctx=128, n_batch=64, n_threads=1, n_threads_batch=1, logits_all=True, verbose=False)


def opened_exactly(model_path: Path) -> Llama:
    """The same model with its weights as F32."""
    settings = llama_cpp.llama_model_quantize_default_params()
    settings.ftype = llama_cpp.LLAMA_FTYPE_ALL_F32
    settings.allow_requantize = True
    with tempfile.TemporaryDirectory() as temporary:
        wide = Path(temporary) / "decoder.gguf"
        if llama_cpp.llama_model_quantize(bytes(model_path), bytes(wide), ctypes.byref(settings)) != 0:
            raise SystemExit(f"llama.cpp cannot widen {model_path}")
        return opened(wide)


def read(model: Llama, tokens: list[int]) -> np.ndarray:
    """The logits (tokens, vocabulary) after each token, from an empty state."""
    model.reset()
    model.eval(tokens)
    return model.scores[:len(tokens)].copy()


def continue_greedily(model: Llama, prompt: list[int]) -> np.ndarray:
    """The logits (tokens, vocabulary) from which the greedy continuation of a prompt is chosen."""
    read(model, prompt)
    for _ in range(TOKEN_COUNT - 1):
        model.eval([int(model.scores[model.n_tokens - 1].argmax())])
    return model.scores[len(prompt) - 1:model.n_tokens].copy()


def least_margin(logits: np.ndarray) -> float:
    ranked = np.sort(logits, axis=1)
    return float((ranked[:, -1] - ranked[:, -2]).min())


def record(model_path: Path, folder: Path) -> None:
    model, exact_model = opened(model_path), opened_exactly(model_path)
    generator = np.random.default_rng(0)
    prompt = np.load(model_path.parent / "tokens.npy")
    prompts, rounded, exact = [], [], []
    tried = 0
    while len(prompts) < TEXT_COUNT:
        tried += 1
        prompt = generator.permutation(prompt)
        found = continue_greedily(model, prompt.tolist())
        text = prompt.tolist() + found.argmax(axis=1).tolist()
        wanted = read(exact_model, text[:-1])[len(prompt) - 1:]
        if least_margin(found) > 2 * np.abs(found - wanted).max():
            prompts.append(prompt.copy())
            rounded.append(found)
            exact.append(wanted)
    save(folder, np.stack(prompts), np.stack(rounded), np.stack(exact))
    print(f"{folder.name}: {tried} prompts tried")


def record_shipped(model_path: Path, folder: Path) -> None:
    model = opened(model_path)
    prompt = model.tokenize(CONVERSATION, add_bos=False, special=True)
    rounded = read(model, prompt[:-1])
    exact = read(opened_exactly(model_path), prompt[:-1])
    assert (rounded.argmax(axis=1) == exact.argmax(axis=1)).all()
    save(folder, np.array([prompt]), rounded[None], exact[None])


def save(folder: Path, prompts: np.ndarray, rounded: np.ndarray, exact: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    difference = (rounded - exact).astype(np.float64)
    distance = [np.sqrt((difference**2).mean()), np.abs(difference).max()]
    np.save(folder / "prompts.npy", prompts.astype(np.int64))
    np.save(folder / "tokens.npy", rounded.argmax(axis=2))
    np.save(folder / "exact.npy", exact[:, -TOKEN_COUNT:])
    np.save(folder / "distance.npy", np.array(distance, np.float32))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, required=True, help="the folder of the model fixtures")
    parser.add_argument("--shipped", type=Path, required=True, help="the folder of the shipped model")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    arguments = parser.parse_args()
    for model_path in sorted(arguments.models.glob("mamba*/decoder.gguf")):
        record(model_path, arguments.out / model_path.parent.name)
    record_shipped(arguments.shipped / "decoder.gguf", arguments.out / arguments.shipped.name)


if __name__ == "__main__":
    main()
