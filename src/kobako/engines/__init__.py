"""The engines by name. An engine's module is imported when it is asked for."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kobako.model.check import Check
from kobako.model.result import Problem
from kobako.model.service import Project
from kobako.protocols import Engine, Narrator

if TYPE_CHECKING:
    from kobako.probe import Probe


class EngineChecks(NamedTuple):
    """What ``kobako doctor`` found out about one engine. Without the ``needed`` ones it is of no use."""

    engine: str
    needed: frozenset[str]
    checks: tuple[Check, ...]

    @property
    def usable(self) -> bool:
        return self.in_the_way is None

    @property
    def in_the_way(self) -> Check | None:
        """The check that says best why the engine is not usable."""
        bad = [check for check in self.checks if check.name in self.needed and check.status != "ok"]
        # what is broken says more than what could not be looked at because of it
        return next((check for check in bad if check.status != "unchecked"), bad[0] if bad else None)


def make(name: str, project: Project, narrator: Narrator, state: Path, env: Mapping[str, str]) -> Engine:
    """The engine of that name (one of ``settings.ENGINES``) for a project. Nothing is started or asked yet.

    ``env`` is what the compose files saw: the caller's variables, and those of ``.env``.
    """
    if name == "docker":
        from kobako.engines.docker.engine import DockerEngine  # noqa: PLC0415 - only the engine in use is loaded

        return DockerEngine(project, narrator, state)
    if name == "local":
        from kobako.engines.local.engine import LocalEngine  # noqa: PLC0415 - as above

        return LocalEngine(project, narrator, state, env)
    raise ValueError(name)


def in_the_way(name: str, env: Mapping[str, str]) -> Problem | None:
    """Why the engine of that name is surely of no use here: a first look, before its modules are loaded."""
    if name != "docker":
        return None
    from kobako.engines.docker import endpoint  # noqa: PLC0415 - as above

    found = endpoint.find(env)
    if found.path is None or os.path.exists(found.path):
        return None
    missing = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    return Problem.of(endpoint.unreachable(found, missing))


def checks(name: str, probe: Probe, place: Path) -> EngineChecks:
    """Look at what the engine of that name needs. ``place`` is the workspace, or where Kobako was started."""
    if name == "docker":
        from kobako.engines.docker import checks as docker  # noqa: PLC0415 - as above

        return EngineChecks(name, docker.NEEDED, tuple(docker.look(probe)))
    if name == "local":
        from kobako.engines.local import checks as local  # noqa: PLC0415 - as above

        return EngineChecks(name, local.NEEDED, tuple(local.look(probe, place)))
    raise ValueError(name)
