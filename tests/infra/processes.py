"""Ending what a run left: every process and mount of one folder, also after the run itself was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path


def _parents() -> dict[int, int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        # the name, in brackets, may hold anything: the fields start behind the last bracket
        parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    return parents


def _mentions(pid: int, folder: Path) -> bool:
    try:
        return os.fsencode(f"{folder}/") in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def of_folder(folder: Path) -> set[int]:
    """Programs started with a path below ``folder`` among their arguments, and their descendants."""
    parents = _parents()
    found = {pid for pid in parents if pid != os.getpid() and _mentions(pid, folder)}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}").exists() and not _is_zombie(pid)}


def _is_zombie(pid: int) -> bool:
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] == "Z"
        )
    except OSError:
        return True


def end(pids: set[int], seconds: float = 10) -> None:
    """TERM, then KILL for what is still there after ``seconds``."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for pid in alive(pids):
            with suppress(ProcessLookupError):
                os.kill(pid, sign)
        until = time.monotonic() + seconds
        while alive(pids) and time.monotonic() < until:
            time.sleep(0.05)


def unmount_below(folder: Path) -> None:
    points = []
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        point = line.split()[4].encode().decode("unicode_escape")
        if point.startswith(f"{folder}/"):
            points.append(point)
    for point in sorted(points, reverse=True):
        subprocess.run(["umount", "--lazy", point], check=False, capture_output=True)
