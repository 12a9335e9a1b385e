"""Other runs that write where a run does: whose numbers are whose is told by who was at work when, as far as it is."""

from __future__ import annotations

import contextlib
import math
import os
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from kobako.actions.observing import Scene
from kobako.errors import KobakoError
from kobako.model.run import Run, Trouble
from kobako.train import records, records_trace

_NODE = re.compile(r"-node\d{1,6}\Z")
_NAMED = 3
_BEAT = 10.0
"""Seconds: a run that is at work has given a sign since then."""


class Neighbours(NamedTuple):
    """``beside`` are the runs that were at work at the same time, ``following`` is when the next one began."""

    beside: tuple[str, ...] = ()
    following: float = math.inf

    @property
    def trouble(self) -> Trouble | None:
        """What is to be said of them."""
        if not self.beside:
            return None
        more = f" and {len(self.beside) - _NAMED} more" if len(self.beside) > _NAMED else ""
        named = ", ".join(self.beside[:_NAMED]) + more
        why = "their numbers and files cannot be told apart: the numbers are those of the run's own log, if it has any"
        return Trouble(f"the run shares its folder with run {named}", why, "a work_dir for each of them")


class _Span(NamedTuple):
    """A run's place in time. ``first`` is when it may have written something: starts may be told in whole seconds."""

    id: str
    begun: float
    first: float
    end: float


def of(scene: Scene, run: Run, until: float, known: Iterable[Run]) -> Neighbours:
    """The neighbours of a run that ended then. ``known`` are runs with records; who left a trace alone is seen here."""
    since = records.seconds(run.started) or 0.0
    beside: list[str] = []
    following = math.inf
    for other in _others(scene, run, list(known)):
        if other.begun >= until:
            following = min(following, other.first)
        elif other.end > since:
            beside.append(other.id)
    return Neighbours(tuple(beside), following)


def recent(scene: Scene, run: Run) -> list[Run]:
    """The records of runs that may be at work, or have been since this one began; without reading all of them."""
    since = records.seconds(run.started) or 0.0
    found = []
    for run_id in scene.records.ids():
        folder = scene.records.of(run_id)
        with contextlib.suppress(OSError, KobakoError):
            if (folder / records.FILE).stat().st_mtime >= since or (folder / records.RESERVE).exists():
                found.append(scene.records.read(run_id))
    return [one for one in found if one.recorder is None or records.at_work(one.recorder) is not False]


def _others(scene: Scene, run: Run, known: list[Run]) -> Iterable[_Span]:
    """Those that write where the run does: below its folder, or anywhere in its repository where it tells none."""
    ids = {one.id for one in known}
    own = _NODE.sub("", run.id)
    for one in known:
        if _NODE.sub("", one.id) != own and _same(run, one.name, one.work_dir):
            yield _Span(one.id, _seconds(one.started), _first(one.started), _end(scene, one))
    for name in records_trace.names(scene.repository):
        found = None if name in ids or _NODE.sub("", name) == own else _left(scene.repository, name)
        if found is None:
            continue
        work_dir = scene.place.shown(found.work_dir, found.cwd)
        if _same(run, scene.service.title, work_dir):
            yield _Span(name, _seconds(found.started), _first(found.started), found.end)


def _same(run: Run, name: str, work_dir: str | None) -> bool:
    if run.work_dir is None:
        return name == run.name
    return work_dir is not None and f"{work_dir}/".startswith(f"{run.work_dir}/")


def _seconds(text: str) -> float:
    return records.seconds(text) or 0.0


def _first(text: str) -> float:
    return _seconds(text) + (0.0 if "." in text else 1.0)


def _end(scene: Scene, run: Run) -> float:
    """When a run was heard of last, as far as is known."""
    ended = records.seconds(run.ended)
    if ended is not None:
        return ended
    found = _left(scene.repository, run.id)
    if found is not None:
        return found.end
    return math.inf if run.status == "running" else _seconds(run.started)


class _Left(NamedTuple):
    started: str
    end: float
    work_dir: str | None
    cwd: str | None


def _left(repository: Path, run_id: str) -> _Left | None:
    folder = records_trace.folder(repository) / run_id
    stamps = []
    for name in (records_trace.FILE, records_trace.ALIVE):
        try:
            stamps.append(os.lstat(folder / name).st_mtime_ns)
        except OSError:
            stamps.append(0)
    return _read(repository, run_id, tuple(stamps))


@lru_cache(maxsize=4096)
def _read(repository: Path, run_id: str, _stamps: tuple[int, ...]) -> _Left | None:
    """Remembered, for each run asks of each other; ``_stamps`` tell whether it is still so."""
    with contextlib.suppress(ValueError):
        trace = records_trace.read(repository, run_id)
        if trace is not None:
            work_dir, cwd = records_trace.written_to(trace)
            working = trace.status == "running" and trace.silent < _BEAT
            return _Left(trace.started or "", math.inf if working else records_trace.end(trace), work_dir, cwd)
    return None
