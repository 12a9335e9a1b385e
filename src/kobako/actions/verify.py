"""``kobako verify``: the environment, from zero, does its work."""

from __future__ import annotations

import os
import shlex
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from kobako.actions import entry, run, start
from kobako.actions.context import Context
from kobako.errors import FAILED, BuildError, KobakoError, UsageError
from kobako.model.result import Problem, Result
from kobako.model.service import Service
from kobako.protocols import Engine, Streams

T = TypeVar("T")

_KEPT_LINES = 20


def verify(context: Context, name: str, args: tuple[str, ...] = ()) -> Result:
    """Remove, build reusing no layer, start, run ``x-kobako.verify`` or the entry with ``args``.

    The result is a failed one (exit code 1) when the build or the command fails; what the engine itself cannot do
    stays an ``EngineError``.
    """
    service = context.service(name)
    start.check_recipe(context, service)
    if service.hints.verify is None:
        entry.check_entry(context, service)
    engine = context.working_engine(service)
    question = f"remove {service.title} as it stands, with whatever was installed in it by hand?"
    if engine.states([service])[service.name] in {"running", "exited"} and not context.narrator.confirm(question):
        raise UsageError("usage", "nothing was verified", why="it is to be kept as it stands")
    return _Verification(context, engine, service).run(args)


class _Verification:
    """The steps of one verification, with what each took."""

    def __init__(self, context: Context, engine: Engine, service: Service) -> None:
        self._context = context
        self._engine = engine
        self._service = service
        self._steps: list[dict[str, Any]] = []
        self._partly: tuple[Problem, ...] = ()

    def run(self, args: tuple[str, ...]) -> Result:
        title = self._service.title
        self._step("remove", lambda: self._engine.remove(self._service))
        try:
            built = self._step("build", lambda: self._engine.build(self._service, fresh=True))
        except BuildError as error:
            return self._result(Problem.of(error))
        start.report_moved(self._context, built)
        self._partly = start.problems(self._context, built)
        try:
            self._step("start", lambda: self._engine.up(self._service))
        except KobakoError as error:
            if error.exit_code != FAILED:
                raise
            return self._result(Problem.of(error))
        argv = (*_command(self._service), *args)
        code, output = self._step("run", lambda: self._try(argv))
        if code == 0:
            return self._result(None)
        return self._result(
            Problem(
                "not-verified",
                f"{title} is built and starts, but `{shlex.join(argv)}` ended with exit code {code}",
                output or "it printed nothing",
                f"kobako shell {title}",
            )
        )

    def _step(self, name: str, work: Callable[[], T]) -> T:
        begin = time.monotonic()
        ok = False
        try:
            with self._context.narrator.step(f"verify {self._service.title}: {name}"):
                done = work()
            ok = True
        finally:
            self._steps.append({"name": name, "seconds": round(time.monotonic() - begin, 2), "ok": ok})
        return done

    def _try(self, argv: tuple[str, ...]) -> tuple[int, str]:
        """Run the command; each line goes to the log (and is shown under ``-v``), the last ones are kept."""
        kept: deque[str] = deque(maxlen=_KEPT_LINES)
        reading, writing = os.pipe()
        reader = threading.Thread(target=self._follow, args=(reading, kept), daemon=True)
        reader.start()
        try:
            request = run.Request(self._service.name, terminal=False)
            streams = Streams(None, writing, writing)
            code = run.run_as_caller(self._engine, self._service, request, argv, streams)
        finally:
            os.close(writing)
            reader.join()
        return code, "\n".join(kept)

    def _follow(self, reading: int, kept: deque[str]) -> None:
        with os.fdopen(reading, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                kept.append(line.rstrip("\n"))
                self._context.narrator.child(kept[-1])

    def _result(self, problem: Problem | None) -> Result:
        total = sum(step["seconds"] for step in self._steps)
        data = {
            "service": self._service.name,
            "engine": self._engine.name,
            "verified": problem is None,
            "steps": self._steps,
            "drift": None,  # inventories are not compared yet
            "receipt": None,  # nor is a receipt written
        }
        if problem is not None:
            return Result("verify", "failed", FAILED, data, (problem,))
        took = ", ".join(f"{step['name']} {step['seconds']:.1f} s" for step in self._steps)
        name = self._engine.name
        text = f"{self._service.title} is verified ({name} engine): from zero in {total:.1f} s ({took})"
        return Result("verify", "partial" if self._partly else "ok", data=data, problems=self._partly, text=text)


def _command(service: Service) -> tuple[str, ...]:
    said = service.hints.verify
    if said is None:
        return entry.entry(service)
    return tuple(said) if isinstance(said, tuple) else ("/bin/sh", "-c", said)
