"""What this machine is like, as far as files that are written for it depend on it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from kobako.model.host import HostFacts

_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")


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
