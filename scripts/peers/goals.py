# SPDX-License-Identifier: Apache-2.0
"""The goals of speed, memory and start (boards/speed.md), and the comparisons that show them.

That nothing is allocated after the start does not show from outside: Tests/OcellusTests/AllocationTests.swift.
"""

import os
import sys
from functools import partial

from peers.child import Ocellus
from peers.comparison import Comparison, Goal
from peers.decoder import BF16, BF16_KERNELS, PACKED, PLAIN, beside_llama
from peers.environment import ROOT
from peers.models import random_decoder, random_vision
from peers.process import beside_a_second, beside_plan
from peers.threads import beside_one_thread
from peers.vision import beside_onnx

DECODE = [
    Goal("decode: 1.6 times llama.cpp", 1.6),
    Goal("decode: 90 % of what reading the weights allows", 0.9, is_share=True),
]
PREFILL = {
    "130m": [Goal("prefill at 130m: 4 times llama.cpp", 4)],
    "2.8b": [Goal("prefill at 2.8b: 2.5 times llama.cpp", 2.5)],
}
VISION = [Goal("ViT-B/16 at 224, int8: below ONNX Runtime int8", 1)]
THREADS = {
    "prefill": [Goal("two threads to one: 1.85 times in prefill", 1.85)],
    "decode": [Goal("two threads to one: 1.8 times in decode", 1.8)],
}
NEIGHBOUR = [Goal("a busy neighbour on one of two cores: 0.8 of one thread alone", 0.8)]
MEMORY = Goal("peak RSS: mapped weights + arena + 8 MiB", 1)
START = Goal("first token of a mapped 2.8b model within a second", 1)

DECODERS = {
    ("mamba-130m", "f32"): [PLAIN],
    ("mamba-130m", "f16"): [PLAIN],
    ("mamba-130m", "bf16"): [PLAIN, BF16],
    ("mamba-130m", "q8_0"): [PLAIN, PACKED],
    ("mamba-130m", "q4_0"): [PLAIN, PACKED],
    ("mamba-370m", "q8_0"): [PLAIN, PACKED],
    ("mamba-370m", "q4_0"): [PLAIN],
    ("mamba-2.8b", "q4_0"): [PLAIN, PACKED],
    ("mamba2-130m", "q8_0"): [PLAIN, PACKED],
}
LARGEST = "mamba-2.8b"
SHIPPED = ROOT / "models" / "ommatidium"
PHOTO = ROOT / "Tests" / "Fixtures" / "photos" / "cat.jpg"


def goal_comparisons(ocellus: Ocellus, prefill: int, decode: int) -> list[Comparison]:
    """All comparisons; the largest model reads a quarter of the tokens, and writes a sixth."""
    comparisons = []
    has_bf16 = ocellus.runs_kernels(BF16_KERNELS, SHIPPED)
    if not has_bf16:
        print(f"left out, for this processor has it not: {BF16_KERNELS}", file=sys.stderr)
    for (shape, kind), ways in DECODERS.items():
        counts = (max(1, prefill // 4), max(1, decode // 6)) if shape == LARGEST else (prefill, decode)
        goals = {"prefill": PREFILL.get(shape.partition("-")[2], []), "decode": DECODE}
        model = partial(random_decoder, shape, kind)
        ways = [way for way in ways if way != BF16 or has_bf16]
        comparisons.append(beside_llama(ocellus, f"{shape}-{kind}", model, ways, counts, goals))
    comparisons.append(beside_onnx(ocellus, ["q8_0", "q8_row"], {"encode": VISION}))
    comparisons.append(beside_onnx(ocellus, ["f32"], {}))
    comparisons += of_threads(ocellus, (prefill, decode))
    return comparisons + of_processes(ocellus)


def of_threads(ocellus: Ocellus, counts: tuple[int, int]) -> list[Comparison]:
    if len(os.sched_getaffinity(0)) < 2:
        print("left out, for there is one core: two threads", file=sys.stderr)
        return []
    name, model = "mamba-130m-q8_0", partial(random_decoder, "mamba-130m", "q8_0")
    disturbed = {"prefill": NEIGHBOUR, "decode": NEIGHBOUR}
    return [
        beside_one_thread(ocellus, f"{name} (two threads to one)", model, counts, THREADS),
        beside_one_thread(ocellus, f"{name} (two threads, busy neighbour)", model, counts, disturbed, True),
    ]


def of_processes(ocellus: Ocellus) -> list[Comparison]:
    builds = {"hosted build": ocellus}
    embedded = ROOT / f".build-{os.uname().machine}" / "ocellus"
    if embedded.exists():
        builds["build for boards"] = Ocellus(embedded, ocellus.runs)
    else:
        print(f"left out, for there is no {embedded.relative_to(ROOT)}: the build for boards", file=sys.stderr)
    seeing = ["--image", PHOTO, "What do you see?"]
    largest = f"{LARGEST}-q4_0"
    return [
        beside_plan(builds, "mamba-130m-q8_0", partial(random_decoder, "mamba-130m", "q8_0"), ["Hello"], MEMORY),
        beside_plan(builds, "vit-b16-q8_0", partial(random_vision, "q8_0"), seeing, MEMORY),
        beside_plan(builds, SHIPPED.name, lambda: SHIPPED, seeing, MEMORY),
        beside_a_second(ocellus, largest, partial(random_decoder, LARGEST, "q4_0"), START),
    ]
