# SPDX-License-Identifier: Apache-2.0
"""Writes Tests/Fixtures/pickles: files of PyTorch with a tensor that is not read, one kind each, a program, and views.

    python scripts/references/pickles.py --out Tests/Fixtures/pickles

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
    "expanded": lambda: torch.zeros(1).expand(4),
    "overlapping": lambda: torch.zeros(6).as_strided((4, 3), (1, 1)),
}


def write_views(path: Path) -> None:
    """Views as published checkpoints have them, and what each of them holds."""
    generator = torch.Generator().manual_seed(3)
    matrix = torch.randn(5, 3, generator=generator)
    views = {
        "transposed": matrix.T,
        "half": matrix.half().T,
        "permuted": torch.randn(3, 2, 4, 5, generator=generator).permute(3, 2, 0, 1),
        "columns": torch.randn(4, 6, generator=generator)[:, 1:3],
        "steps": torch.randn(12, generator=generator)[2::3],
    }
    torch.save({"view": views, "packed": {name: view.contiguous() for name, view in views.items()}}, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")  # types that are on their way out
    torch.jit.script(torch.nn.ReLU()).save(str(out / "script.bin"))
    write_views(out / "views.bin")
    for name, make in KINDS.items():
        torch.save({"type": torch.bfloat16, "read": torch.zeros(1), "odd": {"weight": make()}}, out / f"{name}.bin")


if __name__ == "__main__":
    main()
