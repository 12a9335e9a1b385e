"""Runs one verb: its parser, its context, its action, and the telling of what came of it."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from kobako.actions.context import Context, relative
from kobako.console import Console
from kobako.errors import BUG, DONE, FAILED, INTERRUPTED, USAGE, KobakoError, Stopped, UsageError
from kobako.model.result import Problem, Result


class Parser(argparse.ArgumentParser):
    """Raises instead of exiting, and has a suggestion for a mistyped flag."""

    def error(self, message: str) -> NoReturn:
        raise UsageError("usage", message, fix=self._suggestion(message) or f"{self.prog} --help")

    def _suggestion(self, message: str) -> str:
        from difflib import get_close_matches  # noqa: PLC0415 - only on failure

        known = [flag for action in self._actions for flag in action.option_strings]
        for word in message.split():
            if word.startswith("--") and (close := get_close_matches(word.split("=")[0], known, n=1)):
                return f"did you mean {close[0]}?"
        return ""


def parser(verb: str, module: ModuleType) -> Parser:
    """The parser of a verb; ``tools`` make the reference from it."""
    made = Parser(
        prog=f"kobako {verb}",
        description=module.DESCRIPTION,
        epilog=f"example:\n  {module.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.configure(made)
    common(made, as_json=module.JSON)
    return made


def common(made: argparse.ArgumentParser, *, as_json: bool) -> None:
    """Add the options that all verbs take."""
    group = made.add_argument_group("common options")
    group.add_argument("--workspace", metavar="PATH", help="look for the compose file here (default: this folder)")
    group.add_argument(
        "--engine", metavar="NAME", help="docker or local (default: KOBAKO_ENGINE, x-kobako.engine, what is there)"
    )
    if as_json:
        group.add_argument("--json", action="store_true", help="one JSON object on standard output")
    group.add_argument("--yes", action="store_true", help="answer every question with yes")
    group.add_argument("-v", "--verbose", action="count", default=0, help="show the output of what is run")
    group.add_argument("-q", "--quiet", action="count", default=0, help="say less")
    group.add_argument("--no-color", action="store_true", help="no colour")


def run(verb: str, module: ModuleType, words: Sequence[str]) -> int:
    """Parse, act, tell; the exit code."""
    try:
        own, tail = split(words, module.TAIL)
        args = parser(verb, module).parse_args(own)
    except UsageError as error:
        return usage_error(verb, error.what, error.fix, list(words))
    except SystemExit:  # argparse has printed the help
        return DONE
    console = Console(os.environ, verbosity=args.verbose - args.quiet, yes=args.yes, colour=not args.no_color)
    as_json = bool(getattr(args, "json", False))
    context = Context(start(args.workspace), os.environ, console, args.engine)
    context.screen = console.screen
    console.log_to(lambda: _logs(context), verb)
    result = _result(verb, module, (args, tail), context)
    code = result.exit_code
    try:
        _tell(result, console, as_json=as_json, debug=args.verbose > 1)
    except OSError as error:
        console.error(Problem("unreadable", "cannot write the answer", error.strerror or str(error)))
        code = code or FAILED
    console.close()
    return code


def start(workspace: str | None) -> Path:
    """The folder to begin in, by the name that the shell has for it: Compose names the project after that."""
    if workspace:
        return Path(workspace).absolute()
    named = os.environ.get("PWD", "")
    return Path(named) if os.path.isabs(named) and os.path.isdir(named) and os.path.samefile(named, ".") else Path.cwd()


def _logs(context: Context) -> Path | None:
    """Where logs go; None where there is no workspace, or none that can be written."""
    try:
        return context.workspace.state_folder("logs")
    except KobakoError:
        return None


def _result(
    verb: str, module: ModuleType, given: tuple[argparse.Namespace, tuple[str, ...]], context: Context
) -> Result:
    args, tail = given
    try:
        result: Result = module.act(context, args, tail) if module.TAIL else module.act(context, args)
    except KobakoError as error:
        return Result(verb, "failed", error.exit_code, problems=(_shown(error, context),))
    except Stopped as stopped:
        if stopped.signum == signal.SIGPIPE:  # `| head` has seen enough: nobody's error
            return Result(verb, exit_code=stopped.exit_code)
        problem = Problem("interrupted", "interrupted" if stopped.exit_code == INTERRUPTED else "asked to end")
        return Result(verb, "failed", stopped.exit_code, problems=(problem,))
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes exit code 70
        return Result(verb, "failed", BUG, problems=(_bug(error),))
    return result


def _shown(error: KobakoError, context: Context) -> Problem:
    try:
        return relative(Problem.of(error), context.workspace.root)
    except KobakoError:  # there is no workspace: that may be the very error
        return Problem.of(error)


def _bug(error: Exception) -> Problem:
    import tempfile  # noqa: PLC0415 - only on failure
    import traceback  # noqa: PLC0415

    with tempfile.NamedTemporaryFile("w", prefix="kobako-crash-", suffix=".txt", delete=False) as file:
        file.writelines(traceback.format_exception(error))
    what = f"Kobako itself failed: {type(error).__name__}: {error}"
    return Problem("bug", what, "this is a bug of Kobako", f"please report it with {file.name}")


def _tell(result: Result, console: Console, *, as_json: bool, debug: bool) -> None:
    if as_json:
        from kobako.report import machine  # noqa: PLC0415

        console.answer(machine.envelope(result))
        return
    for problem in result.problems:
        if result.status == "failed":
            console.error(problem)
        else:
            console.warn(problem)
        if problem.code == "bug" and debug:
            console.say(Path(problem.fix.rsplit(" ", 1)[-1]).read_text(encoding="utf-8"))
    console.answer(result.text)


def usage_error(verb: str | None, what: str, fix: str, words: Sequence[str]) -> int:
    """Tell of a command line that is not understood, as JSON where that was asked for."""
    console = Console(os.environ, colour="--no-color" not in words)
    result = Result(verb or "", "failed", USAGE, problems=(Problem("usage", what, fix=fix),))
    _tell(result, console, as_json="--json" in words, debug=False)
    return USAGE


def split(words: Sequence[str], tail: str) -> tuple[list[str], tuple[str, ...]]:
    """Separate Kobako's own words from those that are for the program inside.

    ``tail`` is "" (none), "command" (everything after the service), or "args" (everything after the service but
    Kobako's own long options, which may stand there too; after ``--`` all is for the program).
    """
    if not tail:
        return list(words), ()
    position = 0
    while position < len(words) and words[position].startswith("-") and words[position] != "--":
        position += 2 if _takes_value(words[position]) else 1
    own, rest = list(words[: position + 1]), list(words[position + 1 :])
    if own and own[-1] == "--":
        own, rest = own[:-1] + rest[:1], rest[1:]
    if tail == "command":
        return own, tuple(rest[1:] if rest[:1] == ["--"] else rest)
    ours, theirs = _sorted(rest)
    return own + ours, theirs


def _sorted(words: list[str]) -> tuple[list[str], tuple[str, ...]]:
    ours: list[str] = []
    position = 0
    theirs: list[str] = []
    while position < len(words) and words[position] != "--":
        word = words[position]
        taken = 2 if word in VALUED else 1
        if word.split("=", 1)[0] in OWN:
            ours += words[position : position + taken]
            position += taken
        else:
            theirs.append(word)
            position += 1
    return ours, (*theirs, *words[position + 1 :])


OWN = frozenset(
    [
        "--help",
        "--workspace",
        "--engine",
        "--json",
        "--yes",
        "--verbose",
        "--quiet",
        "--no-color",
        "--no-up",
        "--no-tty",
        "--tty",
    ]
)


def _takes_value(word: str) -> bool:
    """Whether the next word is the value of this one; short flags may stand together (``-Tu root``)."""
    return word in VALUED or (
        not word.startswith("--") and len(word) > 2 and word[1:-1].isalpha() and word[-1] in "uwe"
    )


VALUED = frozenset({"--workspace", "--engine", "--user", "-u", "--workdir", "-w", "--env", "-e"})
