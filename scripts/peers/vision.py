# SPDX-License-Identifier: Apache-2.0
"""ocellus beside ONNX Runtime on a vision transformer and a projector: milliseconds."""

from functools import partial

from peers.child import Ocellus
from peers.comparison import Comparison, Goal, Measure
from peers.decoder import clock, threads_and_clock
from peers.models import random_vision

FRAMES_PER_RUN = 4  # of `ocellus bench`, which its peer runs as often


def beside_onnx(ocellus: Ocellus, kinds: list[str], goals: dict[str, list[Goal]], threads: int = 1) -> Comparison:
    """Types of weights beside f32, or beside int8: the peer makes that of f32 by itself."""
    is_int8 = kinds != ["f32"]

    def ours(kind: str) -> dict[str, float]:
        result = ocellus.bench(random_vision(kind), 4, 1, threads_and_clock(threads))
        return {stage: result[f"{stage}Milliseconds"]["median"] for stage in ("encode", "project")}

    def start() -> Measure:
        from peers.onnx_vision import ONNXVision

        peer = ONNXVision(random_vision("f32") / "vision.gguf", is_int8, threads, clock(threads))
        return partial(peer.measure, FRAMES_PER_RUN * ocellus.runs)

    contenders = {f"vit-b16-{kind}": partial(ours, kind) for kind in kinds}
    return Comparison(contenders, start, goals, higher_is_better=False)
