# SPDX-License-Identifier: Apache-2.0
"""Compares the stages that `ocellus-kit trace` wrote with those of a reference, by their names.

    python scripts/references/compare_trace.py REFERENCE TRACE

Printed: per stage the largest error relative to the largest magnitude. Fails above 1e-4, for what is not a number, for a
stage of the reference that was not traced, and for a reference without stages.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

TOLERANCE = 1e-4


def relative_error(expected: np.ndarray, found: np.ndarray) -> float:
    if expected.shape != found.shape or not np.isfinite(found).all():
        return float("inf")
    if np.array_equal(expected, found):
        return 0.0  # also where all of it is 0
    with np.errstate(divide="ignore"):
        return float(np.abs(expected - found).max() / np.abs(expected).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reference", type=Path)
    parser.add_argument("trace", type=Path)
    arguments = parser.parse_args()
    paths = sorted(arguments.reference.glob("*.npy"))
    if not paths:
        sys.exit(f"{arguments.reference}: no stage of a reference (*.npy) is there")
    failed = False
    for path in paths:
        other = arguments.trace / path.name
        expected = np.load(path)
        error = relative_error(expected, np.load(other)) if other.exists() else float("inf")
        failed |= not error <= TOLERANCE  # NaN, too
        print(f"  {path.stem:12} {'x'.join(map(str, expected.shape)):>16}  {error:.1e}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
