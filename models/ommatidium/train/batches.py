# SPDX-License-Identifier: Apache-2.0
"""Turns questions into padded tensors, and keeps the score."""
from collections import Counter, defaultdict

import numpy as np
import torch

from facts import UNKNOWN, Facts
from model import WORD_HEADS
from questions import Question
from vocabulary import END, Vocabulary


def question_tensors(vocabulary: Vocabulary, asked: list[tuple[Facts, list[Question]]]):
    """ids (rows, tokens), labels (rows, tokens), noun positions (rows), auxiliary targets (rows, groups)."""
    rows = []
    for facts, questions in asked:
        for q in questions:
            prompt, position = vocabulary.prompt(q.text, q.noun)
            answer = vocabulary.answer(q.answer)
            aux = facts.word_targets(q.thing) if q.thing >= 0 or q.kind.startswith("light") else (UNKNOWN,) * len(WORD_HEADS)
            rows.append((prompt, answer, position, aux))
    length = max(len(p) + len(a) - 1 for p, a, _, _ in rows)
    ids, labels = np.full((len(rows), length), END), np.full((len(rows), length), UNKNOWN)
    for i, (prompt, answer, _, _) in enumerate(rows):
        ids[i, :len(prompt)] = prompt
        ids[i, len(prompt):len(prompt) + len(answer) - 1] = answer[:-1]
        labels[i, len(prompt) - 1:len(prompt) - 1 + len(answer)] = answer
    tensor = lambda values: torch.from_numpy(np.asarray(values, np.int64))
    return tensor(ids), tensor(labels), tensor([r[2] for r in rows]), tensor([r[3] for r in rows])


class Score:
    """Accuracy per kind of question, beside the share of the most frequent answer and, for yes and no, the rate of "yes"."""

    def __init__(self):
        self.pairs: dict[str, Counter] = defaultdict(Counter)      # kind -> (truth, said) -> how often

    def add(self, kind: str, truth: str, said: str) -> None:
        self.pairs[kind][truth, said] += 1

    def add_batch(self, questions: list[Question], logits, labels, vocabulary: Vocabulary) -> None:
        """Teacher-forced: an answer is right when every token of it is, exactly when the greedy answer is that text."""
        guess = logits.argmax(-1)
        for q, ids, mask in zip(questions, guess, labels >= 0):
            ids, truth = ids[mask].tolist(), list(vocabulary.answer(q.answer))
            self.add(q.kind, q.answer, q.answer if ids == truth else vocabulary.decode(ids[:1]) + " ...")

    def table(self) -> dict:
        rows, everything = {}, [0, 0]
        for kind, pairs in sorted(self.pairs.items()):
            n, right = sum(pairs.values()), sum(c for (truth, said), c in pairs.items() if truth == said)
            truths = Counter()
            for (truth, _), c in pairs.items():
                truths[truth] += c
            row = dict(n=n, accuracy=round(right / n, 4), majority=round(max(truths.values()) / n, 4))
            if set(truths) <= {"yes", "no"}:
                said_yes = sum(c for (_, said), c in pairs.items() if said.split()[:1] == ["yes"])
                recalls = [pairs[t, t] / truths[t] for t in truths]
                row |= dict(yes_rate=round(said_yes / n, 4), yes_truth=round(truths["yes"] / n, 4),
                            balanced=round(sum(recalls) / len(recalls), 4))
            rows[kind] = row
            everything = [everything[0] + n, everything[1] + right]
        rows["all"] = dict(n=everything[0], accuracy=round(everything[1] / max(1, everything[0]), 4))
        return rows

    def line(self) -> str:
        return " ".join(f"{k} {r['accuracy']:.2f}" + (f"({r['majority']:.2f})" if "majority" in r else "") for k, r in self.table().items())
