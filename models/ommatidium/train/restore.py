# SPDX-License-Identifier: Apache-2.0
"""Builds the training modules from the shipped GGUF files: for evaluation in batches, and as a start for a successor.

    python restore.py --model .. --out $W      # encoder.pt, decoder.pt and tokenizer.json, as the stages write them
"""
import argparse
from pathlib import Path

import torch

import checkpoints
from encoder import Encoder
from model import Model
from shipped import File, tokenizer_of
from vocabulary import SPECIALS


def restore_encoder(file: File) -> Encoder:
    encoder, tensors = Encoder(), file.tensors
    state = {"position_embd": tensors["v.position_embd.weight"]}
    for i, layer in enumerate(encoder.backbone.layers):
        state[f"backbone.layers.{i}.weight"] = tensors[f"v.cnn.{i}.weight"].reshape(layer.weight.shape)
        state[f"backbone.layers.{i}.bias"] = tensors[f"v.cnn.{i}.bias"]
    for kind in ("weight", "bias"):
        state |= {f"{n}.{kind}": tensors[f"v.{n}.{kind}"] for n in ("patch_embd", "post_ln")}
        for name in ("ln1", "ln2", "attn_q", "attn_k", "attn_v", "attn_out", "ffn_up", "ffn_down"):
            state[f"block.{name}.{kind}"] = tensors[f"v.blk.0.{name}.{kind}"]
    encoder.load_state_dict(state)
    return encoder.eval()


def restore_model(vision: File, decoder: File) -> Model:
    """Projector and decoder; the heads of the auxiliary losses are not shipped and stay random."""
    fields, tensors = decoder.fields, decoder.tensors
    model = Model(len(fields["tokenizer.ggml.tokens"]), fields["mamba2.embedding_length"], fields["mamba2.block_count"],
                  fields["mamba2.ssm.state_size"])
    state = {"decoder.embedding.weight": tensors["token_embd.weight"], "decoder.norm.weight": tensors["output_norm.weight"] / model.decoder.scale,
             "projector.position": vision.tensors["mm.model.position_embd.weight"],
             "projector.peg.weight": vision.tensors["mm.model.peg.0.weight"][:, None], "projector.peg.bias": vision.tensors["mm.model.peg.0.bias"]}
    for ours, theirs in (("up", "mlp.0"), ("mix", "mlp.2"), ("frame", "frame_token")):
        state |= {f"projector.{ours}.{kind}": vision.tensors[f"mm.model.{theirs}.{kind}"] for kind in ("weight", "bias")}
    for i in range(fields["mamba2.block_count"]):
        block = {"norm.weight": "attn_norm.weight", "gate_norm.weight": "ssm_norm.weight", "in_proj.weight": "ssm_in.weight",
                 "out_proj.weight": "ssm_out.weight", "conv_weight": "ssm_conv1d.weight", "conv_bias": "ssm_conv1d.bias",
                 "dt_bias": "ssm_dt.bias", "D": "ssm_d"}
        state |= {f"decoder.layers.{i}.{ours}": tensors[f"blk.{i}.{theirs}"] for ours, theirs in block.items()}
        state[f"decoder.layers.{i}.A_log"] = torch.log(-tensors[f"blk.{i}.ssm_a"])
    own = model.state_dict()
    missing = model.load_state_dict({k: v.reshape(own[k].shape) for k, v in state.items()}, strict=False).missing_keys
    assert all("_head." in name for name in missing), missing
    return model.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder with the two GGUF files")
    parser.add_argument("--out", type=Path, required=True, help="folder")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    vision, decoder = File(options.model / "vision.gguf"), File(options.model / "decoder.gguf")
    model, tokenizer = restore_model(vision, decoder), tokenizer_of(decoder.fields)
    checkpoints.save(options.out / "encoder.pt", encoder=restore_encoder(vision).state_dict())
    checkpoints.save(options.out / "decoder.pt", model=model.state_dict(), shape=model.shape)
    tokenizer.add_special_tokens(SPECIALS)
    tokenizer.save(str(options.out / "tokenizer.json"))


if __name__ == "__main__":
    main()
