# SPDX-License-Identifier: Apache-2.0
"""What was measured: as a Markdown table for boards/, as goals reached and missed, as JSON."""

import json
import os
import platform
import statistics
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

from peers.comparison import Goal, Row
from peers.environment import ROOT

HEAD = (
    "| tokens per second; ms of vision | ocellus | peer or limit | ratio | of the roof | goal | reached |\n"
    "|---|---|---|---|---|---|---|"
)


def circumstances() -> dict[str, object]:
    """What a number means nothing without."""
    commit = ["git", "-C", ROOT, "describe", "--always", "--dirty", "--exclude", "*"]
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "commit": subprocess.run(commit, capture_output=True, text=True).stdout.strip(),
        "load": round(os.getloadavg()[0], 1),
    } | {name: version(name) for name in ("llama-cpp-python", "onnxruntime")}


def processor() -> str:
    """The name of the first processor; Arm's have none."""
    first = Path("/proc/cpuinfo").read_text().partition("\n\n")[0]
    known = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in first.splitlines())}
    if "model name" not in known:
        return platform.machine()
    return f"{known['model name']} (family {known['cpu family']}, model {known['model']})"


def line(row: Row) -> str:
    """A row of the table."""
    ratios, shares = row.ratios, row.shares
    cells = [
        row.name,
        number(statistics.median(row.ours)),
        number(statistics.median(row.theirs)),
        f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
        f"{100 * statistics.median(shares):.0f} %" if shares else "",
        ", ".join(in_units(goal, goal.least) for goal in row.goals),
        ", ".join("yes" if is_reached(row, goal) else "no" for goal in row.goals),
    ]
    return "".join(f"| {cell} " if cell else "| " for cell in cells) + "|"


def summary(rows: list[Row]) -> str:
    """For each goal, what reaches it and what misses it."""
    lines = ["| goal | reached by | missed by |", "|---|---|---|"]
    for goal in dict.fromkeys(goal for row in rows for goal in row.goals):
        concerned = [row for row in rows if goal in row.goals]
        reached, missed = (
            [f"{row.name} ({in_units(goal, row.value(goal))})" for row in concerned if is_reached(row, goal) == side]
            for side in (True, False)
        )
        lines.append(f"| {goal.text} | {'; '.join(reached)} | {'; '.join(missed)} |")
    return "\n".join(lines)


def is_reached(row: Row, goal: Goal) -> bool:
    return row.value(goal) >= goal.least


def in_units(goal: Goal, value: float) -> str:
    return f"{100 * value:.0f} %" if goal.is_share else f"{value:.2f}"


def number(value: float) -> str:
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def write_json(path: Path, about: dict[str, object], rows: list[Row]) -> None:
    """All numbers of all rounds."""
    measured = [
        {
            "name": row.name,
            "ocellus": row.ours,
            "peer": row.theirs,
            "ratios": row.ratios,
            "sharesOfRoof": row.shares,
            "goals": [
                {"text": goal.text, "least": goal.least, "median": row.value(goal), "isReached": is_reached(row, goal)}
                for goal in row.goals
            ],
        }
        for row in rows
    ]
    path.write_text(json.dumps(about | {"rows": measured}, indent=1) + "\n")
