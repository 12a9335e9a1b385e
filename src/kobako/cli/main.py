"""From words to an exit code: finds the verb, parses its flags, runs its action, tells the outcome, once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType, ModuleType
from typing import NoReturn

from kobako.errors import Stopped

# verb -> its line in the overview. The order is the road that a user walks.
VERBS = {
    "demo": "train on real digits in an environment built here, in two minutes",
    "init": "make a workspace here",
    "add": "take over a repository: write its Dockerfile and its service",
    "entry": "write the script that starts a service's training",
    "scan": "what a repository needs, and where that is written",
    "base": "which base image fits, and why the others do not",
    "build": "build a service's image",
    "up": "start a container that stays up",
    "shell": "go in and try things by hand",
    "exec": "run a command inside",
    "train": "run the service's training from outside",
    "runs": "what was trained, how it went, side by side",
    "verify": "prove the environment: remove, build from zero, start, run",
    "ps": "the services and their state",
    "logs": "what a service printed",
    "stop": "stop a service",
    "rm": "remove a service's container",
    "doctor": "what this machine has, and what is missing",
    "completion": "what makes the Tab key complete verbs, options and services",
}

_OVERVIEW = """\
usage: kobako VERB [options] ...

Takes over somebody else's machine-learning repository and gives it an
environment that is written down, minimal and proved from zero.

New here?
  kobako demo          watch all of it happen, on a small repository
  kobako doctor        see what this machine has, and what is missing
  kobako init          then: kobako add URL, and your own work begins

Verbs, in the order of the road:
{verbs}

kobako VERB --help says more, with an example. All verbs take --workspace PATH,
--engine NAME, -v, -q, --no-color and --yes; those that report take --json.
"""

_VALUED = {"--workspace", "--engine"}


def entry() -> NoReturn:
    """The console script. Leaves at once: an interpreter's tidying takes 10 ms that nobody needs."""
    code = main(sys.argv[1:])
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, AttributeError):  # nobody reads, the disk is full, or the stream was closed from the start
        pass
    os._exit(code)


def main(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code. Never raises."""
    if "_ARGCOMPLETE" in os.environ:  # the shell asks what can stand at the cursor
        from kobako.cli import complete  # noqa: PLC0415 - nobody else pays for it

        return complete.complete(VERBS, _split, _module)
    _open_streams()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # `nohup kobako train ... &` asks for a program that outlives its terminal: what is ignored stays ignored
        if signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, _stopped)
    try:
        return _main(list(argv))
    except Stopped as stopped:
        return stopped.exit_code


def _open_streams() -> None:
    """A stream that the caller closed becomes /dev/null: else the next socket would be taken for it."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _stopped(signum: int, _frame: FrameType | None) -> None:
    raise Stopped(signum)


def _main(argv: list[str]) -> int:
    verb, rest = _split(argv)
    if verb is None:
        return _without_verb(rest)
    if verb not in VERBS:
        return _unknown_verb(verb, rest)
    from kobako.cli import run  # noqa: PLC0415 - --version must not pay for it

    return run.run(verb, _module(verb), rest)


def _split(argv: list[str]) -> tuple[str | None, list[str]]:
    """The verb, and everything else in order: common flags may stand before the verb too."""
    position = 0
    while position < len(argv) and argv[position].startswith("-"):
        position += 2 if argv[position] in _VALUED else 1
    if position >= len(argv):
        return None, argv
    return argv[position], argv[:position] + argv[position + 1 :]


def _without_verb(rest: list[str]) -> int:
    if "--version" in rest or "-V" in rest:
        from kobako import __version__  # noqa: PLC0415

        sys.stdout.write(f"kobako {__version__}\n")
        return 0
    width = max(len(verb) for verb in VERBS)
    verbs = "\n".join(f"  {verb.ljust(width)}  {line}" for verb, line in VERBS.items())
    asked = not rest or "--help" in rest or "-h" in rest
    if asked:
        sys.stdout.write(_OVERVIEW.format(verbs=verbs))
        return 0
    from kobako.cli import run  # noqa: PLC0415

    return run.usage_error(None, f"{' '.join(rest)}: a verb is missing", "kobako --help", rest)


# what others call it -> what it is here
_OTHERS = {
    "start": "up",
    "restart": "up",
    "run": "exec",
    "down": "rm",
    "remove": "rm",
    "kill": "stop",
    "enter": "shell",
    "status": "ps",
    "list": "ps",
    "ls": "ps",
    "new": "init",
    "create": "add",
    "test": "verify",
    "check": "doctor",
    "help": "--help",
    "version": "--version",
}


def _unknown_verb(verb: str, rest: list[str]) -> int:
    from difflib import get_close_matches  # noqa: PLC0415

    from kobako.cli import run  # noqa: PLC0415

    close = [_OTHERS[verb]] if verb in _OTHERS else get_close_matches(verb, VERBS, n=1)
    fix = f"did you mean {close[0]}?" if close else "kobako --help"
    return run.usage_error(None, f"there is no verb {verb}", fix, rest)


def _module(verb: str) -> ModuleType:
    from importlib import import_module  # noqa: PLC0415

    return import_module(f"kobako.cli.{module_name(verb)}")


def module_name(verb: str) -> str:
    """The parser module of a verb."""
    return "exec_" if verb == "exec" else verb
