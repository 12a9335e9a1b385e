"""The local engine: the mission's Python layers against pip, ``kobako exec`` against what it wraps, two like services.

Nothing here needs Docker. The mission's three pip lines go into a ``python -m venv`` of this Python, as which the local
engine stands in for the base too. Left out, as in ``build.py``: ``mmcv-full``, which compiles for ten minutes. Kobako's
side installs two things more: uv, for the Dockerfile's sake, and clearml, which clearml-agent does not bring.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import build
import measure
import start_up

BASE = "python:" + ".".join(platform.python_version_tuple()[:2]) + "-slim"
MANY = "jupyterlab"  # about a hundred distributions, no compiler, no torch
BUILDS, STARTS, CALLS = 5, 5, 25
LAYERS = (["addict"], build.REQUIREMENTS, build.TRACKING)
LOCAL = ("--engine", "local")
COUNT = "import importlib.metadata as m; print(len({d.name for d in m.distributions()}))"


def run() -> dict[str, Any]:
    return {"build": _builds(), **_services()}


def _builds() -> dict[str, Any]:
    ours = start_up.kobako()
    with tempfile.TemporaryDirectory(prefix="kobako-bench-") as name:
        folder = Path(name)
        cache = folder / "pip-cache"
        workspace = folder / "workspace"
        _mission(folder / "source", workspace)
        fresh = measure.command([*ours, "build", "--fresh", *LOCAL, "mmdetection"], cwd=workspace)
        timings = measure.paired(
            {
                "venv and pip --no-cache-dir": lambda: _pip(folder / "venv", "--no-cache-dir"),
                "venv and pip, warm cache": lambda: _pip(folder / "venv", f"--cache-dir={cache}"),
                "kobako build --fresh, warm cache": fresh,
                "kobako build, new workspace, warm cache": _anew(workspace, [], fresh),
            },
            BUILDS,
        )
        try:
            packages = int(_said([*ours, "exec", *LOCAL, "mmdetection", "python", "-c", COUNT], workspace))
        finally:
            _remove(workspace, ["mmdetection"])
    pip, cached, kobako, new = timings.values()
    return {
        "medians_s": {name: round(timing.median, 2) for name, timing in timings.items()},
        "pip without cache / kobako build --fresh": round(measure.ratio(pip, kobako), 2),
        "pip with its cache / kobako build --fresh": round(measure.ratio(cached, kobako), 2),
        "pip with its cache / kobako build, new workspace": round(measure.ratio(cached, new), 2),
        "packages": packages,
        "rounds": BUILDS,
    }


def _mission(repository: Path, workspace: Path) -> None:
    """A workspace whose one service is a repository with the mission's requirements."""
    ours = start_up.kobako()
    (repository / "requirements").mkdir(parents=True)
    (repository / "requirements" / "runtime.txt").write_text("\n".join(build.REQUIREMENTS) + "\n")
    (repository / "requirements" / "mminstall.txt").write_text("addict\n")
    (repository / "setup.py").write_text("from setuptools import setup\nsetup(name='mmdetection')\n")
    workspace.mkdir()
    subprocess.run([*ours, "init"], cwd=workspace, check=True, capture_output=True)
    add = [*ours, "add", str(repository), "--name", "mmdetection", "--base", BASE]
    subprocess.run(add, cwd=workspace, check=True, capture_output=True)


def _pip(venv: Path, cache: str) -> float:
    """A new virtual environment and the mission's three lines."""
    shutil.rmtree(venv, ignore_errors=True)
    pip = [str(venv / "bin" / "pip"), "install", cache, "--use-deprecated=legacy-resolver"]
    lines = [[sys.executable, "-m", "venv", str(venv)], *([*pip, *layer] for layer in LAYERS)]
    return sum(measure.command(line)() for line in lines)


def _services() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="kobako-bench-") as name:
        workspace = Path(name)
        lines = ["services:"]
        for service in ("first", "second"):
            lines += [f"  {service}:", "    build: {context: ., dockerfile: Dockerfile}"]
            lines += [f"    command: {start_up.KEEP_ALIVE}"]
        (workspace / "compose.yaml").write_text("\n".join(lines) + "\n")
        (workspace / "Dockerfile").write_text(f"FROM {BASE}\nRUN python3 -m pip install {MANY}\n")
        try:
            return {"up": _ups(workspace), "exec": _execs(workspace)}
        finally:
            _remove(workspace, ["first", "second"])


def _ups(workspace: Path) -> dict[str, Any]:
    up = [*start_up.kobako(), "up", *LOCAL]
    first, second = (measure.command([*up, name], cwd=workspace) for name in ("first", "second"))

    def again() -> float:
        _remove(workspace, ["second"])
        return second()

    timings = measure.paired(
        {
            "first service, built and started": _anew(workspace, ["first", "second"], first),
            "second service, the same recipe": _anew(workspace, ["first", "second"], second, before=first),
            "second service, built already": again,
        },
        STARTS,
    )
    _anew(workspace, ["first", "second"], first)()
    cached: set[tuple[int, int]] = set()
    _disk(Path(_said([measure.uv(), "cache", "dir"], workspace)), cached)
    whole, added = _disk(workspace, set()), _disk(workspace, cached)
    second()
    both = _disk(workspace, set())
    return {
        "medians_s": {name: round(timing.median, 2) for name, timing in timings.items()},
        "disk_MiB": {
            "one service": round(whole, 1),
            "of it not in uv's cache": round(added, 1),
            "both services": round(both, 1),
            "the second adds": round(both - whole, 1),
        },
        "rounds": STARTS,
    }


def _execs(workspace: Path) -> dict[str, Any]:
    ours = start_up.kobako()
    packages = int(_said([*ours, "exec", *LOCAL, "first", "python", "-c", COUNT], workspace))
    plain = workspace / "plain"
    subprocess.run([measure.uv(), "venv", "-q", "-p", sys.executable, plain], check=True, capture_output=True)
    install = [measure.uv(), "pip", "install", "-q", "-p", str(plain / "bin" / "python"), MANY]
    subprocess.run(install, check=True, capture_output=True)
    rival = measure.command(
        [measure.uv(), "run", "--no-project", "true"], cwd=workspace, env={"VIRTUAL_ENV": str(plain)}
    )
    timings = measure.paired(
        {
            "/bin/true": measure.command(["/bin/true"], cwd=workspace),
            "python -c pass": measure.command([sys.executable, "-c", "pass"], cwd=workspace),
            "uv run --no-project true": rival,
            "kobako exec first -- true": measure.command([*ours, "exec", *LOCAL, "first", "--", "true"], cwd=workspace),
        },
        CALLS,
    )
    bare, _, uv, kobako = timings.values()
    return {
        "medians_s": {name: round(timing.median, 4) for name, timing in timings.items()},
        "kobako exec over /bin/true, ms": round(measure.difference(kobako, bare) * 1000, 1),
        "kobako exec / uv run": round(measure.ratio(kobako, uv), 2),
        "packages": packages,
        "rounds": CALLS,
    }


def _anew(
    workspace: Path, services: Sequence[str], measured: Callable[[], float], before: Callable[[], float] | None = None
) -> Callable[[], float]:
    """A candidate that starts in a workspace where nothing was built; only ``measured`` counts."""

    def run() -> float:
        _remove(workspace, services)
        shutil.rmtree(workspace / ".kobako", ignore_errors=True)
        if before is not None:
            before()
        return measured()

    return run


def _remove(workspace: Path, services: Sequence[str]) -> None:
    for service in services:
        argv = [*start_up.kobako(), "rm", "--yes", *LOCAL, service]
        subprocess.run(argv, cwd=workspace, check=True, capture_output=True)


def _disk(folder: Path, seen: set[tuple[int, int]]) -> float:
    """MiB below a folder, each inode once, without those in ``seen``, to which they are added."""
    total = 0
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            status = os.lstat(os.path.join(parent, name))
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                total += status.st_blocks * 512
    return total / 2**20


def _said(argv: Sequence[str], cwd: Path) -> str:
    return subprocess.run(argv, cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()
