"""``kobako entry SERVICE``, and the part of ``add`` that writes the entry script into a repository."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

from kobako import scan as scanning
from kobako import transaction
from kobako.actions.context import Context
from kobako.errors import UsageError
from kobako.model.entry import SCRIPT, is_ours
from kobako.model.requirement import EntryPoint, Question
from kobako.model.result import Result
from kobako.model.service import Service
from kobako.train.entry.discover import Found
from kobako.train.entry.repository import Repository
from kobako.train.entry.settings import Option, Settings
from kobako.transaction import Transaction
from kobako.workspace import read_text, write_text

_INSTEAD = "name what trains under x-kobako.entry of the service"


class EntryScript(NamedTuple):
    """``text`` is what is to be written, "" for nothing; ``is_there``: the repository brings its own."""

    text: str = ""
    settings: Settings | None = None
    is_there: bool = False
    questions: tuple[Question, ...] = ()


class EntryRequest(NamedTuple):
    """``script`` is relative to the repository; with ``show`` nothing is written; ``force`` replaces what is there."""

    service: str
    script: str = ""
    show: bool = False
    force: bool = False


def prepare(name: str, folder: Path, entry_points: tuple[EntryPoint, ...]) -> EntryScript:
    """The entry script for the repository in that folder. What is there already stays, and is the entry."""
    return _standing(folder) or _rendered(_look(name, folder, entry_points))


def _rendered(found: Found) -> EntryScript:
    from kobako.train.entry import render  # noqa: PLC0415 - the template is long

    text = render(found.settings) if found.settings else ""
    return EntryScript(text, found.settings, questions=found.questions)


def _look(name: str, folder: Path, entry_points: tuple[EntryPoint, ...]) -> Found:
    from kobako.scan.tree import Tree  # noqa: PLC0415 - `add` and this verb alone need it
    from kobako.train.entry import discover  # noqa: PLC0415

    tree = Tree(folder)
    repository = Repository(tree.files, tree.read)
    if not any(one.file.endswith(".py") for one in entry_points):
        return _by_name(name, folder, repository) or discover.look(name, entry_points, repository)
    return discover.look(name, entry_points, repository)


def _by_name(name: str, folder: Path, repository: Repository) -> Found | None:
    """By a script that is called for training, where none was seen to train; that is said."""
    from kobako.train.entry import discover, named  # noqa: PLC0415 - as above

    files = named.of(repository)
    entry_point = scanning.script(folder, files[0]) if files else None
    if entry_point is None:
        return None
    found = discover.look(name, (entry_point,), repository)
    others = f"; {', '.join(files[1:4])} may be meant as well" if files[1:] else ""
    why = f"no script was seen to train, so {files[0]} is taken, by its name and because it reads arguments"
    question_ = Question(f"{why}{others} (another one: kobako entry {name} --force --script FILE)")
    return found._replace(questions=(question_, *found.questions))


def _standing(folder: Path) -> EntryScript | None:
    """What of that name is there; None where nothing is in the way."""
    script = folder / SCRIPT
    tools = script.parent
    if script.is_file() and folder.resolve() in script.resolve().parents:
        return EntryScript(is_there=True)
    if tools.is_symlink():
        why = f"{tools.name} is a link"
    elif os.path.lexists(tools) and not tools.is_dir():
        why = f"{tools.name} is no folder"
    elif os.path.lexists(script):
        why = f"{SCRIPT} is there and is no file of the repository's own"
    else:
        return None
    return EntryScript(questions=(Question(f"no entry script was written, for {why}: {_INSTEAD}"),))


def check_writable(folder: Path, shown: str) -> None:
    """Whether the entry script could be written into a folder that stays where it is. Raises ``UsageError``."""
    if _standing(folder) is not None:
        return
    tools = (folder / SCRIPT).parent
    place = tools if tools.is_dir() else folder
    if not os.access(place, os.W_OK | os.X_OK):
        there = f"{shown}/{tools.name}" if place == tools else shown
        raise UsageError(
            "unreadable",
            f"{there} cannot be written to, and nothing has been changed",
            why=f"the entry script {SCRIPT} is written into the repository",
            fix=f"chmod u+w {quote(there)} (as its owner); or without an entry script: kobako add --no-entry",
        )


def write(made: EntryScript, folder: Path, work: Transaction | None = None) -> None:
    """Into a repository in its place (with ``work``: all or nothing), or into one that is moved there as a whole."""
    path = folder / SCRIPT
    if not made.text:
        return
    if work is not None:
        work.write(path, made.text)
        return
    path.parent.mkdir(exist_ok=True)
    write_text(path, made.text, SCRIPT)


def told(made: EntryScript) -> list[str]:
    """What the entry script starts, in a line."""
    if made.is_there:
        return [f"entry: the repository's own {SCRIPT}"]
    if made.settings is None:
        return []
    found = made.settings
    means = f" (--config is its {found.config})" if found.config not in {"", "config"} else ""
    return [f"entry: {SCRIPT} starts {found.script}{means}"]


def data(made: EntryScript, name: str, *, written: bool) -> dict[str, Any]:
    """As the machine contract has it."""
    found = made.settings
    return {
        "file": f"{name}/{SCRIPT}" if made.text or made.is_there else None,
        "written": written and bool(made.text),
        "script": f"{name}/{found.script}" if found else None,
    }


def question(one: Question, name: str) -> dict[str, Any]:
    """An open question, its place as seen from the workspace."""
    finding = one.finding
    where = {"file": f"{name}/{finding.file}", "line": finding.line} if finding else None
    return {"what": one.what, "where": where}


def entry(context: Context, request: EntryRequest) -> Result:
    """Write the entry script of a service that is there already, or show it. Raises ``UsageError``."""
    service = context.service(request.service)
    name, folder = service.title, _folder(context, service)
    if not request.show:
        _refuse_standing(folder, request)
        check_writable(folder, name)
    made = _rendered(_found(name, folder, request.script))
    if made.settings is None:
        raise UsageError("no-entry", f"{name}: {made.questions[0].what}", where=service.where)
    if not request.show:
        _put(context, made, folder)
    found = {
        "service": service.name,
        "entry": data(made, name, written=not request.show),
        "options": [_option(one) for one in made.settings.options],
        "questions": [question(one, name) for one in made.questions],
        "text": made.text if request.show else None,
    }
    text = made.text.rstrip("\n") if request.show else _shown(name, made)
    return Result("entry", data=found, text=text)


def _option(one: Option) -> dict[str, Any]:
    return {"name": one.name, "flag": one.flag, "takes": one.takes, "required": one.required, "help": one.help}


def _shown(name: str, made: EntryScript) -> str:
    lines = [f"wrote {name}/{SCRIPT}", *told(made)]
    lines += ["open questions:", *(f"  {one}" for one in made.questions)] if made.questions else []
    configured = " --config=..." if made.settings and made.settings.config else ""
    return "\n".join([*lines, f"next: kobako train {name}{configured}"])


def _put(context: Context, made: EntryScript, folder: Path) -> None:
    path = folder / SCRIPT
    if path.is_file():  # --force: one rename, so that one of the two is always there
        write_text(path, made.text, context.workspace.relative(path))
        return
    with transaction.begin(context.workspace) as work:
        write(made, folder, work)
        work.done()


def _found(name: str, folder: Path, script: str) -> Found:
    if not script:
        return _look(name, folder, scanning.scan(folder).entry_points)
    file = os.path.normpath(script)
    inside = (folder / file).resolve()
    if file.startswith(("..", "/")) or folder.resolve() not in inside.parents or not inside.is_file():
        raise UsageError("bad-source", f"{script} is no file of {name}", fix=f"name it as seen from {name}/")
    named = scanning.script(folder, Path(file).as_posix())
    if named is None or file == SCRIPT:
        why = "it is the entry script itself" if file == SCRIPT else "it is no Python that can be read"
        raise UsageError("bad-source", f"{script} is no script that the entry script can start", why=why)
    return _look(name, folder, (named,))


def _folder(context: Context, service: Service) -> Path:
    folder = context.workspace.repository(service.title)
    if folder.is_dir():
        return folder
    raise UsageError(
        "bad-source",
        f"{service.title}/ is not there",
        why="the entry script is written into the repository",
        fix=f"put the repository there: git clone URL {quote(service.title)}",
        where=service.where,
    )


def _refuse_standing(folder: Path, request: EntryRequest) -> None:
    """What is there is not replaced, but for a script that Kobako wrote, when asked to."""
    standing = _standing(folder)
    if standing is None:
        return
    if standing.questions:
        raise UsageError("exists", str(standing.questions[0]))
    path = folder / SCRIPT
    ours = not path.is_symlink() and is_ours(SCRIPT, read_text(path))
    if request.force and ours:
        return
    see = f"see what would be written: kobako entry {request.service} --print"
    raise UsageError(
        "exists",
        f"{folder.name}/{SCRIPT} is there already and is left as it is",
        why="Kobako wrote it" if ours else "it is the repository's own, and is the entry",
        fix=f"{see}; write it anew: --force (changes made in it are lost)" if ours else see,
    )
