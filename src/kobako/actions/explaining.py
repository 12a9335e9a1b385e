"""How a run ended, in words: its last lines, and for one that failed what, why, and what to do."""

from __future__ import annotations

import os
import re
import shutil

from kobako.actions.context import Context
from kobako.model.result import Problem
from kobako.model.run import Failure, Run
from kobako.train.metrics import headline
from kobako.train.records_shown import duration, number

_LAST = 12
_LEFT = 50_000_000
"""Bytes below which a disk counts as full."""

_FIXES = (
    (r"no space left on device|disk quota exceeded", "free some space: df -h ."),
    (r"out of memory|CUBLAS_STATUS_ALLOC_FAILED", "a smaller batch, or a GPU with more memory"),
    (r"no kernel image is available", "the GPU is newer or older than this PyTorch: kobako base says which image fits"),
    (
        r"size mismatch for|Missing key\(s\) in state_dict|Unexpected key\(s\) in state_dict",
        "the checkpoint is another model's: take one of this configuration",
    ),
    (r"\bnan\b|\binf\b", "a smaller learning rate, or look for broken samples; kobako runs show has the curve"),
    (r"No module named '?([\w.]+)", "kobako shell, pip install it there, then write it into the Dockerfile"),
    (r"bus error|shared memory", "more shared memory: shm_size in docker-compose.yaml, or fewer workers"),
)


def of(context: Context, record: Run, *, was_shown: bool = False) -> tuple[Problem, ...]:
    """Why a training ended with another code than 0.

    With ``was_shown`` a person has read what the entry script itself said of it, and reads it once.
    """
    refused = tuple(one for one in record.problems if one.what)
    if record.failure is None and record.exit_code == 2 and refused:
        if not was_shown:
            return tuple(Problem("training-failed", *one) for one in refused)
        what = f"{record.name} was not trained (exit code 2): its entry script says why, above"
        return (Problem("training-failed", what),)
    found = _failed(context, record)
    return (found._replace(why="") if was_shown and record.failure is not None else found,)


def _failed(context: Context, record: Run) -> Problem:
    failure = record.failure
    what = f"the training of {record.name} ended with exit code {record.exit_code}"
    if failure is None:
        return Problem("training-failed", what, _by_signal(record), _fix(context, record, ""))
    rank = "" if failure.rank is None else f"rank {failure.rank}: "
    first = failure.message.splitlines()[0] if failure.message else ""
    told = ": ".join(one for one in (failure.type, first) if one)
    why = _end_of(failure) if failure.traceback else ""
    return Problem("training-failed", f"{what}: {rank}{told}" if told else what, why, _fix(context, record, told))


def _end_of(failure: Failure) -> str:
    lines = [line for line in failure.traceback.splitlines() if line.strip()]
    return "\n".join(lines[-_LAST:])


def _by_signal(record: Run) -> str:
    if record.signal == 9:
        return "it was killed (signal 9): by hand, or because memory ran out"
    return "" if record.signal is None else f"signal {record.signal} ended it"


def _fix(context: Context, record: Run, told: str) -> str:
    config = record.config.path
    root = context.workspace.root
    if config is not None and not os.path.exists(root / config) and (not told or os.path.basename(config) in told):
        return f"{config} does not exist: correct --config"
    full = _full(str(root))
    if full:
        return full
    for pattern, fix in _FIXES:
        if re.search(pattern, told, re.IGNORECASE):
            return fix
    data = record.data
    spoken = data.path is not None and bool(re.search(rf"\b{re.escape(data.path)}\b", told))
    if spoken and not data.files and data.left_out in {"", "it is not there"}:
        return f"{data.path} is empty: put the data there"
    said = next((one.fix for one in reversed(record.problems) if one.fix), "")
    return said or f"kobako runs show {record.id}"


def _full(path: str) -> str:
    try:
        left = shutil.disk_usage(path).free
    except OSError:
        return ""
    return f"free some space: the disk of {path} has {left // 1_000_000} MB left" if left < _LEFT else ""


def last_lines(record: Run, seconds: float | None) -> list[str]:
    """How it ended, its metrics, its checkpoint, and where more stands."""
    took = "" if seconds is None else f" after {duration(seconds)}"
    code = f" (exit code {record.exit_code})" if record.status == "failed" else ""
    lines = [f"run {record.id}: {record.status}{took}{code}"]
    shown = headline(record.metrics)
    if shown:
        lines.append("  " + ", ".join(f"{one.tag} {number(one.last)}" for one in shown))
    if record.checkpoint is not None:
        lines.append(f"  checkpoint {record.checkpoint.path}")
    if record.clearml.session is not None:
        lines.append(f"  ClearML's offline session {record.clearml.session}")
    if record.log is not None and record.status != "done":
        lines.append(f"  log {record.log}")
    lines.append(f"  kobako runs show {record.id}")
    return lines
