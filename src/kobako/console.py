"""The only module that writes to the standard streams.

Standard output carries answers alone; what goes on, warnings and errors go to standard error. Colour is used on a
terminal only and never carries meaning by itself.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from kobako.errors import UsageError
from kobako.masking import harmless, mask
from kobako.model.result import Problem

if TYPE_CHECKING:
    from kobako.protocols import Told

_CODES = {"error": "31", "warning": "33", "hint": "36", "ok": "32", "dim": "2"}
_KEPT_LOGS = 30
_REDRAW = 0.2
_AGAIN = 0.02
_TOLD = 30.0
_ERASE = b"\r\x1b[K"


class Console:
    """Talks to the person at the other end; the narrator of ``kobako.protocols``.

    ``verbosity`` is the number of ``-v`` less the number of ``-q``.
    """

    def __init__(self, env: Mapping[str, str], *, verbosity: int = 0, yes: bool = False, colour: bool = True) -> None:
        self._verbosity = verbosity
        self._yes = yes
        self._log: _Log | None = None
        self._screen: LiveScreen | None = None
        self._colour = colour and sys.stderr is not None and wants_colour(env, sys.stderr)

    @property
    def log_path(self) -> str:
        """Where this run's log is, or "" where nothing was logged."""
        return str(self._log.path) if self._log is not None and self._log.written else ""

    def log_to(self, folder: Callable[[], Path | None], verb: str) -> None:
        """Keep a log of this run in the folder, which is asked for when there is something to write."""
        self._log = _Log(folder, verb)

    def screen(self) -> LiveScreen:
        """Where a command's bytes go by. While it is open, what is said here stands above its line."""
        self._screen = LiveScreen(quiet=self._verbosity < 0, dim=lambda text: self.paint("dim", text))
        return self._screen

    def close(self) -> None:
        """Close the log."""
        if self._log is not None:
            self._log.close()

    def say(self, line: str) -> None:
        self._record(line)
        if self._verbosity >= 0:
            self._err(harmless(line))

    def warn(self, problem: Problem) -> None:
        self._record(f"warning: {problem.what}: {problem.why}")
        if self._verbosity >= -1:
            self._err("\n".join(render(problem, "warning", self.paint)))

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        begin = time.monotonic()
        self.say(f"{name} ...")
        yield
        self.say(f"{name}: {time.monotonic() - begin:.1f} s")

    def child(self, line: str) -> None:
        self._record(line)
        if self._verbosity >= 1:
            self._err(line)

    def confirm(self, question: str, *, person: bool = False) -> bool:
        there = sys.stdin is not None and sys.stderr is not None and sys.stdin.isatty() and sys.stderr.isatty()
        if self._yes or not (there or person):
            return True
        if not there:
            fix = "where the answer is yes: --yes"
            raise UsageError("usage", "nobody is there who could be asked", why=question, fix=fix)
        self._write(sys.stderr, f"{question} [y/N] ")
        answer = sys.stdin.readline()
        return answer.strip().lower() in {"y", "yes"}

    def error(self, problem: Problem) -> None:
        """An error in full: what, where, why, what to do, and the log."""
        lines = render(problem, "error", self.paint)
        if self.log_path and problem.code != "training-failed":  # whose own log has just been named
            lines.append(f"  {self.paint('hint', 'log:')} {self.log_path}")
        self._record("\n".join(lines))
        # Ctrl-C came in the middle of somebody's line
        begun = problem.code == "interrupted" and sys.stderr is not None and sys.stderr.isatty()
        self._err("\n".join(["", *lines] if begun else lines))

    def answer(self, text: str) -> None:
        """The answer itself, on standard output. Raises ``OSError`` where it cannot be written."""
        if text:
            clean = harmless(text)
            self._write(sys.stdout, clean if clean.endswith("\n") else f"{clean}\n")

    def paint(self, kind: str, text: str) -> str:
        return f"\x1b[{_CODES[kind]}m{text}\x1b[0m" if self._colour else text

    def _err(self, text: str) -> None:
        with contextlib.suppress(OSError):  # nobody can be told that nobody can be told
            if self._screen is not None:
                self._screen.make_room()
            self._write(sys.stderr, f"{mask(text)}\n")

    def _write(self, stream: TextIO | None, text: str) -> None:
        if stream is None:
            return
        # a reader that went away (| head) is no reason to stop the work; a terminal may not know every character
        with contextlib.suppress(BrokenPipeError):
            encoding = stream.encoding or "utf-8"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            stream.flush()

    def _record(self, text: str) -> None:
        if self._log is not None:
            self._log.write(mask(text))


class LiveScreen:
    """The bytes of a command, and below them, on a terminal, one line that says how it stands.

    The line is on standard error and never in the bytes. It stands only where a line of the command has ended, so that
    a bar that the command itself redraws is left alone; it is taken away before anything else is written. Where
    standard error is no terminal a line is written now and then instead.
    """

    def __init__(self, *, quiet: bool, dim: Callable[[str], str]) -> None:
        import threading  # noqa: PLC0415 - with a screen only

        self._lock = threading.RLock()
        self._dim = dim
        self._quiet = quiet
        self._live = not quiet and os.isatty(2) and os.environ.get("TERM") not in {None, "", "dumb"}
        self._shared = {fd: self._live and os.isatty(fd) for fd in (1, 2)}
        self._bar = b""
        self._shown = False
        self._begun = False  # a line of the command has begun and not ended
        self._drawn = 0.0
        self._last = ""
        self._told: float | None = None

    def pass_on(self, fd: int, data: bytes) -> None:
        from kobako import terminal  # noqa: PLC0415 - with a screen only

        if not self._shared.get(fd):
            terminal.write(fd, data)
            return
        with self._lock:
            self._take_away()
            terminal.write(fd, data)
            self._begun = not data.endswith(b"\n")
            if self._bar and time.monotonic() - self._drawn >= _AGAIN:
                self._draw()

    def state(self, told: Told) -> None:
        if self._live:
            self._state_on_terminal(told)
        elif not self._quiet and (self._told is None or time.monotonic() - self._told >= _TOLD):
            line = told.line()
            if line and line != self._last:
                self._last, self._told = line, time.monotonic()
                with contextlib.suppress(OSError):
                    os.write(2, f"progress: {mask(harmless(line))}\n".encode("utf-8", "replace"))

    def _state_on_terminal(self, told: Told) -> None:
        try:
            width = os.get_terminal_size(2).columns or 80
        except OSError:
            return
        text = told.bar(max(width - 1, 10))
        with self._lock:
            self._bar = self._dim(harmless(text)[: width - 1]).encode("utf-8", "replace") if text else b""
            if time.monotonic() - self._drawn >= _REDRAW:
                self._draw()

    def make_room(self) -> None:
        """Somebody else writes a line now."""
        with self._lock:
            self._take_away()
            if self._begun:
                self._put(b"\r\n")
                self._begun = False

    def close(self) -> None:
        """Take the line away for good."""
        with self._lock:
            self._take_away()
            self._bar = b""
            self._live = False
            self._quiet = True

    def _take_away(self) -> None:
        if self._shown:
            self._put(_ERASE)
            self._shown = False

    def _draw(self) -> None:
        if not self._live or self._begun:
            return
        self._put(_ERASE + self._bar if self._shown else self._bar)
        self._shown = bool(self._bar)
        self._drawn = time.monotonic()

    @staticmethod
    def _put(data: bytes) -> None:
        with contextlib.suppress(OSError):
            os.write(2, data)


class _Log:
    """A log file that exists once something was written to it. A log that cannot be written stops nothing."""

    def __init__(self, folder: Callable[[], Path | None], verb: str) -> None:
        self._folder = folder
        self._verb = verb
        self._file: TextIO | None = None
        self._broken = False
        self.path = Path()

    @property
    def written(self) -> bool:
        return self._file is not None

    def close(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):  # a full disk: what is missing from the log stops nothing
                self._file.close()
        self._broken = True

    def write(self, text: str) -> None:
        if self._broken:
            return
        try:
            if self._file is None:
                self._open()
            if self._file is not None:
                self._file.write(f"{time.strftime('%H:%M:%S')} {text}\n")
                self._file.flush()
        except OSError:
            self._broken = True

    def _open(self) -> None:
        folder = self._folder()
        if folder is None:
            self._broken = True
            return
        for old in sorted(folder.glob("*.log"))[: -_KEPT_LOGS + 1]:
            old.unlink(missing_ok=True)
        self.path = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{self._verb}-{os.getpid()}.log"
        self._file = self.path.open("w", encoding="utf-8", errors="backslashreplace")


def wants_colour(env: Mapping[str, str], stream: TextIO) -> bool:
    """NO_COLOR and FORCE_COLOR decide; else a terminal that is not dumb."""
    if env.get("NO_COLOR"):
        return False
    return bool(env.get("FORCE_COLOR")) or (stream.isatty() and env.get("TERM") != "dumb")


def render(problem: Problem, kind: str, paint: Callable[[str, str], str]) -> list[str]:
    """A problem as a person reads it: ``error: what (file:line)``, then why and fix, continuation lines indented."""
    place = f" ({problem.where})" if problem.where is not None else ""
    lines = [f"{paint(kind, f'{kind}:')} {harmless(f'{problem.what}{place}')}"]
    for label, text in (("why", problem.why), ("fix", problem.fix)):
        if text:
            first, *rest = harmless(text).splitlines()
            lines.append(f"  {paint('hint', f'{label}:')} {first}")
            lines += [f"       {line}" for line in rest]
    return lines
