"""What can stand at the cursor: called by the shell through argcomplete, and imported for nothing else."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any, TextIO

import argcomplete
from argcomplete.lexers import split_line

from kobako import settings
from kobako.actions.context import Context
from kobako.cli import run
from kobako.compose import project
from kobako.console import Console
from kobako.errors import DONE, FAILED, KobakoError

Split = Callable[[list[str]], tuple[str | None, list[str]]]
"""The words of a command line -> its verb, and all other words."""


class _AfterVerb(run.Parser):
    """Parses what stands around the verb."""

    split: Split

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        return super().parse_known_args(self.split(list(args))[1], namespace)


def complete(
    verbs: Mapping[str, str], split: Split, module: Callable[[str], ModuleType], stream: TextIO | None = None
) -> int:
    """Write what can stand at the cursor to where the shell reads it (``stream`` stands in for that); the exit code."""
    made = parser(_words(os.environ), verbs, split, module)
    try:
        argcomplete.autocomplete(
            made,
            always_complete_options=False,
            exit_method=sys.exit,
            output_stream=stream,
            default_completer=_paths,  # type: ignore[arg-type]  # any callable of that shape will do
        )
    except SystemExit as end:
        return DONE if end.code in {None, 0} else FAILED
    except Exception:  # noqa: BLE001 - a person in the middle of a line is not to be disturbed
        return FAILED
    return FAILED


def _words(env: Mapping[str, str]) -> list[str]:
    """The words before the cursor, without the program and without the one that is being written."""
    line, point = env.get("COMP_LINE", ""), env.get("COMP_POINT", "")
    if not point.isdigit():
        return []
    _, _, _, words, _ = split_line(line, int(point))
    return [str(word) for word in words[1:]]


def parser(
    words: list[str], verbs: Mapping[str, str], split: Split, module: Callable[[str], ModuleType]
) -> argparse.ArgumentParser:
    """The parser of what may follow these words."""
    verb, rest = split(words)
    if verb is None or verb not in verbs:
        return _without_verb(verbs if verb is None else {})
    found = module(verb)
    if found.TAIL and _inside(rest, found.TAIL):
        return _tail(found.TAIL, rest)
    made = _AfterVerb(prog="kobako", allow_abbrev=False)
    made.split = split
    found.configure(made)
    run.common(made, as_json=found.JSON)
    return _with_completers(made)


def _without_verb(verbs: Mapping[str, str]) -> argparse.ArgumentParser:
    made = run.Parser(prog="kobako", allow_abbrev=False)
    made.add_argument("verb", nargs="*").completer = lambda **_: verbs  # type: ignore[attr-defined]
    made.add_argument("-V", "--version", action="store_true", help="the version")
    run.common(made, as_json=True)
    return _with_completers(made)


def _inside(rest: Sequence[str], tail: str) -> bool:
    """Whether the word at the cursor is for the program inside."""
    return "\0" in run.split([*rest, "\0"], tail)[1]


def _tail(tail: str, rest: Sequence[str]) -> argparse.ArgumentParser:
    made = run.Parser(prog="kobako", allow_abbrev=False, add_help=False)
    made.add_argument("words", nargs="*")
    if tail == "args" and "--" not in rest:
        long = argparse.ArgumentParser(add_help=False)
        run.common(long, as_json=True)
        for action in long._actions:  # noqa: SLF001 - argparse has no other way to ask
            action.option_strings = [name for name in action.option_strings if name in run.OWN]
            made._add_action(action)  # noqa: SLF001 - as above
    return _with_completers(made)


def _with_completers(made: argparse.ArgumentParser) -> argparse.ArgumentParser:
    for action in made._actions:  # noqa: SLF001 - as above
        if action.metavar == "SERVICE":
            action.completer = _services  # type: ignore[attr-defined]
        elif action.metavar == "RUN":
            action.completer = _runs  # type: ignore[attr-defined]
        elif action.dest == "engine":
            action.completer = lambda **_: settings.ENGINES  # type: ignore[attr-defined]
    return made


def _services(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """Services and containers of the compose file, but those that stand there already."""
    given = getattr(parsed_args, "services", None) or ()
    context = Context(run.start(getattr(parsed_args, "workspace", None)), os.environ, Console(os.environ, verbosity=-2))
    try:
        # a Tab leaves no trace in a folder where no verb has run yet
        there = context.project if context.workspace.state.is_dir() else project.load(context.found)[0]
    except KobakoError:  # the verb itself will say it
        return []
    names = {name for service in there.services.values() for name in (service.name, service.container_name) if name}
    return sorted(names - set(given))


def _runs(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """The runs that there are, and at first what is done with them and the services to list."""
    from kobako.actions import runs  # noqa: PLC0415 - for this verb only

    given = [word for word in getattr(parsed_args, "words", None) or () if word]
    context = Context(run.start(getattr(parsed_args, "workspace", None)), os.environ, Console(os.environ, verbosity=-2))
    found = [] if given[:1] == ["list"] else ["last", *runs.ids(context)]
    if not given or given[0] == "list":
        found += _services(parsed_args)
    return [*(() if given else runs.VERBS), *(one for one in found if one not in given)]


def _paths(prefix: str, **_: object) -> Iterator[str]:
    """Files and folders; argcomplete's own starts a shell for them."""
    folder = prefix[: prefix.rfind("/") + 1]
    with os.scandir(os.path.expanduser(folder) or ".") as entries:
        for entry in sorted(entries, key=lambda one: one.name):
            path = f"{folder}{entry.name}"
            if path.startswith(prefix) and (not entry.name.startswith(".") or prefix != folder):
                yield f"{path}/" if entry.is_dir() else path
