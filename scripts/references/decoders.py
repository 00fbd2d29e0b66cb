# SPDX-License-Identifier: Apache-2.0
"""Mamba-1 and Mamba-2 of `transformers`, on CPU in f32, without fused kernels.

Recorded, after a list of tokens: `logits` (tokens, vocabulary), `conv_state` (layers, dConv - 1,
channels; oldest first) and `ssm_state` (layers, dInner, dState).
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from transformers import Mamba2Config, Mamba2ForCausalLM, MambaConfig, MambaForCausalLM

from fixture import Fixture, Recording, Type
from tiny_vocabulary import TOKENS, store_vocabulary

EPSILON = 1e-5
EMBEDDING_SCALE = 0.3  # small beside what the layers add, so that greedy text does not just repeat

# The size of what a layer adds to the stream. Kernels for quantised weights round the activations to
# int8 as well; a lively random model is chaotic, and makes several percent at the logits of that (llama.cpp
# against PyTorch: up to 7 %), which would hide mistakes. So models with quantised weights are damped.
LIVELY = 3.0
CALM = 0.2


@dataclass(frozen=True)
class Mamba1:
    """The sizes of a Mamba-1 fixture; names as in the paper."""

    name: str
    d: int
    layers: int
    n: int
    dt_rank: int
    kernel: int = 4
    tied: bool = True
    vocabulary: int = 283
    weight_type: Type = Type.F32
    mixing: float = LIVELY


@dataclass(frozen=True)
class Mamba2:
    """The sizes of a Mamba-2 fixture; 2 d == heads * head_width."""

    name: str
    d: int
    layers: int
    n: int
    heads: int
    head_width: int
    groups: int = 1
    kernel: int = 4
    tied: bool = True
    vocabulary: int = 283
    weight_type: Type = Type.F32
    mixing: float = LIVELY


MODELS = [
    Mamba1("mamba-odd", d=28, layers=3, n=16, dt_rank=3),
    Mamba1("mamba-untied", d=44, layers=2, n=8, dt_rank=5, kernel=3, tied=False, vocabulary=277),
    Mamba1("mamba-f16", d=36, layers=2, n=16, dt_rank=4, weight_type=Type.F16),
    Mamba1("mamba-bf16", d=36, layers=2, n=16, dt_rank=4, weight_type=Type.BF16),
    Mamba1("mamba-q8_0", d=64, layers=2, n=16, dt_rank=4, tied=False, weight_type=Type.Q8_0, mixing=CALM),
    Mamba1("mamba-q4_0", d=64, layers=2, n=16, dt_rank=6, tied=False, weight_type=Type.Q4_0, mixing=CALM),
    Mamba2("mamba2-heads24", d=36, layers=2, n=32, heads=3, head_width=24),
    Mamba2("mamba2-groups", d=32, layers=2, n=16, heads=4, head_width=16, groups=2, kernel=3, tied=False),
    Mamba2("mamba2-f16", d=64, layers=1, n=64, heads=2, head_width=64, weight_type=Type.F16),
    Mamba2("mamba2-q8_0", d=64, layers=2, n=32, heads=8, head_width=16, groups=2, tied=False, weight_type=Type.Q8_0, mixing=CALM),
    Mamba2("mamba2-q4_0", d=64, layers=2, n=16, heads=8, head_width=16, tied=False, weight_type=Type.Q4_0, mixing=CALM),
    Mamba1("mamba-q4_1", d=64, layers=2, n=16, dt_rank=4, tied=False, weight_type=Type.Q4_1, mixing=CALM),
    Mamba1("mamba-q5_0", d=64, layers=2, n=16, dt_rank=6, tied=False, weight_type=Type.Q5_0, mixing=CALM),
    Mamba2("mamba2-q5_1", d=64, layers=2, n=16, heads=8, head_width=16, tied=False, weight_type=Type.Q5_1, mixing=CALM),
    Mamba1("mamba-q4_k", d=256, layers=1, n=16, dt_rank=16, tied=False, weight_type=Type.Q4_K, mixing=CALM),
    Mamba2("mamba2-q5_k", d=256, layers=1, n=16, heads=8, head_width=64, tied=False, weight_type=Type.Q5_K, mixing=CALM),
    Mamba1("mamba-q6_k", d=256, layers=1, n=16, dt_rank=16, tied=False, weight_type=Type.Q6_K, mixing=CALM),
]


def reference_tokens(size: int, count: int = 37) -> torch.Tensor:
    """A list of tokens of every kind: special, byte, merged."""
    generator = torch.Generator().manual_seed(20)
    tokens = torch.randint(3, len(TOKENS), (count,), generator=generator)
    tokens[0], tokens[-1] = 1, 2
    assert int(tokens.max()) < size
    return tokens


def model_of(sizes: Mamba1 | Mamba2) -> nn.Module:
    """The model of `transformers`, with the library's initial parameters."""
    common = dict(
        vocab_size=sizes.vocabulary,
        hidden_size=sizes.d,
        state_size=sizes.n,
        num_hidden_layers=sizes.layers,
        conv_kernel=sizes.kernel,
        expand=2,
        layer_norm_epsilon=EPSILON,
        tie_word_embeddings=sizes.tied,
    )
    if isinstance(sizes, Mamba1):
        return MambaForCausalLM(MambaConfig(**common, time_step_rank=sizes.dt_rank)).eval()
    heads = dict(num_heads=sizes.heads, head_dim=sizes.head_width, n_groups=sizes.groups)
    return Mamba2ForCausalLM(Mamba2Config(**common, **heads, chunk_size=16)).eval()


@torch.no_grad()
def enliven(model: nn.Module, mixing: float, generator: torch.Generator) -> None:
    """Gives all parameters values that matter, and keeps the recurrence stable.

    Memories of the channels range from one token to some hundred.
    """

    def noise(like: torch.Tensor) -> torch.Tensor:
        return torch.randn(like.shape, generator=generator)

    embedding = model.backbone.embeddings.weight
    embedding.copy_(EMBEDDING_SCALE * noise(embedding))
    head = model.lm_head.weight
    if head is not embedding:
        head.copy_(EMBEDDING_SCALE * noise(head))
    model.backbone.norm_f.weight.copy_(1 + 0.2 * noise(model.backbone.norm_f.weight))
    for layer in model.backbone.layers:
        mixer = layer.mixer
        layer.norm.weight.copy_(1 + 0.2 * noise(layer.norm.weight))
        mixer.in_proj.weight.copy_(noise(mixer.in_proj.weight) / mixer.hidden_size**0.5)
        mixer.conv1d.weight.copy_(0.6 * noise(mixer.conv1d.weight))
        mixer.conv1d.bias.copy_(0.2 * noise(mixer.conv1d.bias))
        mixer.out_proj.weight.copy_(mixing * noise(mixer.out_proj.weight) / mixer.intermediate_size**0.5)
        mixer.D.copy_(1 + 0.3 * noise(mixer.D))
        mixer.A_log.copy_(mixer.A_log + 0.3 * noise(mixer.A_log))
        bias = mixer.dt_proj.bias if hasattr(mixer, "dt_proj") else mixer.dt_bias
        step = torch.exp(torch.empty(bias.shape).uniform_(-5, -0.5, generator=generator))
        bias.copy_(step + torch.log(-torch.expm1(-step)))  # softplus(bias) == step
        if hasattr(mixer, "dt_proj"):
            mixer.x_proj.weight.copy_(noise(mixer.x_proj.weight) / mixer.intermediate_size**0.5)
            mixer.dt_proj.weight.copy_(noise(mixer.dt_proj.weight) / mixer.time_step_rank**0.5)
        else:
            mixer.norm.weight.copy_(1 + 0.2 * noise(mixer.norm.weight))


def store_model(fixture: Fixture, model: nn.Module, sizes: Mamba1 | Mamba2) -> None:
    """Writes the decoder file, with llama.cpp's keys and names."""
    is_mamba1 = isinstance(sizes, Mamba1)
    writer = fixture.writer
    writer.add_context_length(1 << 20)  # a placeholder: the recurrence has no limit
    writer.add_embedding_length(sizes.d)
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_block_count(sizes.layers)
    writer.add_ssm_conv_kernel(sizes.kernel)
    writer.add_ssm_inner_size(2 * sizes.d)
    writer.add_ssm_state_size(sizes.n)
    writer.add_ssm_time_step_rank(sizes.dt_rank if is_mamba1 else sizes.heads)
    if is_mamba1:
        writer.add_ssm_dt_b_c_rms(False)
    else:
        writer.add_ssm_group_count(sizes.groups)
    writer.add_layer_norm_rms_eps(EPSILON)
    store_vocabulary(writer, sizes.vocabulary)

    fixture.store_parameter("token_embd.weight", model.backbone.embeddings.weight)
    fixture.store_parameter("output_norm.weight", model.backbone.norm_f.weight)
    if not sizes.tied:
        fixture.store_parameter("output.weight", model.lm_head.weight)
    for index, layer in enumerate(model.backbone.layers):
        name, mixer = f"blk.{index}.", layer.mixer
        fixture.store_parameter(name + "attn_norm.weight", layer.norm.weight)
        fixture.store_parameter(name + "ssm_in.weight", mixer.in_proj.weight)
        fixture.store_parameter(name + "ssm_conv1d.weight", mixer.conv1d.weight, exact=True)
        fixture.store_parameter(name + "ssm_conv1d.bias", mixer.conv1d.bias)
        fixture.store_parameter(name + "ssm_out.weight", mixer.out_proj.weight)
        a = -torch.exp(mixer.A_log)
        if is_mamba1:
            fixture.store_parameter(name + "ssm_x.weight", mixer.x_proj.weight)
            fixture.store_layer(name + "ssm_dt", mixer.dt_proj)
            fixture.store(name + "ssm_a", a, exact=True)
            fixture.store(name + "ssm_d", mixer.D)
        else:
            fixture.store(name + "ssm_dt.bias", mixer.dt_bias)
            fixture.store(name + "ssm_a", a.unsqueeze(1), exact=True)
            fixture.store(name + "ssm_d", mixer.D.unsqueeze(1), exact=True)
            norm = mixer.norm.weight.view(sizes.groups, -1)
            fixture.store(name + "ssm_norm.weight", norm, exact=True)
    fixture.close()


@torch.no_grad()
def record_run(recording: Recording, model: nn.Module, sizes: Mamba1 | Mamba2) -> None:
    """Runs the tokens at once, and records the logits and the states."""
    tokens = reference_tokens(sizes.vocabulary)
    result = model(tokens[None], use_cache=True)
    layers = result.cache_params.layers
    # `transformers` keeps one column more than the next token needs.
    history = [layer.conv_states[0][0, :, 1 - sizes.kernel :].T for layer in layers]
    hidden = [layer.recurrent_states[0][0].reshape(2 * sizes.d, sizes.n) for layer in layers]
    recording.record("tokens", tokens)
    recording.record("logits", result.logits[0])
    recording.record("conv_state", torch.stack(history))
    recording.record("ssm_state", torch.stack(hidden))


def write_decoders(out: Path) -> None:
    """Writes all decoder fixtures."""
    for seed, sizes in enumerate(MODELS):
        generator = torch.Generator().manual_seed(seed)
        model = model_of(sizes)
        enliven(model, sizes.mixing, generator)
        architecture = "mamba" if isinstance(sizes, Mamba1) else "mamba2"
        fixture = Fixture(out / sizes.name, "decoder.gguf", architecture, sizes.weight_type)
        store_model(fixture, model, sizes)
        record_run(fixture, model, sizes)
