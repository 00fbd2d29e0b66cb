# SPDX-License-Identifier: Apache-2.0
"""Stage 1b: packs real photographs, with what is known of each, into `photographs_<split>.npy` and `.pkl`.

--sources holds one folder per collection, as its publisher laid it out: `caltech` (101_ObjectCategories), `pets` (sample_images,
sample_annotations), `grocery` (train, val, test), `bottles` and `helmets` (exports with labels), `coco` (a hundred pictures with the
official annotations). A picture is in the split of its cut-outs, without any in that of its name; the groceries' own test split is
`held`. Near-copies of the photographs for evaluation, and COCO's pictures under non-commercial or no-derivative terms, are left out.
"""
import argparse
import json
import pickle
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import numpy as np
from PIL import Image

import cutouts
import kinds

STORED = 192            # pixels, both sides: a window of it becomes a frame
NEAR = 6                # of 64 bits of two hashes that differ: copies of one picture
MOST_OF_A_FOLDER = 150
WHOLE = (0., 0., 1., 1.)

CALTECH = {"airplanes": "plane", "Motorbikes": "motorbike", "car_side": "car", "Faces": "person", "watch": "watch", "chair": "chair",
           "windsor_chair": "chair", "cup": "cup", "camera": "camera", "laptop": "laptop", "stop_sign": "stop sign", "pizza": "pizza",
           "ketch": "boat", "schooner": "boat", "soccer_ball": "ball", "pigeon": "bird", "flamingo": "bird", "ibis": "bird",
           "emu": "bird", "rooster": "bird", "dalmatian": "dog", "ewer": "jug"}
CALTECH_SINGLES = {"airplanes", "Motorbikes", "car_side", "Faces", "watch", "camera", "laptop", "stop_sign", "dalmatian", "ewer", "emu"}
CALTECH_OTHERS = 12     # pictures of each category that the model does not know
CALTECH_UNUSED = {"BACKGROUND_Google", "Faces_easy", "Leopards", "wild_cat", "cougar_body", "cougar_face", "flamingo_head", "ferry",
                  "wheelchair", "garfield", "snoopy", "barrel", "inline_skate"}
GROCERY = {"Apple": "apple", "Kiwi": "kiwi", "Lemon": "lemon", "Orange": "orange", "Peach": "peach", "Tomato": "tomato",
           "Solid-Potato": "potato", "Floury-Potato": "potato", "Yellow-Onion": "onion"}
GROCERY_UNUSED = {"Satsumas", "Nectarine", "Red-Grapefruit", "Sweet-Potato"}     # too like a kind that it knows
COCO = {"person": "person", "car": "car", "motorcycle": "motorbike", "airplane": "plane", "boat": "boat", "stop sign": "stop sign",
        "bird": "bird", "cat": "cat", "dog": "dog", "bottle": "bottle", "cup": "cup", "chair": "chair", "laptop": "laptop",
        "apple": "apple", "orange": "orange", "pizza": "pizza", "sports ball": "ball"}
COCO_LICENCES = {4, 5, 7, 8}      # CC BY, CC BY-SA, no known restrictions, United States government


@dataclass
class Photograph:
    path: Path
    name: str                         # as the cut-outs from it are named
    things: list[tuple[str, tuple[float, float, float, float]]]      # kind; left, top, right, bottom as fractions of the picture
    unsure: tuple[str, ...] = ()      # kinds that may be in it besides
    counted: bool = True              # no more things of these kinds are in it
    boxed: bool = True                # the boxes were drawn, not guessed
    held: bool = False                # its publisher keeps it for tests


def caltech(folder: Path, most: int = MOST_OF_A_FOLDER) -> Iterator[Photograph]:
    for category in sorted(p for p in folder.iterdir() if p.name not in CALTECH_UNUSED):
        kind, single = CALTECH.get(category.name), category.name in CALTECH_SINGLES
        box = (.12, .05, .88, 1.) if kind == "person" else (.1, .1, .9, .9)
        for file in sorted(category.glob("*.jpg"))[:most if kind else CALTECH_OTHERS]:
            unsure = ("chair", "laptop", "cup", "bottle") if kind == "person" else ("person", "chair")
            yield Photograph(file, f"cal_{category.name}_{file.stem}", [(kind, box)] if kind else [], unsure, counted=single, boxed=False)


def pets(folder: Path) -> Iterator[Photograph]:
    """The box of the animal's outline."""
    for kind in ("cat", "dog"):
        for file in sorted((folder / f"sample_images/{kind}s").glob("*.jpg")):
            outline = folder / f"sample_annotations/yolo/segmentation/labels/{file.stem}.txt"
            if not outline.exists():
                continue
            points = np.array([float(v) for line in outline.read_text().splitlines() for v in line.split()[1:]]).reshape(-1, 2)
            yield Photograph(file, f"pet_{file.stem}", [(kind, (*points.min(0), *points.max(0)))], ("person", "chair"))


def grocery(folder: Path) -> Iterator[Photograph]:
    """Crates and shelves full of one sort."""
    for split in ("train", "val", "test"):
        for file in sorted(p for group in ("Fruit", "Vegetables") for p in (folder / split / group).rglob("*.jpg")):
            parts = file.relative_to(folder / split).parts
            kind = next((GROCERY[p] for p in parts if p in GROCERY), None)
            if not GROCERY_UNUSED & set(parts):
                things = [(kind, WHOLE)] if kind else []
                yield Photograph(file, f"groc_{split}_{file.stem}", things, ("person", "bottle", "jug", "cup"), counted=False,
                                 held=split == "test")


def bottles(folder: Path) -> Iterator[Photograph]:
    """Bottles and cups at home: four corners, kind and difficulty per line, in pixels."""
    for file in sorted(folder.glob("*/images/*.jpg")):
        label = next((p for name in ("labels", "labelTxt") if (p := file.parents[1] / name / f"{file.stem}.txt").exists()), None)
        if label is None:
            continue
        size, things = np.array(Image.open(file).size), []
        for line in label.read_text().splitlines():
            *corners, kind, _difficult = line.split()
            points = np.array([float(c) for c in corners]).reshape(-1, 2) / size
            things.append((kind, (*points.min(0).clip(0, 1), *points.max(0).clip(0, 1))))
        if things:
            yield Photograph(file, file.stem, things, ("person", "chair", "laptop", "watch", "camera", "jug"))


def helmets(folder: Path) -> Iterator[Photograph]:
    """Workers: only the helmets have boxes; the body is guessed to hang below them. Every sixth picture is enough."""
    for file in sorted((folder / "images").glob("*.jpg"))[::6]:
        rows = [[float(v) for v in line.split()[1:]] for line in (folder / f"labels/{file.stem}.txt").read_text().splitlines()]
        things = [("person", (max(0, x - 1.4 * w), max(0, y - h / 2), min(1, x + 1.4 * w), min(1, y + 6 * h))) for x, y, w, h in rows]
        if things and max(h for *_, h in rows) > .08:
            unsure = ("car", "chair", "laptop", "cup", "bottle", "watch", "camera", "motorbike", "boat")
            yield Photograph(file, file.stem, things, unsure, counted=False, boxed=False)


def coco(folder: Path) -> Iterator[Photograph]:
    for split in ("train2017", "val2017"):
        notes = json.loads((folder / f"annotations/instances_{split}.json").read_text())
        names = {c["id"]: c["name"] for c in notes["categories"]}
        for image in notes["images"]:
            if image["license"] not in COCO_LICENCES:
                continue
            things, crowd = [], False
            for a in notes["annotations"]:
                if a["image_id"] == image["id"] and names[a["category_id"]] in COCO:
                    x, y, w, h = np.array(a["bbox"]) / np.tile([image["width"], image["height"]], 2)
                    things.append((COCO[names[a["category_id"]]], (x, y, x + w, y + h)))
                    crowd |= bool(a["iscrowd"])
            unsure = tuple(n for n in kinds.NAMES if n not in COCO.values())
            yield Photograph(folder / split / image["file_name"], str(image["id"]), things, unsure, counted=not crowd)


def splits_of_cut_outs(data: Path) -> dict[str, set[str]]:
    """The name of a picture -> the splits of what was cut out of it or taken from it as a background."""
    found: dict[str, set[str]] = defaultdict(set)
    for folder in ("sprites", "backgrounds"):
        for entry in json.loads((data / folder / "index.json").read_text()):
            name = re.sub(r"^(red|green|yellow)_", "", Path(entry["file"]).stem)
            if name.startswith("groc_") and folder == "sprites":
                name = name.rpartition("_")[0]      # several fruits of one crate
            found[name].add(cutouts.split_of(entry))
    return found


def difference_hash(image: Image.Image) -> int:
    """64 bits: whether each of 8 x 8 spots is brighter than its right neighbour."""
    grey = np.asarray(image.convert("L").resize((9, 8), Image.Resampling.BILINEAR)).astype(int)
    return int("".join("1" if b else "0" for b in (grey[:, 1:] > grey[:, :-1]).ravel()), 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder with sprites and photos")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    taken = splits_of_cut_outs(options.data)
    evaluation = [difference_hash(Image.open(f)) for f in sorted((options.data / "photos").glob("*.jpg"))]
    kept: dict[str, list] = {"train": [], "dev": [], "held": []}
    for source in (caltech, pets, grocery, bottles, helmets, coco):
        tally = dict(train=0, dev=0, held=0, copies=0)
        for photograph in source(options.sources / source.__name__):
            splits = taken.get(photograph.name) or {cutouts.split_of(dict(file=photograph.name, split="train"))}
            split = "held" if photograph.held or "held" in splits else "dev" if "dev" in splits else "train"
            image = Image.open(photograph.path).convert("RGB")
            own = difference_hash(image)
            if any((own ^ other).bit_count() <= NEAR for other in evaluation):
                tally["copies"] += 1
                print("left out, like a photograph for evaluation:", photograph.path.name)
                continue
            tally[split] += 1
            kept[split].append((np.asarray(image.resize((STORED, STORED), Image.Resampling.BILINEAR)), photograph))
        print(source.__name__, tally, flush=True)
    for split, found in kept.items():
        np.save(options.out / f"photographs_{split}.npy", np.stack([pixels for pixels, _ in found]))
        notes = [dict(things=[(kinds.NAMES.index(k), box) for k, box in p.things], unsure=[kinds.NAMES.index(k) for k in p.unsure],
                      counted=p.counted, boxed=p.boxed) for _, p in found]
        (options.out / f"photographs_{split}.pkl").write_bytes(pickle.dumps(notes))


if __name__ == "__main__":
    main()
