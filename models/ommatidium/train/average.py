# SPDX-License-Identifier: Apache-2.0
"""Averages the weights of a decoder with those of the run that it was started from.

What a run gains on new pictures it pays for with a little of the old; the average keeps most of both.
"""
import argparse
from pathlib import Path

import checkpoints


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--start", type=Path, required=True, help="the checkpoint that --decoder was started from")
    parser.add_argument("--decoder", type=Path, required=True)
    parser.add_argument("--share", type=float, default=.5, help="of --decoder in the average")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    before, after = checkpoints.load(options.start)["model"], checkpoints.load(options.decoder)
    average = {name: weight * options.share + before[name] * (1 - options.share) for name, weight in after["model"].items()}
    checkpoints.save(options.out, model=average, shape=after["shape"])


if __name__ == "__main__":
    main()
