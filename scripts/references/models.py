# SPDX-License-Identifier: Apache-2.0
"""Writes the model fixtures: seeded random models, and what their authors' libraries compute.

    python scripts/references/models.py --out Tests/Fixtures/models
"""

import argparse
from pathlib import Path

import torch

from decoders import write_decoders
from vision import write_vision


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the folder of the fixtures")
    out = parser.parse_args().out
    torch.set_num_threads(1)
    write_decoders(out)
    write_vision(out)


if __name__ == "__main__":
    main()
