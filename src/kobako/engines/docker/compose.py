"""Docker Compose as a program: v2 (``docker compose``), or v1 (``docker-compose``) where that is all there is."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from kobako import process
from kobako.errors import EngineError
from kobako.model.service import Project
from kobako.process import Outcome

OLDEST_V1 = (1, 28)
"""The first docker-compose that knows device reservations, as the mission's files have them."""


class Compose(NamedTuple):
    """Which Compose there is: how it is called and its version."""

    program: tuple[str, ...]
    version: tuple[int, ...]

    @property
    def v1(self) -> bool:
        return self.version[0] == 1

    @property
    def shown(self) -> str:
        return f"{' '.join(self.program)} {'.'.join(str(n) for n in self.version)}"

    @property
    def resets(self) -> bool:
        """Whether an override file may say ``!reset`` (since 2.18; 1.x fails to parse it)."""
        return self.version >= (2, 18)


def find() -> Compose:
    """The Compose to use. Raises ``EngineError`` when there is none or it is too old."""
    for program in (("docker", "compose"), ("docker-compose",)):
        if process.which(program[0]) is None:
            continue
        outcome = process.run([*program, "version", "--short"])
        if outcome.ok and (version := _version(outcome.stdout)):
            found = Compose(program, version)
            if found.v1 and version < OLDEST_V1:
                raise EngineError(
                    "docker-old",
                    f"{found.shown} is too old",
                    why="device reservations need docker-compose 1.28 or Compose v2",
                    fix="install the Compose plugin: https://docs.docker.com/compose/install/",
                )
            return found
    if process.which("docker") is None:
        raise EngineError(
            "docker-missing",
            "the docker program is not on the PATH",
            fix="install it: https://docs.docker.com/engine/install/",
        )
    raise EngineError(
        "compose-missing",
        "Docker Compose is not installed",
        why="neither `docker compose` nor `docker-compose` answers",
        fix="install the Compose plugin: https://docs.docker.com/compose/install/",
    )


def _version(text: str) -> tuple[int, ...]:
    match = re.search(r"(\d+)\.(\d+)\.(\d+)", text)
    return tuple(int(part) for part in match.groups()) if match else ()


class ComposeCli:
    """Calls Compose on one project, always with the project's name and files spelled out."""

    def __init__(self, compose: Compose, project: Project, record: Callable[[str], None]) -> None:
        self.compose = compose
        self._project = project
        self._record = record

    def run(
        self,
        *args: str,
        files: Sequence[str] | None = None,
        on_line: Callable[[str], None] | None = None,
        stdin: bytes | None = None,
    ) -> Outcome:
        """One call. ``files`` replaces the project's own compose files (``-`` is ``stdin``)."""
        setting = process.Setting({**os.environ, **self._env()}, self._project.root, stdin)
        outcome = process.run_in(setting, [*self.argv(files), *args], on_line)
        self._record(f"$ {outcome.shown}: exit code {outcome.code} after {outcome.seconds:.1f} s")
        return outcome

    def argv(self, files: Sequence[str] | None = None) -> list[str]:
        argv = [*self.compose.program, "--project-directory", self._project.root, "-p", self._project.container_prefix]
        for file in self._project.files if files is None else files:
            argv += ["-f", file]
        return argv

    def _env(self) -> Mapping[str, str]:
        if self.compose.v1:
            # without these v1 uses the classic builder, which has no cache mounts
            return {"DOCKER_BUILDKIT": "1", "COMPOSE_DOCKER_CLI_BUILD": "1", "BUILDKIT_PROGRESS": "plain"}
        return {"BUILDKIT_PROGRESS": "plain"}
