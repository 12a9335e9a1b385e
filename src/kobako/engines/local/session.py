"""One command in a running service: its bytes, its terminal, its end.

Without a terminal the command has the caller's own file descriptors. With one it gets a terminal of its own, and bytes
are passed on: Ctrl-C is then a byte for the program inside, as it is in a container.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kobako import process, terminal
from kobako.engines.local import processes
from kobako.errors import CannotStartError, EngineError, Stopped
from kobako.process import Apart, Running
from kobako.protocols import Streams

SESSION = "KOBAKO_SESSION"

# $1: a file descriptor to say on that there is no such program, $2: the folder; then the command
LAUNCH = """
said=$1 folder=$2; shift 2
cd -- "$folder" 2>/dev/null || mkdir -p -- "$folder" && cd -- "$folder" || exit 126
case "$1" in
  */*) if [ ! -e "$1" ]; then echo 127 >&"$said"; exit 127; fi
       if [ -d "$1" ] || [ ! -x "$1" ]; then echo 126 >&"$said"; exit 126; fi;;
  *) if ! command -v -- "$1" >/dev/null 2>&1; then echo 127 >&"$said"; exit 127; fi;;
esac
eval "exec $said>&-"
exec "$@"
"""
_CHUNK = 65536


class How(NamedTuple):
    """In which folder (inside), with which variables, and whether on a terminal."""

    folder: str
    environment: Mapping[str, str]
    terminal: bool = False


class Session:
    """``id`` is in the environment of every process of the command."""

    def __init__(self, title: str) -> None:
        self.id = os.urandom(16).hex()
        self._title = title

    def run(self, prefix: Sequence[str], words: Sequence[str], how: How, streams: Streams) -> int:
        """Run ``words``, with ``prefix`` in front of them, to the end; their exit code."""
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb") as said:
            try:
                code = self._run([*prefix, *launched(writing, how.folder, words)], how, streams, writing)
            finally:
                os.close(writing)
            # what the command left running has closed its end: it is the shell in front of it that writes
            missing = said.read()
        if missing:
            raise self._cannot_start(int(missing), words)
        return code

    def _run(self, argv: list[str], how: How, streams: Streams, writing: int) -> int:
        environment = {**how.environment, SESSION: self.id}
        try:
            if how.terminal and streams.stdin is not None:
                return _with_terminal(argv, environment, streams, writing)
            with open(os.devnull, "rb") as nothing:
                stdin = nothing.fileno() if streams.stdin is None else streams.stdin
                apart = Apart(environment, stdin, streams.stdout, streams.stderr, keep=(writing,))
                return process.wait(_started(argv, apart))
        except Stopped as stopped:
            self.end(signal.SIGINT if stopped.signum == signal.SIGINT else signal.SIGTERM)
            raise

    def end(self, signum: int) -> None:
        processes.end(lambda known: processes.marked(f"{SESSION}={self.id}", known), signum)

    def _cannot_start(self, code: int, words: Sequence[str]) -> CannotStartError:
        why = f"{words[0]} is not found inside" if code == 127 else f"{words[0]} cannot be run"
        return CannotStartError("cannot-start", f"the command cannot be started in {self._title}", why=why, child=code)


def launched(said: int, folder: str, words: Sequence[str]) -> list[str]:
    return ["/bin/sh", "-c", LAUNCH, "kobako", str(said), folder, *words]


def _started(argv: Sequence[str], how: Apart) -> Running:
    try:
        return process.start(argv, how)
    except OSError as error:
        raise EngineError("engine-failed", f"cannot start {argv[0]}", why=error.strerror or str(error)) from error


def _with_terminal(argv: Sequence[str], environment: Mapping[str, str], streams: Streams, writing: int) -> int:
    """Run on a terminal of its own, passing bytes on until the last process on it has closed it."""
    ours, theirs = os.openpty()
    fd = streams.stdin
    assert fd is not None  # noqa: S101 - asked before
    with os.fdopen(ours, "rb", buffering=0), terminal.raw(fd, on=os.isatty(fd)) as resized:
        try:
            resized(lambda size: _resize(ours, size))
            if term := os.environ.get("TERM"):
                environment = {"TERM": term, **environment}
            child = _started(argv, Apart(environment, theirs, theirs, theirs, keep=(writing,), terminal=True))
        finally:
            os.close(theirs)
        _pass_on(ours, streams, child)
        return process.wait(child)


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
