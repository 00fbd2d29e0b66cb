# SPDX-License-Identifier: Apache-2.0
"""Writes Tests/Fixtures/tokenizer: a vocabulary of our own, and what `tokenizers` makes of lines.

    python3 -m venv .venv && .venv/bin/pip install gguf==0.19.0 tokenizers==0.23.3
    .venv/bin/python scripts/references/tokenizer.py

The vocabulary has GPT-NeoX-20B's configuration: normal form C, byte-level alphabet without a space
before the text, runs of 24 down to 2 spaces as added tokens, special tokens at the beginning.

`vocabulary.gguf` holds it as a model file does. `cases.bin` holds, for each case, little-endian:

    u16 count of bytes, the bytes (not always valid UTF-8)
    u16 count of ids, u16 ids            special tokens are text
    u16 count of ids, u16 ids            special tokens are parsed; count 65535: the same ids

With `--neox TOKENIZER.JSON OUT.BIN` it writes the same cases with another vocabulary's ids, u32
instead of u16, for a check by hand against the real GPT-NeoX-20B.
"""

import json
import random
import struct
import sys
import unicodedata
from pathlib import Path

import gguf
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from tokenizer_text import CODE, SENTENCES

FOLDER = Path(__file__).parents[2] / "Tests/Fixtures/tokenizer"
SPECIAL = ["<|endoftext|>", "<|padding|>", "<|question|>", "<|answer|>"]
VOCABULARY_SIZE = 2500
SPACES = [" ", "  ", "   ", "     ", " " * 23, " " * 24, " " * 25, " " * 49, "\t", "\t\t", " \t ",
          "\n", "\n\n", " \n", "\n ", "\r\n", "\r\n\r\n", "\u00a0", "\u00a0 ", " \u2003", "\u3000",
          "\u2028", "\u0085", "\u000b\u000c", "\u200b", "\ufeff", "\u1680 ", "  \n  "]
MARKS = ["\u0300", "\u0301", "\u0308", "\u0323", "\u0327", "\u0331", "\u0345", "\u05b4", "\u0651",
         "\u094d", "\u3099", "\u309a", "\u1100", "\u1161", "\u11a8", "\u0f71\u0f72", "\u0f73",
         "\u0f75", "\u0f81", "\ufe0f", "\u200d", "\u20dd", "\u0315\u0300\u05ae\u0062", "\u212b",
         "\u2126", "\ufb1d", "\u0958"]


def train() -> Tokenizer:
    """A tokenizer with GPT-NeoX's settings, trained on the sentences."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE,
        special_tokens=SPECIAL,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    indented = [line.replace("\n", "\n        ") for line in CODE]  # words of several spaces
    tokenizer.train_from_iterator(SENTENCES * 2 + CODE * 2 + indented, trainer)
    runs = [AddedToken(" " * count, normalized=True, special=False) for count in range(24, 1, -1)]
    tokenizer.add_tokens(runs)
    return tokenizer


def write_vocabulary(tokenizer: Tokenizer, path: Path) -> None:
    """Stores the vocabulary as the converters of llama.cpp do."""
    model = json.loads(tokenizer.to_str())
    tokens = [""] * tokenizer.get_vocab_size()
    types = [gguf.TokenType.NORMAL] * len(tokens)
    for text, token in model["model"]["vocab"].items():
        tokens[token] = text
    for added in model["added_tokens"]:
        tokens[added["id"]] = added["content"]
        kind = gguf.TokenType.CONTROL if added["special"] else gguf.TokenType.USER_DEFINED
        types[added["id"]] = kind
    for index in range(3):  # rows that fill the embedding up; not to be found in a text
        tokens.append(f"[PAD{len(tokens)}]")
        types.append(gguf.TokenType.USER_DEFINED)
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["model"]["merges"]]
    writer = gguf.GGUFWriter(path, "mamba")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("olmo")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def settled_characters() -> list[str]:
    """The characters that are the same in Unicode 3.2 and now: no two libraries disagree on them."""
    old = unicodedata.ucd_3_2_0
    return [
        chr(code)
        for code in range(0x110000)
        if old.category(chr(code)) not in ("Cn", "Cs", "Co")
        and old.category(chr(code)) == unicodedata.category(chr(code))
    ]


def broken(text: str, choose: random.Random) -> bytes:
    """The text's UTF-8 with bytes changed, left out, or put in."""
    data = bytearray(text.encode())
    for _ in range(choose.randint(1, 4)):
        place = choose.randrange(len(data))
        way = choose.randrange(4)
        if way == 0:
            data[place] = choose.randrange(256)
        elif way == 1:
            del data[place:place + choose.randint(1, 2)]
        elif way == 2:
            data[place:place] = bytes([choose.choice([0xFF, 0xC0, 0xC1, 0xED, 0xF5, 0x80, 0xE2, 0xF0, 0xF4])])
        else:
            data[place:place] = choose.choice(
                [b"\xed\xa0\x80", b"\xf0\x80\x80\x80", b"\xe0\x9f\xbf", b"\xf4\x90\x80\x80",
                 b"\xc0\x80", b"\xe2\x82", b"\xf0\x9f\x98", b"\xfe\xff", b"\xef\xbf\xbd"])
        if not data:
            data = bytearray(b"\x80")
    return bytes(data)


def cases() -> list[bytes]:
    """The inputs: sentences as they are, recombined, spaced, decomposed, random and broken."""
    choose = random.Random(20261121)
    lines = SENTENCES + CODE
    characters = settled_characters()
    found = [line.encode() for line in lines]
    found += [unicodedata.normalize(form, line).encode() for line in lines for form in ("NFD", "NFKD")]
    found += [line.upper().encode() for line in lines] + [(" " + line).encode() for line in lines]
    found += [b"", b" ", b"  ", b"\n", b"'", b"''", b"'s", b"'S", b" 's", b"\x00", b"[PAD2528]",
              b"Hey how are you doing?", b"Hello world", b"  two spaces", b"a    b", b"In: hi\nOut: "]
    for _ in range(700):  # words of several languages with all kinds of white space between them
        words = [choose.choice(choose.choice(lines).split() or ["x"]) for _ in range(choose.randint(2, 7))]
        text = choose.choice(["", choose.choice(SPACES)])
        for word in words:
            text += word + choose.choice(SPACES if choose.random() < 0.5 else [" "])
        found.append(text.encode())
    for _ in range(400):  # special tokens, whole and damaged
        text = "".join(
            choose.choice(SPECIAL + [" ", "  ", "<|", "|>", "<|endoftext|", "yes", " no?", "\n", "é", "e\u0301"])
            for _ in range(choose.randint(1, 6)))
        found.append(text.encode())
    for _ in range(600):  # combining marks in every order
        word = choose.choice(choose.choice(lines).split() or ["x"])
        text = "".join(
            c + "".join(choose.choices(MARKS, k=choose.randint(0, 3))) if choose.random() < 0.4 else c
            for c in word)
        found.append(text.encode())
    for _ in range(600):  # characters of all scripts side by side
        found.append("".join(choose.choices(characters, k=choose.randint(1, 12))).encode())
    for _ in range(300):  # dense ASCII
        found.append("".join(chr(choose.randint(9, 126)) for _ in range(choose.randint(1, 30))).encode())
    for _ in range(700):  # invalid UTF-8
        line = choose.choice(lines)
        start = choose.randrange(len(line))
        found.append(broken(line[start:start + choose.randint(4, 30)], choose))
    for _ in range(100):
        found.append(choose.randbytes(choose.randint(1, 24)))
    return list(dict.fromkeys(found))


def write_cases(tokenizer: Tokenizer, path: Path, code: str, lines: list[bytes] | None = None) -> int:
    """Stores each case, or each line, with its ids; `code` is the struct letter of an id."""
    count = 0
    with path.open("wb") as file:
        for data in lines or cases():
            text = data.decode("utf-8", errors="replace")
            tokenizer.encode_special_tokens = True
            plain = tokenizer.encode(text, add_special_tokens=False).ids
            tokenizer.encode_special_tokens = False
            parsed = tokenizer.encode(text, add_special_tokens=False).ids
            file.write(struct.pack("<H", len(data)) + data)
            file.write(struct.pack(f"<H{len(plain)}{code}", len(plain), *plain))
            if parsed == plain:
                file.write(struct.pack("<H", 0xFFFF))
            else:
                file.write(struct.pack(f"<H{len(parsed)}{code}", len(parsed), *parsed))
            count += 1
    return count


def main() -> None:
    if len(sys.argv) == 4 and sys.argv[1] == "--neox":
        count = write_cases(Tokenizer.from_file(sys.argv[2]), Path(sys.argv[3]), "I")
    else:
        FOLDER.mkdir(parents=True, exist_ok=True)
        tokenizer = train()
        write_vocabulary(tokenizer, FOLDER / "vocabulary.gguf")
        count = write_cases(tokenizer, FOLDER / "cases.bin", "H")
    print(f"{count} cases")


if __name__ == "__main__":
    main()
