"""Remembers what the compose files said, as long as neither they nor the variables in them change.

Reading YAML with places costs 40 ms of every ``kobako exec``; comparing a few ``stat`` results costs nothing. Files
with variables of the user's own are read every time.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kobako import __version__
from kobako.compose.files import Found
from kobako.errors import UsageError, Where
from kobako.model.service import Build, EnvFile, Hints, Mount, Project, Service


class Seen(Mapping[str, str]):
    """An environment that remembers which variables were asked for."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return self._env[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._env)

    def __len__(self) -> int:
        return len(self._env)


def load(found: Found, state: Path) -> Project:
    """The project of these files, from ``state`` where nothing has changed since it was written there."""
    path = state / "cache" / "project.json"
    try:
        kept = json.loads(path.read_bytes())
        if kept["key"] == _key(found, kept["files"], kept["variables"]):
            return _thawed(kept["project"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # none there, or one of another version: read the files again
    from kobako.compose import project  # noqa: PLC0415 - what this module is there to avoid

    env = Seen(found.env)
    made, read = project.load(found._replace(env=env))
    names = sorted(env.names)
    if not _OPEN.issuperset(names):
        return made  # values that came from variables may be secrets: they are written nowhere
    files = [str(file) for file in read]
    with contextlib.suppress(OSError, UsageError):  # a folder that cannot be written is still worth working in
        _keep(path, {"key": _key(found, files, names), "files": files, "variables": names, "project": made})
    return made


def _key(found: Found, files: list[str], names: list[str]) -> list[Any]:
    return [
        __version__,
        [str(file) for file in found.files],
        [_identity(file) for file in files],
        [found.env.get(name) for name in names],
    ]


def _identity(file: str) -> list[int]:
    try:
        found = os.stat(file)
    except FileNotFoundError:
        return []
    return [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


_OPEN = frozenset({"COMPOSE_PROJECT_NAME", "HOME"})
"""Variables whose values are no secrets."""


def _keep(path: Path, content: dict[str, Any]) -> None:
    from kobako.workspace import make_state, write_text  # noqa: PLC0415

    make_state(path.parent.parent)
    path.parent.mkdir(exist_ok=True)
    path.touch(mode=0o600)
    write_text(path, json.dumps(content, default=dict))


def _thawed(kept: list[Any]) -> Project:
    name, root, files, implicit, services = kept
    return Project(name, root, tuple(files), implicit, {key: _service(one) for key, one in services.items()})


def _service(kept: list[Any]) -> Service:
    # _make, unlike a call, fails on a value with fewer fields than today's
    made = Service._make(kept)
    build = Build._make(made.build)._replace(where=_where(made.build[-1])) if made.build else None
    hints = Hints._make(made.hints)
    return made._replace(
        build=build,
        command=_words(made.command),
        mounts=tuple(Mount._make(one)._replace(where=_where(one[-1])) for one in made.mounts),
        hints=hints._replace(entry=_words(hints.entry), verify=_words(hints.verify)),
        env_files=tuple(EnvFile._make(one)._replace(where=_where(one[2])) for one in made.env_files),
        entrypoint=_words(made.entrypoint),
        keys=tuple((name, Where(*where)) for name, where in made.keys),
        where=_where(made.where),
    )


def _words(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _where(value: Any) -> Where | None:
    return None if value is None else Where(*value)
