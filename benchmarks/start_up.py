"""``kobako exec`` against ``docker compose exec -T``; ``kobako --version`` over an empty Python; ``kobako ps``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import measure

KEEP_ALIVE = '/bin/sh -c "while sleep 1000; do :; done"'
ROUNDS = 15


def kobako() -> list[str]:
    """The installed console script beside this interpreter, else the module."""
    script = Path(sys.executable).with_name("kobako")
    return [str(script)] if script.exists() else [sys.executable, "-m", "kobako"]


def run(base: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="kobako-bench-") as name:
        folder = Path(name)
        lines = ["services:"]
        for number in range(100):
            lines += [f"  s{number}:", f"    image: {base}", f"    command: {KEEP_ALIVE}", "    network_mode: host"]
        (folder / "compose.yaml").write_text("\n".join(lines) + "\n")
        (folder / ".env").write_text("COMPOSE_PROJECT_NAME=kobako-bench\n")
        subprocess.run(["docker", "compose", "up", "-d", "s0"], cwd=folder, check=True, capture_output=True)
        try:
            return _measured(folder)
        finally:
            subprocess.run(["docker", "compose", "rm", "-sf"], cwd=folder, check=True, capture_output=True)


def _measured(folder: Path) -> dict[str, Any]:
    ours = kobako()
    timings = measure.paired(
        {
            "python -c pass": measure.command([sys.executable, "-c", "pass"]),
            "kobako --version": measure.command([*ours, "--version"]),
            "kobako exec": measure.command([*ours, "exec", "s0", "true"], cwd=folder),
            "docker compose exec -T": measure.command(["docker", "compose", "exec", "-T", "s0", "true"], cwd=folder),
            "kobako ps, 100 services": measure.command([*ours, "ps"], cwd=folder),
            "kobako ps, 100 services, first time": _first(measure.command([*ours, "ps"], cwd=folder), folder),
        },
        ROUNDS,
    )
    exec_ratio = measure.ratio(timings["kobako exec"], timings["docker compose exec -T"])
    over = measure.difference(timings["kobako --version"], timings["python -c pass"])
    return {
        "medians_s": {name: round(timing.median, 4) for name, timing in timings.items()},
        "kobako exec / docker compose exec -T": round(exec_ratio, 3),
        "kobako --version over python -c pass, ms": round(over * 1000, 1),
        "rounds": ROUNDS,
    }


def _first(candidate: Any, folder: Path) -> Any:
    def run() -> float:
        shutil.rmtree(folder / ".kobako", ignore_errors=True)
        seconds: float = candidate()
        return seconds

    return run
