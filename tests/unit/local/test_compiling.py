"""What compiled code is told of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from kobako import host
from kobako.engines.local import compiling
from kobako.engines.local.given import Call
from kobako.engines.local.interpreters import Interpreter
from kobako.engines.local.pip import Install
from kobako.engines.local.stage import Stage
from kobako.errors import Where

HERE = Where("Dockerfile", 3)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    made = Stage(tmp_path / "stage", Interpreter("/p/python3.8", "3.8.18", "/p", "x86_64"))
    (made.site / "torch").mkdir(parents=True)
    return made


@pytest.fixture(autouse=True)
def _no_toolkits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "_TOOLKITS", ())


def toolkit(folder: Path, version: int) -> str:
    (folder / "include").mkdir(parents=True)
    (folder / "include/cuda.h").write_text(f"#ifndef X\n#define CUDA_VERSION {version}\n", encoding="ascii")
    return str(folder)


def torch(stage: Stage, cuda: str) -> None:
    text = f"from typing import Optional\n__version__ = '1.11.0'\ndebug = False\ncuda: Optional[str] = {cuda}\nhip = None\n"
    (stage.site / "torch/version.py").write_text(text, encoding="ascii")


def told(
    stage: Stage, leading: Mapping[str, str], said: Mapping[str, str] | None = None, *, gpu: bool
) -> tuple[str, str]:
    """FORCE_CUDA, and why."""
    call = Call(Install(("mmcv-full",), environment=leading), said or {}, "/", HERE, "RUN")
    found = compiling.told(stage, call, gpu=gpu)
    merged = {**call.environment, **leading, **found.variables}
    assert ("CUDA_HOME" in found.variables) == bool(found.why)
    return merged.get("FORCE_CUDA", ""), found.why


def test_no_gpu(stage: Stage) -> None:
    assert told(stage, {"FORCE_CUDA": "1"}, gpu=False) == ("0", "no GPU here")
    assert told(stage, {}, {"FORCE_CUDA": "1"}, gpu=False) == ("0", "no GPU here")


def test_nothing_was_asked_for(stage: Stage) -> None:
    assert told(stage, {}, gpu=False) == ("", "")
    assert told(stage, {"FORCE_CUDA": "0"}, gpu=False) == ("0", "")


def test_a_gpu_without_a_compiler(stage: Stage) -> None:
    torch(stage, "'10.2'")
    assert told(stage, {"FORCE_CUDA": "1"}, gpu=True) == ("0", "no CUDA compiler here")


@pytest.mark.parametrize(
    ("built", "here", "why"),
    [
        ("'10.2'", 13000, "CUDA 13.0 is on this machine, and PyTorch was built with 10.2"),
        ("'11.3'", 11060, ""),
        ("None", 11060, "PyTorch is a build for the CPU here"),
        ("what", 11060, ""),
    ],
)
def test_a_gpu_and_a_compiler(stage: Stage, tmp_path: Path, built: str, here: int, why: str) -> None:
    torch(stage, built)
    said = {"CUDA_HOME": toolkit(tmp_path / "cuda", here)}
    assert told(stage, {"FORCE_CUDA": "1"}, said, gpu=True) == ("0" if why else "1", why)


def test_the_versions_of_toolkits(tmp_path: Path) -> None:
    assert compiling.toolkit_of(Path(toolkit(tmp_path / "a", 10020))) == "10.2"
    assert compiling.toolkit_of(Path(toolkit(tmp_path / "b", 12060))) == "12.6"
    assert compiling.toolkit_of(tmp_path / "none") == ""


@pytest.mark.parametrize("line", ["cuda = '11.3'", "cuda: Optional[str] = '11.3'", "cuda: str | None = '11.3'"])
def test_how_torch_says_it(stage: Stage, line: str) -> None:
    (stage.site / "torch/version.py").write_text(f"{line}\n", encoding="ascii")
    assert compiling.torch_cuda(stage.site) == "11.3"


@pytest.mark.parametrize(("gigabytes", "jobs"), [(1, 1), (4, 2), (7, 3), (64, 8), (0, 1)])
def test_jobs(monkeypatch: pytest.MonkeyPatch, gigabytes: int, jobs: int) -> None:
    monkeypatch.setattr(host, "memory", lambda: gigabytes * 1024**3)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))
    assert compiling.jobs() == jobs


def test_jobs_that_are_said(stage: Stage) -> None:
    call = Call(Install(("x",), environment={"MAX_JOBS": "5"}), {}, "/", HERE, "RUN")
    assert "MAX_JOBS" not in compiling.told(stage, call, gpu=False).variables
    assert "MAX_JOBS" in compiling.told(stage, call._replace(install=Install(("x",))), gpu=False).variables


def test_what_was_compiled(stage: Stage) -> None:
    for name, tag in (
        ("mmcv_full-1.5.0", "cp38-cp38-linux_x86_64"),
        ("six-1.0", "py3-none-any"),
        ("numpy-1.22.2", "cp38-cp38-manylinux_2_17_x86_64"),
    ):
        folder = stage.site / f"{name}.dist-info"
        folder.mkdir()
        (folder / "WHEEL").write_text(f"Wheel-Version: 1.0\nTag: {tag}\n", encoding="ascii")
    assert compiling.compiled_here(stage) == {"mmcv-full"}
    problem = compiling.problem(["mmcv-full"], "no GPU here", HERE)
    assert (problem.what, problem.why, problem.where) == ("compiled for the CPU: mmcv-full", "no GPU here", HERE)
