"""``kobako exec`` and ``kobako shell``: work inside the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from kobako.actions import start
from kobako.actions.context import Context
from kobako.actions.watching import Watch
from kobako.errors import UsageError
from kobako.model import NOTHING
from kobako.model.result import Result
from kobako.model.service import Service
from kobako.protocols import Command, Engine, Streams

# The caller's uid has no entry in the image's /etc/passwd: make the home it was given, then become the program.
_PROGRAM = 'mkdir -p "$HOME"; exec "$@"'

# The mission says `python`; Debian's own image has only python3.
_PYTHON = 'mkdir -p "$HOME"; if command -v python >/dev/null; then exec python "$@"; else exec python3 "$@"; fi'

# Run as root before: a program that writes to its working directory may do so. A mounted folder is the caller's.
_OPEN = (
    'case "$PWD" in /|/bin*|/boot*|/dev*|/etc*|/lib*|/proc*|/root*|/run*|/sbin*|/sys*|/usr*|/var*) exit 0;; esac; '
    '[ "$(stat -c %u .)" != 0 ] || chown "$1" .'
)

# bash where there is one; the prompt of the mission is bash's.
_QUIET = Streams(None, 2, 2)

_SHELL = "if [ -x /bin/bash ]; then exec /bin/bash; else exec /bin/sh; fi"


class Request(NamedTuple):
    """A command for a service. ``terminal`` is None for: when both ends are one.

    ``session`` and ``begun`` are those of ``protocols.Command``.
    """

    service: str
    argv: tuple[str, ...] = ()
    env: Mapping[str, str] = NOTHING
    user: str | None = None
    workdir: str | None = None
    terminal: bool | None = None
    no_up: bool = False
    output_to_stderr: bool = False
    session: str = ""
    begun: Callable[[], None] | None = None


def execute(context: Context, request: Request) -> Result:
    """Run a command as root inside, as people are used to; its exit code is the result's."""
    if not request.argv:
        raise UsageError("usage", "no command was given", fix=f"kobako exec {request.service} python --version")
    return Result("exec", exit_code=_watched(context, request, "exec", request.argv))


def shell(context: Context, request: Request) -> Result:
    """An interactive shell; without a terminal it reads commands from its input."""
    return Result("shell", exit_code=_watched(context, request, "shell", ("/bin/sh", "-c", _SHELL)))


def _watched(context: Context, request: Request, verb: Literal["exec", "shell"], argv: tuple[str, ...]) -> int:
    """Run it; what is trained meanwhile is recorded."""
    service, engine = ready(context, request)
    watch = Watch(context, service, engine, verb)
    request = request._replace(session=watch.session, begun=watch.begun)
    try:
        return _run(engine, service, request, _command(request, argv))
    finally:
        watch.end()


def run_as_caller(
    engine: Engine, service: Service, request: Request, argv: tuple[str, ...], streams: Streams | None = None
) -> int:
    """Run a command whose files are to belong to the caller; its exit code."""
    user = None if request.user else engine.caller(service)
    env = dict(request.env)
    if user is not None:
        uid = os.getuid()
        name = os.environ.get("USER") or f"user{uid}"
        home = f"/tmp/kobako-{uid}"  # noqa: S108 - inside, and the caller's own by its name
        env = {"HOME": home, "USER": name, "LOGNAME": name, **env}
        opening = ("/bin/sh", "-c", _OPEN, "kobako", user)
        engine.run(service, Command(opening, user="0", workdir=request.workdir, stdin=False), _QUIET)
    script = _PYTHON if argv[0] == "python" else _PROGRAM
    inside = ("/bin/sh", "-c", script, "kobako", *(argv[1:] if argv[0] == "python" else argv))
    command = _command(request, inside, env=env, user=user)
    return _run(engine, service, request, command) if streams is None else engine.run(service, command, streams)


def ready(context: Context, request: Request) -> tuple[Service, Engine]:
    service = context.service(request.service)
    engine = context.engine(service)
    start.ensure_running(context, engine, service, no_up=request.no_up)
    return service, engine


def _command(
    request: Request, argv: tuple[str, ...], *, env: Mapping[str, str] | None = None, user: str | None = None
) -> Command:
    terminal = request.terminal
    if terminal is None:
        terminal = os.isatty(0) and os.isatty(1) and not request.output_to_stderr
    command = Command(argv, request.env if env is None else env, request.user or user, request.workdir, terminal)
    return command._replace(session=request.session, begun=request.begun)


def _run(engine: Engine, service: Service, request: Request, command: Command) -> int:
    return engine.run(service, command, Streams(0, 2 if request.output_to_stderr else 1, 2))
