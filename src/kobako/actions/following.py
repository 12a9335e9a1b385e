"""What a training tells while it runs: its files and its console, read along, shown, and summed up.

A thread of its own: the training is not held up, and nothing that goes wrong here ends it.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from kobako.actions import artifacts
from kobako.actions.observing import Scene
from kobako.model.result import Problem
from kobako.model.run import Metric, Run
from kobako.protocols import Narrator, Screen
from kobako.train import records, records_trace
from kobako.train.metrics import Console, Follower, Point
from kobako.train.progress import Alarm, Progress
from kobako.train.records_metrics import Metrics, forget

if TYPE_CHECKING:
    from kobako.actions.recording import Recording

TICK = 0.2
LOOK = 1.0
SAVE = 30.0

UNTRACED = 5.0
"""Seconds after which a run that left no trace is taken for one that leaves none."""

_LINES = 1000
"""Lines of the console that are understood in one tick; of more only the last ones are."""

_LOG = 50_000_000
_TOLD = 100_000


class Following:
    """``metrics`` are what was reported so far. ``copy`` is given the bytes of the console."""

    def __init__(self, recording: Recording, narrator: Narrator, screen: Screen) -> None:
        self._recording = recording
        self._narrator = narrator
        self._screen = screen
        self._since = time.time()
        self._lines: deque[bytes] = deque(maxlen=_LINES)
        self._console = Console()
        self._told: list[Point] = []
        self._alarms: list[Problem] = []
        self._alarmed: set[int] = set()
        self._follower = Follower(artifacts.folders(recording.scene), self._since)
        self._follower.settle()
        self._placed = False
        self._progress = Progress(recording.run.name)
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._saved = time.monotonic()
        self.metrics = Metrics(recording.scene.folder(recording.run) / records.POINTS)

    def copy(self, stream: int, data: bytes) -> None:
        """Bytes of the command's output: into the log, and understood when there is time."""
        self._lines.extend(self._recording.log.feed(stream, data))

    def begin(self) -> None:
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def end(self) -> tuple[Metric, ...]:
        """The last look; what was reported."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        self._screen.close()
        with contextlib.suppress(Exception):  # as in the thread
            self._tick(look=True)
            self._place()
            self._report(self._follower.drain())
            _add_others(self.metrics, self._told)
        self._warn()
        return self.metrics.sums()

    def bar(self, width: int) -> str:
        return self._progress.bar(width, time.time())

    def line(self) -> str:
        return self._progress.line(time.time())

    def _follow(self) -> None:
        looked = 0.0
        try:
            while not self._over.wait(TICK):
                look = time.monotonic() - looked >= LOOK
                self._tick(look=look)
                looked = time.monotonic() if look else looked
                self._screen.state(self)
        except Exception as error:  # noqa: BLE001 - the training goes on without being looked at
            why = f"{type(error).__name__}: {error}"
            self._narrator.warn(Problem("bug", "the progress of the training cannot be followed any more", why))

    def _tick(self, *, look: bool) -> None:
        self._understand()
        if look:
            self._recording.look()
            self._warn()
            self._read_files()
        self._alarms += _alarms(self._progress.alarms(), self._alarmed)

    def _warn(self) -> None:
        """Of a loss that is no number; but for what the entry script has just said itself."""
        for problem in self._alarms:
            self._recording.trouble(problem, aloud=not self._recording.told_of_nan)
        self._alarms.clear()

    def _understand(self) -> None:
        now = time.time()
        for _ in range(len(self._lines)):
            facts = self._console.feed(self._lines.popleft().decode("utf-8", "replace"))
            if facts is None:
                continue
            self._progress.facts(facts, now)
            if len(self._told) < _TOLD:
                self._told += facts.points(now)

    def _read_files(self) -> None:
        if self._placed or self._recording.traced or time.time() - self._since > UNTRACED:
            self._place()
            self._report(self._follower.poll())

    def _place(self) -> None:
        """Where the run writes is known by now, or never will be."""
        if not self._placed:
            self._placed = True
            self._follower.only(_folders(self._recording.scene, self._recording.run))

    def _report(self, points: list[Point]) -> None:
        if points:
            self._progress.points(points, time.time())
            self.metrics.add(points)
            if time.monotonic() - self._saved > SAVE:
                self._saved = time.monotonic()
                self._recording.note(self.metrics.sums())


def _alarms(given: Iterable[Alarm], told: set[int]) -> list[Problem]:
    """One for each step: where one loss is no number its sum and many others are none. ``told`` are steps."""
    by_step: dict[int, list[Alarm]] = {}
    for alarm in given:
        if not alarm.recovered and alarm.step not in told:
            by_step.setdefault(alarm.step, []).append(alarm)
    told.update(by_step)
    return [_alarm(step, alarms) for step, alarms in by_step.items()]


def _alarm(step: int, alarms: list[Alarm]) -> Problem:
    more = f" and {len(alarms) - 1} more are" if len(alarms) > 1 else " is"
    where = f" at step {step}" if step else ""
    why = "from here on the training learns nothing"
    fix = "a smaller learning rate, or look for broken samples"
    return Problem("not-a-number", f"{alarms[0].tag}{more} {alarms[0].value}{where}", why, fix)


def _work_dir(scene: Scene, run: Run) -> tuple[Path, ...]:
    """Where the run says that it writes; nothing where it does not, or it is nowhere here."""
    root = scene.context.workspace.root
    if run.work_dir is not None:
        there = root / run.work_dir
        if there.is_dir() and os.path.realpath(there).startswith(f"{os.path.realpath(root)}/"):
            return (there,)
    return ()


def _folders(scene: Scene, run: Run) -> tuple[Path, ...]:
    """Where the run writes its metrics."""
    return _work_dir(scene, run) or artifacts.folders(scene)


def _end(scene: Scene, run: Run) -> float:
    """When a run was heard of last, as far as is known."""
    with contextlib.suppress(ValueError):
        trace = records_trace.read(scene.repository, run.id)
        if trace is not None:
            return records_trace.end(trace)
    ended = records.seconds(run.ended)
    return ended if ended is not None else math.inf if run.status == "running" else records.seconds(run.started) or 0.0


def _own_folders(scene: Scene, run: Run, until: float) -> tuple[Path, ...]:
    """Where a run that is over wrote. Where it does not tell, what lies about is its own only if it was alone."""
    told = _work_dir(scene, run)
    if told:
        return told
    since = records.seconds(run.started) or 0.0
    for other in scene.records.all().runs:
        begun = records.seconds(other.started) or 0.0
        if other.id != run.id and other.name == run.name and begun <= until and _end(scene, other) >= since:
            return ()
    return artifacts.folders(scene)


def metrics_of(scene: Scene, run: Run, trace: records_trace.Trace) -> tuple[Metric, ...]:
    """What a run that is over has reported, read anew: from its files, else from what it printed."""
    path = scene.folder(run) / records.POINTS
    forget(path)
    metrics = Metrics(path)
    since = records.seconds(run.started) or 0.0
    until = records_trace.end(trace)
    folders = _own_folders(scene, run, until)
    if folders:
        metrics.add(Follower(folders, since, until).drain())
    told: list[Point] = []
    with contextlib.suppress(ValueError):
        text = records_trace.plain(scene.folder(run) / records.LOG, _LOG) or b""
        console = Console()
        for line in text.decode("utf-8", "replace").split("\n"):
            facts = console.feed(line)
            if facts is not None and len(told) < _TOLD:
                told += facts.points(since)
    _add_others(metrics, told)
    return metrics.sums()


def _add_others(metrics: Metrics, told: list[Point]) -> None:
    """What the console told and no file did."""
    known = {one.tag for one in metrics.sums()}
    metrics.add(one for one in told if one.tag not in known)
