"""What a step of a Dockerfile comes to, for the local engine. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kobako.engines.local.pip import Install


class System(NamedTuple):
    """Debian packages that are to be there."""

    packages: tuple[str, ...]


class Zone(NamedTuple):
    """The time zone."""

    name: str


class Floor(NamedTuple):
    """The step that writes down what the base came with; with ``by_now`` all that is installed by then."""

    by_now: bool = False


class Nothing(NamedTuple):
    """Cleaning up, and what the local engine has by nature."""


class Folder(NamedTuple):
    """A folder that is to be there."""

    path: str


class Written(NamedTuple):
    """A program of a Dockerfile's own, as its lines."""

    path: str
    lines: tuple[str, ...]


Part = Install | Folder | System | Zone | Floor | Written | Nothing


@dataclass(frozen=True)
class Native:
    """What uv and this engine do themselves, in this order."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Script:
    """Commands for a shell, or one program with its words. They run in the sandbox alone.

    ``mounts`` are folders that are not part of what is made: their kind ("cache": kept between builds; "tmpfs") and
    place.
    """

    argv: tuple[str, ...]
    network: bool = True
    mounts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Copy:
    """Files of the build context. ``target`` is absolute; a folder where it ends with a slash.

    ``content`` says what the files hold, in short: it is for the task's key.
    """

    sources: tuple[str, ...]
    target: str
    mode: str = ""
    content: str = ""


Work = Native | Script | Copy


@dataclass(frozen=True)
class Task:
    """One step. ``does`` is a Script, a Copy, or the parts that uv and this engine do themselves."""

    name: str
    line: int
    does: Work
    environment: Mapping[str, str]
    workdir: str
    key: str = ""

    @property
    def runs_code(self) -> bool:
        return isinstance(self.does, Script)
