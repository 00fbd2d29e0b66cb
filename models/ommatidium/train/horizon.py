# SPDX-License-Identifier: Apache-2.0
"""Stage 8: measures how long a rolling state remembers, and writes it into `decoder.gguf`.

Two frames of a held-out clip show a thing; n frames of other clips follow that show neither it nor another thing, which was never
there. Then "did you see" is asked about both: chance is one half. The horizon is the largest n up to which the balanced accuracy is
above 0.6 with 95 % confidence. The state forgets by tokens, so n counts frames that are folded, however far apart they are in time.

    python horizon.py --model .. --cache $W/cache --out ../horizon.json [--write]

`--write` puts the number into the file under `ocellus.horizon.frames`; everything else stays as it is.
"""
import argparse
import json
import os
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader, GGUFValueType, GGUFWriter

import kinds
import story
from encoder import Encoder
from facts import THERE
from render import Painter
from restore import restore_encoder, restore_model
from shipped import Eye

KEY = "ocellus.horizon.frames"
SHOWN = 2                                                   # frames that show the thing
DISTANCES = (0, 1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96)
ABOVE = .6


class Pool:
    """Held-out clips as features and colours, with the kinds in them."""

    def __init__(self, encoder: Encoder, painter: Painter, clips: int, rng: np.random.Generator):
        self.clips = []
        for _ in range(clips):
            scene = story.draw(rng)
            pixels = torch.from_numpy(painter.paint(rng, scene)[0])
            with torch.no_grad():
                self.clips.append((scene, encoder(pixels), Encoder.normalised(pixels).mean((2, 3))))

    def sequence(self, rng: np.random.Generator, frames: int) -> tuple[list, int, int] | None:
        """[(features, colour)] of SHOWN frames and as many others, the kind shown and one never there."""
        scene, features, colour = self.clips[int(rng.integers(len(self.clips)))]
        begin = int(rng.integers(kinds.CLIP_FRAMES - SHOWN + 1))
        visible = scene.visible()[:, begin:begin + SHOWN].min(1) if len(scene.kind) else np.zeros(0)
        shown = [int(k) for k, v in zip(scene.kind, visible) if k >= 0 and v >= THERE]
        absent = [k for k in range(kinds.COUNT) if k not in scene.kind]
        if not shown:
            return None
        pair = int(rng.choice(shown)), int(rng.choice(absent))
        parts = [(features[begin:begin + SHOWN], colour[begin:begin + SHOWN])]
        left = frames
        while left > 0:
            other, features, colour = self.clips[int(rng.integers(len(self.clips)))]
            if set(pair) & set(other.kind.tolist()):
                continue
            parts.append((features[:left], colour[:left]))
            left -= len(parts[-1][0])
        return parts, *pair


@torch.no_grad()
def remembered(eye: Eye, model, pool: Pool, frames: int, count: int, rng: np.random.Generator) -> tuple[int, int]:
    """How many of `count` questions about the thing shown, and about the other one, are answered right."""
    encode = lambda text: eye.decoder.tokenizer.encode(text, add_special_tokens=False).ids[0]
    yes, no = encode(" yes"), encode(" no")
    right = [0, 0]
    done = 0
    while done < count:
        found = pool.sequence(rng, frames)
        if found is None:
            continue
        parts, *pair = found
        features, colour = (torch.cat(p)[None] for p in zip(*parts))
        _, states, _ = model.see(features, colour)
        for i, kind in enumerate(pair):
            ids = torch.tensor([eye.decoder.prompt(f"Did you see {kinds.article(kinds.NAMES[kind])}?")])
            logits = model.decoder.ask(states, ids, 1)[0][0, -1]
            right[i] += int((logits[yes] > logits[no]) == (i == 0))
        done += 1
    return right[0], right[1]


def measure(eye: Eye, cache: Path, split: str, count: int, seed: int) -> dict:
    rng = np.random.default_rng(seed)
    model = restore_model(eye.vision.file, eye.decoder.file)
    pool = Pool(restore_encoder(eye.vision.file), Painter(cache, split), 200, rng)
    table, horizon, holds = {}, 0, True
    for frames in DISTANCES:
        yes, no = remembered(eye, model, pool, frames, count, rng)
        balanced = (yes + no) / (2 * count)
        margin = 1.96 * (balanced * (1 - balanced) / (2 * count)) ** .5
        table[frames] = dict(seen=round(yes / count, 3), not_seen=round(no / count, 3), balanced=round(balanced, 3),
                             confidence=round(margin, 3))
        holds = holds and balanced - margin > ABOVE
        horizon = frames if holds else horizon
        print(frames, table[frames], flush=True)
    return dict(model=eye.decoder.fields["ocellus.model.id"], split=split, questions=2 * count, frames_later=table, horizon=horizon)


def write(path: Path, horizon: int) -> None:
    """Copies a model file with the key; tensors and all other keys as they are."""
    reader = GGUFReader(path)
    partial = path.with_suffix(".partial")
    writer = GGUFWriter(partial, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", KEY):
            continue
        inner = field.types[1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), field.types[0], inner)
    writer.add_uint32(KEY, horizon)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_shape=tensor.data.shape, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(partial, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder with the two GGUF files")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--split", default="held")
    parser.add_argument("--questions", type=int, default=300, help="of each of the two kinds, per distance")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    result = measure(Eye(options.model), options.cache, options.split, options.questions, options.seed)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print("horizon", result["horizon"], "frames")
    if options.write:
        write(options.model / "decoder.gguf", result["horizon"])


if __name__ == "__main__":
    main()
