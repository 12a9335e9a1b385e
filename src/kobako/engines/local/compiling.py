"""What code that is compiled here has to know of this machine: whether for CUDA, and how many files at a time.

A Dockerfile is written for an image with a CUDA toolkit, made for its PyTorch. Here the toolkit is this machine's, and
PyTorch's extensions refuse one of another major version. Where it does not fit, or where there is no GPU to run on,
code is compiled for the CPU, and the build says so.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from kobako import host
from kobako.engines.local.given import Call
from kobako.engines.local.stage import Stage
from kobako.errors import Where
from kobako.floor import normalised
from kobako.model.result import Problem

_FOR_THE_CPU = {
    "FORCE_CUDA": "0",
    "CUDA_HOME": "/nonexistent",
    "CUDA_PATH": "/nonexistent",
    "CUDA_VISIBLE_DEVICES": "",
}
"""Setups ask for one of these: the setting, the toolkit's folder, or PyTorch whether it sees a GPU."""

_JOB = 2 * 1024**3
"""Bytes of memory that compiling one file may take. Source: flash-attention's README (MAX_JOBS), and mmcv-full's
largest files, which take 1.5 GB.
"""

_TOOLKITS = ("/usr/local/cuda", "/usr")
"""Where PyTorch looks for a toolkit, and Debian's. Source: torch.utils.cpp_extension, _find_cuda_home."""


class Compiling(NamedTuple):
    """Variables for an install, and why what it compiles is for the CPU alone ("" where it is not)."""

    variables: Mapping[str, str]
    why: str = ""


def told(stage: Stage, call: Call, *, gpu: bool) -> Compiling:
    """What to tell an install about this machine. What the recipe says itself goes before it."""
    said = {**call.environment, **call.install.environment}
    made = {} if "MAX_JOBS" in said else {"MAX_JOBS": str(jobs())}
    if said.get("FORCE_CUDA", "") in {"", "0"}:
        return Compiling(made)
    why = _unable(stage, said) if gpu else "no GPU here"
    return Compiling({**made, **(_FOR_THE_CPU if why else {})}, why)


def jobs() -> int:
    """Files to compile at the same time: no more than there are processors, and memory for."""
    there = host.memory()
    return max(1, min(len(os.sched_getaffinity(0)), there // _JOB if there else 1))


def _unable(stage: Stage, said: Mapping[str, str]) -> str:
    """Why CUDA code cannot be compiled for the PyTorch that is installed; "" where it can."""
    homes = [said[name] for name in ("CUDA_HOME", "CUDA_PATH") if said.get(name)]
    toolkit = next((version for home in (*homes, *_TOOLKITS) if (version := toolkit_of(Path(home)))), "")
    if not toolkit:
        return "no CUDA compiler here"
    torch = torch_cuda(stage.site)
    if torch == "None":
        return "PyTorch is a build for the CPU here"
    if torch and torch.partition(".")[0] != toolkit.partition(".")[0]:
        return f"CUDA {toolkit} is on this machine, and PyTorch was built with {torch}"
    return ""


def toolkit_of(home: Path) -> str:
    """The version of the CUDA toolkit in a folder, "13.0"; "" where there is none."""
    found = re.search(r"^#define CUDA_VERSION (\d+)", _text(home / "include/cuda.h"), re.MULTILINE)
    return f"{int(found[1]) // 1000}.{int(found[1]) % 1000 // 10}" if found else ""


def torch_cuda(site: Path) -> str:
    """The CUDA version that PyTorch was built with, as its version.py says; "None" for a build without, "" unknown."""
    found = re.search(
        r"^cuda(?:: *[\w\[\]. |]+)? *= *(?:'([\d.]+)'|(None))", _text(site / "torch/version.py"), re.MULTILINE
    )
    return found[1] or found[2] if found else ""


def compiled_here(stage: Stage) -> frozenset[str]:
    """Which of the distributions were built on this machine: an index takes no wheel that names no age of Linux."""
    return frozenset(
        normalised(folder.name.removesuffix(".dist-info").rpartition("-")[0])
        for folder in stage.site.glob("*.dist-info")
        if re.search(r"^Tag: \S+-linux_\w+$", _text(folder / "WHEEL"), re.MULTILINE)
    )


def problem(names: Iterable[str], why: str, where: Where) -> Problem:
    """What a build says of it."""
    fix = "build it on a machine with a GPU and the CUDA toolkit of the base image, or with --engine docker"
    return Problem("not-honoured", f"compiled for the CPU: {', '.join(names)}", why, fix, where)


def _text(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return file.read(1 << 22).decode("utf-8", "replace")
