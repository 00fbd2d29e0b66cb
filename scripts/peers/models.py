# SPDX-License-Identifier: Apache-2.0
"""Models with random weights in .cache, made when they are first asked for."""

import sys
from pathlib import Path

from peers.child import run
from peers.environment import CACHE, ROOT


def random_decoder(shape: str, kind: str) -> Path:
    path = CACHE / f"{shape}-{kind}.gguf"
    make(path, script("make-random-model"), "--shape", shape, "--type", kind, "--out", path)
    return path


def random_vision(kind: str) -> Path:
    """The folder of a ViT-B/16 and an LDPv2; Q8_row, of which the maker knows nothing, is made of F32."""
    folder = CACHE / f"vit-b16-{kind}"
    decoder = folder / "decoder.gguf"  # is written last
    if kind != "q8_row":
        make(decoder, script("make-random-vision"), "--type", kind, "--out", folder)
        return folder
    exact = random_vision("f32")
    folder.mkdir(exist_ok=True)
    quantize(exact / "vision.gguf", folder / "vision.gguf", "--type", kind)
    if not decoder.exists():
        decoder.symlink_to(exact / "decoder.gguf")
    return folder


def packed(model: Path) -> Path:
    """The same weights as our kernels read them best."""
    path = CACHE / f"{model.stem}-packed.gguf"
    quantize(model, path, "--pack")
    return path


def quantize(model: Path, path: Path, *options: str) -> None:
    make(path, [ROOT / ".build" / "release" / "ocellus-kit"], "quantize", model, path, *options)


def script(name: str) -> list[object]:
    return [sys.executable, ROOT / "scripts" / name]


def make(path: Path, program: list[object], *arguments: object) -> None:
    """Runs the program that writes a file, unless it is there. None leaves a part of one under its name."""
    if not path.exists():
        print(f"making {path.relative_to(ROOT)}", file=sys.stderr)
        run([*program, *arguments])
