# SPDX-License-Identifier: Apache-2.0
"""Stage 7: evaluates the shipped files on what was never trained on, and writes `evaluation.json`.

Held-out renders (cut-outs and backgrounds of the `held` split), held-out photographs of the training collections, photographs with
questions set by hand, and real clips. Per kind of question: n, accuracy,
share of the most frequent answer, and for yes and no the rate of "yes" said and true, and the mean of both recalls ("balanced").
"""
import argparse
import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

import kinds
from album import Album
from batches import Score, question_tensors
from encoder import Encoder
from facts import Facts
from questions import questions
from render import Painter
from restore import restore_encoder, restore_model
from shipped import Eye
from vocabulary import Vocabulary

SINGULAR = {plural: name for name, (plural, _) in kinds.KINDS.items()}
MIRROR = {"left": "right", "right": "left"}
REVERSE = MIRROR | {"up": "down", "down": "up"}


def normalised(answer: str) -> str:
    """"An apple." -> "apple", "Apples." -> "apple", "On the left." -> "left"."""
    words = answer.lower().strip(" .").split()
    while words and words[0] in ("a", "an", "the", "on", "at"):
        words = words[1:]
    text = " ".join(words)
    return SINGULAR.get(text, text)


@torch.no_grad()
def held_out(eye: Eye, vocabulary: Vocabulary, source: Painter | Album, frames: int, clips: int, seed: int) -> dict:
    encoder, model = restore_encoder(eye.vision.file), restore_model(eye.vision.file, eye.decoder.file)
    rng, score, naming = np.random.default_rng(seed), Score(), Counter()
    for _ in range(clips):
        scene, pictures, _ = source.take(rng)
        pixels = torch.from_numpy(pictures[:frames])
        facts = Facts(scene, 0, frames)
        asked = questions(rng, facts, None)
        ids, labels, _, _ = question_tensors(vocabulary, [(facts, asked)])
        _, states, _ = model.see(encoder(pixels)[None], Encoder.normalised(pixels).mean((2, 3))[None])
        logits, _ = model.decoder.ask(states, ids, len(asked))
        score.add_batch(asked, logits, labels, vocabulary)
        for q, row, label in zip(asked, logits, labels):
            if q.kind in ("exist", "seen") and q.thing >= 0:
                right = bool((row.argmax(-1) == label)[label >= 0].all())
                naming[kinds.NAMES[q.thing], right] += 1
    asked_about = {n: naming[n, True] + naming[n, False] for n in kinds.NAMES}
    per_thing = {n: round(naming[n, True] / count, 3) for n, count in asked_about.items() if count}
    return dict(questions=score.table(), exist_and_seen_per_thing=per_thing)


def known(question: str, answer: str) -> bool:
    """Whether the question is about kinds that the model knows (in "what" questions: whether the answer is one)."""
    text = f" {question.lower().strip(' ?')} "
    nouns = [n for name, (plural, others) in kinds.KINDS.items() for n in (name, plural, *others)]
    return any(f" {n} " in text for n in nouns) or normalised(answer) in kinds.NAMES


def photographs(eye: Eye, folder: Path) -> dict:
    inside, outside, said = Score(), Score(), []
    for photo in json.loads((folder / "qa.json").read_text()):
        state = eye.see([Image.open(folder / photo["file"])])
        for qa in photo["qa"]:
            answer, truth = eye.answer(state, qa["q"])["answer"], normalised(qa["a"])
            if qa["kind"] == "colour":
                continue      # colours are not taught
            (inside if known(qa["q"], qa["a"]) else outside).add(qa["kind"], truth, answer)
            said.append([photo["file"], qa["q"], truth, answer])
    return dict(known_kinds=inside.table(), unknown_kinds=outside.table(), answers=said)


def clip_frames(path: Path, begin: float, end: float, count: int = 6) -> list[Image.Image]:
    """`count` frames, evenly from `begin` to `end` seconds."""
    video = cv2.VideoCapture(str(path))
    rate, total = video.get(cv2.CAP_PROP_FPS), int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    wanted = [min(total - 1, int(t * rate)) for t in np.linspace(begin, end, count)]
    frames, index = {}, 0
    while index <= max(wanted) and (read := video.read())[0]:
        if index in wanted:
            frames[index] = Image.fromarray(read[1][..., ::-1])
        index += 1
    return [frames[i] for i in wanted if i in frames]


def clips(eye: Eye, folder: Path) -> dict:
    scores, said = {}, []
    for name, clip in json.loads((folder / "groundtruth.json").read_text()).items():
        split = clip["split"].split()[0]
        for qa in clip["qa"]:
            if qa["kind"] not in ("exist", "count", "what", "motion", "seen", "where", "left", "appeared") or not known(qa["q"], qa["a"]):
                continue
            frames = clip_frames(folder / clip["clip"], qa["from"], qa["to"])
            truth = normalised(qa["a"])
            variants = [("as filmed", frames, truth),
                        ("mirrored", [f.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for f in frames], MIRROR.get(truth, truth))]
            if qa["kind"] == "motion":
                variants.append(("reversed", frames[::-1], REVERSE.get(truth, truth)))
            for variant, pictures, expected in variants:
                answer = eye.answer(eye.see(pictures), qa["q"])["answer"]
                scores.setdefault(f"{split}, {variant}", Score()).add(qa["kind"], expected, answer)
                if variant == "as filmed":
                    said.append([name, qa["from"], qa["to"], qa["q"], expected, answer])
    return {k: s.table() for k, s in scores.items()} | dict(answers=said)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder with the two GGUF files")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder with photos and clips")
    parser.add_argument("--split", default="held")
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1, help="of the first table; the next ones follow")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    eye, vocabulary = Eye(options.model), Vocabulary(options.tokenizer)
    result = dict(model=eye.decoder.fields["ocellus.model.id"], split=options.split,
                  photographs=photographs(eye, options.data / "photos"), real_clips=clips(eye, options.data / "clips"))
    painter, album = Painter(options.cache, options.split), Album(options.cache, options.split)
    tables = dict(six_frames=(painter, 6), one_picture=(painter, 1), one_photograph=(album, 1))
    for seed, (name, (source, frames)) in enumerate(tables.items(), options.seed):
        result[name] = held_out(eye, vocabulary, source, frames, options.clips, seed)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    for name in tables:
        print(name, *(f"{k}: {r}" for k, r in result[name]["questions"].items()), sep="\n  ")
    for k, r in result["photographs"]["known_kinds"].items():
        print("photographs", k, r)


if __name__ == "__main__":
    main()
