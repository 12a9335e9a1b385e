"""Finds the files in which a training writes its numbers, and follows them."""

from __future__ import annotations

import math
import os
import re
import time
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from kobako.train.metrics.events import Events
from kobako.train.metrics.folders import Folders, Found, below
from kobako.train.metrics.lines import JsonLines
from kobako.train.metrics.naming import Naming, told_by_folder
from kobako.train.metrics.point import Point, Reader
from kobako.train.metrics.states import State
from kobako.train.metrics.tables import Table

EVENTS = "tfevents"
_LINES = frozenset({"scalars.json", "metrics.json", "metrics.jsonl", "log.jsonl", "history.jsonl"})
_MAYBE_LINES = "log.txt"
"""DETR, DeiT and MAE write JSON into it, others anything."""
_TABLES = frozenset({"metrics.csv", "results.csv", "summary.csv", "progress.csv"})
_STATES = frozenset({"trainer_state.json"})
_LOG = ".log.json"
_TIMELESS = frozenset({"table", "state"})
"""Kinds whose numbers have no time of their own."""
_STAMPED = re.compile(r"\d{8}_\d{6}\.json")
"""mmengine's second copy of scalars.json."""
_NAMES = "|".join(re.escape(one) for one in sorted({*_LINES, _MAYBE_LINES, *_TABLES, *_STATES}))
_WANTED = re.compile(rf"{EVENTS}|{re.escape(_LOG)}\Z|\A(?:{_NAMES}|{_STAMPED.pattern})\Z")
MOST_FILES = 2000
POINTS = 50_000
"""After so many the rest waits for the next poll."""
_TICK = 0.05
"""Clocks of file systems are coarse: a file's time may be that much before the moment it was written."""
_LATE = 2.0
"""Seconds that a run's last numbers may come after its end: its writers still empty their queues."""
_READINGS = 64
_SETTLES = 3.0
"""Seconds that a run may wait for ``settle``."""


class _Followed(NamedTuple):
    reader: Reader
    path: str
    kind: str
    folder: str
    names: dict[str, str]
    """The names that its tags have, as far as they are known."""


class Follower:
    """Follows what was written below the folders since then, and until then for a run that is over; ``before`` is when
    the next one began there.

    A number's own time decides, where it has one; else its file's. For a run that is about to start, ``settle`` makes
    sure that nothing of the run before is taken for its own, whatever the times say. Numbers that arrive twice, through
    TensorBoard and a log, are given once: the kind of source that was first to have a tag keeps it (``naming``).
    """

    def __init__(
        self, folders: Iterable[str | os.PathLike[str]], since: float, until: float = math.inf, before: float = math.inf
    ) -> None:
        self._since = since - _TICK
        self._until = min(until + _LATE, before)
        self._tops = _real(folders)
        self._folders = Folders(self._tops, _WANTED)
        self._files: deque[_Followed] = deque()
        self._naming = Naming()
        self._histories: dict[str, dict[str, int]] = {}
        self._told: set[str] = set()
        self._more = False
        self._settled: set[str] = set()

    @property
    def behind(self) -> bool:
        """Whether there is more to read already: ask again without waiting."""
        return self._more or any(one.reader.behind for one in self._files)

    def settle(self) -> None:
        """What stands there now was there before the run: only what comes after it counts. Bounded."""
        found: list[Found] = []
        deadline = time.monotonic() + _SETTLES
        while self._folders.unseen and time.monotonic() < deadline:
            found += self._folders.look(time.time())
        for one in sorted(found, key=lambda one: -one.changed)[: MOST_FILES // 2]:
            self._follow(one, one.size)
        trainings = set()
        for followed in self._files:
            self._settled.add(followed.path)
            training = _training(followed.path)
            if isinstance(followed.reader, State) and training in trainings:
                followed.reader.pass_over()
                continue
            if followed.kind == "state":
                trainings.add(training)
            for _ in range(_READINGS):  # where it ends, and how it begins: somebody may put another file there
                if time.monotonic() > deadline:  # the first look does it then
                    return
                followed.reader.read()
                if not followed.reader.behind:
                    break

    def only(self, folders: Iterable[str | os.PathLike[str]]) -> None:
        """Where the run writes is known now: nothing but what lies there counts."""
        self._tops = within = _real(folders)
        self._folders.only(within)
        self._files = deque(one for one in self._files if below(one.path, within))

    def poll(self) -> list[Point]:
        """What is new. Bounded: where a lot is new, it comes in parts."""
        for found in sorted(self._folders.look(time.time()), key=lambda one: (kind(one.path) != "events", one.path)):
            if not self._cannot_be_its_own(found):
                self._follow(found, found.size if found.changed < self._since else 0)
        points: list[Point] = []
        self._more = False
        for _ in range(len(self._files)):
            if len(points) >= POINTS:
                self._more = True
                break
            points += self._kept(self._files[0])
            self._files.rotate(-1)
        return points

    def _cannot_be_its_own(self, found: Found) -> bool:
        """Whether the file's time alone tells that it holds nothing of a run that is over."""
        if math.isinf(self._until):
            return False
        return found.changed < self._since or (found.changed > self._until and kind(found.path) in _TIMELESS)

    def drain(self, polls: int = 1000) -> list[Point]:
        """All that there is, for the end of a training. Bounded, too."""
        points = self.poll()
        quiet = 0
        for _ in range(polls):
            more = self.poll()
            points += more
            quiet = 0 if more or self.behind else quiet + 1
            if quiet > self._folders.round:
                break
        return points

    def troubles(self) -> list[str]:
        """What is wrong with files, each told once."""
        found = [f"{one.path}: {one.reader.trouble}" for one in self._files if one.reader.trouble]
        new = [one for one in found if one not in self._told]
        self._told.update(new)
        return new

    def _follow(self, found: Found, start: int) -> None:
        of = kind(found.path)
        if of and len(self._files) < MOST_FILES:
            folder = _training(found.path) if of == "state" else os.path.dirname(found.path)
            names = self._naming.of(of, folder)
            self._files.append(_Followed(self._reader(of, found.path, start), found.path, of, folder, names))

    def _reader(self, of: str, path: str, start: int) -> Reader:
        phase = told_by_folder(path, self._tops, events=of == "events")
        if of == "events":
            return Events(path, start, phase)
        if of == "table":
            return Table(path, start, phase)
        if of == "state":
            return State(path, start, self._histories.setdefault(_training(path), {}))
        return JsonLines(path, start, phase, sure=of == "lines")

    def _kept(self, one: _Followed) -> list[Point]:
        """The points of one file that are this run's, without those that another kind of source gives already."""
        points = one.reader.read()
        written = _written(one.path) if any(not point.time for point in points) else 0.0
        if written and one.path not in self._settled and not self._since <= written <= self._until:
            points = [point for point in points if point.time]
        kept = []
        for point in points:
            if point.time and not self._since <= point.time <= self._until:
                continue
            name = one.names.get(point.tag)
            if name is None:
                name = self._naming.name(point.tag, point.step, one.kind, one.folder)
            if name == point.tag and point.time:
                kept.append(point)
            elif name:
                kept.append(Point(name, point.step, point.value, point.time or written))
        return kept


def _real(folders: Iterable[str | os.PathLike[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(os.path.realpath(one) for one in folders))


def _training(path: str) -> str:
    """Where the training writes whose state it is: above ``checkpoint-500/trainer_state.json``."""
    folder = os.path.dirname(path)
    return os.path.dirname(folder) if os.path.basename(folder).startswith("checkpoint-") else folder


def kind(path: str) -> str:
    """``events``, ``lines``, ``maybe``, ``table`` or ``state`` by the file's name; "" where it is of no interest."""
    folder, name = os.path.split(path)
    if EVENTS in name:
        return "events"
    if name in _LINES or name.endswith(_LOG):
        return "lines"
    if _STAMPED.fullmatch(name):
        return "" if os.path.exists(os.path.join(folder, "scalars.json")) else "lines"
    if name == _MAYBE_LINES:
        return "maybe"
    return "table" if name in _TABLES else "state" if name in _STATES else ""


def _written(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return time.time()
