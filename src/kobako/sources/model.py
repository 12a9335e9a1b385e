"""Where a repository comes from, and what was fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from kobako.process import Outcome

Kind = Literal["git", "folder", "archive", "index"]


@dataclass(frozen=True)
class Source:
    """A source as the user named it, understood but not fetched. ``name`` may be "" until it is.

    ``location`` is a URL for git, an absolute path for folder and archive, a requirement for index.
    """

    kind: Kind
    spec: str
    location: str
    name: str = ""
    ref: str = ""


@dataclass(frozen=True)
class Fetched:
    """A repository that lies in ``path``. ``facts`` is what goes to ``x-kobako.source``.

    ``in_place`` is true for a folder that already stands in the workspace under its name: it is not Kobako's to move.
    """

    path: Path
    name: str
    facts: Mapping[str, str | bool] = field(default_factory=dict)
    in_place: bool = False


class Run(Protocol):
    """Runs a program to its end: :func:`kobako.process.run`, or what a test puts in its place."""

    def __call__(
        self,
        argv: list[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> Outcome:
        """Run it and say what became of it. After ``seconds`` it is ended."""


Say = Callable[[str], None]
