# SPDX-License-Identifier: Apache-2.0
"""Averages the weights of an encoder or a decoder with those of the run that it was started from.

What a run gains on new pictures it pays for with a little of the old; the average keeps most of both.
"""
import argparse
from pathlib import Path

import checkpoints

WEIGHTS = ("model", "encoder", "head")      # of a decoder's checkpoint, of an encoder's


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--start", type=Path, required=True, help="the checkpoint that --trained was started from")
    parser.add_argument("--trained", type=Path, required=True)
    parser.add_argument("--share", type=float, default=.5, help="of --trained in the average")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    before, after = checkpoints.load(options.start), checkpoints.load(options.trained)
    parts = {part: {name: weight * options.share + before[part][name] * (1 - options.share) for name, weight in after[part].items()}
             for part in WEIGHTS if part in after}
    checkpoints.save(options.out, **parts, **{key: after[key] for key in ("shape",) if key in after})


if __name__ == "__main__":
    main()
