"""``kobako scan PATH``: what a repository needs, and where that is written. Nothing of it is executed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kobako import scan as scanning
from kobako import sources
from kobako.actions.context import Context
from kobako.errors import UsageError
from kobako.model.finding import Finding
from kobako.model.requirement import Bound, EntryPoint, Requirement, Scan
from kobako.model.result import Problem, Result
from kobako.scan import shown


@dataclass(frozen=True)
class ScanRequest:
    """What the user asked for. ``declarations`` is false for what the imports alone say."""

    path: str
    declarations: bool = True
    verbose: bool = False


def scan(context: Context, request: ScanRequest) -> Result:
    """Read the folder, or the repository of the service of that name. Raises ``UsageError`` for an empty folder."""
    folder = _folder(context, request.path)
    found = scanning.scan(folder, declarations=request.declarations)
    problems = tuple(_placed(context, folder, one) for one in found.problems)
    if not found.has_python:
        why = "no Python file, no notebook and no file that declares Python packages was found"
        problems = (
            Problem("no-python", f"{request.path} holds no Python", why, "name the folder that does"),
            *problems,
        )
    day = _date(context, folder)
    facts = {**data(found), "date": day}
    lines = shown.lines(found, verbose=request.verbose) if found.has_python else []
    if lines and day:
        lines.insert(0, f"newest commit or file: {day}")
    text = "\n".join(lines)
    return Result("scan", "partial" if problems else "ok", data=facts, problems=problems, text=text)


def _placed(context: Context, folder: Path, problem: Problem) -> Problem:
    """The problem's place seen from the workspace, where the repository stands in one; else from the repository."""
    try:
        root = context.workspace.root
    except UsageError:
        return problem
    if problem.where is None or root not in folder.parents:
        return problem
    file = f"{folder.relative_to(root).as_posix()}/{problem.where.file}"
    return problem._replace(where=problem.where._replace(file=file))


def _folder(context: Context, path: str) -> Path:
    folder = (context.start / path).absolute()
    if not folder.exists() and "/" not in path:
        folder = _of_service(context, path) or folder
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "is not there"
        fix = "unpack it first, or: kobako add" if folder.exists() else "kobako scan FOLDER"
        raise UsageError("bad-source", f"{path} {what}", fix=fix)
    try:
        if next(folder.iterdir(), None) is None:
            raise UsageError("bad-source", f"{path} is empty", why="there is nothing to read", fix="kobako scan FOLDER")
    except OSError as error:
        raise UsageError("unreadable", f"{path} cannot be read", why=error.strerror or str(error)) from error
    return folder


def _of_service(context: Context, name: str) -> Path | None:
    """The repository of the service of that name, where this is a workspace."""
    try:
        return context.workspace.repository(context.service(name).title)
    except UsageError:
        return None


def _date(context: Context, folder: Path) -> str | None:
    """The date of the newest commit, from git or from what ``add`` wrote down."""
    known = sources.facts_of(folder).get(sources.DATE)
    if known is None:
        try:
            roots = {context.workspace.repository(one.title): one for one in context.project.services.values()}
        except UsageError:  # not in a workspace
            return None
        known = roots[folder].hints.source.get(sources.DATE) if folder in roots else None
    return str(known) if known else None


def data(found: Scan) -> dict[str, Any]:
    """The scan as the machine contract has it."""
    return {
        "python": _bound(found.python),
        "torch": _bound(found.torch),
        "cuda": _bound(found.cuda),
        "requirements": [_requirement(one) for one in found.requirements],
        "build": [_requirement(one) for one in found.build],
        "system": [{"name": one.name, "why": one.why, "evidence": _places(one.findings)} for one in found.system],
        "entry_points": [_entry_point(one) for one in found.entry_points],
        "others": [{"what": one.what, "why": one.why, "evidence": _places(one.findings)} for one in found.others],
        "questions": [
            {"what": one.what, "where": _places((one.finding,))[0] if one.finding else None} for one in found.questions
        ],
    }


def _bound(bound: Bound | None) -> dict[str, Any] | None:
    if bound is None:
        return None
    return {"specifier": bound.specifier, "firm": bound.firm, "evidence": _places(bound.findings)}


def _requirement(one: Requirement) -> dict[str, Any]:
    return {
        "name": one.name,
        "specifier": one.specifier,
        "extras": list(one.extras),
        "marker": one.marker,
        "url": one.url,
        "origin": one.origin,
        "optional": one.optional,
        "evidence": _places((*one.findings, *one.imports)),
    }


def _entry_point(one: EntryPoint) -> dict[str, Any]:
    arguments = [
        {
            "flags": list(each.flags),
            "takes": each.takes,
            "choices": list(each.choices),
            "required": each.required,
            "default": each.default,
            "help": each.help,
        }
        for each in one.arguments
    ]
    return {"file": one.file, "why": one.why, "arguments": arguments}


def _places(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [{"file": one.file, "line": one.line} for one in findings]
