"""Which checkpoints are still a run's own, as it left them: those alone may be deleted with it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from kobako.actions.artifacts import is_checkpoint
from kobako.actions.context import Context
from kobako.model.run import Artifact, Run
from kobako.train import records

_LATE = 2.0
"""Seconds after its end in which a file's time may lie where that is not recorded: a trace tells whole seconds."""


class Kept(NamedTuple):
    """A file that is left alone. ``lost`` is whether no record would tell of it without its run's."""

    path: str
    why: str
    lost: bool = True


class Own(NamedTuple):
    """``files`` and their bytes; ``kept`` by the ids of the runs that name them."""

    files: dict[Path, int]
    kept: dict[str, list[Kept]]


class _Look(NamedTuple):
    """A file as it is now, one of a run's. ``told`` is what the runs that stay tell of it, ``busy`` those at work."""

    context: Context
    path: Path
    run: Run
    told: Sequence[tuple[Run, Artifact]]
    busy: Sequence[Run]


def own(context: Context, runs: Sequence[Run], ids: Iterable[str]) -> Own:
    """Of those of these runs that are named. Whatever can be is left alone: a file is gone for good."""
    wanted = set(ids)
    busy = [run for run in runs if run.status == "running"]
    told: dict[str, list[tuple[Run, Artifact]]] = {}
    for run in runs:
        for one in run.artifacts if run.id not in wanted or run.status == "running" else ():
            told.setdefault(one.path, []).append((run, one))
    files: dict[Path, int] = {}
    kept: dict[str, list[tuple[Path, Kept]]] = {}
    for run in runs:
        if run.id not in wanted or run.status == "running":
            continue
        for one in run.artifacts:
            look = _Look(context, context.workspace.root / one.path, run, told.get(one.path, ()), busy)
            if one.kind != "checkpoint" or not os.path.lexists(look.path):
                continue
            try:
                found = _kept(look, one)
            except OSError as error:
                found = Kept(one.path, error.strerror or str(error))
            if found is None:
                files[look.path] = one.bytes
            else:
                kept.setdefault(run.id, []).append((look.path, found))
    # two runs that both go may have written the same file: it is that one's that was last
    return Own(files, {run_id: [one for path, one in found if path not in files] for run_id, found in kept.items()})


def _kept(look: _Look, one: Artifact) -> Kept | None:
    """Why it is left alone; None where it is the run's own, as it was left. Raises ``OSError``."""
    for other in look.busy:
        if _writes_there(look, other):
            return Kept(one.path, f"run {other.id} is at work there")
    why = _place(look)
    if why:
        return Kept(one.path, why)
    facts = os.lstat(look.path)
    for run, said in look.told:
        if run.ended is None or _as_left(facts, run, said):
            return Kept(one.path, f"run {run.id} tells of it, too", lost=False)
    return None if _as_left(facts, look.run, one) else Kept(one.path, "it was written again after the run")


def _writes_there(look: _Look, other: Run) -> bool:
    """As far as is known: who does not say where it writes may write anywhere in its repository."""
    if other.work_dir is None:
        return other.name == look.run.name
    root = look.context.workspace.root
    return look.path.is_relative_to(root / other.work_dir) or other.work_dir == look.run.work_dir


def _place(look: _Look) -> str:
    """A trace names whatever its author likes: only a plain file in the run's repository is meant."""
    if not is_checkpoint(look.path.name):
        return "it does not look like a checkpoint"
    real = os.path.realpath(look.path)
    root = os.path.realpath(look.context.workspace.repository(look.run.name))
    if not real.startswith(f"{root}{os.sep}"):
        return f"it lies outside of the repository {look.run.name}"
    if any(part.startswith(".") for part in os.path.relpath(real, root).split(os.sep)):
        return "it lies in a hidden folder"
    return "" if stat.S_ISREG(os.lstat(look.path).st_mode) else "it is no plain file"


def _as_left(facts: os.stat_result, run: Run, one: Artifact) -> bool:
    """Whether the file is as that run has left it, as far as its size and time tell."""
    if one.mtime is not None:
        return facts.st_mtime_ns == one.mtime and facts.st_size == one.bytes
    ended = records.seconds(run.ended)
    return ended is not None and facts.st_mtime <= ended + _LATE and facts.st_size == one.bytes
