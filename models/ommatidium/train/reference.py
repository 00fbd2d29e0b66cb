# SPDX-License-Identifier: Apache-2.0
"""Answers of the shipped files in PyTorch (F16 weights as f32), for checking the runtime question by question.

Looks at pictures and at folders of frames below --root; writes per input a checksum of the resized pixels (SHA-256 of the last
frame's 128 x 128 x 3 bytes and their sum), and per question the prompt's ids, the answer, its ids, and the first token's logits.
"""
import argparse
import hashlib
import json
from pathlib import Path

import torch
from PIL import Image

from shipped import Eye

PICTURE = ["What is this?", "what do you see", "Is there a cat?", "Is there a person?", "is there a cup", "Do you see a dog?",
           "How many cats are there?", "how many people are there?", "Is the light on?", "Where is the cat?"]
CLIP = ["What do you see?", "What moved?", "Did you see a person?", "Did you see a cat?", "Did the light change?", "Which way did the cat move?",
        "is there a cup", "How many things are there?"]


def inputs(root: Path) -> list[tuple[str, list[Path], list[str]]]:
    pictures = [(str(p.relative_to(root)), [p], PICTURE) for p in sorted(root.glob("photos/*.jpg"))]
    folders = sorted({p.parent for p in root.glob("clips/*/*.png")})
    return pictures + [(str(f.relative_to(root)), sorted(f.glob("*.png")), CLIP) for f in folders]


def describe(eye: Eye, name: str, paths: list[Path], questions: list[str], root: Path) -> dict:
    frames = [Image.open(p) for p in paths]
    state, pixels = eye.see(frames), eye.vision.pixels(frames[-1])
    answers = []
    for question in questions:
        said = eye.answer(state, question)
        answers.append(dict(question=question, prompt=said["prompt"], answer=said["answer"], tokens=said["tokens"],
                            logits=[round(v, 4) for v in said["logits"].tolist()]))
    return dict(name=name, frames=[str(p.relative_to(root)) for p in paths], pixelsSHA256=hashlib.sha256(pixels.tobytes()).hexdigest(),
                pixelSum=int(pixels.sum(dtype=int)), answers=answers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True, help="folder with photos/*.jpg and clips/*/*.png")
    parser.add_argument("--questions", type=Path, help="JSON: name of the clip's folder -> list of questions")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    eye = Eye(options.model)
    own = json.loads(options.questions.read_text()) if options.questions else {}
    found = [describe(eye, name, paths, own.get(name, asked), options.root) for name, paths, asked in inputs(options.root)]
    heading = dict(model=eye.decoder.fields["ocellus.model.id"], strategy=eye.vision.fields["ocellus.image.strategy"])
    rows = ",\n".join(json.dumps(row) for row in found)
    options.out.write_text(json.dumps(heading)[:-1] + f', "inputs": [\n{rows}\n]}}\n')
    print(sum(len(row["answers"]) for row in found), "answers about", len(found), "inputs")


if __name__ == "__main__":
    main()
