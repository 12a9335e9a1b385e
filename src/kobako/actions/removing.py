"""Removes records of runs, with what the entry script left of them, so that they are not found again.

What a training made is never touched, unless that is asked for and confirmed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from kobako.actions import checkpoints
from kobako.actions.checkpoints import Kept
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
    """``files`` are the checkpoints that go, too; None where none are to. ``sure``: also a run that perhaps goes on at
    another machine.
    """

    files: frozenset[Path] | None = None
    sure: bool = False


def traces(context: Context) -> tuple[str, ...]:
    """The ids of all runs that left something, also where it cannot be used."""
    return tuple(name for one in _repositories(context, None) for name in records_trace.names(one))


def asked(context: Context, runs: Sequence[Run], ids: Sequence[str]) -> frozenset[Path] | None:
    """The checkpoints that are to go with these runs; None where the answer is no.

    A question may stand for long: it is asked while nobody is kept waiting. Raises ``UsageError`` where nobody can be.
    """
    files = checkpoints.own(context, runs, ids).files
    if files and not context.narrator.confirm(_question(files, context.workspace.root), person=True):
        return None
    return frozenset(files)


def remove(context: Context, there: Records, ids: Sequence[str], how: How) -> tuple[tuple[str, ...], list[Problem]]:
    """The ids that were removed, and what was not and why."""
    problems: list[Problem] = []
    kept: dict[str, list[Kept]] = {}
    if how.files is not None:
        kept = _delete(context, there, ids, how.files)
        problems += [Problem("not-removed", f"{one.path} is kept", one.why) for run in kept.values() for one in run]
    removed = []
    for run_id in ids:
        lost = sum(one.lost for one in kept.get(run_id, ()))
        problem = _stays(run_id, lost) if lost else _record(context, there, run_id, how)
        if problem is None:
            removed.append(run_id)
        else:
            problems.append(problem)
    return tuple(removed), problems


def _stays(run_id: str, lost: int) -> Problem:
    what = f"run {run_id} is left as it is"
    why = f"{lost} of its checkpoints {'is' if lost == 1 else 'are'} kept, and no other record tells of such"
    return Problem("not-removed", what, why, f"its record alone: kobako runs rm {run_id}")


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


def _unknown(context: Context, run_id: str, how: How) -> Problem | None:
    """Of a run that nothing can be read of all that is known is when it gave a sign."""
    for repository in _repositories(context, None):
        try:
            since = time.time() - os.lstat(records_trace.folder(repository) / run_id / records_trace.ALIVE).st_mtime
        except OSError:
            continue
        if 0 <= since < records_trace.SILENT and not how.sure:
            why, fix = f"it gave a sign {since:.0f} s ago", f"where it is over: kobako runs rm {run_id} --yes"
            return Problem("not-removed", f"run {run_id} is perhaps not over: it is left as it is", why, fix)
    return None


def _record(context: Context, there: Records, run_id: str, how: How) -> Problem | None:
    run = _read(there, run_id)
    problem = None
    if run is None:
        problem = _unknown(context, run_id, how)
    elif run.status == "running":
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


def _delete(context: Context, there: Records, ids: Sequence[str], files: frozenset[Path]) -> dict[str, list[Kept]]:
    """Delete those that are still what was asked about; what is kept of which run."""
    runs = there.all().runs
    own = checkpoints.own(context, runs, ids)
    kept = {run_id: list(found) for run_id, found in own.kept.items()}
    for path in own.files:
        why = _unlink(path) if path in files else "it came while the question was asked"
        for run in runs if why else ():
            found = [one.path for one in run.artifacts if there.root / one.path == path]
            if found and run.id in ids:
                kept.setdefault(run.id, []).append(Kept(found[0], why))
    return kept


def _unlink(path: Path) -> str:
    """Why it cannot be deleted; "" where it is gone."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _question(found: dict[Path, int], root: Path) -> str:
    names = [os.path.relpath(path, root) for path in found]
    more = [f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else []
    listed = "\n".join(f"  {name}" for name in [*names[:_NAMED], *more])
    return f"{listed}\ndelete these checkpoints ({size(sum(found.values()))})?"
