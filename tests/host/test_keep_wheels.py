"""``keep-wheels`` itself, as a Dockerfile writes it: what is compiled comes back for the same install on the same base
alone. A made-up ``uv``, ``pip`` and ``python3`` stand for those of an image.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from kobako import compiled

PYTHON = """#!/bin/sh
case "$*" in
  *pip\\ list*) echo "torch==$TORCH"; [ -z "$NUMPY" ] || echo "numpy==$NUMPY" ;;
  *) [ -n "$TORCH" ] && echo "$TORCH $CUDA" ;;
esac
"""
UV = """#!/bin/sh
if ls "$UV_FIND_LINKS"/*.whl 2>/dev/null; then echo kept; exit; fi
mkdir -p "$UV_CACHE_DIR/sdists-v9/pypi/x" "$UV_CACHE_DIR/archive-v0"
echo made > "$UV_CACHE_DIR/sdists-v9/pypi/x/x-1-py3-none-any.whl"
echo fetched > "$UV_CACHE_DIR/archive-v0/six-1-py3-none-any.whl"
echo compiled
exit "${ENDS:-0}"
"""
BASE = {"TORCH": "2.1.0", "CUDA": "12.1", "NUMPY": "1.26.4", "PATH": "", "FORCE_CUDA": "1"}


class Image:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.built = folder / "built"
        self.built.mkdir()
        for name, text in (("python3", PYTHON), ("uv", UV)):
            self.write(f"bin/{name}", text)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
        return path

    def run(self, script: Sequence[str], *argv: str, **changed: str) -> subprocess.CompletedProcess[str]:
        program = self.write("keep-wheels", "\n".join([*script, ""]).replace(compiled.FOLDER, str(self.built)))
        env = {**BASE, **changed, "PATH": f"{self.folder}/bin:{os.defpath}"}
        whole = [str(program), *argv]
        return subprocess.run(whole, env=env, cwd=self.folder, check=False, capture_output=True, text=True)

    def uv(self, *argv: str, **changed: str) -> subprocess.CompletedProcess[str]:
        return self.run(compiled.UV, *(argv or ("uv", "pip", "install", "x")), **changed)

    def said(self, *argv: str, **changed: str) -> str:
        done = self.uv(*argv, **changed)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()[-1]


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return Image(tmp_path)


def test_it_is_compiled_once(image: Image) -> None:
    assert [image.said(), image.said()] == ["compiled", "kept"]
    assert [path.name for path in image.built.glob("*/*")] == ["x-1-py3-none-any.whl"]


@pytest.mark.parametrize(
    "changed",
    [
        {"NUMPY": "2.0.1"},
        {"NUMPY": ""},
        {"TORCH": "2.1.1"},
        {"CUDA": "11.8"},
        {"FORCE_CUDA": "0"},
        {"TORCH_CUDA_ARCH_LIST": "8.6"},
        {"CFLAGS": "-O0"},
    ],
    ids=str,
)
def test_what_matters_is_compiled_again(changed: dict[str, str], image: Image) -> None:
    assert [image.said(), image.said(**changed), image.said()] == ["compiled", "compiled", "kept"]


def test_other_words_are_compiled_again(image: Image) -> None:
    assert image.said() == "compiled"
    assert image.said("uv", "pip", "install", "--no-binary=x", "x") == "compiled"


@pytest.mark.parametrize(
    "changed",
    [{"KOBAKO_FRESH": "again"}, {"MAX_JOBS": "2"}, {"TZ": "Asia/Tokyo"}, {"HTTPS_PROXY": "p"}, {"no_proxy": "p"}],
    ids=str,
)
def test_what_does_not_matter_is_kept(changed: dict[str, str], image: Image) -> None:
    assert [image.said(), image.said(**changed)] == ["compiled", "kept"]


def test_a_failed_install_keeps_its_code_and_nothing_else(image: Image) -> None:
    assert image.uv(ENDS="7").returncode == 7
    assert list(image.built.glob("*/*.whl")) == []
    assert image.said() == "compiled"
    assert not (image.built / "uv").exists()


def test_without_pytorch_it_ends_there(image: Image) -> None:
    """A name for no PyTorch at all would be the same on every base."""
    assert image.uv(TORCH="").returncode != 0
    assert list(image.built.iterdir()) == []


def test_pip_keeps_its_own_cache_under_the_same_name(image: Image) -> None:
    for numpy in ("1.26.4", "2.0.1"):
        done = image.run(compiled.PIP, "sh", "-c", 'mkdir -p "$PIP_CACHE_DIR"; echo "$PIP_CACHE_DIR"', NUMPY=numpy)
        assert Path(done.stdout.strip()).parent == image.built
    assert len(list(image.built.iterdir())) == 2
    assert image.run(compiled.PIP, "sh", "-c", "exit 3").returncode == 3
