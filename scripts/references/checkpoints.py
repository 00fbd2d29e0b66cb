# SPDX-License-Identifier: Apache-2.0
"""Writes Tests/Fixtures/checkpoints: models as they are published, and what their libraries compute.

    python scripts/references/checkpoints.py --out Tests/Fixtures/checkpoints
    python scripts/references/checkpoints.py --full mamba-130m --out full     (not committed: 0.5 GB each)

Each folder is what a user downloads (config.json, checkpoint, tokenizer.json), tiny and random, with
`tokens`, `logits`, `conv_state` and `ssm_state` beside it. The libraries write all of it themselves: the
folders of transformers with `save_pretrained`, those in the original layout with `torch.save`.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from torch import nn
from transformers import (
    FalconMambaConfig,
    FalconMambaForCausalLM,
    Mamba2Config,
    Mamba2ForCausalLM,
    MambaConfig,
    MambaForCausalLM,
)

from fixture import randomize
from state_spaces import LanguageModel, Mixer1, Mixer2
from tiny_vocabulary import MERGES, SPECIALS, TOKENS

TOKEN_COUNT = 16
FULL = ["mamba-130m", "mamba2-130m", "mamba-130m-hf", "mamba2-130m-hf"]
ROWS = 288  # the vocabulary of 275 tokens, filled up to a multiple of 16
NEOX_TOKENS = 50277


def write_tokenizer(folder: Path, rows: int = ROWS) -> None:
    """The tiny vocabulary, with GPT-NeoX's settings; for more rows, as many tokens as GPT-NeoX's, which no text has."""
    merges = [tuple(merge.split()) for merge in MERGES]
    padding = [f"[PAD{index}]" for index in range(len(TOKENS), NEOX_TOKENS)] if rows > ROWS else []
    ids = {token: index for index, token in enumerate(TOKENS + padding)}
    tokenizer = Tokenizer(models.BPE(ids, merges))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in SPECIALS])
    tokenizer.save(str(folder / "tokenizer.json"))


@torch.no_grad()
def enliven(model: nn.Module) -> None:
    """Gives all parameters values that matter, and keeps the recurrence stable."""
    randomize(model, torch.Generator().manual_seed(7))
    for name, parameter in model.named_parameters():
        if name.endswith("A_log"):
            parameter.copy_(torch.log(torch.arange(1, parameter.shape[-1] + 1)).expand_as(parameter) + 0.1 * parameter)
        elif name.endswith(("dt_bias", "dt_proj.bias")):
            parameter.sub_(2)


def tokens_of(count: int = TOKEN_COUNT) -> torch.Tensor:
    return torch.randint(3, len(TOKENS), (count,), generator=torch.Generator().manual_seed(20))


def record(folder: Path, tokens: torch.Tensor, logits: torch.Tensor, history: list, hidden: list) -> None:
    arrays = {"logits": logits, "conv_state": torch.stack(history), "ssm_state": torch.stack(hidden)}
    np.save(folder / "tokens.npy", tokens.numpy())
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values.detach().contiguous().float().numpy())


@torch.no_grad()
def write_hugging_face(folder: Path, model: nn.Module, dtype: torch.dtype = torch.float32, shard: str = "5GB") -> None:
    """A folder of transformers; the values are computed in f32 from the rounded weights."""
    folder.mkdir(parents=True, exist_ok=True)
    enliven(model)
    model.to(dtype).save_pretrained(folder, max_shard_size=shard)
    model.float().eval()
    tokens = tokens_of()
    result = model(tokens[None], use_cache=True)
    layers, config = result.cache_params.layers, model.config
    history = [layer.conv_states[0][0, :, 1 - config.conv_kernel :].T for layer in layers]
    hidden = [layer.recurrent_states[0][0].reshape(-1, config.state_size) for layer in layers]
    record(folder, tokens, result.logits[0], history, hidden)
    write_tokenizer(folder, config.vocab_size)


@torch.no_grad()
def write_original(folder: Path, model: LanguageModel, config: dict, dtype: torch.dtype = torch.float32) -> None:
    """A folder of state-spaces: pytorch_model.bin with the tied head in it."""
    folder.mkdir(parents=True, exist_ok=True)
    enliven(model)
    torch.save(model.to(dtype).state_dict(), folder / "pytorch_model.bin")
    (folder / "config.json").write_text(json.dumps(config, indent=4) + "\n")
    tokens = tokens_of()
    logits, run = model.float()(tokens)
    record(folder, tokens, logits, [s.history for s in run.layers], [s.hidden for s in run.layers])
    write_tokenizer(folder, len(model.backbone.embedding.weight))


def original_config(d: int, layers: int, vocabulary: int, mixer: dict, multiple: int = 16) -> dict:
    return {
        "d_model": d, "n_layer": layers, "vocab_size": vocabulary, "ssm_cfg": mixer, "rms_norm": True,
        "residual_in_fp32": True, "fused_add_norm": True, "pad_vocab_size_multiple": multiple,
    }  # fmt: skip


def write_small(out: Path) -> None:
    common = dict(vocab_size=ROWS, num_hidden_layers=2, hidden_size=32)
    mamba = MambaConfig(**common, state_size=8)
    write_hugging_face(out / "mamba-hf", MambaForCausalLM(mamba))
    untied = MambaConfig(**common, state_size=8, time_step_rank=3, tie_word_embeddings=False, conv_kernel=3)
    write_hugging_face(out / "mamba-sharded", MambaForCausalLM(untied), torch.bfloat16, shard="30KB")
    mamba2 = Mamba2Config(
        **common, state_size=16, num_heads=4, head_dim=16, n_groups=2, tie_word_embeddings=False, chunk_size=8
    )
    write_hugging_face(out / "mamba2-hf", Mamba2ForCausalLM(mamba2), torch.float16)
    falcon = FalconMambaConfig(**common, state_size=8, time_step_rank=4, mixer_rms_eps=1e-3)
    write_hugging_face(out / "falcon-mamba", FalconMambaForCausalLM(falcon))

    torch.manual_seed(3)
    first = LanguageModel(32, ROWS, [Mixer1(32, 16, 2) for _ in range(2)])
    write_original(out / "mamba", first, original_config(32, 2, 277, {}), torch.float16)
    second = LanguageModel(32, ROWS, [Mixer2(32, 16, 16, 1) for _ in range(2)])
    mixer = {"layer": "Mamba2", "d_state": 16, "headdim": 16}
    write_original(out / "mamba2", second, original_config(32, 2, 277, mixer))


def write_full(out: Path, name: str) -> None:
    """The shape of a published model; the vocabulary is the tiny one, filled up to its size."""
    torch.manual_seed(5)
    if name == "mamba-130m":
        model = LanguageModel(768, 50280, [Mixer1(768, 16, 48) for _ in range(24)])
        write_original(out, model, original_config(768, 24, NEOX_TOKENS, {}, multiple=8))
    elif name == "mamba2-130m":
        model = LanguageModel(768, 50288, [Mixer2(768, 128, 64, 1) for _ in range(24)])
        write_original(out, model, original_config(768, 24, NEOX_TOKENS, {"layer": "Mamba2"}))
    elif name == "mamba-130m-hf":
        config = MambaConfig(vocab_size=50280, hidden_size=768, num_hidden_layers=24)
        write_hugging_face(out, MambaForCausalLM(config))
    else:
        sizes = dict(vocab_size=50288, hidden_size=768, num_hidden_layers=24, num_heads=24, n_groups=1)
        write_hugging_face(out, Mamba2ForCausalLM(Mamba2Config(**sizes, tie_word_embeddings=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    parser.add_argument("--full", choices=FULL, help="one model of full size")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.full:
        write_full(arguments.out, arguments.full)
    else:
        write_small(arguments.out)


if __name__ == "__main__":
    main()
