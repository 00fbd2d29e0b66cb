# SPDX-License-Identifier: Apache-2.0
"""The Python environment with the peers: made in .cache at the first call."""

import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / ".cache"
ENVIRONMENT = CACHE / "peers"
REQUIREMENTS = ("llama-cpp-python", "gguf", "numpy", "onnx", "onnxruntime")


def enter_environment() -> None:
    """Continues this program in the environment. llama.cpp is built from source, for this processor."""
    if Path(sys.prefix) == ENVIRONMENT:
        return
    python = ENVIRONMENT / "bin" / "python"
    if not (ENVIRONMENT / "ready").exists():
        print("setting up .cache/peers", file=sys.stderr)
        pinned = (ROOT / "scripts/references/requirements.txt").read_text().splitlines()
        wanted = [line for line in pinned if line.split("==")[0] in REQUIREMENTS]
        venv.create(ENVIRONMENT, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
        (ENVIRONMENT / "ready").touch()
    os.execv(python, [str(python), *sys.argv])
