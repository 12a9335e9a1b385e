"""``kobako add SOURCE``: a repository becomes a service. All of it, or nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kobako import plan, sources, transaction
from kobako.actions import entry_script
from kobako.actions.context import Context
from kobako.actions.entry_script import EntryScript
from kobako.actions.facts import Wishes, gather
from kobako.errors import UsageError
from kobako.model.entry import SCRIPT
from kobako.model.names import checked_name, service_name
from kobako.model.requirement import Question
from kobako.model.result import Problem, Result
from kobako.plan import Facts, Plan
from kobako.sources import Fetched, Source
from kobako.transaction import Transaction
from kobako.workspace import Workspace, read_text

_LONG = 60
"""Characters of an address that are worth showing on a line."""


@dataclass(frozen=True)
class AddRequest:
    """What the user asked for. ``ref`` is a branch, tag or commit of a git URL; ``entry``: write the entry script."""

    source: str
    name: str = ""
    ref: str | None = None
    wishes: Wishes = field(default_factory=Wishes)
    subtree: bool = False
    entry: bool = True
    dry_run: bool = False


def add(context: Context, request: AddRequest) -> Result:
    """Fetch, scan, choose the base, write. Raises ``UsageError``; then nothing has changed."""
    workspace = context.workspace
    transaction.recover(workspace, context.narrator.say)
    source = sources.resolve(request.source, ref=request.ref)
    if request.subtree and source.kind != "git":
        raise UsageError("bad-source", "--subtree needs a git URL", why=f"{request.source} is not one")
    if request.name or source.kind in {"git", "folder"}:
        _free(context, checked_name(request.name or source.name), source)
    with transaction.begin(workspace) as work:
        fetched = _fetch(context, request, source, work)
        if not request.subtree:  # an archive told its name only now; a subtree stands there already
            _free(context, fetched.name, source)
        if request.entry and fetched.in_place:
            entry_script.check_writable(fetched.path, fetched.name)
        facts, problems = gather(context, request.wishes, fetched, work)
        planned = _planned(facts, fetched, request)
        with transaction.alone(workspace):
            written = _write(context, fetched, planned, work, dry_run=request.dry_run)
    result = _result(facts, planned, written, dry_run=request.dry_run)
    return result._replace(status="partial", problems=(*result.problems, *problems)) if problems else result


def _free(context: Context, name: str, source: Source) -> None:
    """Nothing of that name may be there yet, except the very folder that is added."""
    workspace = context.workspace
    service = service_name(name)
    fix = f"give it another name: --name {name}-2"
    for other in context.project.services.values():
        if other.name == service or other.container_name == name:
            raise UsageError("exists", f"there is a service {other.name} already", fix=fix, where=other.where)
    dockerfile = workspace.dockerfile(name)
    if dockerfile.exists() or dockerfile.is_symlink():
        raise UsageError("exists", f"docker/{name} is there already and is left as it is", fix=fix)
    folder = workspace.repository(name)
    itself = source.kind == "folder" and Path(source.location) == folder.resolve() and not folder.is_symlink()
    if (folder.exists() or folder.is_symlink()) and not itself:
        fix = f"use what is there: kobako add ./{name}; or {fix}" if folder.is_dir() else fix
        raise UsageError("exists", f"{name} is there already and is left as it is", fix=fix)


def _fetch(context: Context, request: AddRequest, source: Source, work: Transaction) -> Fetched:
    narrator = context.narrator
    shown = sources.hide(request.source)
    with narrator.step(f"fetching {shown if len(shown) < _LONG else f'.../{os.path.basename(shown)}'}"):
        if not request.subtree or request.dry_run:
            return sources.fetch(source, work.stage, workspace=context.workspace.root, name=request.name)
        fetched, undo = sources.subtree(source, request.name or source.name, context.workspace.root)
        work.on_failure(undo)
        return fetched


@dataclass(frozen=True)
class _Planned:
    """All that is to be written: by the plan, and into the repository."""

    plan: Plan
    entry: EntryScript

    @property
    def questions(self) -> tuple[Question, ...]:
        return (*self.plan.questions, *self.entry.questions)


def _planned(facts: Facts, fetched: Fetched, request: AddRequest) -> _Planned:
    made = EntryScript()
    if request.entry and facts.scan.has_python:
        made = entry_script.prepare(fetched.name, fetched.path, facts.scan.entry_points)
    if made.text and fetched.facts.get("subtree"):
        what = f"{fetched.name}/{SCRIPT} is new and not committed: git add it, or it is not in the next clone"
        made = made._replace(questions=(*made.questions, Question(what)))
    return _Planned(plan.plan(facts), made)


@dataclass(frozen=True)
class _Written:
    """``files`` are relative to the workspace; ``compose`` is the compose file's new text."""

    files: tuple[str, ...]
    compose: str


def _write(context: Context, fetched: Fetched, planned: _Planned, work: Transaction, *, dry_run: bool) -> _Written:
    from kobako.compose.edit import add_service  # noqa: PLC0415 - the YAML parser is needed from here on

    workspace = context.workspace
    file = context.found.files[0]
    shown = workspace.relative(file)
    text = add_service(read_text(file, shown), service_name(fetched.name), planned.plan.service, file=shown)
    dockerfile = workspace.dockerfile(fetched.name)
    files = [workspace.relative(dockerfile), shown]
    if not fetched.in_place or fetched.facts.get("subtree"):
        files.insert(0, f"{fetched.name}/")
    if planned.entry.text:
        files.insert(len(files) - 2, f"{fetched.name}/{SCRIPT}")
    if dry_run:
        return _Written(tuple(files), text)
    if fetched.in_place:
        entry_script.write(planned.entry, fetched.path, work)
    else:
        entry_script.write(planned.entry, fetched.path)
        work.move(fetched.path, workspace.repository(fetched.name))
    work.write(dockerfile, planned.plan.dockerfile)
    made = [folder for folder in _folders(workspace, fetched.name) if work.folder(folder)]
    files += [f"{workspace.relative(folder)}/" for folder in made]
    work.commit(file, text)
    return _Written(tuple(files), text)


def _folders(workspace: Workspace, name: str) -> Sequence[Path]:
    root = workspace.root
    return (root / "configs" / name, root / "data", root / "pretrain")


def _result(facts: Facts, planned: _Planned, written: _Written, *, dry_run: bool) -> Result:
    name, image = facts.name, facts.image
    problems = (*_no_python(facts), *(_placed(problem, name) for problem in facts.scan.problems))
    data: dict[str, Any] = {
        "service": service_name(name),
        "name": name,
        "files": list(written.files),
        "source": dict(facts.source),
        "base": {
            "image": image.reference,
            "reasons": list(facts.base.reasons),
            "python": image.python or None,
            "torch": image.torch or None,
            "cuda": image.cuda or None,
        },
        "as_of": facts.as_of.isoformat() if facts.as_of else None,
        "entry": entry_script.data(planned.entry, name, written=not dry_run),
        "requirements": [str(one) for one in facts.scan.requirements],
        "questions": [entry_script.question(one, name) for one in planned.questions],
    }
    text = _preview(name, planned) if dry_run else _told(facts, planned, written)
    return Result("add", "partial" if problems else "ok", data=data, problems=problems, text=text)


def _no_python(facts: Facts) -> tuple[Problem, ...]:
    if facts.scan.has_python:
        return ()
    why = "no Python file, no notebook and no file that declares Python packages was found"
    return (Problem("no-python", f"{facts.name} holds no Python", why, "add the folder that does"),)


def _placed(problem: Problem, name: str) -> Problem:
    """The problem's place, seen from the workspace."""
    where = problem.where
    return problem._replace(where=where._replace(file=f"{name}/{where.file}")) if where else problem


def _told(facts: Facts, planned: _Planned, written: _Written) -> str:
    service = service_name(facts.name)
    shown = facts.name if service == facts.name else f"{facts.name} (service {service})"
    lines = [f"added {shown} on {facts.image.reference}", *(f"  {file}" for file in written.files)]
    lines += entry_script.told(planned.entry)
    if planned.questions:
        lines += ["open questions:", *(f"  {question}" for question in planned.questions)]
    lines.append(f"next: kobako build {facts.name}")
    return "\n".join(lines)


def _preview(name: str, planned: _Planned) -> str:
    body = "".join(f"    {line}\n" for line in planned.plan.service.splitlines())
    started = "".join(f"\n# {line}\n" for line in entry_script.told(planned.entry))
    asked = "".join(f"# open question: {question}\n" for question in planned.questions)
    service = service_name(name)
    dockerfile = planned.plan.dockerfile
    return f"# docker/{name}\n\n{dockerfile}\n# service {service}\n\n  {service}:\n{body}{started}{asked}"
