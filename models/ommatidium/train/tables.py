# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of `evaluation.json` into the model card, between the lines `<!-- tables -->` and `<!-- end of tables -->`."""
import argparse
import json
from pathlib import Path

BEGIN, END = "<!-- tables -->", "<!-- end of tables -->"


def table(rows: dict) -> list[str]:
    lines = ["| kind of question | n | accuracy | majority | balanced | \"yes\" said / true |", "|---|---|---|---|---|---|"]
    for kind, r in rows.items():
        balanced = f"{r['balanced']:.2f}" if "balanced" in r else ""
        rate = f"{r['yes_rate']:.2f} / {r['yes_truth']:.2f}" if "yes_rate" in r else ""
        majority = f"{r['majority']:.2f}" if "majority" in r else ""
        lines.append(f"| {kind} | {r['n']} | {r['accuracy']:.2f} | {majority} | {balanced} | {rate} |")
    return lines + [""]


def things(rows: dict) -> list[str]:
    ordered = sorted(rows.items(), key=lambda item: item[1])
    return [", ".join(f"{name} {share:.2f}" for name, share in ordered), ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluation", type=Path, required=True)
    parser.add_argument("--card", type=Path, required=True)
    options = parser.parse_args()
    result = json.loads(options.evaluation.read_text())
    lines = ["### Held-out cut-outs and backgrounds, six frames", "", *table(result["six_frames"]["questions"]),
             "\"Is there\" and \"did you see\" per thing, weakest first:", "", *things(result["six_frames"]["exist_and_seen_per_thing"]),
             "### Held-out cut-outs and backgrounds, one picture", "", *table(result["one_picture"]["questions"]),
             "### Held-out photographs of the training collections, one picture", "", *table(result["one_photograph"]["questions"]),
             "### Real photographs, kinds that it knows", "", *table(result["photographs"]["known_kinds"]),
             "### Real photographs, kinds that it does not know", "", *table(result["photographs"]["unknown_kinds"])]
    for variant, rows in result["real_clips"].items():
        if variant != "answers":
            lines += [f"### Real clips: {variant}", "", *table(rows)]
    card = options.card.read_text()
    before, after = card.split(BEGIN)[0], card.split(END)[1]
    options.card.write_text(before + BEGIN + "\n\n" + "\n".join(lines) + END + after)


if __name__ == "__main__":
    main()
