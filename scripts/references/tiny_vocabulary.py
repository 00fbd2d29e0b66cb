# SPDX-License-Identifier: Apache-2.0
"""A byte-level BPE vocabulary of a few hundred tokens, so that tiny decoder files are complete models."""

import gguf

SPECIALS = ["<|endoftext|>", "<|question|>", "<|answer|>"]
MERGES = ["Ġ t", "h e", "i n", "Ġt he", "e r", "a n", "Ġ a", "o n", "r e", "i s", "Ġ is", "in g", "a t", "Ġ c", "Ġc at", "an d"]


def byte_alphabet() -> list[str]:
    """The 256 characters that stand for the bytes, in the order of the bytes (GPT-2's map)."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


TOKENS = SPECIALS + byte_alphabet() + [merge.replace(" ", "") for merge in MERGES]


def store_vocabulary(writer: gguf.GGUFWriter, size: int) -> None:
    """Adds the tokenizer keys, padded to `size` tokens that are never used."""
    padding = [f"[PAD{index}]" for index in range(len(TOKENS), size)]
    types = (
        [gguf.TokenType.CONTROL] * len(SPECIALS)
        + [gguf.TokenType.NORMAL] * (len(TOKENS) - len(SPECIALS))
        + [gguf.TokenType.UNUSED] * len(padding)
    )
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(TOKENS + padding)
    writer.add_token_types(types)
    writer.add_token_merges(MERGES)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    writer.add_string("ocellus.prompt.question", "<|question|> {}<|answer|>")
