# SPDX-License-Identifier: Apache-2.0
"""Programs that are run and must end well: ocellus itself, and the makers of models."""

import json
import os
import shlex
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

USAGE_ERROR = 64


class ChildFailure(Exception):
    """A program could not be started, or ended with an error; says which, and what it wrote."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


def run(command: list[object], environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """What a command wrote."""
    words = [str(word) for word in command]
    try:
        result = subprocess.run(words, capture_output=True, text=True, env=os.environ | (environment or {}))
    except OSError as error:
        raise ChildFailure(f"{words[0]}: {error.strerror}") from error
    if result.returncode != 0:
        message = f"{shlex.join(words)}: exit code {result.returncode}\n{result.stderr.strip()}"
        raise ChildFailure(message, result.returncode)
    return result


@dataclass(frozen=True)
class Ocellus:
    """A build of ocellus."""

    program: Path
    runs: int  # of each stage of a benchmark

    def bench(
        self, model: Path, prefill: int, decode: int, where: list[object], environment: dict[str, str] | None = None
    ) -> dict:
        """The result of `ocellus bench`; `where` says on which threads, and by which clock."""
        command = [self.program, "bench", "--json", "--model", model, "--runs", self.runs]
        command += ["--prefill", prefill, "--decode", decode, *where]
        return json.loads(run(command, environment).stdout)

    def planned_mebibytes(self, model: Path) -> float:
        """The mapped weights and the arena, as `ocellus plan` prints them."""
        plan = json.loads(run([self.program, "plan", "--json", "--threads", 1, "--model", model]).stdout)
        return (plan["mappedBytes"] + plan["arenaBytes"]) / (1 << 20)

    def peak_mebibytes(self, model: Path, question: list[object]) -> float:
        """The largest resident size of `ocellus ask`, as the kernel counts it."""
        # Not as a child of this process, whose own size the kernel would count until the child's program starts.
        command = ["/usr/bin/time", "--format", "%M", self.program, "ask", "--threads", 1, "--model", model, *question]
        return int(run(command).stderr.splitlines()[-1]) / (1 << 10)

    def answer_seconds(self, model: Path, question: list[object]) -> float:
        """From the start of `ocellus ask` to its end."""
        start = time.perf_counter()
        run([self.program, "ask", "--threads", 1, "--model", model, *question])
        return time.perf_counter() - start

    def runs_kernels(self, name: str, model: Path) -> bool:
        """Whether this processor has the kernels of that name."""
        try:
            run([self.program, "plan", "--json", "--model", model], {"OCELLUS_KERNELS": name})
        except ChildFailure as failure:
            if failure.code != USAGE_ERROR:
                raise
            return False
        return True
