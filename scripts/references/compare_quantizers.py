# SPDX-License-Identifier: Apache-2.0
"""Quantises a model with ocellus-kit and with llama.cpp, and compares tensor by tensor.

    scripts/make-random-model --shape mamba-130m --type f16 --out .cache/mamba-130m-f16.gguf
    .venv/bin/python scripts/references/compare_quantizers.py .cache/mamba-130m-f16.gguf

Per type: how many tensors have the same type and bytes, and over all others the relative root mean
square error of both. Files go to a temporary folder.
"""

import argparse
import ctypes
import subprocess
import tempfile
from pathlib import Path

import gguf
import numpy as np
from llama_cpp import llama_cpp

FILE_TYPES = {"q8_0": 7, "q4_0": 2, "q4_k": 14, "q6_k": 18}  # llama.h, enum llama_ftype


def quantize_with_llama(source: Path, target: Path, name: str) -> None:
    """All matrices in the same type, as ocellus-kit does it."""
    options = llama_cpp.llama_model_quantize_default_params()
    options.ftype = FILE_TYPES[name]
    options.pure = True
    options.nthread = 1
    code = llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(options))
    assert code == 0


def tensors(path: Path) -> dict[str, gguf.ReaderTensor]:
    return {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}


def values(tensor: gguf.ReaderTensor) -> np.ndarray:
    return gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float64).ravel()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="a decoder file in F32 or F16")
    parser.add_argument("--program", default=".build/release/ocellus-kit")
    arguments = parser.parse_args()
    original = tensors(arguments.model)
    llama_cpp.llama_backend_init()
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "ours.gguf", Path(folder) / "theirs.gguf"
        for name in FILE_TYPES:
            command = [arguments.program, "quantize", arguments.model, ours, "--type", name]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            quantize_with_llama(arguments.model, theirs, name)
            mine, peers = tensors(ours), tensors(theirs)
            different, squares = 0, np.zeros(3)
            for source in original.values():
                a, b = mine[source.name], peers[source.name]
                if a.tensor_type == b.tensor_type and a.data.tobytes() == b.data.tobytes():
                    continue
                different += 1
                exact = values(source)
                squares += [*(((values(x) - exact) ** 2).sum() for x in (a, b)), (exact**2).sum()]
            line = f"{name}: {len(original) - different} of {len(original)} tensors are the same"
            if different:
                ratios = np.sqrt(squares[:2] / squares[2])
                line += f"; error of the others {ratios[0]:.5f}, llama.cpp {ratios[1]:.5f}"
            print(line)


if __name__ == "__main__":
    main()
