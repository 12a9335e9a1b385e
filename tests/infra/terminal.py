"""Programs at a terminal: on a pseudo terminal, byte by byte, and in tmux, where the screen can be read."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from infra.client import clean_environment
from infra.user import Someone


class Terminal:
    """A program whose three streams are a terminal of its own: Ctrl-C is ``send("\\x03")``."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        user: Someone | None = None,
        size: tuple[int, int] = (30, 120),
    ) -> None:
        self._master, slave = pty.openpty()
        self.output = b""
        self._seen = 0
        self._set_size(slave, size)
        if user:
            os.fchown(slave, user.uid, user.gid)
        try:
            # setsid makes the terminal the program's own; without it Ctrl-C would be an ordinary byte
            self.process = subprocess.Popen(
                ["setsid", "--ctty", *argv],
                cwd=cwd,
                env={"TERM": "xterm", **(env if env is not None else clean_environment())},
                stdin=slave,
                stdout=slave,
                stderr=slave,
                user=user.uid if user else None,
                group=user.gid if user else None,
                extra_groups=user.groups if user else None,
            )
        finally:
            os.close(slave)

    @staticmethod
    def _set_size(descriptor: int, size: tuple[int, int]) -> None:
        fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))

    @property
    def text(self) -> str:
        return self.output.decode("utf-8", "replace")

    def resize(self, rows: int, columns: int) -> None:
        self._set_size(self._master, (rows, columns))

    def send(self, text: str | bytes) -> None:
        os.write(self._master, text.encode() if isinstance(text, str) else text)

    def _read(self, seconds: float) -> bool:
        """Read what is there, waiting for it; False at the end of the terminal."""
        if not select.select([self._master], [], [], max(seconds, 0))[0]:
            return True
        try:
            more = os.read(self._master, 65536)
        except OSError:
            # EIO: no process has the terminal open any more
            return False
        self.output += more
        return bool(more)

    def expect(self, pattern: str, timeout: float = 30) -> re.Match[bytes]:
        """Wait for a regular expression in what came out since the last match; AssertionError with all of it."""
        wanted = re.compile(pattern.encode())
        until = time.monotonic() + timeout
        is_open = True
        while True:
            match = wanted.search(self.output, self._seen)
            if match:
                self._seen = match.end()
                return match
            if not is_open or time.monotonic() > until:
                raise AssertionError(f"no {pattern!r} in:\n{self.output[self._seen :].decode(errors='replace')}")
            is_open = self._read(until - time.monotonic())

    def wait(self, timeout: float = 30) -> int:
        """The exit code, once the program has ended; what it wrote until then is in ``output``."""
        until = time.monotonic() + timeout
        while self.process.poll() is None:
            if time.monotonic() > until:
                raise AssertionError(f"still running after {timeout} s:\n{self.text}")
            self._read(0.05)
        # a program that goes on in the background may hold the terminal open
        while select.select([self._master], [], [], 0)[0] and self._read(0):
            continue
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self._master)


class Tmux:
    """A program in a tmux server of its own."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        size: tuple[int, int] = (30, 120),
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="kobako-tmux-", dir="/tmp"))
        self._env = {**(env if env is not None else clean_environment()), "TERM": "xterm", "LANG": "C.UTF-8"}
        self._env.pop("TMUX", None)
        rows, columns = size
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows), *argv, cwd=cwd)

    def _tmux(self, *argv: str, cwd: Path | None = None, check: bool = True) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self._folder / "s"), *argv],
            cwd=cwd,
            env=self._env,
            check=False,
            capture_output=True,
            text=True,
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"tmux {argv[0]}: {done.stderr.strip()}")
        return done.stdout

    def keys(self, *keys: str) -> None:
        """Press keys, by tmux's names (``Enter``, ``C-c``, ``Up``); other words are typed as they stand."""
        self._tmux("send-keys", *keys)

    def screen(self) -> str:
        """The text on the screen now."""
        return self._tmux("capture-pane", "-p")

    def wait_for(self, pattern: str | Callable[[str], bool], timeout: float = 30) -> str:
        """Wait until the screen holds a regular expression, or satisfies a function; the screen."""
        until = time.monotonic() + timeout
        while True:
            screen = self.screen()
            if pattern(screen) if callable(pattern) else re.search(pattern, screen):
                return screen
            if time.monotonic() > until:
                raise AssertionError(f"no {pattern!r} on the screen:\n{screen}")
            time.sleep(0.05)

    def close(self) -> None:
        self._tmux("kill-server", check=False)
        shutil.rmtree(self._folder, ignore_errors=True)
