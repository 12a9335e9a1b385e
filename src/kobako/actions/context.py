"""What every verb works with: the workspace, its project, the engine, and somebody to tell."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from kobako import engines, settings
from kobako.compose import cache, files
from kobako.errors import EngineError, UsageError
from kobako.model.result import Problem
from kobako.model.service import Project, Service
from kobako.protocols import Availability, Engine, Narrator, Screen
from kobako.workspace import Workspace


class Context:
    """One call of Kobako. ``start`` is the folder it begins to look in; ``engine_flag`` is ``--engine``."""

    def __init__(self, start: Path, env: Mapping[str, str], narrator: Narrator, engine_flag: str | None = None) -> None:
        self.start = start
        self.env = env
        self.narrator = narrator
        self.engine_flag = engine_flag
        self.screen: Callable[[], Screen] | None = None  # makes one where a person may look on
        self._engines: dict[str | None, Engine] = {}
        self._reasons: dict[str | None, str] = {}

    @functools.cached_property
    def found(self) -> files.Found:
        return files.find(self.start, self.env)

    @functools.cached_property
    def workspace(self) -> Workspace:
        return Workspace(self.found.root)

    @functools.cached_property
    def project(self) -> Project:
        return cache.load(self.found, self.workspace.state)

    def service(self, name: str) -> Service:
        """The service of that name, or whose container or repository is called so. Says what was perhaps meant."""
        services = self.project.services
        if name in services:
            return services[name]
        for service in services.values():
            if service.container_name == name:
                return service
        raise _unknown(name, list(services), self.workspace.relative(self.found.files[0]))

    def engine(self, service: Service) -> Engine:
        """The engine to use for a service; which and why is in the log, and shown under ``-v``."""
        hint = service.hints.engine
        if hint not in self._engines:
            self._engines[hint] = self._chosen(hint)
        return self._engines[hint]

    def working_engine(self, service: Service) -> Engine:
        """The engine, for work that takes a while: which one it is and why is said, once."""
        engine = self.engine(service)
        reason = self._reasons.pop(service.hints.engine, "")
        if reason:
            self.narrator.say(reason)
        return engine

    def _chosen(self, hint: str | None) -> Engine:
        chosen = settings.engine_name(self.engine_flag, self.env, hint)
        names = (chosen.value,) if chosen.value else settings.ENGINES
        problems: list[Problem] = []
        passed: list[str] = []
        for name in names:
            problem = engines.in_the_way(name, self.env) if len(names) > 1 else None
            if problem is not None:
                problems.append(problem)
                passed.append(name)
                continue
            engine = engines.make(name, self.project, self.narrator, self.workspace.state, self.found.env)
            # where there is no choice the first call tells as much as a question would
            availability = Availability(usable=True) if len(names) == 1 else engine.available()
            if availability.usable:
                why = f" ({chosen.origin})" if chosen.value else ""
                if passed:
                    why = f", since {' and '.join(passed)} cannot be used here (kobako doctor says why)"
                self._reasons[hint] = f"engine: {name}{why}"
                self.narrator.child(self._reasons[hint])
                return engine
            passed.append(name)
            problems += [] if availability.problem is None else [availability.problem]
        raise _unusable(problems)


def _unknown(name: str, known: list[str], file: str) -> UsageError:
    from difflib import get_close_matches  # noqa: PLC0415 - only on failure

    close = get_close_matches(name.lower(), known, n=1)
    fix = f"did you mean {close[0]}?" if close else f"services: {', '.join(sorted(known)) or 'none yet: kobako add'}"
    return UsageError("unknown-service", f"{file} has no service named {name}", fix=fix)


def _unusable(problems: list[Problem]) -> EngineError:
    first = problems[0] if problems else Problem("no-engine", "no engine is usable here")
    return EngineError(first.code, first.what, why=first.why, fix=first.fix or "kobako doctor")


def relative(problem: Problem, root: Path) -> Problem:
    """The problem with its place shown relative to the workspace."""
    if problem.where is None or not Path(problem.where.file).is_absolute():
        return problem
    file = Workspace(root).relative(problem.where.file)
    return problem._replace(where=problem.where._replace(file=file))


def each(context: Context, names: tuple[str, ...]) -> Iterator[Service]:
    """The named services; all of them where none is named."""
    if not names:
        yield from context.project.services.values()
    for name in names:
        yield context.service(name)
