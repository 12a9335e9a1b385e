"""An environment with PyTorch for the CPU, TensorBoard and ClearML, made once and kept in the cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys

from entry.repository import python
from infra.cache import cache_folder, locked
from infra.images import TORCH, pip_settings

PACKAGES = (f"torch=={TORCH}", "numpy", "tensorboard", "clearml==2.1.12")
VERSION = "3.11"


def torch_python() -> str:
    """Its interpreter."""
    base = python(VERSION)
    key = hashlib.sha256("\0".join((*PACKAGES, base)).encode()).hexdigest()[:12]
    cache = cache_folder()
    folder = cache / f"entry-{key}"
    with locked(cache / "entry.lock"):
        if not folder.exists():
            for old in cache.glob("entry-*"):
                shutil.rmtree(old, ignore_errors=True)
            try:
                _make(str(folder), base)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
    return str(folder / "bin/python")


def _make(folder: str, base: str) -> None:
    # uv does not read pip's settings, and a find-links folder may hold the small build of torch for the CPU
    settings = pip_settings()
    links = [word for one in settings.get("find-links", []) for word in ("--find-links", one)]
    indexes = [word for one in settings.get("index-url", [])[:1] for word in ("--default-index", one)]
    for argv in (
        ["venv", "--quiet", "--python", base, folder],
        ["pip", "install", "--quiet", "--python", f"{folder}/bin/python", *links, *indexes, *PACKAGES],
    ):
        done = subprocess.run(
            [f"{os.path.dirname(sys.executable)}/uv", *argv], check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"uv {' '.join(argv)}: {done.stderr}")
