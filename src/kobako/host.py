"""What this machine is like, as far as files that are written for it depend on it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from kobako.model.host import Gpu, HostFacts
from kobako.process import Outcome

_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")

_GPUS = ("nvidia-smi", "--query-gpu=name,driver_version,compute_cap", "--format=csv,noheader")
_GPUS_OF_OLD = ("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")
"""Drivers before R510 do not know ``compute_cap``."""


class Asked(Protocol):
    """Who runs programs: a :class:`kobako.probe.Probe`."""

    def which(self, program: str) -> str | None: ...

    def run(self, *argv: str) -> Outcome: ...


def read(environ: Mapping[str, str] | None = None, root: Path = Path("/")) -> HostFacts:
    """The host's time zone and memory."""
    return HostFacts(timezone(os.environ if environ is None else environ, root), memory(root))


def timezone(environ: Mapping[str, str], root: Path = Path("/")) -> str:
    """The time zone's name from TZ, /etc/timezone or the target of /etc/localtime; "" when none of them has one."""
    for candidate in (environ.get("TZ", "").removeprefix(":"), _first_line(root / "etc/timezone"), _link(root)):
        # A TZ such as JST-9 is a rule, not a name: there is no file of the time zone database to link to.
        if _ZONE.fullmatch(candidate) and ("/" in candidate or candidate.upper() in {"UTC", "GMT"}):
            return candidate
    return ""


def memory(root: Path = Path("/")) -> int:
    """Bytes of main memory, or 0."""
    found = re.search(r"^MemTotal:\s+(\d+) kB$", _text(root / "proc/meminfo"), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def gpus(machine: Asked) -> tuple[Gpu, ...]:
    """The machine's GPUs in nvidia-smi's order; none where it is missing or finds none."""
    if machine.which("nvidia-smi") is None:
        return ()
    for query in (_GPUS, _GPUS_OF_OLD):
        outcome = machine.run(*query)
        if outcome.ok:
            return tuple(gpu for line in outcome.stdout.splitlines() if (gpu := _gpu(line)))
    return ()


def _gpu(line: str) -> Gpu | None:
    cells = [cell.strip() for cell in line.split(",")]
    if len(cells) < 2 or not cells[0] or not re.fullmatch(r"\d+(?:\.\d+)*", cells[1]):
        return None
    known = cells[2:3] if re.fullmatch(r"\d+\.\d+", "".join(cells[2:3])) else []
    return Gpu(*cells[:2], *known)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _first_line(path: Path) -> str:
    return next(iter(_text(path).splitlines()), "").strip()


def _link(root: Path) -> str:
    try:
        target = str((root / "etc/localtime").readlink())
    except OSError:
        return ""
    return target.partition("/zoneinfo/")[2]
