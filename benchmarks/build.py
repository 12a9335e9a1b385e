"""The mission's Python layers as it writes them (pip, three layers, no cache) against what Kobako writes for them.

Both on one engine, in turn. Counted: the steps that install packages; not counted: the base, apt, the list of the
base's packages, and uv's own layer (given apart). ``mmcv-full`` is left out on both sides: it compiles for ten minutes.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import measure

REQUIREMENTS = [
    "matplotlib",
    "numpy",
    "pycocotools",
    "six",
    "terminaltables",
    "mmcls>=0.20.1",
    "packaging",
    "prettytable",
]
TRACKING = ["clearml-agent", "boto3"]
ROUNDS = 5

PIP = "RUN pip3 install --no-cache-dir --use-deprecated=legacy-resolver"
DONE = re.compile(r"^#(\d+) DONE ([\d.]+)s$")
STEP = re.compile(r"^#(\d+) (\[.*\] RUN .*)$")


def run(base: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="kobako-bench-") as name:
        folder = Path(name)
        pip, ours = _mission(base), _kobako(base, folder)
        candidates = {
            "pip": lambda: _build(folder, pip, "pip3 install --no-cache-dir --use-deprecated"),
            "kobako, cold": lambda: _cold(folder, ours),
            "kobako, warm": lambda: _build(folder, ours, "uv pip install"),
        }
        timings = measure.paired(candidates, ROUNDS)
        apart = _build(folder, ours, "pip install --no-cache-dir uv==")
        subprocess.run(["docker", "rmi", "-f", "kobako-bench"], check=False, capture_output=True)
    return {
        "medians_s": {name: round(timing.median, 2) for name, timing in timings.items()},
        "pip / kobako, warm cache": round(measure.ratio(timings["pip"], timings["kobako, warm"]), 2),
        "pip / kobako, cold cache": round(measure.ratio(timings["pip"], timings["kobako, cold"]), 2),
        "uv's own layer, s": apart,
        "rounds": ROUNDS,
    }


def _mission(base: str) -> str:
    layers = [
        f"{PIP} \\\n    " + " \\\n    ".join(f"'{name}'" for name in names)
        for names in (["addict"], REQUIREMENTS, TRACKING)
    ]
    return f"FROM {base}\nARG KOBAKO_FRESH=\nENV PIP_BREAK_SYSTEM_PACKAGES=1\n" + "\n".join(layers) + "\n"


def _kobako(base: str, folder: Path) -> str:
    """The Dockerfile that ``kobako add`` writes for a repository with the mission's requirements."""
    repository = folder / "source" / "mmdetection"
    (repository / "requirements").mkdir(parents=True)
    (repository / "requirements" / "runtime.txt").write_text("\n".join(REQUIREMENTS) + "\n")
    (repository / "requirements" / "mminstall.txt").write_text("addict\n")
    (repository / "setup.py").write_text("from setuptools import setup\nsetup(name='mmdetection')\n")
    argv = [sys.executable, "-m", "kobako"]
    subprocess.run([*argv, "init"], cwd=folder, check=True, capture_output=True)
    subprocess.run([*argv, "add", str(repository), "--base", base], cwd=folder, check=True, capture_output=True)
    return (folder / "docker" / "mmdetection").read_text()


def _cold(folder: Path, dockerfile: str) -> float:
    subprocess.run(
        ["docker", "builder", "prune", "-f", "--filter", "type=exec.cachemount"], check=True, capture_output=True
    )
    return _build(folder, dockerfile, "uv pip install")


def _build(folder: Path, dockerfile: str, counted: str) -> float:
    """Build with nothing reused; the seconds of the steps whose command holds ``counted``."""
    path = folder / "Dockerfile.bench"
    path.write_text(dockerfile)
    argv = ["docker", "build", "--network=host", "--progress=plain", "-t", "kobako-bench", "-f", str(path)]
    argv += ["--build-arg", f"KOBAKO_FRESH={uuid.uuid4().hex}", str(folder / "docker")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    steps: dict[str, str] = {}
    total = 0.0
    for line in done.stderr.splitlines():
        if step := STEP.match(line):
            steps[step[1]] = step[2]
        elif (end := DONE.match(line)) and counted in steps.get(end[1], ""):
            total += float(end[2])
    if not total:
        raise SystemExit(f"no step holds {counted!r}:\n{done.stderr}")
    return round(total, 2)
