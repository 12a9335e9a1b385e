"""Runs that were not started by ``kobako train``: found by what their entry script left, and recorded like any other.

The same module settles what was left open: a record that says "running" although nobody writes it any more.
"""

from __future__ import annotations

import contextlib
import threading
from typing import Literal

from kobako.actions import observing
from kobako.actions.context import Context
from kobako.actions.observing import Scene
from kobako.errors import KobakoError
from kobako.model.result import Problem
from kobako.model.run import Run, StartedBy, Trouble
from kobako.model.service import Service
from kobako.protocols import Engine
from kobako.train import records, records_trace
from kobako.train.records import Records
from kobako.train.records_trace import Trace

AT_ONCE = 30.0
"""Seconds after its start in which what is seen of a run's source is what it began with."""

Session = tuple[Literal["exec", "shell"], str, frozenset[str]]
"""The verb, the id that its processes carry, and the traces that are new since it began."""

_ALONE = threading.RLock()


def from_session(context: Context, service: Service, engine: Engine, session: Session, *, last: bool) -> None:
    """Record what was trained in a session. With ``last`` the session has ended, and what went wrong is said."""
    verb, mark, names = session
    scene = Scene(context, service, engine, Records(context.workspace.root))
    problems: list[Problem] = []
    with _ALONE:
        for name in sorted(names):
            trace = _read(scene, name, problems)
            if trace is None or trace.session != mark:
                continue
            try:
                _adopted(scene, trace, verb)
                if last:
                    _close_open(scene, name)
            except (KobakoError, OSError) as error:
                problems.append(_not_recorded(name, error))
    for problem in problems if last else ():
        context.narrator.warn(problem)


def all_of(context: Context, services: tuple[Service, ...]) -> list[Problem]:
    """Bring the records up to date: adopt what nobody has recorded, settle what is open. Gives what went wrong."""
    there = Records(context.workspace.root)
    problems: list[Problem] = []
    known = set(there.ids())
    scenes = {service.name: Scene(context, service, None, there) for service in services}
    for scene in scenes.values():
        for name in records_trace.names(scene.repository):
            if name not in known or not there.has(name):
                problems += _adopt_late(scene, name)
    for run in there.all().runs:
        if run.status == "running":
            try:
                settle(scenes.get(run.service), there, run)
            except (KobakoError, OSError) as error:
                problems.append(_not_recorded(run.id, error))
    return problems


def _adopt_late(scene: Scene, name: str) -> list[Problem]:
    problems: list[Problem] = []
    trace = _read(scene, name, problems)
    if trace is None:
        return problems
    kinds: tuple[StartedBy, ...] = ("train", "shell", "exec")
    verb: StartedBy = next((one for one in kinds if trace.session.startswith(f"{one}-")), "outside")
    try:
        _adopted(scene._replace(engine=_running(scene)), trace, verb)
    except (KobakoError, OSError) as error:
        problems.append(_not_recorded(name, error))
    return problems


def _running(scene: Scene) -> Engine | None:
    """The engine in which the service runs now; None where it does not, or nobody can tell."""
    with contextlib.suppress(KobakoError):
        engine = scene.context.engine(scene.service)
        if engine.states([scene.service])[scene.service.name] == "running":
            return engine
    return None


def _read(scene: Scene, name: str, problems: list[Problem]) -> Trace | None:
    try:
        return records_trace.read(scene.repository, name)
    except ValueError as error:
        shown = f"{scene.service.title}/{records_trace.RUNS}/{name}/{records_trace.FILE}"
        problems.append(Problem("bad-record", f"what a run left cannot be used: {shown}", str(error)))
    return None


def _adopted(scene: Scene, trace: Trace, verb: StartedBy) -> Run:
    """The record of a trace, made where there is none."""
    if scene.records.has(trace.id):
        return scene.records.read(trace.id)
    now = records.now()
    run = Run(trace.id, scene.service.name, scene.service.title, trace.started or now, now, verb)
    run = run._replace(trace=_shown(scene, trace))
    scene.records.make(run.id)
    run = records_trace.applied(run, trace, scene.place)
    run = observing.at_once(scene, run)
    run = observing.in_time(scene, run)
    run = records_trace.applied(_true_source(run, trace), trace, scene.place)
    observing.copied(scene, run, trace)
    scene.records.write(run)
    return run if trace.status == "running" else close(scene, run, trace)


def _shown(scene: Scene, trace: Trace) -> str:
    return scene.context.workspace.relative(trace.folder)


def _true_source(run: Run, trace: Trace) -> Run:
    """Looked at long after the start, the source is another: then it is what the run itself saw, where it saw it."""
    began, seen = records.seconds(run.started), records.seconds(run.observed)
    if began is not None and seen is not None and seen - began <= AT_ONCE:
        return run
    commit, dirty = records_trace.source(trace)
    if commit is None:
        late = "looked at after the run had begun"
        return run._replace(source=run.source._replace(left_out="; ".join(filter(None, (run.source.left_out, late)))))
    patch = records.PATCH if (trace.folder / records_trace.PATCH).is_file() else None
    return run._replace(source=run.source._replace(commit=commit, dirty=dirty, patch=patch))


def _close_open(scene: Scene, name: str) -> None:
    run = scene.records.read(name)
    if run.status == "running":
        settle(scene, scene.records, run)


def settle(scene: Scene | None, there: Records, run: Run) -> Run:
    """A record that says "running": what has become of it. The record as it is written then."""
    trace = None
    if scene is not None:
        with contextlib.suppress(ValueError):
            trace = records_trace.read(scene.repository, run.id)
    writing = records.at_work(run.recorder) if run.recorder is not None else False
    if writing:
        return run
    if trace is not None and scene is not None:
        if trace.status == "running":
            return run
        observing.copied(scene, run, trace)
        return close(scene, records_trace.applied(run, trace, scene.place), trace)
    if writing is None:
        return run
    why = "Kobako was ended before the run was, and nothing tells how that went on"
    lost = run._replace(
        status="lost", recorder=None, problems=(*run.problems, Trouble("the run was lost sight of", why))
    )
    there.write(lost)
    return lost


def close(scene: Scene, run: Run, trace: Trace) -> Run:
    """Write the end of a run that its trace tells of."""
    from kobako.actions import following  # noqa: PLC0415 - the readers of metrics

    run = records_trace.ended(run, trace)._replace(recorder=None)
    run = run._replace(metrics=following.metrics_of(scene, run) or run.metrics)
    run = run._replace(log=_log(scene, run))
    scene.records.write(run)
    return run


def _log(scene: Scene, run: Run) -> str | None:
    path = scene.folder(run) / records.LOG
    return scene.context.workspace.relative(path) if path.exists() else run.log


def _not_recorded(name: str, error: KobakoError | OSError) -> Problem:
    why = (error.why or error.what) if isinstance(error, KobakoError) else (error.strerror or str(error))
    return Problem("not-recorded", f"run {name} cannot be recorded", why, "let .kobako be written to")
