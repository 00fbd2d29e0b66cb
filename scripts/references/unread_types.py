# SPDX-License-Identifier: Apache-2.0
"""Writes Tests/Fixtures/pickles: files of PyTorch with a tensor that is not read, one kind each, and a program.

    python scripts/references/unread_types.py --out Tests/Fixtures/pickles

Beside it each file has a tensor that is read, and a type that stands for itself, as configurations have them.
"""

import argparse
import warnings
from pathlib import Path

import torch

KINDS = {
    "float8": lambda: torch.zeros(2, dtype=torch.float8_e4m3fn),
    "uint16": lambda: torch.zeros(2, dtype=torch.uint16),
    "complex": lambda: torch.zeros(2, dtype=torch.complex64),
    "quantised": lambda: torch.quantize_per_tensor(torch.zeros(2), 0.1, 0, torch.qint8),
    "sparse": lambda: torch.eye(2).to_sparse(),
    "meta": lambda: torch.zeros(2, device="meta"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")  # types that are on their way out
    torch.jit.script(torch.nn.ReLU()).save(str(out / "script.bin"))
    for name, make in KINDS.items():
        torch.save({"type": torch.bfloat16, "read": torch.zeros(1), "odd": {"weight": make()}}, out / f"{name}.bin")


if __name__ == "__main__":
    main()
