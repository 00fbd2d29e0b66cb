# SPDX-License-Identifier: Apache-2.0
"""Two threads of ocellus beside one, each on a core of its own: tokens per second by the wall clock."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from peers.child import Ocellus
from peers.comparison import Comparison, Goal
from peers.decoder import rates


def beside_one_thread(
    ocellus: Ocellus,
    name: str,
    model: Callable[[], Path],
    counts: tuple[int, int],
    goals: dict[str, list[Goal]],
    has_busy_neighbour: bool = False,
) -> Comparison:
    """Two threads, alone or with an endless loop on the second core; one thread is always alone."""
    first, second = sorted(os.sched_getaffinity(0))[:2]

    def on_cores(cores: str) -> dict[str, float]:
        return rates(ocellus.bench(model(), *counts, ["--cores", cores]))

    def two_threads() -> dict[str, float]:
        if not has_busy_neighbour:
            return on_cores(f"{first},{second}")
        with endless_loop(second):
            return on_cores(f"{first},{second}")

    return Comparison({name: two_threads}, lambda: partial(on_cores, str(first)), goals)


@contextmanager
def endless_loop(core: int) -> Iterator[None]:
    """Keeps a core busy; ends with this process at the latest."""
    program = f"import os\nos.sched_setaffinity(0, [{core}])\nwhile os.getppid() == {os.getpid()}: pass"
    loop = subprocess.Popen([sys.executable, "-c", program])
    try:
        yield
    finally:
        loop.kill()
        loop.wait()
