# SPDX-License-Identifier: Apache-2.0
"""Stage 6: writes `decoder.gguf` and `vision.gguf`, the two files that Ocellus loads.

Matrices and convolutions become F16, everything one-dimensional stays F32 (and the decoder's short convolution, as llama.cpp wants
it). The logit scale is folded into the last norm, so the decoder is a plain Mamba-2 that llama.cpp can load.
"""
import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFWriter, TokenType

import checkpoints
import kinds
import mamba2
from encoder import EPSILON, HEADS, HIDDEN, WIDTH, Encoder
from model import Model
from vocabulary import END, SPECIALS, TEMPLATE

LIMIT = 8_000_000      # bytes, both files together
NAME = "Ommatidium"


def half(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().float().numpy().astype(np.float16)


def full(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().float().contiguous().numpy()


def general(writer: GGUFWriter, description: str, model_id: str) -> None:
    writer.add_name(NAME)
    writer.add_description(description)
    writer.add_license("Apache-2.0")
    writer.add_file_type(1)      # mostly F16
    writer.add_string("ocellus.model.id", model_id)


def write_decoder(path: Path, model: Model, tokenizer: Path, model_id: str) -> None:
    decoder, first = model.decoder, model.decoder.layers[0]
    writer = GGUFWriter(path, "mamba2")
    general(writer, "Answers short questions about what a camera saw", model_id)
    writer.add_context_length(1 << 20)
    writer.add_embedding_length(model.shape["width"])
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_block_count(len(decoder.layers))
    writer.add_vocab_size(model.shape["vocabulary"])
    writer.add_ssm_conv_kernel(mamba2.KERNEL)
    writer.add_ssm_inner_size(first.inner)
    writer.add_ssm_state_size(first.state)
    writer.add_ssm_time_step_rank(first.heads)
    writer.add_ssm_group_count(1)
    writer.add_layer_norm_rms_eps(mamba2.EPSILON)
    write_vocabulary(writer, tokenizer)
    writer.add_string("ocellus.prompt.question", TEMPLATE)
    writer.add_array("ocellus.kinds", kinds.NAMES)
    writer.add_uint32("ocellus.video.period_ms", kinds.FRAME_PERIOD_MS)
    writer.add_uint32("ocellus.video.frames", 6)
    writer.add_tensor("token_embd.weight", half(decoder.embedding.weight))
    writer.add_tensor("output_norm.weight", full(decoder.norm.weight * decoder.scale))
    for i, layer in enumerate(decoder.layers):
        block = f"blk.{i}."
        writer.add_tensor(block + "attn_norm.weight", full(layer.norm.weight))
        writer.add_tensor(block + "ssm_in.weight", half(layer.in_proj.weight))
        writer.add_tensor(block + "ssm_conv1d.weight", full(layer.conv_weight))
        writer.add_tensor(block + "ssm_conv1d.bias", full(layer.conv_bias))
        writer.add_tensor(block + "ssm_dt.bias", full(layer.dt_bias))
        writer.add_tensor(block + "ssm_a", full(-torch.exp(layer.A_log))[:, None])
        writer.add_tensor(block + "ssm_d", full(layer.D)[:, None])
        writer.add_tensor(block + "ssm_norm.weight", full(layer.gate_norm.weight)[None])
        writer.add_tensor(block + "ssm_out.weight", half(layer.out_proj.weight))
    finish(writer)


def write_vocabulary(writer: GGUFWriter, tokenizer: Path) -> None:
    bpe = json.loads(tokenizer.read_text())["model"]
    tokens = sorted(bpe["vocab"], key=bpe["vocab"].get)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.CONTROL if t in SPECIALS else TokenType.NORMAL for t in tokens])
    writer.add_token_merges([" ".join(pair) if isinstance(pair, list) else pair for pair in bpe["merges"]])
    writer.add_bos_token_id(END)
    writer.add_eos_token_id(END)
    writer.add_add_bos_token(False)


def write_vision(path: Path, encoder: Encoder, model: Model, model_id: str) -> None:
    width, projector = model.shape["width"], model.projector
    writer = GGUFWriter(path, "clip")
    general(writer, "MobileNetV1 0.5 and one ViT block, with an LDPv2 projector", model_id)
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_bool("clip.has_llava_projector", True)
    writer.add_string("clip.projector_type", "ldpv2")
    writer.add_string("ocellus.vision.encoder", "cnn-vit")
    writer.add_string("ocellus.vision.activation", "gelu_erf")
    for key, value in dict(image_size=kinds.IMAGE_SIZE, patch_size=16, embedding_length=WIDTH, feed_forward_length=HIDDEN,
                           projection_dim=width, block_count=1).items():
        writer.add_uint32(f"clip.vision.{key}", value)
    writer.add_uint32("clip.vision.attention.head_count", HEADS)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", EPSILON)
    writer.add_array("clip.vision.image_mean", [128 / 255] * 3)
    writer.add_array("clip.vision.image_std", [128 / 255] * 3)
    writer.add_string("ocellus.image.strategy", "stretch")
    writer.add_string("ocellus.image.filter", "bilinear")
    layers = encoder.backbone.layers
    writer.add_array("ocellus.vision.cnn.stride", [layer.stride[0] for layer in layers])
    writer.add_array("ocellus.vision.cnn.depthwise", [layer.groups > 1 for layer in layers])
    writer.add_array("ocellus.vision.cnn.activation", ["relu6"] * len(layers))
    writer.add_string("ocellus.vision.cnn.padding", "tensorflow")
    writer.add_array("ocellus.projector.grid", [kinds.TOKEN_GRID] * 2)
    for key in ("temporal_difference", "frame_token", "frame_color", "positions"):
        writer.add_bool(f"ocellus.projector.{key}", True)
    for i, layer in enumerate(layers):
        weight = layer.weight
        if layer.groups > 1:
            weight = weight[:, 0]                 # depthwise [C, k, k]
        elif layer.kernel_size[0] == 1:
            weight = weight[:, :, 0, 0]           # pointwise [O, I]
        writer.add_tensor(f"v.cnn.{i}.weight", half(weight))
        writer.add_tensor(f"v.cnn.{i}.bias", full(layer.bias))
    writer.add_tensor("v.patch_embd.weight", half(encoder.patch_embd.weight))
    writer.add_tensor("v.patch_embd.bias", full(encoder.patch_embd.bias))
    writer.add_tensor("v.position_embd.weight", half(encoder.position_embd))
    for name in ("ln1", "ln2", "attn_q", "attn_k", "attn_v", "attn_out", "ffn_up", "ffn_down"):
        part = getattr(encoder.block, name)
        writer.add_tensor(f"v.blk.0.{name}.weight", full(part.weight) if part.weight.ndim == 1 else half(part.weight))
        writer.add_tensor(f"v.blk.0.{name}.bias", full(part.bias))
    writer.add_tensor("v.post_ln.weight", full(encoder.post_ln.weight))
    writer.add_tensor("v.post_ln.bias", full(encoder.post_ln.bias))
    for name, part in (("mlp.0", projector.up), ("mlp.2", projector.mix), ("frame_token", projector.frame)):
        writer.add_tensor(f"mm.model.{name}.weight", half(part.weight))
        writer.add_tensor(f"mm.model.{name}.bias", full(part.bias))
    writer.add_tensor("mm.model.peg.0.weight", half(projector.peg.weight[:, 0]))
    writer.add_tensor("mm.model.peg.0.bias", full(projector.peg.bias))
    writer.add_tensor("mm.model.position_embd.weight", half(projector.position))
    finish(writer)


def finish(writer: GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--decoder", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the model")
    options = parser.parse_args()
    encoder = Encoder()
    encoder.load_state_dict(checkpoints.load(options.encoder)["encoder"])
    state = checkpoints.load(options.decoder)
    model = Model(**state["shape"])
    model.load_state_dict(state["model"])
    digest = hashlib.sha256()
    for tensor in list(encoder.state_dict().values()) + list(model.state_dict().values()):
        digest.update(full(tensor).tobytes())
    model_id = "ommatidium-" + digest.hexdigest()[:12]
    options.out.mkdir(parents=True, exist_ok=True)
    files = options.out / "decoder.gguf", options.out / "vision.gguf"
    write_decoder(files[0], model, options.tokenizer, model_id)
    write_vision(files[1], encoder, model, model_id)
    sizes = [f.stat().st_size for f in files]
    print(model_id, dict(zip((f.name for f in files), sizes)), "together", sum(sizes))
    if sum(sizes) >= LIMIT:
        raise SystemExit(f"the files are {sum(sizes)} bytes, the limit is {LIMIT}")


if __name__ == "__main__":
    main()
