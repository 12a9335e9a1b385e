"""The small data set of the examples, made once and kept."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from infra.cache import cache_folder, locked
from infra.need import need
from kobako import uv

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SCRIPT = EXAMPLES / "mmdetection/make_data.py"


def coco(train: int, val: int) -> Path:
    """A folder as ``data/coco`` is to be."""
    program = uv.program()
    need("uv", program, "pip install uv")
    key = hashlib.sha256(SCRIPT.read_bytes() + f"{train} {val}".encode()).hexdigest()[:12]
    kept = cache_folder() / "pictures"
    folder = kept / f"coco-{train}-{val}-{key}"
    with locked(cache_folder() / "pictures.lock"):
        if not folder.exists():
            for old in kept.glob(f"coco-{train}-{val}-*"):
                shutil.rmtree(old)
            fresh = kept / "making"
            shutil.rmtree(fresh, ignore_errors=True)
            argv = [str(program), "run", "--no-project", "--no-config", f"--python={sys.executable}", "--script"]
            subprocess.run([*argv, str(SCRIPT), str(fresh), f"--train={train}", f"--val={val}"], check=True)
            fresh.rename(folder)
    return folder
