"""Paired timings: the candidates run in turn, round after round, so that a machine's mood falls on all of them."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Timing:
    """Seconds of each round."""

    name: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def paired(candidates: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Timing]:
    """Call each candidate once unmeasured, then all of them in turn; each gives its own seconds."""
    for candidate in candidates.values():
        candidate()
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(rounds):
        names = list(candidates) if number % 2 == 0 else list(candidates)[::-1]
        for name in names:
            taken[name].append(candidates[name]())
    return {name: Timing(name, tuple(seconds)) for name, seconds in taken.items()}


def ratio(over: Timing, under: Timing) -> float:
    """The median of the pairs' ratios."""
    return statistics.median(a / b for a, b in zip(over.seconds, under.seconds, strict=True))


def difference(over: Timing, under: Timing) -> float:
    """The median of the pairs' differences, in seconds."""
    return statistics.median(a - b for a, b in zip(over.seconds, under.seconds, strict=True))


def command(
    argv: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Callable[[], float]:
    """A candidate that runs a program and must succeed."""

    def run() -> float:
        begin = time.perf_counter()
        done = subprocess.run(argv, cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, check=False)
        seconds = time.perf_counter() - begin
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(argv)}: exit code {done.returncode}\n{done.stderr.decode()}")
        return seconds

    return run


@dataclass(frozen=True)
class Spent:
    """CPU-seconds and peak memory of programs that ran one after the other."""

    cpu_s: float = 0.0
    peak_mib: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.cpu_s + other.cpu_s, max(self.peak_mib, other.peak_mib))


@dataclass(frozen=True)
class Done:
    """A program that ended, and what it and its children cost."""

    code: int
    stdout: str
    stderr: str
    spent: Spent


# A child's peak memory is at least its parent's when that started it, so a small process stands in between.
_LAUNCHER = """
import json, os, resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    json.dump([code, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024], file)
"""


def spend(argv: Sequence[str], cwd: Path) -> Done:
    """Run a program to its end and say what it cost."""
    with tempfile.NamedTemporaryFile(prefix="kobako-bench-") as report:
        launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, report.name, *argv]
        done = subprocess.run(launcher, cwd=cwd, capture_output=True, text=True, errors="replace", check=True)
        code, cpu, peak = json.load(report)
    return Done(code, done.stdout, done.stderr, Spent(cpu, peak))


def uv() -> str:
    """The uv that Kobako uses: beside this interpreter, else on the PATH."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else "uv"


def machine() -> dict[str, str]:
    """What the figures were taken on."""
    cpu = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ": unknown")
    memory = Path("/proc/meminfo").read_text().splitlines()[0].split()[1]
    return {
        "cpu": cpu.split(":")[1].strip(),
        "cores": str(os.cpu_count()),
        "memory": f"{int(memory) // 1024 // 1024} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "docker": _said(["docker", "version", "--format", "{{.Server.Version}}"]),
        "compose": _said(["docker", "compose", "version", "--short"]),
    }


def _said(argv: Sequence[str]) -> str:
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "none"
