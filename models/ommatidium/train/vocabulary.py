# SPDX-License-Identifier: Apache-2.0
"""The tokenizer: byte-level BPE with GPT-2's pre-tokeniser, trained on the domain's own words.

Every word of the domain is one token with its space before it; anything else falls apart into pieces and bytes.
"""
import argparse
from functools import lru_cache
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

import kinds
from questions import FORMS, plural_of

END, QUESTION, ANSWER = 0, 1, 2
SPECIALS = ["<|endoftext|>", "<|question|>", "<|answer|>"]
TEMPLATE = "<|question|> {}<|answer|>"


def words() -> list[str]:
    """Every word of the questions and answers, in lower case and with a capital."""
    found = set("yes no nothing turned on off and new gone light dark many a an the".split())
    for forms in FORMS.values():
        for form in forms:
            found.update(w for w in form.split() if "{" not in w)
    for name, (plural, others) in kinds.KINDS.items():
        for noun in [name, plural] + others + [plural_of(o) for o in others]:
            found.update(noun.split())
    for text in kinds.NUMBERS + kinds.DIRECTIONS + kinds.PLACES:
        found.update(text.split())
    starts = {form.split()[0].capitalize() for forms in FORMS.values() for form in forms}
    return sorted(found | starts)


def train() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=1200, min_frequency=1, special_tokens=SPECIALS, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator([" " + w for w in words()], trainer)
    return tokenizer


class Vocabulary:
    def __init__(self, path: Path):
        self.tokenizer = Tokenizer.from_file(str(path))
        self.size = self.tokenizer.get_vocab_size()
        self.encode = lru_cache(maxsize=200_000)(self._encode)

    def _encode(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer.encode(text, add_special_tokens=False).ids)

    @lru_cache(maxsize=200_000)
    def prompt(self, text: str, noun: str = "") -> tuple[tuple[int, ...], int]:
        """(ids of the whole prompt, index of the last token of the noun or 0)."""
        coded = self.tokenizer.encode(" " + text, add_special_tokens=False)
        position = 0
        if noun:
            end = (" " + text).lower().rindex(noun) + len(noun)
            position = 1 + next(i for i, (_, stop) in enumerate(coded.offsets) if stop >= end)
        return (QUESTION, *coded.ids, ANSWER), position

    def answer(self, text: str) -> tuple[int, ...]:
        return (*self.encode(" " + text), END)

    def decode(self, ids) -> str:
        return self.tokenizer.decode(list(ids), skip_special_tokens=True).strip()

    def kind_tokens(self) -> list[int]:
        """The first token of each kind's name as an answer."""
        return [self.encode(" " + name)[0] for name in kinds.NAMES]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    tokenizer = train()
    tokenizer.save(str(options.out))
    split = [w for w in words() if len(tokenizer.encode(" " + w).ids) > 1]
    print(tokenizer.get_vocab_size(), "tokens,", len(words()), "words, in pieces:", split)
