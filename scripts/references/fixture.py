# SPDX-License-Identifier: Apache-2.0
"""A folder with a model file and the values that its authors' library computes from it."""

from pathlib import Path

import gguf
import numpy as np
import torch

Type = gguf.GGMLQuantizationType

FILE_TYPES = {
    Type.F32: gguf.LlamaFileType.ALL_F32,
    Type.F16: gguf.LlamaFileType.MOSTLY_F16,
    Type.BF16: gguf.LlamaFileType.MOSTLY_BF16,
    Type.Q8_0: gguf.LlamaFileType.MOSTLY_Q8_0,
    Type.Q4_0: gguf.LlamaFileType.MOSTLY_Q4_0,
    Type.Q4_1: gguf.LlamaFileType.MOSTLY_Q4_1,
    Type.Q5_0: gguf.LlamaFileType.MOSTLY_Q5_0,
    Type.Q5_1: gguf.LlamaFileType.MOSTLY_Q5_1,
    Type.Q4_K: gguf.LlamaFileType.MOSTLY_Q4_K_S,
    Type.Q5_K: gguf.LlamaFileType.MOSTLY_Q5_K_S,
    Type.Q6_K: gguf.LlamaFileType.MOSTLY_Q6_K,
}


def quantize(array: np.ndarray, kind: Type) -> np.ndarray:
    """The blocks of an array; gguf writes all types but those of 256 elements, which llama.cpp does."""
    if kind in (Type.Q4_K, Type.Q5_K, Type.Q6_K):
        import ggml  # needs llama-cpp-python

        return ggml.quantize(array, kind)
    return gguf.quants.quantize(array, kind)


class Recording:
    """A folder with NumPy files."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def record(self, name: str, values: torch.Tensor) -> None:
        """Writes `name.npy`: f32, or int64 for whole numbers, in C order."""
        array = values.detach().contiguous().numpy()
        np.save(self.folder / f"{name}.npy", array if array.dtype == np.int64 else array.astype(np.float32))


class Fixture(Recording):
    """One GGUF file and the NumPy files beside it.

    Weights are rounded when they are stored, and the rounded values are put back into the PyTorch
    model: the reference then computes with exactly the weights of the file.
    """

    def __init__(
        self, folder: Path, file_name: str, architecture: str, weight_type: Type, has_own_keys: bool = True
    ) -> None:
        super().__init__(folder)
        self.has_own_keys = has_own_keys  # those that llama.cpp has not
        self.weight_type = weight_type
        self.writer = gguf.GGUFWriter(folder / file_name, architecture)
        self.writer.add_name(folder.name)
        self.writer.add_file_type(FILE_TYPES[weight_type])
        self.writer.add_quantization_version(gguf.GGML_QUANT_VERSION)

    def store(self, name: str, values: torch.Tensor, exact: bool = False) -> torch.Tensor:
        """Adds a tensor, and returns what a reader of the file gets back.

        Vectors and `exact` tensors are F32; rows that are no whole number of blocks are F16.
        """
        array = np.ascontiguousarray(values.detach().numpy(), dtype=np.float32)
        kind = Type.F32 if exact or array.ndim == 1 else self.weight_type
        if array.shape[-1] % gguf.GGML_QUANT_SIZES[kind][0] != 0:
            kind = Type.F16
        stored = quantize(array, kind)
        self.writer.add_tensor(name, stored, raw_dtype=kind)
        back = gguf.quants.dequantize(stored, kind).reshape(array.shape)
        return torch.from_numpy(np.array(back, dtype=np.float32))

    @torch.no_grad()
    def store_parameter(self, name: str, parameter: torch.Tensor, exact: bool = False) -> None:
        """Adds a parameter, without dimensions of size 1 behind the first, and rounds it in place."""
        squeezed = parameter.squeeze(1) if parameter.ndim == 3 else parameter
        if parameter.ndim == 4 and parameter.shape[2:] == (1, 1):
            squeezed = parameter.flatten(1)
        parameter.copy_(self.store(name, squeezed, exact).view_as(parameter))

    def store_layer(self, name: str, layer: torch.nn.Module) -> None:
        """Adds `name.weight` and, if the layer has one, `name.bias`."""
        self.store_parameter(name + ".weight", layer.weight)
        if layer.bias is not None:
            self.store_parameter(name + ".bias", layer.bias)

    def store_filter(self, name: str, layer: torch.nn.Conv2d) -> None:
        """Adds a depthwise convolution, without the dimension of size 1, never in blocks."""
        with torch.no_grad():
            layer.weight.copy_(self.store(name + ".weight", layer.weight.squeeze(1)).unsqueeze(1))
        if layer.bias is not None:
            self.store_parameter(name + ".bias", layer.bias)

    def add_counts(self, key: str, counts: list[int]) -> None:
        """Adds an array of u32."""
        kind = gguf.GGUFValueType
        self.writer.add_key_value(key, counts, kind.ARRAY, kind.UINT32)

    def close(self) -> None:
        """Writes the file."""
        self.writer.write_header_to_file()
        self.writer.write_kv_data_to_file()
        self.writer.write_tensors_to_file()
        self.writer.close()


@torch.no_grad()
def randomize(model: torch.nn.Module, generator: torch.Generator) -> None:
    """Gives each parameter values that matter: fresh models have biases 0 and norms 1, which hide
    errors."""
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.ndim >= 2:
            fan_in = parameter[0].numel()
            parameter.copy_(noise / fan_in**0.5)
        elif name.endswith("bias"):
            parameter.copy_(0.2 * noise)
        else:
            parameter.copy_(1 + 0.2 * noise)
