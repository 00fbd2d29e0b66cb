# SPDX-License-Identifier: Apache-2.0
"""Files that llama.cpp's own converters wrote, and what transformers computes from the same weights.

    pip download --no-deps --no-binary llama-cpp-python llama-cpp-python==0.3.36        # and unpack it
    python3 -m venv .old
    .old/bin/pip install transformers==4.57.6 torch==2.13.0 gguf==0.19.0 pillow==13.0.0 sentencepiece==0.2.3
    python scripts/references/llama_files.py --converter-python .old/bin/python --out Tests/Fixtures/models \
        --llama.cpp llama_cpp_python-0.3.36/vendor/llama.cpp

Decoders are written by convert_hf_to_gguf.py. It knows none of the projectors mlp, ldp and ldpv2: those are
written by convert_image_encoder_to_gguf.py, which needs transformers 4. Recorded is the same as for the other
models; the weights of vision models are halves, so that the files have them without loss.
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from transformers import CLIPConfig, CLIPModel, CLIPVisionConfig, CLIPVisionModel, SiglipVisionConfig
from transformers import SiglipVisionModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from checkpoints import write_tokenizer
from connectors import LDP
from decoders import Mamba1, Mamba2, enliven, model_of, record_run
from fixture import Recording, randomize
from projectors import MLP, LDPv2, Options, Projector
from systems import ldp_names, ldpv2_names, prefixed
from vision import record_frames

VISION_CONVERTER = "tools/mtmd/legacy-models/convert_image_encoder_to_gguf.py"
SIZES = dict(image_size=21, patch_size=7, hidden_size=20, num_hidden_layers=3, num_attention_heads=2,
             intermediate_size=28)  # fmt: skip


class Tower(nn.Module):
    """A vision model of transformers; its features are those after some of its blocks, without a class token."""

    image, grid, width = 21, 3, 20

    def __init__(self, model: nn.Module, blocks: int, class_tokens: int) -> None:
        super().__init__()
        self.model, self.class_tokens = model, class_tokens
        self.block = getattr(model, "vision_model", model).encoder.layers[blocks - 1]

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        kept = []
        hook = self.block.register_forward_hook(lambda _, i, output: kept.append(output))
        getattr(self.model, "vision_model", self.model)(pixels)
        hook.remove()
        return kept[0][0, self.class_tokens :]


def whole_clip(act: str) -> Tower:
    """CLIP with its text tower; the converter leaves the last block out."""
    text = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, vocab_size=4,
                bos_token_id=0, eos_token_id=1)  # fmt: skip
    config = CLIPConfig(text_config=text, vision_config={**SIZES, "hidden_act": act}, projection_dim=16)
    return Tower(CLIPModel(config), 2, 1)


def clip_vision() -> Tower:
    return Tower(CLIPVisionModel(CLIPVisionConfig(**SIZES)), 2, 1)


def siglip_vision() -> Tower:
    return Tower(SiglipVisionModel(SiglipVisionConfig(**SIZES, vision_use_head=False)), 3, 0)


def llava_names(first: str, second: str) -> Callable[[MLP], dict[str, torch.Tensor]]:
    """The two layers under the names that a release of LLaVA has."""
    return lambda mlp: prefixed(first, mlp.first.state_dict()) | prefixed(second, mlp.second.state_dict())


@dataclass(frozen=True)
class Published:
    """What is converted, and how."""

    name: str
    tower: Callable[[], Tower]
    projector: Callable[[int, int], nn.Module]
    names: Callable[[nn.Module], dict[str, torch.Tensor]]
    options: tuple[str, ...]
    settings: dict[str, int] = field(default_factory=dict)


VISION_MODELS = [
    Published("llama-clip-ldp", lambda: whole_clip("quick_gelu"), lambda i, g: LDP(i, g, 36), ldp_names,
              ("--projector-type", "ldp")),
    Published("llama-clip-ldpv2", lambda: whole_clip("gelu"), lambda i, g: LDPv2(i, g, 24, 24), ldpv2_names,
              ("--projector-type", "ldpv2", "--use-f32")),
    Published("llama-clip-mlp", clip_vision, lambda i, g: MLP(i, g, 24, 20),
              llava_names("model.mm_projector.0.", "model.mm_projector.2."), ("--clip-model-is-vision",),
              {"mm_vision_select_layer": -2}),
    Published("llama-siglip-mlp", siglip_vision, lambda i, g: MLP(i, g, 24, 20),
              llava_names("multi_modal_projector.linear_1.", "multi_modal_projector.linear_2."),
              ("--clip-model-is-vision", "--clip-model-is-siglip", "--image-mean", "0.5", "0.5", "0.5",
               "--image-std", "0.5", "0.5", "0.5"), {"vision_feature_layer": -1}),
]  # fmt: skip


def save_published(folder: Path, tower: Tower, settings: dict[str, int]) -> None:
    """The model as a user downloads it: every key in its configuration, and the files beside a CLIP."""
    is_whole = hasattr(tower.model, "text_model")
    if is_whole:
        tower.model.save_pretrained(folder)
    else:
        # transformers 5 leaves out the prefix that published files have.
        folder.mkdir()
        tensors = prefixed("vision_model.", tower.model.state_dict())
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = {**tower.model.config.to_dict(), **settings}
    (folder / "config.json").write_text(json.dumps(config))
    if is_whole:
        CLIPImageProcessorPil().save_pretrained(folder)
        vocabulary = ["<|startoftext|>", "<|endoftext|>", "a", "a</w>"]
        (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(vocabulary)}))
        (folder / "merges.txt").write_text("#version: 0.2\n")


@torch.no_grad()
def write_vision(model: Published, seed: int, out: Path, converter: list[str]) -> None:
    generator = torch.Generator().manual_seed(seed)
    tower = model.tower().eval()
    projector = Projector(model.projector, tower.width, tower.grid, Options())
    for network in (tower, projector):
        randomize(network, generator)
        for parameter in network.parameters():
            parameter.copy_(parameter.half().float())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_published(folder / "clip", tower, model.settings)
        torch.save(model.names(projector.network), folder / "llava.projector")
        command = ["-m", "clip", "--llava-projector", "llava.projector", "--output-dir", model.name, *model.options]
        subprocess.run(converter + command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        [written] = (folder / model.name).glob("mmproj-model-*.gguf")
        (out / model.name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(written, out / model.name / "vision.gguf")
    record_frames(Recording(out / model.name), tower, projector, generator)


DECODERS = [
    Mamba1("llama-mamba", d=28, layers=3, n=16, dt_rank=3, vocabulary=288),
    Mamba2("llama-mamba2", d=32, layers=2, n=16, heads=4, head_width=16, groups=2, tied=False, vocabulary=288),
]
# It knows tokenizers by what they make of a text, and ours is none of them.
WITH_OUR_TOKENIZER = """
import runpy, sys
sys.path[:0] = sys.argv[1:3]
from conversion.base import TextModel
TextModel.get_vocab_base_pre = lambda model, tokenizer: "gpt-2"
del sys.argv[:3]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@torch.no_grad()
def write_decoder(sizes: Mamba1 | Mamba2, seed: int, out: Path, source: Path, python: str) -> None:
    model = model_of(sizes)
    enliven(model, sizes.mixing, torch.Generator().manual_seed(seed))
    recording = Recording(out / sizes.name)
    with tempfile.TemporaryDirectory() as name:
        # The converter takes the name of the folder for that of the model.
        folder = Path(name) / sizes.name
        model.save_pretrained(folder)
        write_tokenizer(folder)
        command = [python, "-c", WITH_OUR_TOKENIZER, source / "gguf-py", source, source / "convert_hf_to_gguf.py"]
        command += ["--outtype", "f32", "--outfile", (recording.folder / "decoder.gguf").resolve(), folder]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
        subprocess.run([*map(str, command)], check=True, env=environment, stderr=subprocess.DEVNULL)
    record_run(recording, model, sizes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the folder of the fixtures")
    parser.add_argument("--llama.cpp", dest="source", type=Path, required=True, help="llama.cpp's source")
    parser.add_argument("--converter-python", default="python3", help="a Python with transformers 4")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    source, python = arguments.source.resolve(), arguments.converter_python
    for seed, model in enumerate(VISION_MODELS):
        write_vision(model, 200 + seed, arguments.out, [python, str(source / VISION_CONVERTER)])
    for seed, sizes in enumerate(DECODERS):
        write_decoder(sizes, 220 + seed, arguments.out, source, python)


if __name__ == "__main__":
    main()
