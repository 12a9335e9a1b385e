"""The only module that starts programs.

A program that Kobako starts is in Kobako's own process group, so that Ctrl-C in a terminal reaches it directly;
when Kobako is stopped in another way (SIGTERM, SIGHUP) or gives up, the program is told to end, and killed if it does
not. Whatever was started has ended when the function returns or raises.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from kobako.errors import Stopped, WorkError
from kobako.masking import mask

GRACE = 10.0
"""Seconds that a program has to end after it was told to, before it is killed."""

PATIENCE = 1.0
"""Seconds that a program has to end by itself after a Ctrl-C, before it is told to."""


class Outcome(NamedTuple):
    """What became of a program. ``code`` is None when it could not be started; -N when signal N killed it."""

    argv: tuple[str, ...]
    code: int | None
    stdout: str
    stderr: str
    seconds: float

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def shown(self) -> str:
        """The command line as a person would type it, secrets masked."""
        import shlex  # noqa: PLC0415 - only for messages

        return mask(shlex.join(self.argv))

    def last_lines(self, count: int = 12) -> str:
        """The end of what it printed: of its error output if there is any, else of its output."""
        lines = [line for line in (self.stderr.strip() or self.stdout).splitlines() if line.strip()]
        return mask("\n".join(lines[-count:]))

    def check(self, what: str, *, fix: str = "") -> Outcome:
        """Itself when it ended well, else a ``WorkError`` that quotes it."""
        if self.ok:
            return self
        why = "it could not be started" if self.code is None else f"exit code {self.code}: {self.last_lines()}"
        raise WorkError("command-failed", what, why=f"`{self.shown}`: {why}", fix=fix)


def which(program: str) -> str | None:
    """Where the program is on PATH, or None."""
    return shutil.which(program)


@contextlib.contextmanager
def started(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Ends the process when the block is left by an exception, and waits for it in any case."""
    try:
        yield process
        process.wait()
    except Stopped as stopped:
        end(process, stopped.signum)
        raise
    except BaseException:
        end(process)
        raise


def end(process: subprocess.Popen[bytes], signum: int = signal.SIGTERM) -> None:
    """Tells the process to end, waits, then kills it. A further ``Stopped`` meanwhile kills at once."""
    try:
        # Ctrl-C has reached it already; a second one would make Compose give up without tidying.
        if signum != signal.SIGINT or not _gone(process.pid, PATIENCE):
            os.kill(process.pid, signum)
            if not _gone(process.pid, GRACE):
                os.kill(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except Stopped:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    _gone(process.pid, GRACE)
    process.poll()


def _gone(pid: int, seconds: float) -> bool:
    """Whether the child ends within that time. Never ``Popen.wait``: a signal's exception in the middle of one leaves
    its lock taken for ever."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                return True
        except ChildProcessError:
            return True  # it has been waited for
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)


def run(
    argv: Sequence[str],
    *,
    cwd: str | Path | None = None,
    env: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
    seconds: float | None = None,
) -> Outcome:
    """Run a program to its end, keeping what it printed.

    ``env`` is added to Kobako's own environment. ``on_line`` is called with each line of output and error output as it
    comes (without the newline; a carriage return starts a line too). A program that has not ended after ``seconds`` is
    killed, and counts as not started.
    """
    return run_in(Setting({**os.environ, **(env or {})}, cwd, seconds=seconds), argv, on_line)


class Setting(NamedTuple):
    """Where a program runs, and how long it may. ``environment`` is the whole one; ``keep`` are file descriptors."""

    environment: Mapping[str, str]
    cwd: str | Path | None = None
    stdin: bytes | None = None
    keep: tuple[int, ...] = ()
    seconds: float | None = None


def run_in(setting: Setting, argv: Sequence[str], on_line: Callable[[str], None] | None = None) -> Outcome:
    """:func:`run`, with nothing of Kobako's own environment but what ``setting`` says."""
    stdin = setting.stdin
    begin = time.monotonic()
    try:
        process = subprocess.Popen(
            list(argv),
            cwd=setting.cwd,
            env=dict(setting.environment),
            pass_fds=setting.keep,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        return Outcome(tuple(argv), None, "", str(error), time.monotonic() - begin)
    out: list[str] = []
    err: list[str] = []
    with started(process), _limited(process, setting.seconds) as late:
        readers = [
            threading.Thread(target=_read, args=(pipe, kept, on_line), daemon=True)
            for pipe, kept in ((process.stdout, out), (process.stderr, err))
        ]
        for reader in readers:
            reader.start()
        if stdin is not None and process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(stdin)
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        process.wait()
        for reader in readers:
            reader.join(GRACE)  # what the program started may hold its output open and go on
    if late.is_set():
        return Outcome(tuple(argv), None, "", _no_answer(setting.seconds), time.monotonic() - begin)
    return Outcome(tuple(argv), process.returncode, "".join(out), "".join(err), time.monotonic() - begin)


@contextlib.contextmanager
def _limited(process: subprocess.Popen[bytes], seconds: float | None) -> Iterator[threading.Event]:
    """Kills the process after that time; the event tells of it."""
    late = threading.Event()

    def kill() -> None:
        late.set()
        process.kill()

    timer = None if seconds is None else threading.Timer(seconds, kill)
    if timer is None:
        yield late
        return
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


def _no_answer(seconds: float | None) -> str:
    return f"no answer within {seconds or 0:.0f} s"


def ask(argv: Sequence[str], *, env: Mapping[str, str] | None = None, seconds: float = 20) -> Outcome:
    """Run a program that should answer at once; one that does not is killed and counts as not started."""
    begin = time.monotonic()
    try:
        environment = {**os.environ, **env} if env else None
        done = subprocess.run(
            argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False
        )
    except OSError as error:
        return Outcome(tuple(argv), None, "", str(error), time.monotonic() - begin)
    except subprocess.TimeoutExpired:
        return Outcome(tuple(argv), None, "", _no_answer(seconds), time.monotonic() - begin)
    out, err = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    return Outcome(tuple(argv), done.returncode, out, err, time.monotonic() - begin)


def _read(pipe: IO[bytes] | None, kept: list[str], on_line: Callable[[str], None] | None) -> None:
    assert pipe is not None  # noqa: S101 - Popen was given PIPE
    with pipe:
        for raw in pipe:
            text = raw.decode("utf-8", "replace")
            kept.append(text)
            if on_line is not None:
                for line in text.splitlines():
                    on_line(line)


def attach(argv: Sequence[str], *, cwd: str | Path | None = None, stdin: int | None, stdout: int, stderr: int) -> int:
    """Run a program on the given file descriptors and return its exit code (128+N when signal N killed it)."""
    try:
        process = subprocess.Popen(
            list(argv), cwd=cwd, stdin=subprocess.DEVNULL if stdin is None else stdin, stdout=stdout, stderr=stderr
        )
    except OSError as error:
        raise WorkError("command-failed", f"cannot start {argv[0]}", why=error.strerror or str(error)) from error
    with started(process):
        code = process.wait()
    return code if code >= 0 else 128 - code


def spawn(argv: Sequence[str], *, stdin: int, stdout: int) -> subprocess.Popen[bytes]:
    """Start a program that serves Kobako through two file descriptors. The caller ends it with :func:`end`."""
    return subprocess.Popen(list(argv), stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL)


class Apart(NamedTuple):
    """How a program is started that is not to notice what happens to Kobako's terminal: in a session of its own.

    ``environment`` is the whole one. With ``terminal``, ``stdin`` is a terminal that becomes the session's.
    """

    environment: Mapping[str, str]
    stdin: int
    stdout: int
    stderr: int
    cwd: str | None = None
    keep: tuple[int, ...] = ()
    terminal: bool = False


Running = subprocess.Popen[bytes]
"""A program that was started and is not waited for yet."""


def start(argv: Sequence[str], how: Apart) -> Running:
    """Start a program and leave it to itself. Raises ``OSError`` where it cannot be started."""
    return subprocess.Popen(
        list(argv),
        cwd=how.cwd,
        env=dict(how.environment),
        stdin=how.stdin,
        stdout=how.stdout,
        stderr=how.stderr,
        pass_fds=how.keep,
        start_new_session=True,
        preexec_fn=_take_terminal if how.terminal else None,  # noqa: PLW1509 - no thread is running by then
    )


def _take_terminal() -> None:
    import fcntl  # noqa: PLC0415 - with a terminal only
    import termios  # noqa: PLC0415

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def let_go(process: Running) -> None:
    """It is to outlive Kobako: nobody waits for it."""
    process.returncode = 0


def wait(process: Running) -> int:
    """The exit code of a program that was started apart, 128+N where signal N killed it. ``Stopped`` passes through.

    Never ``Popen.wait``: see :func:`_gone`. Waiting in the kernel, not by looking again and again.
    """
    if process.poll() is None:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    code = process.wait()
    return code if code >= 0 else 128 - code
