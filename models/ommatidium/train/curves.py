# SPDX-License-Identifier: Apache-2.0
"""Draws the logs of encoder and decoder training as small PNG pictures."""
import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt      # noqa: E402  (the backend must be chosen first)

SHOWN = ("exist", "seen", "count", "motion", "what", "where", "all")


def rows(paths: list[Path]) -> list[dict]:
    """Several logs in a row, each continuing the time of the one before."""
    out, offset = [], 0.
    for path in paths:
        part = [json.loads(line) for line in path.read_text().splitlines()]
        out += [r | {"seconds": r["seconds"] + offset} for r in part]
        offset = out[-1]["seconds"]
    return out


def draw(path: Path, title: str, series: dict[str, tuple[list, list]]) -> None:
    figure, axes = plt.subplots(figsize=(6, 3.4), dpi=90)
    for name, (x, y) in series.items():
        axes.plot(x, y, label=name, linewidth=1.4)
    axes.set(title=title, xlabel="minutes of training", ylim=(0, 1))
    axes.grid(alpha=.3)
    axes.legend(fontsize=7, ncol=2)
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, nargs="+", required=True)
    parser.add_argument("--decoder", type=Path, nargs="+", required=True, help="logs in order")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    log = rows(options.encoder)
    minutes = [r["seconds"] / 60 for r in log]
    draw(options.out / "curve-encoder.png", "Encoder: share of cells named right",
         {"training cut-outs": (minutes, [r["train"] for r in log]), "dev cut-outs": (minutes, [r["dev"] for r in log]),
          "dev background": (minutes, [r["dev_background"] for r in log]),
          "dev photographs": (minutes, [r.get("dev_photographs") for r in log])})
    log = rows(options.decoder)
    minutes = [r["seconds"] / 60 for r in log]
    draw(options.out / "curve-decoder.png", "Answers right, dev cut-outs, six frames",
         {k: (minutes, [r["dev"].get(k) for r in log]) for k in SHOWN})


if __name__ == "__main__":
    main()
