# SPDX-License-Identifier: Apache-2.0
"""Compares what `ocellus-kit trace` wrote with what a reference recorded.

    ocellus-kit convert full models/full --type f32
    ocellus-kit trace --model models/full --tokens $(python -c "...") --out trace
    python scripts/references/compare_trace.py full trace

Prints, per array that both folders have, the greatest difference relative to the greatest magnitude of
the reference; fails above 1e-4.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

TOLERANCE = 1e-4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reference", type=Path)
    parser.add_argument("trace", type=Path)
    arguments = parser.parse_args()
    worst = 0.0
    for path in sorted(arguments.trace.glob("*.npy")):
        other = arguments.reference / path.name
        if not other.exists():
            continue
        found, expected = np.load(path).astype(np.float64), np.load(other).astype(np.float64)
        if found.shape != expected.shape:
            sys.exit(f"{path.name}: shape {found.shape}, should be {expected.shape}")
        error = np.abs(found - expected).max() / np.abs(expected).max()
        worst = max(worst, error)
        print(f"{path.name:<16} {expected.shape!s:<20} {error:.2e}")
    if worst > TOLERANCE:
        sys.exit(f"the difference {worst:.2e} is above {TOLERANCE}")


if __name__ == "__main__":
    main()
