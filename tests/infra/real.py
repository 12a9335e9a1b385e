"""A stand-in for NGC's 22.02 in which a repository of its time really trains: Python 3.8 and PyTorch 1.11 on Debian 12.

The Python is this machine's own (pyenv's, or whichever Kobako's local engine would take), copied into the image. The
PyTorch is the package index's, renamed to NGC's version, pre-release and all, and its torchvision asks for none, as in
NGC's image. There is a compiler, and none for CUDA: what is compiled here is for the CPU, whatever is asked for.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from infra.engine import Engine
from infra.images import base, build, kept, key_of
from infra.need import need
from kobako.engines.local import interpreters
from kobako.engines.local.interpreters import Interpreter

RELEASE = "22.02"
PYTHON = "3.8"
TORCH = "1.11.0a0+17540c5"
PACKAGES = (
    *("torch==1.11.0", "torchvision==0.12.0", "numpy==1.22.2", "pillow==9.0.0", "requests==2.26.0"),
    *("urllib3==1.26.7", "typing-extensions==4.0.1", "setuptools==59.5.0", "wheel==0.37.1", "pip==21.2.4"),
)
"""Versions as in the release where they are known; torch and torchvision as released a month later."""

COMPILERS = ("build-essential",)
_LEFT_OUT = ("test", "tests", "idlelib", "turtledemo", "__pycache__", "site-packages", "config-*", "*.a")

RENAME = f"""
import pathlib, re, shutil, site
folder = pathlib.Path(site.getsitepackages()[0])
info = next(folder.glob("torch-1.11.0*.dist-info"))
for path, pattern, text in (
    (info / "METADATA", r"(?m)^Version: .*$", "Version: {TORCH}"),
    (folder / "torch/version.py", r"(?m)^__version__ = .*$", "__version__ = '{TORCH}'"),
    (next(folder.glob("torchvision-*.dist-info")) / "METADATA", r"(?m)^Requires-Dist: torch\\b.*\\n", ""),
):
    path.write_text(re.sub(pattern, text, path.read_text()))
record = info / "RECORD"
record.write_text(record.read_text().replace(info.name, "torch-{TORCH}.dist-info"))
shutil.move(str(info), folder / "torch-{TORCH}.dist-info")
for unused in ("torch/test", "caffe2"):
    shutil.rmtree(folder / unused, ignore_errors=True)
"""

NO_CUDA = """# What is compiled on this stand-in is for the CPU: it has no compiler for CUDA.
import os

if os.environ.get("FORCE_CUDA") == "1":
    os.environ["FORCE_CUDA"] = "0"
"""


def real(engine: Engine) -> str:
    """The tag of the image."""
    python = _python()
    key = key_of(base(engine), python.version, *PACKAGES, *COMPILERS, RENAME, NO_CUDA, _recipe(""))
    return kept(engine, "real", key, lambda tag: _make(engine, python, tag))


def _python() -> Interpreter:
    found = interpreters.find(PYTHON, os.environ)
    need(f"Python {PYTHON}", found, f"uv python install {PYTHON}, or pyenv install {PYTHON}")
    assert found is not None
    return found


def _make(engine: Engine, python: Interpreter, tag: str) -> None:
    with tempfile.TemporaryDirectory(prefix="kobako-real-") as name:
        folder = Path(name)
        library = f"lib/python{PYTHON}"
        prefix = Path(python.prefix)
        for part in (library, f"include/python{PYTHON}"):
            shutil.copytree(
                prefix / part, folder / "python" / part, symlinks=True, ignore=shutil.ignore_patterns(*_LEFT_OUT)
            )
        for shared in (prefix / "lib").glob(f"libpython{PYTHON}*.so*"):
            shutil.copy2(shared, folder / "python/lib", follow_symlinks=False)
        (folder / "python/bin").mkdir()
        shutil.copy2(os.path.realpath(python.path), folder / f"python/bin/python{PYTHON}")
        for other in ("python3", "python"):
            (folder / "python/bin" / other).symlink_to(f"python{PYTHON}")
        (folder / "rename.py").write_text(RENAME, encoding="utf-8")
        (folder / "sitecustomize.py").write_text(NO_CUDA, encoding="utf-8")
        build(engine, folder, _recipe(base(engine)), tag)


def _recipe(start: str) -> str:
    packages = " ".join(PACKAGES)
    return (
        f"FROM {start}\n"
        f"RUN apt-get update && apt-get install -y --no-install-recommends {' '.join(COMPILERS)} "
        "&& rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb\n"
        "COPY python/ /usr/local/\n"
        f"RUN ldconfig && rm -f /usr/local/{_site()}/*.txt && python3 -m ensurepip \n"
        "RUN --mount=type=bind,target=/context "
        f"python3 -m pip install --no-cache-dir {packages} && python3 /context/rename.py\n"
        f"COPY sitecustomize.py /usr/local/{_site()}/\n"
        f"ENV NVIDIA_PYTORCH_VERSION={RELEASE} PYTORCH_VERSION={TORCH} PYTORCH_BUILD_VERSION={TORCH}\n"
    )


def _site() -> str:
    return f"lib/python{PYTHON}/site-packages"
