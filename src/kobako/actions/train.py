"""``kobako train``: the service's entry, from outside, with a record of it."""

from __future__ import annotations

import contextlib
import os
import shlex
import time
from typing import Any, NamedTuple

from kobako import clearmlconf
from kobako.actions import explaining, run
from kobako.actions.context import Context
from kobako.actions.entry import check_entry, entry
from kobako.actions.following import Following
from kobako.actions.observing import Scene
from kobako.actions.piping import Pipes, Plain
from kobako.actions.recording import End, Recording
from kobako.actions.run import Request
from kobako.clearmlconf import Given
from kobako.compose import environment
from kobako.errors import CannotStartError, KobakoError, Stopped
from kobako.model.result import Result, Status
from kobako.model.run import Failure, Run
from kobako.model.service import Service
from kobako.protocols import Engine, Screen, Streams
from kobako.train import masked, records, records_json

RUN = "KOBAKO_RUN"
"""The variable that tells the entry script which run it is."""

_OFF = frozenset({"--clearml=off", "--clearml=Off", "--clearml=OFF"})


class _Work(NamedTuple):
    """What is to be run, and with what."""

    engine: Engine
    service: Service
    request: Request
    argv: tuple[str, ...]


def train(context: Context, request: Request) -> Result:
    """Run the service's entry as the caller, so that checkpoints belong to them, and keep a record of it.

    Its exit code is the result's. ``Stopped`` passes through once the record says so.
    """
    check_entry(context, context.service(request.service))
    service, engine = run.ready(context, request)
    work = _Work(engine, service, request, (*entry(service), *request.argv))
    given = _given(context, work)
    recording = _begin(context, work, given)
    began = time.monotonic()
    code = _recorded(context, work, recording, given)
    record = recording.run
    _tell(context, record, time.monotonic() - began)
    status: Status = "ok" if code == 0 else "failed"
    problems = () if code == 0 else explaining.of(context, record, was_shown=not request.output_to_stderr)
    command = shlex.join(masked.words(work.argv))
    data = {"service": service.name, "engine": engine.name, "command": command, "code": code}
    return Result("train", status, code, {**data, "run": _facts(context, record)}, problems)


def _given(context: Context, work: _Work) -> Given:
    """ClearML's variables, where they are wanted."""
    if _OFF & set(work.argv):
        return Given()
    found = clearmlconf.read(context.env)
    if found.problem is not None:
        context.narrator.warn(found.problem)
    said = {name for name, value in work.service.environment.items() if value is not None}
    return found._replace(values={name: value for name, value in found.values.items() if name not in said})


def _begin(context: Context, work: _Work, given: Given) -> Recording:
    there = records.Records(context.workspace.root)
    scene = Scene(context, work.service, work.engine, there)
    now = records.now()
    made = Run(records.new_id(), work.service.name, work.service.title, now, now, "train")
    made = made._replace(
        command=masked.words(work.argv),
        environment=masked.variables(work.request.env),
        cwd=work.request.workdir,
    )
    recording = Recording(scene, made, context.narrator, masked.Blots(_secrets(context, work, given)))
    where = _goes_to(work)
    context.narrator.say(f"run {made.id}: {work.service.title} on the {work.engine.name} engine")
    context.narrator.say(f"  it writes to {where}; its record is .kobako/runs/{made.id}")
    return recording


def _secrets(context: Context, work: _Work, given: Given) -> tuple[str, ...]:
    """What the command may know and nobody is to read in its log: its variables', its words', ClearML's."""
    service = work.service
    variables = {name: value for name, value in service.environment.items() if value is not None}
    with contextlib.suppress(KobakoError):  # a file of variables that cannot be read is the engine's to refuse
        variables = environment.environment_of(service, context.found.env)
    return (*given.secrets, *masked.secrets({**variables, **work.request.env}, work.argv))


def _goes_to(work: _Work) -> str:
    for word in work.request.argv:
        name, _, value = word.partition("=")
        if name.replace("-", "_") in {"__work_dir", "__output_dir"} and value:
            return value
    return f"{work.service.title}/work_dirs" if work.service.hints.entry is None else "where its script says"


def _recorded(context: Context, work: _Work, recording: Recording, given: Given) -> int:
    """Run it; the record has its end, whatever that is."""
    screen = context.screen() if context.screen is not None else Plain()
    following = Following(recording, context.narrator, screen)
    try:
        code = _run(work, recording, following, given, screen)
    except CannotStartError:
        following.end()
        recording.forget()
        raise
    except Stopped as stopped:
        _close(recording, following, End("interrupted", stopped.exit_code))
        _tell(context, recording.run, None)
        raise
    except KobakoError as error:
        _close(recording, following, End("failed", error.exit_code, Failure(None, error.code, error.what)))
        raise
    except BaseException as error:
        failure = Failure(None, type(error).__name__, "Kobako itself failed")
        _close(recording, following, End("failed", None, failure))
        raise
    _close(recording, following, End("done" if code == 0 else "failed", code))
    return code


def _run(work: _Work, recording: Recording, following: Following, given: Given, screen: Screen) -> int:
    def begun() -> None:
        recording.begun()
        following.begin()

    told = {RUN: recording.run.id, "PYTHONUNBUFFERED": "1"}
    request = work.request._replace(
        env={**told, **given.values, **work.request.env, RUN: recording.run.id},
        session=f"train-{recording.run.id}-{os.urandom(8).hex()}",
        begun=begun,
        terminal=work.request.terminal is True,
    )
    if request.terminal:
        return run.run_as_caller(work.engine, work.service, request, work.argv)
    # a program without a terminal cannot read from one: it would be stopped, or wait for ever
    stdin = None if os.isatty(0) else 0
    pipes = Pipes(screen, following.copy, (2 if request.output_to_stderr else 1, 2))
    with pipes as given_to:
        streams = Streams(stdin, given_to.stdout, given_to.stderr)
        code = run.run_as_caller(work.engine, work.service, request, work.argv, streams)
    if pipes.trouble is not None:
        raise pipes.trouble
    return code


def _close(recording: Recording, following: Following, end: End) -> None:
    """Write the end. A second Ctrl-C meanwhile ends the tidying, not the record."""
    try:
        metrics = following.end()
        recording.close(end, metrics)
    except Stopped:
        with contextlib.suppress(Exception):
            recording.close_at_once(end, following.metrics.sums())
        raise


def _tell(context: Context, record: Run, seconds: float | None) -> None:
    """The last lines: how it ended, what it gave, where that is."""
    for line in explaining.last_lines(record, seconds):
        context.narrator.say(line)


def _facts(context: Context, record: Run) -> dict[str, Any]:
    folder = records.Records(context.workspace.root).of(record.id)
    return {
        "id": record.id,
        "status": record.status,
        "metrics": records_json.encode(record.metrics),
        "artifacts": records_json.encode(record.artifacts),
        "record": context.workspace.relative(folder),
    }
