# SPDX-License-Identifier: Apache-2.0
"""Writes Tests/Fixtures/gguf: a small model file, and what the `gguf` package reads in it.

    python3 -m venv .venv && .venv/bin/pip install gguf==0.19.0 numpy==2.4.6
    .venv/bin/python scripts/references/gguf_files.py

`small.gguf` has a key of every type and tensors of the types that the runtime computes with, and of
one that it does not. `small.json` lists them; the bytes of tensors in hexadecimal.
"""

import json
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFValueType as Value

FOLDER = Path(__file__).parents[2] / "Tests/Fixtures/gguf"


def write(path: Path) -> None:
    """Writes the file; the values are chosen to be exact in every type."""
    writer = gguf.GGUFWriter(path, "mamba")
    writer.add_uint8("test.u8", 255)
    writer.add_int8("test.i8", -128)
    writer.add_uint16("test.u16", 65535)
    writer.add_int16("test.i16", -32768)
    writer.add_uint32("test.u32", 4294967295)
    writer.add_int32("test.i32", -2147483648)
    writer.add_float32("test.f32", 0.15625)
    writer.add_bool("test.yes", True)
    writer.add_bool("test.no", False)
    writer.add_string("test.text", "Straße, 猫, 🚲")
    writer.add_uint64("test.u64", 2**64 - 1)
    writer.add_int64("test.i64", -(2**63))
    writer.add_float64("test.f64", -1.5e300)
    writer.add_array("test.strings", ["Ġa", "", "b c"])
    writer.add_array("test.i32s", [1, -2, 3])
    writer.add_array("test.f32s", [0.5, -0.25])
    writer.add_array("test.bools", [True, False, True])
    writer.add_key_value("test.u32s", [640, 480], Value.ARRAY, sub_type=Value.UINT32)

    numbers = np.random.default_rng(20261121)
    weights = {
        "norm.weight": (Type.F32, (5,)),
        "conv.weight": (Type.F32, (3, 1, 2, 2)),
        "half.weight": (Type.F16, (3, 7)),
        "brain.weight": (Type.BF16, (2, 3)),
        "q8.weight": (Type.Q8_0, (3, 64)),
        "q4.weight": (Type.Q4_0, (2, 32)),
        "q1.weight": (Type.TQ1_0, (1, 256)),
        "bias": (Type.F32, (1,)),
    }
    for name, (kind, shape) in weights.items():
        values = numbers.standard_normal(shape).astype(np.float32)
        writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def describe(path: Path) -> dict:
    """What the package's reader finds."""
    reader = gguf.GGUFReader(path)
    fields = {
        field.name: {"types": [kind.name for kind in field.types], "value": str(field.contents())}
        for field in reader.fields.values()
        if not field.name.startswith("GGUF.")
    }
    tensors = [
        {
            "name": tensor.name,
            "type": tensor.tensor_type.name,
            "shape": [int(size) for size in tensor.shape],
            "offset": int(tensor.data_offset),
            "bytes": tensor.data.tobytes().hex(),
        }
        for tensor in reader.tensors
    ]
    return {"metadata": fields, "tensors": tensors}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "small.gguf"
    write(path)
    text = json.dumps(describe(path), indent=1, ensure_ascii=False)
    (FOLDER / "small.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
