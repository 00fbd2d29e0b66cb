# SPDX-License-Identifier: Apache-2.0
"""Compares the stages that `ocellus-kit trace` wrote with those of a reference, by their names.

    python scripts/references/compare_trace.py REFERENCE TRACE

Printed: per stage the largest error relative to the largest magnitude. Fails above 1e-4, and for a stage of the
reference that was not traced.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

TOLERANCE = 1e-4


def relative_error(expected: np.ndarray, found: np.ndarray) -> float:
    if expected.shape != found.shape or not np.isfinite(found).all():
        return float("inf")
    return float(np.abs(expected - found).max() / np.abs(expected).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reference", type=Path)
    parser.add_argument("trace", type=Path)
    arguments = parser.parse_args()
    failed = False
    for path in sorted(arguments.reference.glob("*.npy")):
        other = arguments.trace / path.name
        expected = np.load(path)
        error = relative_error(expected, np.load(other)) if other.exists() else float("inf")
        failed |= error > TOLERANCE
        print(f"  {path.stem:12} {'x'.join(map(str, expected.shape)):>16}  {error:.1e}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
