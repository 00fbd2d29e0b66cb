# SPDX-License-Identifier: Apache-2.0
"""Writes Tests/Fixtures/quantization: weights, and what llama.cpp's quantiser makes of them.

    python scripts/references/quantization.py

`weights.bin` is (18, 512), f32. `q8_0.bin`, `q4_0.bin` and `q5_0.bin` are llama.cpp's blocks; the
`gguf` package writes the same. `errors.json` holds llama.cpp's squared error in each row for the types
whose search is each program's own, and `importance.bin` (512), f32, and `weighted.json` the weighted
squared errors with an importance of each column, with which Q4_0 and Q5_0 have a search too. The error of
`q8_row` is PyTorch's, of int8 with one scale per channel.
"""

import json
from pathlib import Path

import gguf
import numpy as np
import torch

import ggml

FOLDER = Path(__file__).parents[2] / "Tests/Fixtures/quantization"
Type = gguf.GGMLQuantizationType
COLUMNS = 512


def near_ties(generator: np.random.Generator, levels: int, zero: float) -> np.ndarray:
    """A row whose values lie within two roundings of the edge between two quants."""
    extreme = generator.uniform(0.1, 3, (COLUMNS // 32, 1)).astype(np.float32)
    step = extreme / np.float32(-levels if zero else levels)
    edges = generator.integers(1 - levels, levels - 1, (COLUMNS // 32, 32)) + np.float32(0.5)
    values = (step * edges.astype(np.float32)).astype(np.float32)
    nudged = values.view(np.int32) + generator.integers(-2, 3, values.shape, dtype=np.int32)
    values = nudged.view(np.float32).copy()
    values[:, :1] = extreme
    return values.reshape(-1)


def weights() -> np.ndarray:
    """Rows of many kinds."""
    generator = np.random.default_rng(20)
    rows = [0.02 * generator.standard_normal(COLUMNS) for _ in range(4)]
    rows += [0.05 * generator.laplace(size=COLUMNS) for _ in range(4)]
    rows += [generator.standard_t(3, COLUMNS) for _ in range(2)]
    rows += [near_ties(generator, 127, 0), near_ties(generator, 8, 8), near_ties(generator, 16, 16)]
    rows += [np.abs(generator.standard_normal(COLUMNS)), 3 - generator.random(COLUMNS)]
    rows += [np.zeros(COLUMNS), np.full(COLUMNS, -0.7), 1e-9 * generator.standard_normal(COLUMNS)]
    return np.array(rows, np.float32)


def errors(x: np.ndarray, kind: Type, importance: np.ndarray | None = None) -> list[float]:
    """The squared error in each row, each column weighted with its importance."""
    rounded = gguf.quants.dequantize(ggml.quantize(x, kind, importance), kind)
    squares = (x.astype(np.float64) - rounded) ** 2
    return (squares * (1 if importance is None else importance)).sum(1).tolist()


def row_errors(x: np.ndarray) -> list[float]:
    """The squared error in each row of int8 with one scale for the row."""
    values = torch.from_numpy(x)
    scales = values.abs().amax(1).clamp(min=1e-30) / 127
    zeros = torch.zeros(len(x), dtype=torch.int32)
    rounded = torch.fake_quantize_per_channel_affine(values, scales, zeros, 0, -128, 127)
    return ((values.double() - rounded.double()) ** 2).sum(1).tolist()


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    x = weights()
    (FOLDER / "weights.bin").write_bytes(x.tobytes())
    for kind in (Type.Q8_0, Type.Q4_0, Type.Q5_0):
        blocks = ggml.quantize(x, kind)
        assert (blocks == gguf.quants.quantize(x, kind)).all()
        (FOLDER / f"{kind.name.lower()}.bin").write_bytes(blocks.tobytes())
    searched = (Type.Q4_K, Type.Q6_K)
    record = {kind.name.lower(): errors(x, kind) for kind in searched}
    record["q8_row"] = row_errors(x)
    (FOLDER / "errors.json").write_text(json.dumps(record, indent=1) + "\n")
    importance = np.random.default_rng(21).lognormal(0, 1.5, COLUMNS).astype(np.float32)
    (FOLDER / "importance.bin").write_bytes(importance.tobytes())
    record = {kind.name.lower(): errors(x, kind, importance) for kind in (*searched, Type.Q4_0, Type.Q5_0)}
    (FOLDER / "weighted.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
