# SPDX-License-Identifier: Apache-2.0
"""Stage 9: measures what a rolling state says about the newest picture at the end of long streams.

A stream ends with the last two frames of a held-out clip. Before them come frames of other clips ("busy"), or the last frame is
repeated ("still"). "Is the light on?" is asked, and "Is there a ...?" about a thing that is there and one that is in no frame of the clip.

    python streams.py --model .. --cache $W/cache --out ../streams.json
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch

import kinds
from facts import THERE
from horizon import SHOWN, Pool
from render import Painter
from restore import restore_encoder, restore_model
from shipped import Eye

LENGTHS = (2, 4, 8, 12, 15, 24, 32, 64)


class Asker:
    """Says yes or no to a question about a state."""

    def __init__(self, eye: Eye, model):
        self.eye, self.model = eye, model
        self.yes, self.no = (eye.decoder.tokenizer.encode(text, add_special_tokens=False).ids[0] for text in (" yes", " no"))

    def says_yes(self, states, question: str) -> bool:
        logits = self.model.decoder.ask(states, torch.tensor([self.eye.decoder.prompt(question)]), 1)[0][0, -1]
        return bool(logits[self.yes] > logits[self.no])


def stream(pool: Pool, index: int, length: int, is_still: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Features and colours of `length` frames that end with those of a clip."""
    _, features, colour = pool.clips[index]
    if is_still:
        frames = [len(features) - SHOWN] + [len(features) - 1] * (length - 1)
        return features[frames], colour[frames]
    parts, left, other = [(features[-SHOWN:], colour[-SHOWN:])], length - SHOWN, index
    while left > 0:
        other = (other + 1) % len(pool.clips)
        _, features, colour = pool.clips[other]
        parts.insert(0, (features[:left], colour[:left]))
        left -= len(parts[0][0])
    return tuple(torch.cat(p) for p in zip(*parts))


@torch.no_grad()
def measure(eye: Eye, cache: Path, split: str, clips: int, seed: int) -> dict:
    rng = np.random.default_rng(seed)
    model = restore_model(eye.vision.file, eye.decoder.file)
    pool = Pool(restore_encoder(eye.vision.file), Painter(cache, split), clips, rng)
    asker = Asker(eye, model)
    table = {}
    for name in ("busy", "still"):
        for length in LENGTHS:
            right = {"lit": [], "dark": [], "there": [], "not there": []}
            for index, (scene, *_) in enumerate(pool.clips):
                _, states, _ = model.see(*(part[None] for part in stream(pool, index, length, name == "still")))
                is_lit = bool(scene.light[-1] > .5)
                right["lit" if is_lit else "dark"].append(asker.says_yes(states, "Is the light on?") == is_lit)
                visible = scene.visible()[:, -1] if len(scene.kind) else np.zeros(0)
                shown = [int(k) for k, v in zip(scene.kind, visible) if k >= 0 and v >= THERE]
                absent = [k for k in range(kinds.COUNT) if k not in scene.kind]
                for key, found in (("there", shown), ("not there", absent)):
                    if found:
                        thing = kinds.article(kinds.NAMES[found[index % len(found)]])
                        right[key].append(asker.says_yes(states, f"Is there {thing}?") == (key == "there"))
            table[f"{name} {length}"] = {key: [sum(found), len(found)] for key, found in right.items()}
            print(name, length, table[f"{name} {length}"], flush=True)
    return dict(model=eye.decoder.fields["ocellus.model.id"], split=split, right_of=table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder with the two GGUF files")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--split", default="held")
    parser.add_argument("--clips", type=int, default=300)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    result = measure(Eye(options.model), options.cache, options.split, options.clips, options.seed)
    options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
