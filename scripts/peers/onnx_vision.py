# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime on the encoder or the projector of a vision file: the same weights, in f32, or in int8
with the activations quantised as they come (`quantize_dynamic`).

The graph has ONNX Runtime's own fused attention and GELU, so that nothing depends on its optimiser
finding them.
"""

import logging
import statistics
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

CUSTOM = "com.microsoft"


class Weights:
    """The tensors of a vision file, as f32."""

    def __init__(self, path: Path) -> None:
        self.tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}

    def __getitem__(self, name: str) -> np.ndarray:
        tensor = self.tensors[name]
        shape = tuple(int(size) for size in reversed(tensor.shape))
        return gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(shape).astype(np.float32)

    def __contains__(self, name: str) -> bool:
        return name in self.tensors


class Graph:
    """An ONNX graph that grows node by node; every method returns the name of its result."""

    def __init__(self, weights: Weights) -> None:
        self.weights, self.nodes, self.constants = weights, [], []

    def constant(self, values: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, operation: str, *inputs: str, domain: str = "", **attributes: object) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, inputs, [name], name=name, domain=domain, **attributes))
        return name

    def linear(self, x: str, name: str) -> str:
        product = self.node("MatMul", x, self.constant(self.weights[name + ".weight"].T))
        return self.node("Add", product, self.constant(self.weights[name + ".bias"]))

    def norm(self, x: str, name: str) -> str:
        parameters = (self.constant(self.weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.node("LayerNormalization", x, *parameters, axis=-1, epsilon=1e-6)

    def gelu(self, x: str) -> str:
        return self.node("Gelu", x, domain=CUSTOM)

    def attention(self, x: str, block: str, heads: int) -> str:
        parts = ("attn_q", "attn_k", "attn_v")
        weight = np.concatenate([self.weights[f"{block}{part}.weight"].T for part in parts], axis=1)
        bias = np.concatenate([self.weights[f"{block}{part}.bias"] for part in parts])
        joined = self.node(
            "Attention", x, self.constant(weight), self.constant(bias), domain=CUSTOM, num_heads=heads
        )
        return self.linear(joined, block + "attn_out")

    def save(self, path: Path, input_shape: list[int], output: str) -> None:
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, input_shape)
        y = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, "vision", [x], [y], self.constants)
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(CUSTOM, 1)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), path)


def encoder_graph(weights: Weights, path: Path, heads: int = 12) -> list[int]:
    """A vision transformer as scripts/make-random-vision writes it; returns the shape of its input."""
    graph = Graph(weights)
    patch = weights["v.patch_embd.weight"]
    width, _, size, _ = patch.shape
    positions = weights["v.position_embd.weight"]
    side = int(round(len(positions) ** 0.5)) * size
    x = graph.node(
        "Conv", "x", graph.constant(patch), graph.constant(weights["v.patch_embd.bias"]), strides=[size, size]
    )
    x = graph.node("Reshape", x, graph.constant(np.array([1, width, -1], np.int64)))
    x = graph.node("Transpose", x, perm=[0, 2, 1])
    x = graph.node("Add", x, graph.constant(positions))
    block = 0
    while f"v.blk.{block}.ln1.weight" in weights:
        name = f"v.blk.{block}."
        x = graph.node("Add", x, graph.attention(graph.norm(x, name + "ln1"), name, heads))
        wide = graph.gelu(graph.linear(graph.norm(x, name + "ln2"), name + "ffn_up"))
        x = graph.node("Add", x, graph.linear(wide, name + "ffn_down"))
        block += 1
    graph.save(path, [1, 3, side, side], graph.norm(x, "v.post_ln"))
    return [1, 3, side, side]


def projector_graph(weights: Weights, path: Path) -> list[int]:
    """LDPv2 from a square grid to one of half its side; returns the shape of its input."""
    graph = Graph(weights)
    inputs = weights["mm.model.mlp.0.weight"].shape[1]
    cells, outputs = len(weights["v.position_embd.weight"]), len(weights["mm.model.mlp.2.weight"])
    side = int(round(cells**0.5))
    x = graph.linear(graph.gelu(graph.linear("x", "mm.model.mlp.0")), "mm.model.mlp.2")
    x = graph.node("Transpose", x, perm=[0, 2, 1])
    x = graph.node("Reshape", x, graph.constant(np.array([1, outputs, side, side], np.int64)))
    x = graph.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    peg = weights["mm.model.peg.0.weight"].reshape(outputs, 1, 3, 3)
    bias = graph.constant(weights["mm.model.peg.0.bias"])
    near = graph.node("Conv", x, graph.constant(peg), bias, group=outputs, pads=[1, 1, 1, 1])
    graph.save(path, [1, cells, inputs], graph.node("Add", x, near))
    return [1, cells, inputs]


class ONNXVision:
    """The encoder and the projector of a vision file in ONNX Runtime."""

    def __init__(self, file: Path, is_int8: bool, threads: int, clock: Callable[[], float]) -> None:
        logging.disable(logging.WARNING)  # quantize_dynamic advises a preparation that changes nothing here
        self.clock = clock
        weights = Weights(file)
        self.sessions = {
            "encode": self.start(file.with_name("encode.onnx"), encoder_graph, weights, is_int8, threads),
            "project": self.start(file.with_name("project.onnx"), projector_graph, weights, is_int8, threads),
        }

    def start(
        self, path: Path, make: Callable[[Weights, Path], list[int]], weights: Weights, is_int8: bool, threads: int
    ) -> tuple[onnxruntime.InferenceSession, np.ndarray]:
        """A session with the graph, and its input."""
        shape = make(weights, path)
        if is_int8:
            exact, path = path, path.with_stem(path.stem + "-int8")
            quantize_dynamic(
                exact,
                path,
                op_types_to_quantize=["MatMul", "Attention"],
                weight_type=QuantType.QInt8,
                per_channel=True,
                extra_options={"DefaultTensorType": TensorProto.FLOAT},
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return session, np.random.default_rng(1).standard_normal(shape, np.float32)

    def measure(self, runs: int) -> dict[str, float]:
        """Milliseconds, the median of some runs after one that warms up."""
        times = {}
        for stage, (session, x) in self.sessions.items():
            results = []
            for _ in range(runs + 1):
                start = self.clock()
                session.run(None, {"x": x})
                results.append((self.clock() - start) * 1e3)
            times[stage] = statistics.median(results[1:])
        return times
