# SPDX-License-Identifier: Apache-2.0
"""Stage 1c: cuts more things out of the training photographs and adds them to `cutouts_train.npz`.

DeepLabV3 with MobileNetV2 (Google Coral, Pascal VOC) finds the outline, GrabCut refines its edge. Only photographs of which the data
folder has no cut-out yet are used, and none of `dev` or `held`. --sheet draws what was cut out, to be looked at.
"""
import argparse
import itertools
from pathlib import Path
from typing import Iterator

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

import cutouts
import kinds
import photographs

VOC = {"plane": 1, "bird": 3, "boat": 4, "bottle": 5, "car": 7, "cat": 8, "chair": 9, "dog": 12, "motorbike": 14, "person": 15}
SMALLEST, LARGEST = .05, .75      # of the photograph
WHOLE, CUT = .9, .2               # the largest piece's share of its class; the share of an outline along the photograph's edge
MOST, MOST_OF_A_FOLDER = 200, 600 # of one kind; of a category of Caltech-101


class Outliner:
    def __init__(self, weights: Path):
        self.network = Interpreter(str(weights))
        self.network.allocate_tensors()
        self.input, self.output = self.network.get_input_details()[0]["index"], self.network.get_output_details()[0]["index"]
        self.side = int(self.network.get_input_details()[0]["shape"][1])

    def mask(self, pixels: np.ndarray, label: int) -> np.ndarray | None:
        """The outline of the one thing of a class, (height, width) 0 or 1; None where there is none, several, or only a part of one."""
        self.network.set_tensor(self.input, cv2.resize(pixels, (self.side,) * 2, interpolation=cv2.INTER_AREA)[None])
        self.network.invoke()
        found = (self.network.get_tensor(self.output)[0] == label).astype(np.uint8)
        found = cv2.resize(found, pixels.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        count, pieces, stats, _ = cv2.connectedComponentsWithStats(found)
        if count < 2:
            return None
        largest = 1 + stats[1:, cv2.CC_STAT_AREA].argmax()
        own = (pieces == largest).astype(np.uint8)
        if not SMALLEST < own.mean() < LARGEST or own.sum() < WHOLE * found.sum():
            return None
        rim = own - cv2.erode(own, np.ones((3, 3), np.uint8), borderValue=0)
        edge = rim[0].sum() + rim[-1].sum() + rim[:, 0].sum() + rim[:, -1].sum()
        return own if edge < CUT * rim.sum() else None

    @staticmethod
    def refined(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """GrabCut in a band along the outline; (height, width) 0 to 255."""
        band = max(3, int(.02 * max(mask.shape)))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * band + 1,) * 2)
        guess = np.where(mask > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        guess[cv2.erode(mask, kernel) > 0], guess[cv2.dilate(mask, kernel) == 0] = cv2.GC_FGD, cv2.GC_BGD
        cv2.grabCut(np.ascontiguousarray(pixels[..., ::-1]), guess, None, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK)
        sharp = np.isin(guess, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
        sharp = cv2.morphologyEx(sharp, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        return cv2.GaussianBlur(sharp * 255, (3, 3), 0)


def candidates(sources: Path, data: Path) -> Iterator[tuple[photographs.Photograph, str]]:
    """Training photographs of which nothing was cut out yet, with the kind of the one thing that they show."""
    taken = photographs.splits_of_cut_outs(data)
    collections = (photographs.caltech(sources / "caltech", most=MOST_OF_A_FOLDER), photographs.pets(sources / "pets"),
                   photographs.helmets(sources / "helmets"), photographs.coco(sources / "coco"))
    for photograph in itertools.chain.from_iterable(collections):
        new = photograph.name not in taken and cutouts.split_of(dict(file=photograph.name, split="train")) == "train"
        if new and not photograph.held and len(photograph.things) == 1 and photograph.things[0][0] in VOC:
            yield photograph, photograph.things[0][0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True, help="folder with cutouts_train.npz, which is replaced")
    parser.add_argument("--sheet", help="picture to draw")
    options = parser.parse_args()
    outliner, found = Outliner(options.data / "weights/deeplabv3_mnv2_pascal_quant.tflite"), []
    tally = dict.fromkeys(VOC, 0)
    for photograph, kind in candidates(options.sources, options.data):
        pixels = np.asarray(Image.open(photograph.path).convert("RGB"))
        mask = outliner.mask(pixels, VOC[kind]) if tally[kind] < MOST else None
        if mask is None:
            continue
        alpha = outliner.refined(pixels, mask)
        rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
        if len(rows) < 24 or not .6 < (alpha > 127).sum() / mask.sum() < 1.4:      # GrabCut lost it
            continue
        part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        found.append((cutouts.squared(Image.fromarray(np.dstack([pixels, alpha])[part])), kinds.NAMES.index(kind)))
        tally[kind] += 1
    print(len(found), "more cut-outs:", tally, flush=True)
    path = options.cache / "cutouts_train.npz"
    store = dict(np.load(path))
    store["pixels"] = np.concatenate([store["pixels"], np.stack([pixels for pixels, _ in found])])
    store["kind"] = np.concatenate([store["kind"], np.array([kind for _, kind in found], np.int8)])
    store["grey"] = np.concatenate([store["grey"], np.zeros(len(found), bool)])
    np.savez(path, **store)
    if options.sheet:
        tiles = [p[::2, ::2, :3] * (p[::2, ::2, 3:] / 255) + np.array([80, 160, 80]) * (1 - p[::2, ::2, 3:] / 255) for p, _ in found]
        tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 24)
        cv2.imwrite(options.sheet, np.vstack([np.hstack(tiles[i:i + 24]) for i in range(0, len(tiles), 24)]).astype(np.uint8)[..., ::-1])


if __name__ == "__main__":
    main()
