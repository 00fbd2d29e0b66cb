# SPDX-License-Identifier: Apache-2.0
"""What is measured beside a reference, in turn, and what comes out."""

import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

Measure = Callable[[], dict[str, float]]
ROOF = "roof"  # beside the stages of a measurement: decoding's share of the memory roof


@dataclass(frozen=True)
class Goal:
    """What a median shall reach: the ratio, or the share of the memory roof."""

    text: str
    least: float
    is_share: bool = False


@dataclass
class Row:
    """One stage of one contender: a number for each round."""

    name: str
    higher_is_better: bool
    goals: list[Goal]
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """How many times as good ocellus was in each round."""
        pairs = zip(self.ours, self.theirs)
        return [ours / theirs if self.higher_is_better else theirs / ours for ours, theirs in pairs]

    def value(self, goal: Goal) -> float:
        """The median that the goal speaks of."""
        return statistics.median(self.shares if goal.is_share else self.ratios)


@dataclass(frozen=True)
class Comparison:
    """Ways to run ocellus, by name, and what they are measured beside."""

    contenders: dict[str, Measure]
    start_reference: Callable[[], Measure]  # loads a peer, whose memory is free again after the comparison
    goals: dict[str, list[Goal]] = field(default_factory=dict)  # by stage
    higher_is_better: bool = True

    def limited_to(self, wanted: Callable[[str], bool]) -> "Comparison | None":
        """The same with some of the contenders, if any are left."""
        left = {name: measure for name, measure in self.contenders.items() if wanted(name)}
        return Comparison(left, self.start_reference, self.goals, self.higher_is_better) if left else None

    def run(self, rounds: int) -> list[Row]:
        """Measures all once per round, and every other round in the opposite order."""
        reference = self.start_reference()
        measures = [("", reference), *self.contenders.items()]
        rows: dict[tuple[str, str], Row] = {}
        for index in range(rounds):
            results = {name: measure() for name, measure in measures}
            measures.reverse()
            for name in self.contenders:
                for stage, theirs in results[""].items():
                    row = rows.setdefault((name, stage), self.empty_row(name, stage))
                    row.theirs.append(theirs)
                    row.ours.append(results[name][stage])
                    if stage == "decode" and ROOF in results[name]:
                        row.shares.append(results[name][ROOF])
            print(f"{', '.join(self.contenders)}: round {index + 1} of {rounds}", file=sys.stderr)
        return list(rows.values())

    def empty_row(self, name: str, stage: str) -> Row:
        return Row(f"{name} {stage}", self.higher_is_better, self.goals.get(stage, []))
