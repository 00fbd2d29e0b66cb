# SPDX-License-Identifier: Apache-2.0
"""Checkpoints and curves: written atomically, so that a stage can be stopped at any moment and started again."""
import json
import os
from pathlib import Path

import torch


def save(path: Path, **state) -> None:
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def load(path: Path) -> dict:
    return torch.load(path, map_location="cpu", weights_only=False)


class Curve:
    """A log of measurements, one JSON object per line, continued when the stage is resumed."""

    def __init__(self, path: Path, fresh: bool):
        self.path = path
        if fresh and path.exists():
            path.unlink()

    def add(self, **row) -> None:
        row = {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)
