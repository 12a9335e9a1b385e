"""Paths inside an environment's root, as paths of this machine: links in it never lead out of it.

A stranger's command has worked in that root, and Kobako itself writes into it from outside. So a path is walked
component by component, and a link means what it means inside.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from kobako.errors import BuildError, EngineError

_LINKS = 40
"""As many links as Linux follows on the way to a file."""


class Bind(NamedTuple):
    """Something that is seen inside. ``kind`` is an option of bubblewrap; ``source`` is "" for what has none."""

    source: str
    target: str
    kind: Literal["bind", "ro-bind", "ro-bind-try", "dev-bind", "tmpfs", "dev", "proc"] = "ro-bind"


def within(root: Path, inside: str) -> Path:
    """A path inside as one of this machine. What is not there yet is taken as it is named."""
    at = root
    parts = [part for part in inside.split("/") if part]
    links = 0
    while parts:
        part = parts.pop(0)
        if part == "..":
            at = at if at == root else at.parent
        elif part != ".":
            step = at / part
            if step.is_symlink():
                links = _counted(links, inside)
                aim = os.readlink(step)
                parts = [piece for piece in aim.split("/") if piece] + parts
                at = root if aim.startswith("/") else at
            else:
                at = step
    return at


def _counted(links: int, inside: str) -> int:
    if links >= _LINKS:
        raise BuildError("build-failed", f"too many links lead to {inside}", why="they may go round in a circle")
    return links + 1


def options(root: Path, binds: Sequence[Bind]) -> list[str]:
    """The binds as options of bubblewrap, each at a place that is there and has no link on the way.

    bubblewrap makes missing places itself, and follows links then, in a tree where this machine's own is still in
    reach.
    """
    made: list[str] = []
    placed: dict[str, Bind] = {}
    for bind in binds:
        target = _place(root, placed, bind)
        placed[target] = bind
        made += [f"--{bind.kind}", *([bind.source] if bind.source else []), target]
    return made


def _place(root: Path, placed: dict[str, Bind], bind: Bind) -> str:
    """The target without links; made where it was missing. ``placed`` are earlier targets and what is seen there."""
    todo = [part for part in bind.target.split("/") if part and part != "."]
    done: list[str] = []
    seen = [(str(root), True)]  # where each component is on this machine ("": nowhere), and whether it may be changed
    links = 0
    while todo:
        part = todo.pop(0)
        if part == "..":
            done, seen = done[:-1], seen[: max(1, len(seen) - 1)]
            continue
        inside = "/" + "/".join([*done, part])
        above, ours = seen[-1]
        here = f"{above}/{part}" if above else ""
        if inside in placed:
            here, ours = placed[inside].source, placed[inside].kind == "bind"
        if inside not in placed and here and os.path.islink(here):
            links = _counted(links, bind.target)
            aim = os.readlink(here)
            if aim.startswith("/"):
                done, seen = [], [(str(root), True)]
            todo = [piece for piece in aim.split("/") if piece and piece != "."] + todo
            continue
        if here and not os.path.lexists(here):
            _make(here, bind, last=not todo, ours=ours)
        done.append(part)
        seen.append((here, ours))
    return "/" + "/".join(done)


def _make(path: str, bind: Bind, *, last: bool, ours: bool) -> None:
    try:
        if not ours:  # a folder of this machine that is seen read-only: nothing is made in it from outside either
            raise PermissionError(errno.EROFS, os.strerror(errno.EROFS))
        if last and bind.source and not os.path.isdir(bind.source):
            with open(path, "xb"):
                return
        os.mkdir(path, 0o755)
    except OSError as error:
        raise EngineError(
            "engine-failed",
            f"nothing can be mounted at {bind.target}",
            why=f"that place is not there and cannot be made: {error.strerror}",
            fix="mount it somewhere else: the system's own folders cannot be changed",
        ) from error
