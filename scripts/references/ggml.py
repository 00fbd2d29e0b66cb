# SPDX-License-Identifier: Apache-2.0
"""Quantisation by llama.cpp, from the library that llama-cpp-python brings."""

import ctypes
from pathlib import Path

import gguf
import llama_cpp
import numpy as np

_library = ctypes.CDLL(str(Path(llama_cpp.__file__).parent / "lib/libggml-base.so"))
_library.ggml_quantize_chunk.restype = ctypes.c_size_t
_library.ggml_quantize_chunk.argtypes = [
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_int64,
    ctypes.c_int64,
    ctypes.c_int64,
    ctypes.c_void_p,
]


def quantize(
    values: np.ndarray, kind: gguf.GGMLQuantizationType, importance: np.ndarray | None = None
) -> np.ndarray:
    """The bytes (rows, bytes) of a matrix (rows, columns); importance is (columns), or None."""
    values = np.ascontiguousarray(values, np.float32)
    rows, columns = values.shape
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = np.zeros((rows, columns // elements * size), np.uint8)
    weights = None
    if importance is not None:
        importance = np.ascontiguousarray(importance, np.float32)
        weights = importance.ctypes.data
    written = _library.ggml_quantize_chunk(
        int(kind), values.ctypes.data, blocks.ctypes.data, 0, rows, columns, weights
    )
    assert written == blocks.nbytes
    return blocks
