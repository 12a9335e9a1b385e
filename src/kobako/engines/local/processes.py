"""Processes of this machine: whether one is still the same, and which ones carry a mark in their environment."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable

from kobako.errors import Stopped

Known = dict[int, int]
"""Process numbers, each with the time of its start in clock ticks: a number alone may by now be another's."""

PATIENCE = 6.0
"""Seconds that processes have after the first signal; the promise is that none is left within ten."""


def started(pid: int) -> int | None:
    """When the process began; None where there is none, or it has ended and waits to be collected."""
    found = _stat(pid)
    return None if found is None or found[0] in "ZX" else found[2]


def alive(pid: int, start: int) -> bool:
    """Whether this very process lives."""
    return started(pid) == start


def _stat(pid: int | str) -> tuple[str, int, int] | None:
    """State, parent, start."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            words = file.read().rpartition(b")")[2].split()
        return words[0].decode(), int(words[1]), int(words[19])
    except (OSError, IndexError, ValueError):
        return None


def inner(first: int) -> int:
    """The child of a sandbox's first process that has entered a user namespace of its own; 0 while there is none."""
    for name in os.listdir("/proc"):
        facts = _stat(name) if name.isdecimal() else None
        if facts is not None and facts[1] == first:
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{name}/ns/user") != os.readlink(f"/proc/{first}/ns/user"):
                    return int(name)
    return 0


def environment(pid: int) -> dict[str, str]:
    """The variables that a process was started with; none where they cannot be read."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            pairs = (item.partition(b"=") for item in file.read().split(b"\0") if b"=" in item)
            return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}
    except OSError:
        return {}


def marked(mark: str, known: Known) -> Known:
    """The living processes that carry ``NAME=value``, those known before, and all that descend from them."""
    table: dict[int, tuple[str, int, int]] = {}
    found: set[int] = set()
    wanted = mark.encode()
    for name in os.listdir("/proc"):
        if not name.isdecimal():
            continue
        facts = _stat(name)
        if facts is None:
            continue
        pid = int(name)
        table[pid] = facts
        if known.get(pid) == facts[2] or _carries(pid, wanted):
            found.add(pid)
    grown = True
    while grown:
        more = {pid for pid, (_, parent, _) in table.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return {pid: table[pid][2] for pid in found if table[pid][0] not in "ZX" and pid != os.getpid()}


def living(known: Known) -> Known:
    """Those of them that live."""
    return {pid: start for pid, start in known.items() if alive(pid, start)}


def keepers(pids: Iterable[int]) -> Known:
    """bubblewrap's own processes above (and among) these: the first one of a sandbox, and the one that waits for it."""
    found: Known = {}
    todo = list(pids)
    while todo:
        pid = todo.pop()
        facts = _stat(pid)
        if facts is None or pid in found:
            continue
        if _program(pid) == "bwrap":
            found[pid] = facts[2]
            todo.append(facts[1])
        elif _program(facts[1]) == "bwrap":
            todo.append(facts[1])
    return found


def _program(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def strays(first: int, since: int, name: str) -> Known:
    """Processes of a sandbox that nobody can be asked about: orphans that have put their environment away.

    ``first`` is the sandbox's first process, which inherits them. They are a command's when they began ``since`` that
    did (in clock ticks) and no other command is at work, that is, none but it carries a variable ``name``.
    """
    found: Known = {}
    for entry in os.listdir("/proc"):
        facts = _stat(entry) if entry.isdecimal() else None
        orphan = facts is not None and facts[1] == first and facts[2] >= since and facts[0] not in "ZX"
        if facts is not None and orphan and name not in environment(int(entry)):
            found[int(entry)] = facts[2]
    return found


def others(first: int, name: str, value: str) -> bool:
    """Whether a process of the sandbox carries the variable with another value."""
    try:
        inside = os.readlink(f"/proc/{first}/ns/pid")
    except OSError:
        return False
    for entry in os.listdir("/proc"):
        if entry.isdecimal() and environment(int(entry)).get(name, value) != value:
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{entry}/ns/pid") == inside:
                    return True
    return False


def _carries(pid: int, wanted: bytes) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return wanted in file.read().split(b"\0")
    except OSError:
        return False


def end(look: Callable[[Known], Known], signum: int, patience: float = PATIENCE) -> None:
    """Signal all that ``look`` finds, wait, kill. A second ``Stopped`` kills at once."""
    found: Known = {}
    try:
        found = look(found)
        send(found, signum)
        deadline = time.monotonic() + patience
        while found and time.monotonic() < deadline:
            time.sleep(0.05)
            found = look(found)
    except Stopped:
        pass
    for _ in range(20):  # a process may be born while the others are killed
        if not found:
            return
        send(found, signal.SIGKILL)
        time.sleep(0.05)
        found = look(found)


def send(pids: Iterable[int], signum: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signum)
