"""``kobako runs``: what was trained, listed, shown, compared, removed."""

from __future__ import annotations

import os
import re
import shlex
import time
from collections.abc import Sequence
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from kobako import terminal
from kobako.actions import adopting, removing
from kobako.actions.context import Context
from kobako.errors import KobakoError, UsageError, WorkError
from kobako.model.result import Problem, Result
from kobako.model.run import Run
from kobako.train import records, records_compare, records_json, records_shown
from kobako.train.records import Found, Records

VERBS = ("list", "show", "compare", "rm")
_SHOWN = 30
_PANELS = 4
_HEIGHT = 12
_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


class Request(NamedTuple):
    """``words`` are what stands on the command line: a verb, services, runs."""

    words: tuple[str, ...] = ()
    status: str | None = None
    since: str | None = None
    last: int | None = None
    curves: bool = False
    tags: tuple[str, ...] = ()
    plot: str | None = None
    failed: bool = False
    older_than: str | None = None
    artifacts: bool = False
    yes: bool = False


_WHICH = ("status", "since", "failed", "older_than")
_DRAWN = ("curves", "tags", "plot")
TAKES = {"list": (*_WHICH, "last"), "show": _DRAWN, "compare": _DRAWN, "rm": (*_WHICH, "artifacts")}
"""The flags of each verb, by the names of ``Request``."""


class _Here(NamedTuple):
    """The runs as they are now, and what went wrong in looking at them."""

    context: Context
    request: Request
    records: Records
    found: Found

    @property
    def ids(self) -> tuple[str, ...]:
        """All of them, the broken ones last."""
        good = [run.id for run in self.found.runs]
        return (*good, *(one for one in self.records.ids() if one not in good))


def runs(context: Context, request: Request) -> Result:
    """Bring the records up to date, then do what is asked. Nothing of a record that is broken stops the others."""
    there = Records(context.workspace.root)
    found = adopting.all_of(context, tuple(context.project.services.values()))
    here = _Here(context, request, there, found)
    verb, words = _verb(here)
    _check_flags(request, verb)
    if verb == "list":
        return _list(here, words)
    if verb == "show":
        return _show(here, words)
    return _compare(here, words) if verb == "compare" else _remove(here, words)


def _verb(here: _Here) -> tuple[str, tuple[str, ...]]:
    words = here.request.words
    if not words:
        return "list", ()
    if words[0] in VERBS:
        return words[0], words[1:]
    others = [word for word in words if not _is_service(here, word)]
    if others:
        _check(here, words, others[0])
    return ("show" if others else "list"), words


def _check_flags(request: Request, verb: str) -> None:
    """A flag that were passed over in silence would leave more to be removed than was meant."""
    for name in dict.fromkeys(one for names in TAKES.values() for one in names):
        if getattr(request, name) and name not in TAKES[verb]:
            flag = f"--{'tag' if name == 'tags' else name.replace('_', '-')}"
            others = " and ".join(f"kobako runs {one}" for one, names in TAKES.items() if name in names)
            raise UsageError("usage", f"kobako runs {verb} knows no {flag}", fix=f"it is for {others}")


def _check(here: _Here, words: tuple[str, ...], word: str) -> None:
    """A word that is no run may be a verb: mistyped, or not the first."""
    if records.is_back(word) or any(one.startswith(word) or one.endswith(word) for one in here.ids):
        return
    close = get_close_matches(word, VERBS, n=1, cutoff=0.7)
    if close:
        rest = shlex.join(one for one in words if one != word)
        fix = f"did you mean kobako runs {close[0]} {rest}".rstrip() + "?"
        raise UsageError("unknown-run", f"there is no run {word}", fix=fix)


def _is_service(here: _Here, word: str) -> bool:
    names = {name for one in here.context.project.services.values() for name in (one.name, one.title)}
    return word in names or any(word in {run.service, run.name} for run in here.found.runs)


def _list(here: _Here, words: tuple[str, ...]) -> Result:
    for word in words:
        if not _is_service(here, word):
            here.context.service(word)  # which says what was perhaps meant
    request = here.request
    chosen = [run for run in _matching(here) if not words or run.service in words or run.name in words]
    window = terminal.window(1)
    most = request.last or (_SHOWN if window is not None else len(chosen))
    shown = chosen[:most]
    text = records_shown.listing(shown, window[1] if window else None) if shown else _none(here)
    if len(chosen) > len(shown):
        text += f"\n{len(chosen) - len(shown)} older ones: --last {len(chosen)}"
    return _result(here, {"runs": [brief(here.records, run) for run in shown]}, text)


def _matching(here: _Here) -> list[Run]:
    """Those that the flags mean; what the flags do not speak of is meant, too."""
    request = here.request
    since = None if request.since is None else moment(request.since, "--since")
    before = None if request.older_than is None else moment(request.older_than, "--older-than")
    found = []
    for run in here.found.runs:
        began = records.seconds(run.started) or 0.0
        right = request.status in {None, run.status} and not (request.failed and run.status in {"done", "running"})
        if right and (since is None or began >= since) and (before is None or began < before):
            found.append(run)
    return found


def _none(here: _Here) -> str:
    if here.found.runs:
        return "no run is like that"
    return "no runs yet: kobako train SERVICE"


def _result(here: _Here, data: dict[str, Any], text: str, problems: tuple[Problem, ...] = ()) -> Result:
    told = (*here.found.problems, *problems)
    return Result("runs", "partial" if told else "ok", data=data, problems=told, text=text)


def brief(there: Records, run: Run) -> dict[str, Any]:
    """A run as the machine contract has it."""
    checkpoint = run.checkpoint
    return {
        "id": run.id,
        "service": run.service,
        "name": run.name,
        "engine": run.engine,
        "status": run.status,
        "started_by": run.started_by,
        "command": list(run.command),
        "config": run.config.path,
        "started": run.started,
        "ended": run.ended,
        "seconds": records_shown.took(run),
        "exit_code": run.exit_code,
        "metrics": {one.tag: one.last for one in run.metrics},
        "lock": None if run.lock is None else run.lock.sha256,
        "source": records_json.encode(run.source),
        "work_dir": run.work_dir,
        "checkpoint": None if checkpoint is None else checkpoint.path,
        "clearml": records_json.encode(run.clearml),
        "record": os.path.relpath(there.of(run.id), there.root),
    }


def _whole(there: Records, run: Run) -> dict[str, Any]:
    return {**brief(there, run), "details": records_json.encode(run)}


def _picked(here: _Here, words: Sequence[str]) -> list[Run]:
    """The runs that are meant. Raises what is wrong with one of them."""
    known = {run.id: run for run in here.found.runs}
    ids = [records.pick(word, here.ids) for word in words]
    return [known[one] if one in known else here.records.read(one) for one in ids]


def _show(here: _Here, words: tuple[str, ...]) -> Result:
    found = _picked(here, words or ("last",))
    parts = []
    for run in found:
        text = records_shown.one(run, os.path.relpath(here.records.of(run.id), here.records.root))
        parts.append("\n".join([text, *_curves(here, [run])]))
    data = {"runs": [_whole(here.records, run) for run in found], "picture": _picture(here, found)}
    # what is wrong with other runs is not asked for here
    return Result("runs", data=data, text="\n\n".join(parts))


def _compare(here: _Here, words: tuple[str, ...]) -> Result:
    if len(words) < 2:
        raise UsageError("usage", "two runs or more are compared", fix="kobako runs compare last-1 last")
    found = _picked(here, words)
    compared = records_compare.compare(found, here.records.of)
    text = "\n".join([records_compare.shown(found, compared), *_curves(here, found)])
    data = {
        "runs": [_whole(here.records, run) for run in found],
        "compare": records_json.encode(compared),
        "picture": _picture(here, found),
    }
    return Result("runs", data=data, text=text)


def _panels(here: _Here, found: Sequence[Run]) -> list[Any]:
    from kobako.train import curves  # noqa: PLC0415 - where they are drawn
    from kobako.train.metrics import Point  # noqa: PLC0415 - as above

    series = []
    for run in found:
        points = [Point(*one) for one in records.points(here.records.of(run.id))]
        series += curves.series(run.id, points)
    wanted = here.request.tags
    _check_tags(wanted, sorted({one.tag for one in series}))
    return curves.panels([one for one in series if not wanted or one.tag in wanted])


def _check_tags(wanted: Sequence[str], known: Sequence[str]) -> None:
    for tag in wanted:
        if tag not in known:
            close = get_close_matches(tag, known, n=1)
            fix = f"did you mean --tag {close[0]}?" if close else "kobako runs show RUN lists them"
            raise UsageError("usage", f"nothing was reported as {tag}", fix=fix)


def _curves(here: _Here, found: Sequence[Run]) -> list[str]:
    """Charts for a terminal: the first few of what there is, or what was asked for."""
    window = terminal.window(1)
    if not here.request.curves and not here.request.tags and window is None:
        return []
    from kobako.train import curves  # noqa: PLC0415 - as above

    panels = _panels(here, found)
    most = len(panels) if here.request.tags or here.request.curves else _PANELS
    width = min(window[1] if window else 80, 120)
    lines = []
    for panel in panels[:most]:
        lines += ["", curves.terminal(panel.series, width, _HEIGHT)]
    if len(panels) > most:
        lines.append(f"{len(panels) - most} more: --curves, or --tag TAG")
    return lines


def _picture(here: _Here, found: Sequence[Run]) -> str | None:
    if here.request.plot is None:
        return None
    from kobako.train import curves  # noqa: PLC0415 - as above

    path = Path(here.request.plot).absolute()
    series = [one for panel in _panels(here, found) for one in panel.series]
    curves.picture(series, path, title=", ".join(run.id for run in found))
    here.context.narrator.say(f"written: {here.request.plot}")
    return str(path)


def _remove(here: _Here, words: tuple[str, ...]) -> Result:
    chosen = _chosen(here, words)
    files = removing.asked(here.context, here.found.runs, chosen) if here.request.artifacts else frozenset()
    if files is None:  # no to the files is no to all of it: without a record nobody would know whose they are
        return _removed(here, (), [])
    how = removing.How(files if here.request.artifacts else None, here.request.yes)
    try:
        with here.records.alone():
            removed, problems = removing.remove(here.context, here.records, chosen, how)
    except TimeoutError as error:
        raise WorkError("not-removed", "nothing is removed", why=str(error), fix="end it") from error
    return _removed(here, removed, problems)


def _chosen(here: _Here, words: tuple[str, ...]) -> list[str]:
    """The ids that are to go; also of what was left by a run and cannot be recorded."""
    flagged = any(getattr(here.request, name) for name in _WHICH)
    if bool(words) == flagged:
        what = "runs that are named, or those that a flag means: not both" if flagged else "which runs?"
        raise UsageError("usage", what, fix="kobako runs rm RUN, or --failed, or --older-than 30d")
    if flagged:
        return [run.id for run in _matching(here) if run.status != "running" or here.request.status == "running"]
    broken = [one for one in removing.traces(here.context) if one not in here.ids]
    known = (*here.ids, *dict.fromkeys(broken))
    # of what is alike nothing is suggested: who takes it over loses another run
    return list(
        dict.fromkeys(records.pick(one, here.ids if records.is_back(one) else known, suggest=False) for one in words)
    )


def _removed(here: _Here, ids: tuple[str, ...], problems: list[Problem]) -> Result:
    text = "\n".join(f"removed {one}" for one in ids) or "nothing is removed"
    left = here._replace(found=Found(here.found.runs))
    result = _result(left, {"runs": [], "removed": list(ids)}, text, tuple(problems))
    return result._replace(status="failed", exit_code=1) if problems and not ids else result


def moment(text: str, flag: str) -> float:
    """A day, a time, or how long ago, in seconds since the epoch. Raises ``UsageError``."""
    ago = re.fullmatch(r"(\d{1,6})([mhdw])", text)
    if ago:
        return time.time() - int(ago[1]) * _UNITS[ago[2]]
    try:
        return datetime.fromisoformat(text).astimezone().timestamp()
    except ValueError as error:
        raise UsageError("usage", f"{flag} {text} is no time", fix=f"{flag} 7d, or {flag} 2026-05-01") from error


def ids(context: Context) -> tuple[str, ...]:
    """The runs that there are, for the shell's completion."""
    try:
        return Records(context.workspace.root).ids()
    except KobakoError:
        return ()
