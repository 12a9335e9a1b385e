"""``kobako doctor``: what this machine has, what is missing, and what to do about it. Works outside of a workspace."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from kobako import engines, settings
from kobako.actions.context import Context
from kobako.engines import EngineChecks
from kobako.errors import DONE, ENGINE, UsageError
from kobako.model.check import Check, CheckStatus
from kobako.model.result import Problem, Result
from kobako.probe import GIB, Machine, Probe, size
from kobako.settings import Setting

_MEANS = {
    "nvidia-driver": "containers use the host's driver; without it there is no GPU to use",
    "gpu": "training without a GPU works, and takes many times as long",
    "disk-workspace": "data sets and checkpoints are kept there",
    "memory": "data loaders share it: shm_size: '8gb' wants 8 GiB of it",
    "shm": "services have a shm_size of their own; only ipc: host uses this one",
}

_QUERY = ("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader")
_DRIVERS = "https://www.nvidia.com/drivers"

_DISK = 5 * GIB
"""A checkpoint of a detector takes a third of a GiB, a run keeps a dozen."""

_MEMORY = 8 * GIB
_SHM = GIB

_WIDTH = 79


def doctor(context: Context) -> Result:
    """Look at everything. The result is a failed one (exit code 4) when no engine is usable that may be used."""
    chosen = settings.engine_name(context.engine_flag, context.env, None)
    probe = Machine(context.env)
    place = _place(context)
    seen = [engines.checks(name, probe, place) for name in settings.ENGINES]
    return result(seen, look(probe, place), chosen)


def look(probe: Probe, place: Path) -> list[Check]:
    """What every engine uses of the machine. ``place`` is the workspace, or where Kobako was started."""
    return [*_gpus(probe), _disk(probe, place), _memory(probe), _shm(probe)]


def result(seen: Sequence[EngineChecks], machine: Sequence[Check], chosen: Setting) -> Result:
    """What the checks come to. ``chosen`` is the engine that is asked for, if one is."""
    wanted = [one for one in seen if chosen.value in {None, one.engine}]
    used = next((one for one in wanted if one.usable), None)
    closing = _used(used, seen, chosen) if used else _unused(seen, chosen)
    groups = [*((f"{one.engine} engine", one.checks) for one in seen), ("this machine", tuple(machine))]
    lines = [*_table(groups), *_wrapped("engine: ", closing)]
    data = _data(seen, machine, used)
    if used is not None:
        return Result("doctor", "ok", DONE, data, text="\n".join(lines))
    return Result("doctor", "failed", ENGINE, data, (_problem(wanted, chosen),), "\n".join(lines))


def _data(seen: Sequence[EngineChecks], machine: Sequence[Check], used: EngineChecks | None) -> dict[str, Any]:
    checks = [check for one in seen for check in one.checks]
    return {
        "checks": [check._asdict() for check in (*checks, *machine)],
        "engine": used.engine if used else None,
        "engines": [
            {"name": one.engine, "usable": one.usable, "checks": [check.name for check in one.checks]} for one in seen
        ],
    }


def _used(used: EngineChecks, seen: Sequence[EngineChecks], chosen: Setting) -> str:
    if chosen.value:
        return f"{used.engine}, because {chosen.origin} says so"
    passed = [f"{one.engine} is not: {one.in_the_way.name}" for one in seen[: seen.index(used)] if one.in_the_way]
    return f"{used.engine}, the first that is usable" + (f" ({', '.join(passed)})" if passed else "")


def _unused(seen: Sequence[EngineChecks], chosen: Setting) -> str:
    others = [one.engine for one in seen if one.usable]
    if chosen.value and others:
        return f"none; {chosen.origin} says {chosen.value}, which is not usable, while {' and '.join(others)} is"
    return "none is usable"


def _problem(wanted: Sequence[EngineChecks], chosen: Setting) -> Problem:
    bad = [one.in_the_way for one in wanted if one.in_the_way is not None]
    what = "no engine is usable on this machine"
    if chosen.value:
        what = f"the {chosen.value} engine is not usable on this machine, and {chosen.origin} asks for it"
    # the last engine needs the least
    return Problem("no-engine", what, "; ".join(f"{check.name}: {check.found}" for check in bad), bad[-1].fix)


def _place(context: Context) -> Path:
    try:
        return context.workspace.root
    except UsageError:
        return context.start


def _gpus(probe: Probe) -> tuple[Check, Check]:
    if probe.which("nvidia-smi") is None:
        loaded = probe.text("/proc/driver/nvidia/version") is not None
        found = "the driver is loaded, but nvidia-smi is missing" if loaded else "there is no nvidia-smi on the PATH"
        driver = _check("nvidia-driver", "broken" if loaded else "missing", found, _DRIVERS)
        return driver, _check("gpu", "unchecked", "the driver lists the GPUs")
    outcome = probe.run(*_QUERY)
    rows = [[cell.strip() for cell in line.split(",")] for line in outcome.stdout.splitlines()]
    cards = [(row[0], row[1], row[2]) for row in rows if len(row) == 3]
    if outcome.ok and cards:
        return _check("nvidia-driver", "ok", cards[0][1]), _check("gpu", "ok", ", ".join(_cards(cards)))
    said = " ".join(outcome.last_lines(2).split()) or f"exit code {outcome.code}"
    if "No devices were found" in said:
        return _check("nvidia-driver", "ok", "it answers"), _check("gpu", "missing", "the driver finds no GPU")
    # the usual cause: the driver was updated, and the old one is still loaded
    driver = _check("nvidia-driver", "broken", f"nvidia-smi says: {said}", "sudo reboot")
    return driver, _check("gpu", "unchecked", "the driver lists the GPUs")


def _cards(cards: list[tuple[str, str, str]]) -> Iterator[str]:
    for (name, memory), count in Counter((name, memory) for name, _, memory in cards).items():
        mebibytes = re.fullmatch(r"(\d+) MiB", memory)
        shown = size(int(mebibytes[1]) * 1024**2) if mebibytes else memory
        yield f"{f'{count} x ' if count > 1 else ''}{name} ({shown})"


def _disk(probe: Probe, place: Path) -> Check:
    standing = next((one for one in (place, *place.parents) if one.exists()), place)
    try:
        disk = probe.disk(str(standing))
    except OSError as error:
        return _check("disk-workspace", "unchecked", f"{standing}: {error.strerror}")
    enough = disk.free >= _DISK
    fix = "" if enough else f"du -xh --max-depth=2 {standing} | sort -h | tail"
    return _check("disk-workspace", "ok" if enough else "missing", f"{size(disk.free)} free in {standing}", fix)


def _memory(probe: Probe) -> Check:
    found = re.search(r"^MemTotal:\s+(\d+) kB$", probe.text("/proc/meminfo") or "", re.MULTILINE)
    if found is None:
        return _check("memory", "unchecked", "/proc/meminfo does not tell")
    total = int(found[1]) * 1024
    return _check("memory", "ok" if total >= _MEMORY else "missing", size(total))


def _shm(probe: Probe) -> Check:
    try:
        disk = probe.disk("/dev/shm")  # noqa: S108 - it is looked at, not written to
    except OSError as error:
        return _check("shm", "unchecked", f"/dev/shm: {error.strerror}")  # noqa: S108 - as above
    enough = disk.total >= _SHM
    fix = "" if enough else "sudo mount -o remount,size=8G /dev/shm"
    return _check("shm", "ok" if enough else "missing", f"/dev/shm holds {size(disk.total)}", fix)  # noqa: S108


def _check(name: str, status: CheckStatus, found: str, fix: str = "") -> Check:
    return Check(name, status, found, _MEANS[name], fix)


def _table(groups: Iterable[tuple[str, tuple[Check, ...]]]) -> Iterator[str]:
    """One line for what is well; below what is not, what it means and what to do."""
    listed = list(groups)
    width = max(len(check.name) for _, checks in listed for check in checks)
    for title, checks in listed:
        yield title
        for check in checks:
            yield from _wrapped(f"  {check.status:<9}  {check.name:<{width}}  ", check.found)
            if check.status == "ok":
                continue
            yield from _wrapped("             means: ", check.means)
            if check.fix:
                # not wrapped: it is there to be copied
                yield f"             fix:   {check.fix}"
        yield ""


def _wrapped(start: str, text: str) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()) or "-",
        _WIDTH,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )
