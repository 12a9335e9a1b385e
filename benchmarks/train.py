"""``kobako train`` against the bare command, on the local engine: its start, a minute of training, and throughput.

The bare command is the same script, run by ``kobako exec`` in the same environment, which adds under 0.1 s of its own.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import measure
import start_up

COMPOSE = """\
services:
  toy:
    container_name: Toy
    build: {context: ., dockerfile: ./docker/Toy}
    working_dir: /workspace
    volumes: ["./Toy:/workspace/Toy"]
    command: /bin/sh -c "while sleep 1000; do :; done"
"""
SCRIPT = """\
import json, os, sys, time
steps, lines, busy = (int(word) for word in sys.argv[1:])
os.makedirs("Toy/out", exist_ok=True)
begin = time.perf_counter()
with open("Toy/out/%d.log.json" % os.getpid(), "w") as log:
    for step in range(steps):
        total = 0
        for number in range(busy):
            total += number * number
        print(json.dumps({"mode": "train", "iter": step + 1, "loss": 1 / (step + 1)}), file=log, flush=True)
        for number in range(lines):
            print("Epoch [1][%d/%d] loss: %.4f" % (step + 1, steps, 1 / (step + 1)), flush=True)
open("Toy/seconds", "w").write(repr(time.perf_counter() - begin))
"""
MINUTE = ("1200", "1", "500000")
FLOOD = ("200", "1000", "1000")
STARTS, MINUTES, FLOODS = 9, 3, 5


def run() -> dict[str, Any]:
    """Seconds, medians of pairs."""
    ours = [*start_up.kobako()]
    with tempfile.TemporaryDirectory(prefix="kobako-bench-") as name:
        folder = Path(name)
        _fill(folder)
        subprocess.run([*ours, "up", "toy", "--engine", "local"], cwd=folder, check=True, capture_output=True)
        try:
            return _measured(ours, folder)
        finally:
            subprocess.run([*ours, "rm", "toy", "--engine", "local"], cwd=folder, check=True, capture_output=True)


def _fill(folder: Path) -> None:
    for file, text in (
        ("docker-compose.yaml", COMPOSE.replace("working_dir", "x-kobako: {entry: Toy/train.py}\n    working_dir")),
        ("docker/Toy", f"FROM python:3.{sys.version_info.minor}-slim\nWORKDIR /workspace\n"),
        ("Toy/train.py", SCRIPT),
    ):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text, encoding="utf-8")


def _measured(ours: list[str], folder: Path) -> dict[str, Any]:
    def pair(words: tuple[str, ...]) -> dict[str, Callable[[], float]]:
        bare = [*ours, "exec", "--engine", "local", "toy", "python", "Toy/train.py", *words]
        return {
            "bare": measure.command(bare, cwd=folder, env={"PYTHONUNBUFFERED": "1"}),
            "train": measure.command([*ours, "train", "--engine", "local", "toy", *words], cwd=folder),
        }

    start = measure.paired(pair(("0", "0", "0")), STARTS)
    minute = measure.paired(pair(MINUTE), MINUTES)
    inner = {name: [] for name in ("bare", "train")}  # type: dict[str, list[float]]
    for _ in range(FLOODS):
        for name, candidate in pair(FLOOD).items():
            candidate()
            inner[name].append(float((folder / "Toy" / "seconds").read_text()))
    medians = {name: statistics.median(seconds) for name, seconds in inner.items()}
    lines = int(FLOOD[0]) * int(FLOOD[1])
    return {
        "cpus": os.cpu_count(),
        "start and end, train - bare, s": round(measure.difference(start["train"], start["bare"]), 3),
        "a long run, bare, s": round(minute["bare"].median, 1),
        "a long run, train / bare": round(measure.ratio(minute["train"], minute["bare"]), 4),
        "lines per second, bare": round(lines / medians["bare"]),
        "lines per second, train": round(lines / medians["train"]),
    }


if __name__ == "__main__":
    begin = time.perf_counter()
    print(run(), f"in {time.perf_counter() - begin:.0f} s")
