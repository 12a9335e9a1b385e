"""Runs that were not started by ``kobako train``: found by what their entry script left, and recorded like any other.

The same module settles what was left open: a record that says "running" although nobody writes it any more.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from typing import Literal

from kobako.actions import observing
from kobako.actions.context import Context
from kobako.actions.observing import Scene
from kobako.errors import KobakoError
from kobako.model.result import Problem
from kobako.model.run import Host, Run, StartedBy, Trouble
from kobako.model.service import Service
from kobako.protocols import Engine
from kobako.train import records, records_trace
from kobako.train.records import Found, Records
from kobako.train.records_data import Fingerprints
from kobako.train.records_trace import Trace

SHORTLY = 2.0
"""Seconds that a command which has ended waits for another Kobako."""

LOOKING = 10.0
"""Seconds for looking at the source and the data of all runs that are taken over; what is not seen by then is left
open."""

OPEN = frozenset({"running", "lost"})
"""Of which more may become known."""

Session = tuple[Literal["exec", "shell"], str, frozenset[str]]
"""The verb, the id that its processes carry, and the traces that are new since it began."""

_LOST = "the run was lost sight of"


def from_session(context: Context, service: Service, engine: Engine, session: Session, *, last: bool) -> frozenset[str]:
    """Record what was trained in a session. With ``last`` the session has ended, and what went wrong is said.

    Gives the traces that are done with: recorded, or another's.
    """
    verb, mark, names = session
    scene = _scene(context, service, engine)
    problems: list[Problem] = []
    done = set()
    try:
        with scene.records.alone(SHORTLY):
            for name in sorted(names):
                if _of_session(scene, name, (verb, mark), problems):
                    done.add(name)
    except TimeoutError as error:
        problems.append(_busy(error))
    for problem in problems if last else ():
        context.narrator.warn(problem)
    return frozenset(done)


def _of_session(scene: Scene, name: str, session: tuple[StartedBy, str], problems: list[Problem]) -> bool:
    """Whether nothing is left to do about that trace but to see its end."""
    trace = _read(scene, name, problems)
    if trace is None or trace.session != session[1]:
        return trace is not None
    try:
        run = _adopted(scene, trace, session[0])
        if run.status in OPEN:
            settle(scene, scene.records, run)
    except (KobakoError, OSError) as error:
        problems.append(_not_recorded(name, error))
        return False
    return True


def _scene(context: Context, service: Service, engine: Engine | None) -> Scene:
    there, until = Records(context.workspace.root), time.monotonic() + LOOKING
    return Scene(context, service, engine, there, until=until, fingerprint=Fingerprints())


def all_of(context: Context, services: tuple[Service, ...]) -> Found:
    """Bring the records up to date: adopt what nobody has recorded, settle what is open.

    All runs, and what went wrong.
    """
    there = Records(context.workspace.root)
    seen = Fingerprints()
    scenes = {one.name: _scene(context, one, None)._replace(fingerprint=seen) for one in services}
    found = [(scene, name) for scene in scenes.values() for name in records_trace.names(scene.repository)]
    if not found and not there.ids():
        return Found(())
    try:
        with there.alone():
            problems = _adopt_all(there, found)
            return _settle_all(there, scenes, problems)
    except TimeoutError as error:
        known = there.all()
        return known._replace(problems=(_busy(error), *known.problems))


def _adopt_all(there: Records, found: list[tuple[Scene, str]]) -> list[Problem]:
    """First all of them, before the numbers of one are read: whose they are is told by who was at work then."""
    known = set(there.ids())
    problems = []
    for scene, name in found:
        if name not in known or not there.has(name):
            problems += _adopt_late(scene, name)
    return problems


def _settle_all(there: Records, scenes: dict[str, Scene], problems: list[Problem]) -> Found:
    """All records are read once, there may be thousands. The oldest is settled first: what comes after asks its end."""
    found = there.all()
    known = list(found.runs)
    for number, run in reversed(tuple(enumerate(known))):
        if run.status in OPEN:
            try:
                known[number] = settle(scenes.get(run.service), there, run, known)
            except (KobakoError, OSError) as error:
                problems.append(_not_recorded(run.id, error))
    return Found(tuple(known), (*problems, *found.problems))


def _adopt_late(scene: Scene, name: str) -> list[Problem]:
    problems: list[Problem] = []
    trace = _read(scene, name, problems)
    if trace is None:
        return problems
    kinds: tuple[StartedBy, ...] = ("train", "shell", "exec")
    verb: StartedBy = next((one for one in kinds if trace.session.startswith(f"{one}-")), "outside")
    try:
        _adopted(scene, trace, verb)
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
        fix = f"kobako runs rm {name} removes it"
        problems.append(Problem("bad-record", f"what a run left cannot be used: {shown}", str(error), fix))
    return None


def _adopted(scene: Scene, trace: Trace, verb: StartedBy) -> Run:
    """The record of a trace, made where there is none. How it ended is for :func:`settle`."""
    if scene.records.has(trace.id):
        return scene.records.read(trace.id)
    scene = _as_then(scene, trace)
    now = records.now()
    run = Run(trace.id, scene.service.name, scene.service.title, trace.started or now, now, verb)
    run = run._replace(trace=scene.context.workspace.relative(trace.folder), host=_machine(scene, trace))
    scene.records.make(run.id)
    run = records_trace.applied(run, trace, scene.place)
    run = observing.in_time(scene, observing.at_once(scene, run))
    run = observing.copied(scene, records_trace.applied(run, trace, scene.place), trace)
    scene.records.write(run)
    return run


def _as_then(scene: Scene, trace: Trace) -> Scene:
    """Looked at long after the start, everything may be another by now, the engine too."""
    began = records.seconds(trace.started)
    if began is None or time.time() - began > records.AT_ONCE:
        return scene._replace(began=began or 0.0, engine=None)
    return scene if scene.engine is not None else scene._replace(engine=_running(scene))


def _machine(scene: Scene, trace: Trace) -> Host:
    """Who comes late may sit at another machine, and a container calls itself by a name of its own."""
    here = observing.host()
    late = scene.began is not None
    return Host(here.hostname) if late and records_trace.is_of(trace, here) else Host()


def settle(scene: Scene | None, there: Records, run: Run, known: Sequence[Run] | None = None) -> Run:
    """A record that is open: what has become of the run. The record as it is written then.

    ``known`` are all runs, where somebody has read them already.
    """
    writing = records.at_work(run.recorder) if run.recorder is not None else False
    if writing:
        return run
    if scene is not None:
        with contextlib.suppress(ValueError):
            trace = records_trace.read(scene.repository, run.id)
            if trace is not None:
                return _settled(scene, run, trace, known)
    if writing is None or run.status == "lost":
        return run
    why = "Kobako was ended before the run was, and nothing tells how that went on"
    lost = run._replace(status="lost", recorder=None, problems=(*run.problems, Trouble(_LOST, why)))
    there.write(lost)
    return lost


def _settled(scene: Scene, run: Run, trace: Trace, known: Sequence[Run] | None) -> Run:
    if trace.status == run.status:
        return run
    run = run._replace(problems=tuple(one for one in run.problems if one.what != _LOST))
    if trace.status == "running":  # it was silent for a while, as a machine that sleeps is
        run = run._replace(status="running", ended=None)
        scene.records.write(run)
        return run
    run = observing.copied(scene, records_trace.applied(run, trace, scene.place), trace)
    return close(scene, run, trace, known)


def close(scene: Scene, run: Run, trace: Trace, known: Sequence[Run] | None = None) -> Run:
    """Write the end of a run that its trace tells of."""
    from kobako.actions import following  # noqa: PLC0415 - the readers of metrics

    run = records_trace.ended(run, trace)._replace(recorder=None)
    run = following.with_metrics(scene, run, trace, known)
    run = run._replace(log=_log(scene, run))
    scene.records.write(run)
    return run


def _log(scene: Scene, run: Run) -> str | None:
    path = scene.folder(run) / records.LOG
    return scene.context.workspace.relative(path) if path.exists() else run.log


def _busy(error: TimeoutError) -> Problem:
    fix = "the next `kobako runs` takes them over"
    return Problem("not-recorded", "runs that were not started by `kobako train` are not looked at", str(error), fix)


def _not_recorded(name: str, error: KobakoError | OSError) -> Problem:
    why = (error.why or error.what) if isinstance(error, KobakoError) else (error.strerror or str(error))
    return Problem("not-recorded", f"run {name} cannot be recorded", why, "let .kobako be written to")
