"""The record of one training, from its start to its end. What cannot be recorded stops nothing."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import NamedTuple

from kobako.actions import artifacts, observing
from kobako.actions.observing import Scene
from kobako.errors import KobakoError
from kobako.model.result import Problem
from kobako.model.run import Data, Failure, Metric, Run, Status, Trouble
from kobako.protocols import Narrator
from kobako.train import records, records_log, records_trace
from kobako.train.records_trace import Trace

PATIENCE = 5.0
"""Seconds that looking at source and data may go on after the run has ended."""


class End(NamedTuple):
    """How the run ended, as seen from outside."""

    status: Status
    exit_code: int | None
    failure: Failure | None = None


class Recording:
    """``run`` is what is known so far. ``log`` takes what the command prints."""

    def __init__(self, scene: Scene, run: Run, narrator: Narrator, blot: Callable[[bytes], bytes]) -> None:
        self.scene = scene._replace(blot=blot)
        self._narrator = narrator
        self._lock = threading.RLock()
        self._broken = self._closed = False
        self._seen = 0.0
        self._looking: threading.Thread | None = None
        self._trace: Trace | None = None
        self.run = observing.at_once(scene, run)._replace(recorder=records.recorder())
        self.save()
        self.log = records_log.Log(scene.folder(run) / records.LOG, blot)

    def begun(self) -> None:
        """The command runs: now there is time to look around."""
        self._looking = threading.Thread(target=self._look_around, daemon=True)
        self._looking.start()

    def save(self) -> None:
        """Write the record; where that fails it is said, once."""
        with self._lock:
            try:
                self.scene.records.write(self.run)
            except (KobakoError, OSError) as error:
                self._cannot(error)

    def _cannot(self, error: KobakoError | OSError) -> None:
        if self._broken:
            return
        self._broken = True
        why = (error.why or error.what) if isinstance(error, KobakoError) else (error.strerror or str(error))
        what = f"run {self.run.id} cannot be recorded"
        self._narrator.warn(Problem("not-recorded", what, why, "the training goes on; make room in .kobako"))

    def _look_around(self) -> None:
        try:
            before = self.run
            for seen in observing.step_by_step(self.scene, before):
                self._saw(before, seen)
                before = seen
        except Exception as error:  # noqa: BLE001 - in a thread: a training does not end because of its record
            trouble = Trouble("the run's source and data could not be looked at", f"{type(error).__name__}: {error}")
            self._change(lambda run: run._replace(problems=(*run.problems, trouble)))

    def _saw(self, before: Run, seen: Run) -> None:
        """One thing more was looked at; what comes after the end was not waited for."""
        with self._lock:
            if self._closed:
                return
            run = self.run
            self.run = run._replace(
                recipe=seen.recipe,
                source=run.source if seen.source == before.source else seen.source,
                data=run.data if seen.data == before.data else seen.data._replace(id=run.data.id),
                config=run.config if run.config.snapshot is not None else seen.config,
                host=run.host._replace(gpus=seen.host.gpus or run.host.gpus),
            )
            self.save()

    def _change(self, change: Callable[[Run], Run]) -> None:
        with self._lock:
            self.run = change(self.run)
            self.save()

    def look(self) -> None:
        """See whether the entry script has told anything new."""
        path = self.scene.repository / records_trace.RUNS / self.run.id / records_trace.FILE
        try:
            changed = path.stat().st_mtime
        except OSError:
            return
        if changed == self._seen:
            return
        self._seen = changed
        with contextlib.suppress(ValueError):  # what is wrong with it is said at the end
            self._read()
            self.save()

    def _read(self) -> None:
        trace = records_trace.read(self.scene.repository, self.run.id)
        if trace is None:
            return
        with self._lock:
            self._trace = trace
            shown = self.scene.context.workspace.relative(trace.folder)
            self.run = records_trace.applied(self.run, trace, self.scene.place)._replace(trace=shown)

    @property
    def traced(self) -> bool:
        """Whether the entry script tells of the run."""
        return self._trace is not None

    def close(self, end: End, metrics: tuple[Metric, ...]) -> Run:
        """The end: all that is known by now, written."""
        with self._lock:
            # first what matters, in case that nobody waits for the rest
            self.run = self.run._replace(status=end.status, ended=records.now(), exit_code=end.exit_code, recorder=None)
            self.run = self.run._replace(metrics=metrics, failure=end.failure or self.run.failure)
            code = end.exit_code or 0
            self.run = self.run._replace(signal=code - 128 if 128 < code < 193 else None)
            self.save()
        self._wait()
        self.log.close()
        with self._lock:
            self._closed = True
            self._finish(end)
            self.save()
        return self.run

    def _wait(self) -> None:
        if self._looking is None:  # it ended before it had begun
            self._look_around()
            return
        self._looking.join(PATIENCE)
        if self._looking.is_alive():
            left = Data(left_out="the run had ended before it was looked at")
            self._change(lambda run: run._replace(data=left if run.data == Data() else run.data))

    def _finish(self, end: End) -> None:
        try:
            self._read()
        except ValueError as error:
            self._add(Trouble("what the entry script left cannot be used", str(error)))
        trace = self._trace
        if trace is not None:
            self.run = observing.copied(self.scene, self.run, trace)
            if trace.status == "interrupted" and end.status == "failed":
                self.run = self.run._replace(status="interrupted", signal=records_trace.signal_of(trace))
        else:
            self.run = self.run._replace(artifacts=artifacts.left(self.scene, self.run))
        self.run = self.run._replace(failure=self.run.failure if end.status != "done" else None)
        if (self.scene.folder(self.run) / records.LOG).exists():
            path = self.scene.folder(self.run) / records.LOG
            self.run = self.run._replace(log=self.scene.context.workspace.relative(path))
        if self.log.trouble:
            self._add(Trouble("the log of the run is not whole", self.log.trouble))
        if self.log.dropped:
            size = 2 * records_log.HALF // 1_000_000
            self._add(Trouble("the log of the run lacks its beginning", f"it was larger than {size} MB"))

    def _add(self, trouble: Trouble) -> None:
        self._narrator.warn(Problem("not-recorded", *trouble))
        self.run = self.run._replace(problems=(*self.run.problems, trouble))

    @property
    def told_of_nan(self) -> bool:
        """Whether the entry script has said itself that a loss is no number."""
        return any("NaN" in one.what for one in self.run.problems)

    def trouble(self, problem: Problem) -> None:
        """Something that went wrong and does not end the run."""
        self._narrator.warn(problem)
        self._change(lambda run: run._replace(problems=(*run.problems, Trouble(*problem[1:4]))))

    def note(self, metrics: tuple[Metric, ...]) -> None:
        """What was reported so far."""
        self._change(lambda run: run._replace(metrics=metrics))

    def close_at_once(self, end: End, metrics: tuple[Metric, ...]) -> None:
        """Somebody is in a hurry."""
        self.run = self.run._replace(status=end.status, ended=records.now(), exit_code=end.exit_code, recorder=None)
        self.run = self.run._replace(metrics=metrics or self.run.metrics)
        self.save()

    def forget(self) -> None:
        """There was no run after all."""
        self.log.close()
        with contextlib.suppress(OSError):
            self.scene.records.remove(self.run.id)
