"""Removes records of runs, with what the entry script left of them, so that they are not found again.

What a training made is never touched, unless that is asked for and confirmed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from kobako.actions.artifacts import is_checkpoint
from kobako.actions.context import Context
from kobako.errors import KobakoError
from kobako.model.result import Problem
from kobako.model.run import Run
from kobako.train import records, records_trace
from kobako.train.records import Records
from kobako.train.records_shown import size

_NAMED = 10
"""Files that a question names."""


class How(NamedTuple):
    """``artifacts``: the checkpoints, too. ``sure``: also a run that perhaps goes on at another machine."""

    artifacts: bool = False
    sure: bool = False


def remove(context: Context, there: Records, ids: Sequence[str], how: How) -> tuple[tuple[str, ...], list[Problem]]:
    """The ids that were removed, and what was not and why."""
    problems: list[Problem] = []
    if how.artifacts:
        problems += _artifacts(context, there, ids)
    removed = []
    for run_id in ids:
        problem = _record(context, there, run_id, how)
        if problem is None:
            removed.append(run_id)
        else:
            problems.append(problem)
    return tuple(removed), problems


def _read(there: Records, run_id: str) -> Run | None:
    try:
        return there.read(run_id)
    except KobakoError:
        return None


def _going_on(context: Context, run: Run, how: How) -> Problem | None:
    """Why a run that has no end yet is left as it is; nothing where it may go."""
    away = run.recorder is not None and records.at_work(run.recorder) is None
    if not away or _gives_signs(context, run):
        fix = "wait for it, or end it with Ctrl-C"
        return Problem("not-removed", f"run {run.id} is not over: it is left as it is", fix=fix)
    if how.sure:
        return None
    host = run.recorder.hostname if run.recorder is not None else ""
    why = f"it was started on {host}, and whether it goes on cannot be seen from here"
    fix = f"where it does not: kobako runs rm {run.id} --yes"
    return Problem("not-removed", f"run {run.id} is perhaps not over: it is left as it is", why, fix)


def _gives_signs(context: Context, run: Run) -> bool:
    with contextlib.suppress(ValueError):
        trace = records_trace.read(context.workspace.repository(run.name), run.id)
        return trace is not None and trace.status == "running"
    return False


def _record(context: Context, there: Records, run_id: str, how: How) -> Problem | None:
    run = _read(there, run_id)
    if run is not None and run.status == "running":
        problem = _going_on(context, run, how)
        if problem is not None:
            return problem
    try:
        # first the trace: without a record it would be found and recorded again
        for repository in _repositories(context, run):
            trace = records_trace.folder(repository) / run_id
            if records_trace.is_own(repository) and trace.is_dir() and not trace.is_symlink():
                shutil.rmtree(trace)
        there.remove(run_id)
    except OSError as error:
        why = f"{error.filename}: {error.strerror}"
        return Problem("not-removed", f"run {run_id} cannot be removed", why, "remove it as who owns its files")
    return None


def _repositories(context: Context, run: Run | None) -> list[Path]:
    names = {service.title for service in context.project.services.values()}
    return [context.workspace.repository(name) for name in sorted(names | ({run.name} if run else set()))]


def _artifacts(context: Context, there: Records, ids: Sequence[str]) -> list[Problem]:
    """Checkpoints of these runs that are still as they were recorded, and that no other run has written since."""
    chosen = [run for one in ids if (run := _read(there, one)) is not None and run.status != "running"]
    others = {one.path for run in there.all().runs if run.id not in ids for one in run.artifacts}
    problems: list[Problem] = []
    found: dict[Path, int] = {}
    for run in chosen:
        for one in run.artifacts:
            path = there.root / one.path
            if one.kind != "checkpoint" or not is_checkpoint(path.name):
                continue
            if one.path in others:
                problems.append(Problem("not-removed", f"{one.path} is kept", "another run has written it, too"))
            elif _ours(path, context.workspace.repository(run.name)) and path.stat().st_size == one.bytes:
                found[path] = one.bytes
    if not found or not context.narrator.confirm(_question(found, there.root)):
        return problems
    for path in found:
        try:
            path.unlink()
        except OSError as error:
            problems.append(Problem("not-removed", f"{path} cannot be removed", error.strerror or str(error)))
    return problems


def _question(found: dict[Path, int], root: Path) -> str:
    names = [os.path.relpath(path, root) for path in found]
    more = [f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else []
    listed = "\n".join(f"  {name}" for name in [*names[:_NAMED], *more])
    return f"{listed}\ndelete these checkpoints ({size(sum(found.values()))})?"


def _ours(path: Path, repository: Path) -> bool:
    """A plain file in the run's repository, wherever links lead: a trace names whatever its author likes."""
    real, root = os.path.realpath(path), os.path.realpath(repository)
    hidden = any(part.startswith(".") for part in os.path.relpath(real, root).split(os.sep))
    return real.startswith(f"{root}{os.sep}") and not hidden and path.is_file() and not path.is_symlink()
