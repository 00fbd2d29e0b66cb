# SPDX-License-Identifier: Apache-2.0
"""A whole process of `ocellus ask` beside what it promises: resident MiB, seconds to the first token."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from peers.child import Ocellus
from peers.comparison import Comparison, Goal

ALLOWANCE = 8  # MiB beside weights and arena
LONGEST_START = 1  # second


def beside_plan(
    builds: dict[str, Ocellus], name: str, model: Callable[[], Path], question: list[object], goal: Goal
) -> Comparison:
    """The peak of each build beside mapped weights, arena and 8 MiB."""
    stage = "peak resident, MiB"

    def peak(ocellus: Ocellus) -> dict[str, float]:
        return {stage: ocellus.peak_mebibytes(model(), question)}

    def promised() -> dict[str, float]:
        return {stage: next(iter(builds.values())).planned_mebibytes(model()) + ALLOWANCE}

    contenders = {f"{name} ({build})": partial(peak, ocellus) for build, ocellus in builds.items()}
    return Comparison(contenders, lambda: promised, {stage: [goal]}, higher_is_better=False)


def beside_a_second(ocellus: Ocellus, name: str, model: Callable[[], Path], goal: Goal) -> Comparison:
    """From the start of the program to its end after one token; the page cache is warm by then."""
    stage = "first token, s"
    question = ["--max-tokens", 1, "Hello"]

    def first_token() -> dict[str, float]:
        return {stage: ocellus.answer_seconds(model(), question)}

    def warm() -> Callable[[], dict[str, float]]:
        ocellus.answer_seconds(model(), question)
        return lambda: {stage: LONGEST_START}

    return Comparison({name: first_token}, warm, {stage: [goal]}, higher_is_better=False)
