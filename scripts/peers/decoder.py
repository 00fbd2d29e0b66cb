# SPDX-License-Identifier: Apache-2.0
"""ocellus beside llama.cpp on a decoder: tokens per second."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from peers.child import Ocellus
from peers.comparison import ROOF, Comparison, Goal, Measure
from peers.models import packed

PLAIN, PACKED = "", "packed"
BF16_KERNELS = "avx512-bf16"  # round activations, so that they are taken only by name
BF16 = f"(`OCELLUS_KERNELS={BF16_KERNELS}`)"


def beside_llama(
    ocellus: Ocellus,
    name: str,
    model: Callable[[], Path],
    ways: list[str],
    counts: tuple[int, int],
    goals: dict[str, list[Goal]],
    threads: int = 1,
) -> Comparison:
    """The ways to run ocellus with a model: its file as it is, packed, or with other kernels."""

    def ours(way: str) -> dict[str, float]:
        path = packed(model()) if way == PACKED else model()
        kernels = {"OCELLUS_KERNELS": BF16_KERNELS} if way == BF16 else {}
        result = ocellus.bench(path, *counts, threads_and_clock(threads), kernels)
        return rates(result) | {ROOF: result["decodeShareOfRoof"]}

    def start() -> Measure:
        from peers.llama_decoder import LlamaDecoder

        decoder = LlamaDecoder(model(), *counts, threads, clock(threads))
        return partial(decoder.measure, ocellus.runs)

    return Comparison({f"{name} {way}".strip(): partial(ours, way) for way in ways}, start, goals)


def rates(result: dict) -> dict[str, float]:
    """Tokens per second of a benchmark."""
    return {stage: result[f"{stage}TokensPerSecond"]["median"] for stage in ("prefill", "decode")}


def threads_and_clock(count: int) -> list[object]:
    """One thread is timed by its processor, which other programs disturb less."""
    return ["--threads", count, "--clock", "cpu" if count == 1 else "wall"]


def clock(threads: int) -> Callable[[], float]:
    """That of the peer, alike."""
    return time.process_time if threads == 1 else time.perf_counter
