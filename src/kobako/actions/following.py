"""What a training tells while it runs: its files and its console, read along, shown, and summed up.

A thread of its own: the training is not held up, and nothing that goes wrong here ends it.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kobako.actions import artifacts, neighbours
from kobako.actions.observing import Scene
from kobako.model.result import Problem
from kobako.model.run import Metric, Run
from kobako.protocols import Narrator, Screen
from kobako.train import records, records_trace
from kobako.train.metrics import Console, Facts, Follower, Point
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
        self._placed = self._shared = False
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
        for step in (self._last_look, self._place, self._drain, self._add_told, self._hear, self._warn):
            with contextlib.suppress(Exception):  # as in the thread; and one does not take the others along
                step()
        return self.metrics.sums()

    def _last_look(self) -> None:
        self._tick(look=True)

    def _drain(self) -> None:
        if not self._its_own_log_alone():
            self._report(self._follower.drain())

    def _add_told(self) -> None:
        self._see_neighbours(time.time())
        if self._its_own_log_alone():
            path = self._recording.scene.folder(self._recording.run) / records.POINTS
            forget(path)
            self.metrics = Metrics(path)
        _add_others(self.metrics, self._told)

    def _see_neighbours(self, until: float) -> None:
        """Who writes at the same time where this run does; said once."""
        scene, run = self._recording.scene, self._recording.run
        found = neighbours.of(scene, run, until, neighbours.recent(scene, run)).trouble
        if found is not None and not self._shared:
            self._shared = True
            self._recording.trouble(Problem("shared-folder", *found))

    def _its_own_log_alone(self) -> bool:
        """Whether the files tell another run's numbers as well, and the console tells some that are its own."""
        return self._shared and bool(self._told)

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
        self._hear()

    def _warn(self) -> None:
        """Of a loss that is no number; but for what the entry script has just said itself."""
        for problem in self._alarms:
            if not self._recording.told_of_nan:
                self._recording.trouble(problem)
        self._alarms.clear()

    def _hear(self) -> None:
        """What became no number; it is told at the next look, for the script may have said so itself by then."""
        self._alarms += _alarms(self._progress.alarms(), self._alarmed)

    def _understand(self) -> None:
        now = time.time()
        for _ in range(len(self._lines)):
            facts = _facts(self._console, self._lines.popleft().decode("utf-8", "replace"))
            if facts is None:
                continue
            if len(self._told) < _TOLD:
                self._told += facts.points(now)
            self._progress.facts(facts, now)

    def _read_files(self) -> None:
        if self._placed or self._recording.traced or time.time() - self._since > UNTRACED:
            self._place()
            if not self._its_own_log_alone():
                self._report(self._follower.poll())

    def _place(self) -> None:
        """Where the run writes is known by now, or never will be."""
        if not self._placed:
            self._placed = True
            self._follower.only(_folders(self._recording.scene, self._recording.run))
            if self._recording.run.work_dir is not None:  # else it may be told yet
                self._see_neighbours(time.time())

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


def with_metrics(scene: Scene, run: Run, trace: records_trace.Trace, known: Sequence[Run] | None = None) -> Run:
    """The run with what it has reported, read anew: from its files, else from what it printed.

    ``known`` are all runs, where somebody has read them already.
    """
    path = scene.folder(run) / records.POINTS
    forget(path)
    metrics = Metrics(path)
    since, until = records.seconds(run.started) or 0.0, records_trace.end(trace)
    near = neighbours.of(scene, run, until, scene.records.all().runs if known is None else known)
    told = _printed(scene, run, since)
    if not near.beside or (run.work_dir is not None and not told):
        metrics.add(Follower(_folders(scene, run), since, until, near.following).drain())
    _add_others(metrics, told)
    if near.trouble is not None and near.trouble not in run.problems:
        run = run._replace(problems=(*run.problems, near.trouble))
    return run._replace(metrics=metrics.sums() or run.metrics)


def _printed(scene: Scene, run: Run, since: float) -> list[Point]:
    """What the console told, by the log that was kept of it."""
    told: list[Point] = []
    with contextlib.suppress(ValueError):
        text = records_trace.plain(scene.folder(run) / records.LOG, _LOG) or b""
        console = Console()
        for line in text.decode("utf-8", "replace").split("\n"):
            facts = _facts(console, line)
            if facts is not None and len(told) < _TOLD:
                told += facts.points(since)
    return told


def _facts(console: Console, line: str) -> Facts | None:
    """What a line tells; a stranger's line that is not understood is one line less, whatever it does to us."""
    with contextlib.suppress(Exception):
        return console.feed(line)
    return None


def _add_others(metrics: Metrics, told: list[Point]) -> None:
    """What the console told and no file did."""
    known = {one.tag for one in metrics.sums()}
    metrics.add(one for one in told if one.tag not in known)
