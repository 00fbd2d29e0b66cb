# SPDX-License-Identifier: Apache-2.0
"""Writes Tests/Fixtures/tokenizers: tokenizers of every family as libraries save them, and their ids.

    python scripts/references/tokenizer_families.py

Small vocabularies, trained on the sentences of `tokenizer_text.py` with the settings of the families:

    falcon         tokenizer.json   punctuation and numbers in threes apart, no normalisation
    tekken         tokenizer.json   the expression of Mistral's Tekken; words that are tokens are not merged
    sentencepiece, sentencepiece-marks
                   tokenizer.model  BPE, byte fallback, no normalisation, as LLaMA and Mistral have it
    llama-json     tokenizer.json   the first one's vocabulary as transformers would save it
    llama-first    tokenizer.json   the same as transformers 5 does, with a space at the first place only, and ChatML's tokens
    llama-each     tokenizer.json   the second one's, with a space before each text between added tokens that begins with none, as
                                    transformers 5 does if it is told to be "legacy"
    llama-always   tokenizer.json   the second one's, with a space before each text between added tokens, as transformers 4 did, without
                                    fast tokenizers too

`post_processors.json` says what tokenizers makes of a text with falcon's and each of some post-processors.

`cases.bin` holds the lines of `tokenizer.py` in its format. Only valid UTF-8 is asked of sentencepiece.
"""

import io
import json
import random
import struct
from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as protobuf
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from tokenizer import cases, write_cases
from tokenizer_text import CODE, SENTENCES

FOLDER = Path(__file__).parents[2] / "Tests/Fixtures/tokenizers"
VOCABULARY_SIZE = 1500
CHAT = ["<|im_start|>", "<|im_end|>"]
USER_DEFINED = ["<image>", "\u2581\u2581"]
PARTS = ["user", "\n", "hi", " hi", " ", "\u2581", "\u2581hi", "the cat", "<s>", "\u20ac"]
TEKKEN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def train_byte_level(pre_tokenizer: pre_tokenizers.PreTokenizer, special: list[str], ignore_merges: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE,
        special_tokens=special,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    numbers = [str(number) for number in range(0, 3000, 7)]
    tokenizer.train_from_iterator(SENTENCES * 2 + CODE * 2 + numbers, trainer)
    return tokenizer


def falcon() -> Tokenizer:
    steps = [
        pre_tokenizers.Punctuation("contiguous"),
        pre_tokenizers.ByteLevel(add_prefix_space=False),
        pre_tokenizers.Digits(individual_digits=False),
        pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated"),
    ]
    return train_byte_level(pre_tokenizers.Sequence(steps), [">>QUESTION<<", "<|endoftext|>"], False)


def tekken() -> Tokenizer:
    steps = [
        pre_tokenizers.Split(Regex(TEKKEN), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]
    return train_byte_level(pre_tokenizers.Sequence(steps), ["<unk>", "<s>", "</s>"], True)


def sentencepiece_model(user_defined: list[str]) -> bytes:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter((SENTENCES + CODE) * 2),
        model_writer=model,
        model_type="bpe",
        vocab_size=VOCABULARY_SIZE,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        character_coverage=0.99,
        user_defined_symbols=user_defined,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def as_json(model: bytes) -> Tokenizer:
    """The vocabulary as transformers stores it: merges of all pairs of pieces, by the score of the result."""
    proto = protobuf.ModelProto.FromString(model)
    ids = {piece.piece: index for index, piece in enumerate(proto.pieces)}
    normal = {piece.piece: piece.score for piece in proto.pieces if piece.type == 1}
    merges = [
        (-score, ids[text[:split]], ids[text[split:]], text[:split], text[split:])
        for text, score in normal.items()
        for split in range(1, len(text))
        if text[:split] in normal and text[split:] in normal
    ]
    tokenizer = Tokenizer(
        models.BPE(ids, [(left, right) for *_, left, right in sorted(merges)], unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    )
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    special = [AddedToken(text, special=True, normalized=False) for text in ("<unk>", "<s>", "</s>")]
    tokenizer.add_special_tokens(special)
    marks = [piece.piece for piece in proto.pieces if piece.type == 4]
    tokenizer.add_tokens([AddedToken(text, special=False, normalized=False) for text in marks])
    return tokenizer


def for_talks(tokenizer: Tokenizer, scheme: str | None) -> Tokenizer:
    if scheme:
        tokenizer.normalizer = None
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("\u2581", prepend_scheme=scheme, split=False)
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in CHAT])
    return tokenizer


def chat_lines() -> list[bytes]:
    """Turns, texts between added tokens, spaces as "\u2581", and some of the other lines.

    Without two spaces in a row: tokenizers finds an added token "\u2581\u2581" in the text as it is written.
    """
    choose = random.Random(5)
    parts = [*CHAT, *USER_DEFINED, *PARTS]
    lines = ["".join(choose.choices(parts, k=choose.randint(1, 6))) for _ in range(400)]
    chat = "<|im_start|>user\nWhat is on the table?<|im_end|>\n<|im_start|>assistant\n"
    found = [line.encode() for line in [chat, " hi", "hi", *lines]] + cases()[::10]
    return [line for line in found if b"  " not in line.replace("\u2581".encode(), b" ")]


def turns() -> list[bytes]:
    choose = random.Random(6)
    parts = [*CHAT, "<image>", "  ", "\u2581\u2581", *PARTS]
    return ["".join(choose.choices(parts, k=choose.randint(1, 7))).encode() for _ in range(400)]


def write_sentencepiece_cases(model: bytes, path: Path) -> int:
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    count = 0
    with path.open("wb") as file:
        for data in cases():
            try:
                text = data.decode()
            except UnicodeDecodeError:
                continue
            # "▁" is a space to sentencepiece, and a NUL ends its input.
            if "\u2581" in text or "\0" in text:
                continue
            ids = processor.encode(text)
            file.write(struct.pack("<H", len(data)) + data)
            file.write(struct.pack(f"<H{len(ids)}H", len(ids), *ids) + struct.pack("<H", 0xFFFF))
            count += 1
    return count


def post_processors(path: Path) -> list[dict]:
    """A text's ids with each of them."""
    start = {"SpecialToken": {"id": ">>QUESTION<<", "type_id": 0}}
    end = {"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}
    text, second = {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}
    ids = {">>QUESTION<<": 0, "<|endoftext|>": 1}
    known = {name: {"id": name, "ids": [id], "tokens": [name]} for name, id in ids.items()}

    def template(*single: dict) -> dict:
        return {"type": "TemplateProcessing", "single": single, "pair": [text, second], "special_tokens": known}

    bytes_only = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
    kinds = [
        None, bytes_only, template(text), template(start, text), template(end, text), template(text, end),
        template(start, text, end), template(start, end, text), template(end, text, text),
        {"type": "Sequence", "processors": [bytes_only, template(end, text)]},
        {"type": "Sequence", "processors": []},
        {"type": "RobertaProcessing", "sep": ["<|endoftext|>", 1], "cls": [">>QUESTION<<", 0], "trim_offsets": True,
         "add_prefix_space": False},
    ]  # fmt: skip
    plain, cases = json.loads(path.read_text()), []
    for kind in kinds:
        tokenizer = Tokenizer.from_str(json.dumps({**plain, "post_processor": kind}))
        cases.append({"post_processor": kind, "text": "The cat", "ids": tokenizer.encode("The cat").ids})
    return cases


def main() -> None:
    for name, tokenizer in {"falcon": falcon(), "tekken": tekken()}.items():
        (FOLDER / name).mkdir(parents=True, exist_ok=True)
        tokenizer.save(str(FOLDER / name / "tokenizer.json"), pretty=False)
        print(name, write_cases(tokenizer, FOLDER / name / "cases.bin", "H"), "cases")
    cases = post_processors(FOLDER / "falcon/tokenizer.json")
    (FOLDER / "post_processors.json").write_text("[\n" + ",\n".join(map(json.dumps, cases)) + "\n]\n")
    model, with_marks = sentencepiece_model(USER_DEFINED), sentencepiece_model(["<image>"])
    for name in ("sentencepiece", "sentencepiece-marks", "llama-json", "llama-first", "llama-each", "llama-always"):
        (FOLDER / name).mkdir(parents=True, exist_ok=True)
    (FOLDER / "sentencepiece/tokenizer.model").write_bytes(model)
    (FOLDER / "sentencepiece-marks/tokenizer.model").write_bytes(with_marks)
    as_json(model).save(str(FOLDER / "llama-json/tokenizer.json"), pretty=False)
    kinds = {
        "first": (model, "first", chat_lines()),
        "each": (with_marks, "always", turns()),
        "always": (with_marks, None, turns()),
    }
    for name, (vocabulary, scheme, lines) in kinds.items():
        chat, folder = for_talks(as_json(vocabulary), scheme), FOLDER / f"llama-{name}"
        chat.save(str(folder / "tokenizer.json"), pretty=False)
        print(folder.name, write_cases(chat, folder / "cases.bin", "H", lines), "cases")
    print("sentencepiece", write_sentencepiece_cases(model, FOLDER / "sentencepiece/cases.bin"), "cases")


if __name__ == "__main__":
    main()
