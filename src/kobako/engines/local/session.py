"""One command in a running service: its bytes, its terminal, its end.

Without a terminal the command has the caller's own file descriptors. With one it gets a terminal of its own, and bytes
are passed on: Ctrl-C is then a byte for the program inside, as it is in a container.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import select
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from kobako import process, terminal
from kobako.engines.local import processes
from kobako.engines.local.sandbox import CLEAN
from kobako.errors import CannotStartError, EngineError, Stopped
from kobako.process import Apart, Running
from kobako.protocols import Streams

SESSION = "KOBAKO_SESSION"

# $1: a file descriptor of a file with the variables as shell words, which is also where to say why the command cannot
# be started; $2: the folder; then the command. dash knows no descriptor above 9 but by its path, and cannot close one.
# There are no variables of its own: those of the image may have any name.
LAUNCH = """
. "/dev/fd/$1"
{ cd -- "$2" 2>/dev/null || { mkdir -p -- "$2" && cd -- "$2"; }; } 2>/dev/null || { echo 125 >"/dev/fd/$1"; exit 125; }
case "$3" in
  */*) [ -e "$3" ] || { echo 127 >"/dev/fd/$1"; exit 127; }
       if [ -d "$3" ] || [ ! -x "$3" ]; then echo 126 >"/dev/fd/$1"; exit 126; fi;;
  *) command -v -- "$3" >/dev/null 2>&1 || { echo 127 >"/dev/fd/$1"; exit 127; };;
esac
case "$1" in ?) eval "exec $1>&-";; esac
shift 2
exec "$@"
"""
_CHUNK = 65536
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Inside(NamedTuple):
    """In which folder, with which variables, and whether on a terminal. ``prefix`` leads into the sandbox: then the
    programs of this machine that it is made of have an environment of their own. ``begun`` is called once it runs.
    """

    folder: str
    environment: Mapping[str, str]
    terminal: bool = False
    prefix: tuple[str, ...] = ()
    begun: Callable[[], None] | None = None


class Session:
    """``id`` is in the environment of every process of the command."""

    def __init__(self, title: str, sandbox: int = 0, name: str = "") -> None:
        """``sandbox`` is the first process of the service's; 0 where it has none."""
        self.id = name or os.urandom(16).hex()
        self._begun: Callable[[], None] | None = None
        self._title = title
        self._sandbox = sandbox
        self._known: processes.Known = {}
        self._child: Running | None = None

    def run(self, words: Sequence[str], place: Inside, streams: Streams) -> int:
        """Run ``words`` to the end; their exit code."""
        environment = {**place.environment, SESSION: self.id}
        self._begun = place.begun
        with _variables(environment if place.prefix else {}) as fd:
            launch = ["/bin/sh", "-c", LAUNCH, "kobako", str(fd), place.folder, *words]
            outside = CLEAN if place.prefix else environment
            code = self._run([*place.prefix, *launch], Apart(outside, -1, -1, -1, keep=(fd,)), place, streams)
            said = os.pread(fd, 5, 0)
        if said in {b"125\n", b"126\n", b"127\n"}:
            raise self._cannot_start(int(said), words)
        return code

    def _run(self, argv: list[str], apart: Apart, place: Inside, streams: Streams) -> int:
        try:
            if place.terminal and streams.stdin is not None:
                return self._with_terminal(argv, apart, streams)
            with open(os.devnull, "rb") as nothing:
                stdin = nothing.fileno() if streams.stdin is None else streams.stdin
                whole = apart._replace(stdin=stdin, stdout=streams.stdout, stderr=streams.stderr)
                return process.wait(self._started(argv, whole))
        except Stopped as stopped:
            self.end(signal.SIGINT if stopped.signum == signal.SIGINT else signal.SIGTERM)
            raise
        finally:
            if self._child is not None and self._child.poll() is None:
                process.let_go(self._child)

    def end(self, signum: int) -> None:
        """End every process of the command: those that carry the session's id, all that descend from the first, and
        in a sandbox where nothing else is at work its orphans without a name."""
        alone = self._sandbox > 0 and not processes.others(self._sandbox, SESSION, self.id)
        processes.end(lambda known: self._look(known, alone=alone), signum)

    def _look(self, known: processes.Known, *, alone: bool) -> processes.Known:
        began = min(self._known.values(), default=0)
        lost = processes.strays(self._sandbox, began, SESSION) if alone and began else {}
        return processes.marked(f"{SESSION}={self.id}", {**self._known, **known, **lost})

    def _started(self, argv: Sequence[str], how: Apart) -> Running:
        try:
            started = process.start(argv, how)
        except OSError as error:
            raise EngineError("engine-failed", f"cannot start {argv[0]}", why=error.strerror or str(error)) from error
        self._child = started
        self._known = {started.pid: processes.started(started.pid) or 0}
        if self._begun is not None:
            self._begun()
        return started

    def _with_terminal(self, argv: Sequence[str], apart: Apart, streams: Streams) -> int:
        """Run on a terminal of its own, passing bytes on until the command has ended."""
        ours, theirs = os.openpty()
        fd = streams.stdin
        assert fd is not None  # noqa: S101 - asked before
        with os.fdopen(ours, "rb", buffering=0), terminal.raw(fd, on=os.isatty(fd)) as resized:
            try:
                resized(lambda size: _resize(ours, size))
                child = self._started(argv, apart._replace(stdin=theirs, stdout=theirs, stderr=theirs, terminal=True))
            finally:
                os.close(theirs)
            _pass_on(ours, streams, child)
            return process.wait(child)

    def _cannot_start(self, code: int, words: Sequence[str]) -> CannotStartError:
        why = {
            125: "its folder cannot be entered",
            126: f"{words[0]!r} cannot be run",
            127: f"{words[0]!r} is not found inside",
        }[code]
        code = 126 if code == 125 else code
        return CannotStartError("cannot-start", f"the command cannot be started in {self._title}", why=why, child=code)


@contextlib.contextmanager
def _variables(environment: Mapping[str, str]) -> Iterator[int]:
    """A file without a name that sets the variables when a shell reads it."""
    named = {name: value for name, value in environment.items() if _NAME.fullmatch(name)}
    text = "".join(f"export {name}={_quoted(value)}\n" for name, value in named.items())
    fd = os.memfd_create("variables")
    try:
        os.write(fd, os.fsencode(text))
        yield fd
    finally:
        os.close(fd)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"


def _resize(fd: int, size: tuple[int, int]) -> None:
    import termios  # noqa: PLC0415 - with a terminal only

    with contextlib.suppress(OSError, termios.error):
        termios.tcsetwinsize(fd, size) if hasattr(termios, "tcsetwinsize") else _set_size(fd, size)


def _set_size(fd: int, size: tuple[int, int]) -> None:
    import fcntl  # noqa: PLC0415 - Python 3.10 only
    import struct  # noqa: PLC0415
    import termios  # noqa: PLC0415

    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))


def _pass_on(ours: int, streams: Streams, child: Running) -> None:
    stdin: int | None = streams.stdin
    pending = bytearray()
    while True:
        readers: list[Any] = [ours] + ([stdin] if stdin is not None and len(pending) < _CHUNK else [])
        # the command may have ended while something it started still has the terminal: it is not waited for
        readable, writable, _ = select.select(readers, [ours] if pending else [], [], 0.2)
        if stdin in readable:
            data = _read(stdin)
            pending += data or b"\x04"  # the end of the input, as a terminal says it
            stdin = stdin if data else None
        if writable:
            del pending[: os.write(ours, pending[:_CHUNK])]
        if ours in readable:
            data = _read(ours)
            if not data:
                return
            terminal.write(streams.stdout, data)
        elif child.poll() is not None and not readable:
            return


def _read(fd: int | None) -> bytes:
    try:
        return os.read(fd, _CHUNK) if fd is not None else b""
    except OSError as error:
        if error.errno != errno.EIO:  # EIO: nobody has the other side open any more
            raise
        return b""
