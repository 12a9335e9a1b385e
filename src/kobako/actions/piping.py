"""A command's output on its way through Kobako: unchanged and at once to where it belongs, with a copy for the log."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import threading
import time
from collections.abc import Callable

from kobako.errors import Stopped, WorkError
from kobako.protocols import Screen, Streams

_CHUNK = 65536
_ROOM = 1 << 18
_LAST = 5.0
"""Seconds that the rest of the output has after the command was stopped: whoever should read it may be gone."""

Copy = Callable[[int, bytes], None]
"""Takes the number of the stream (1 or 2) and bytes of it."""


class Pipes:
    """Two pipes and a thread for each (one, where both go to the same place). As a context manager it gives their ends.

    ``targets`` are the file descriptors to which its output and its error output go. Where one cannot be written to
    any more the pipe is closed, which the command notices as it would have without Kobako; ``trouble`` is why.
    """

    def __init__(self, screen: Screen, copy: Copy, targets: tuple[int, int]) -> None:
        self._screen = screen
        self._copy = copy
        self._targets = targets
        self._threads: list[threading.Thread] = []
        self._writing: list[int] = []
        # what goes to the same place keeps its order: a warning in the middle of a bar is not to come elsewhere
        self._together = os.path.sameopenfile(*targets)
        self._over, self._end = os.pipe()
        self.trouble: WorkError | None = None

    def __enter__(self) -> Streams:
        for number, target in enumerate(self._targets[:1] if self._together else self._targets, 1):
            reading, writing = os.pipe()
            with contextlib.suppress(OSError, AttributeError):  # the limit of a user may be reached
                fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _ROOM)
            self._writing.append(writing)
            thread = threading.Thread(target=self._pass, args=(number, reading, target), daemon=True)
            self._threads.append(thread)
            thread.start()
        return Streams(None, self._writing[0], self._writing[-1])

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """The command has ended: what it has written goes on to its place. What it has left running may hold the pipe
        open, and is not waited for."""
        for fd in (*self._writing, self._end):
            os.close(fd)
        deadline = time.monotonic() + _LAST
        for thread in self._threads:
            thread.join(None if kind is None else max(deadline - time.monotonic(), 0.0))

    def _pass(self, number: int, reading: int, target: int) -> None:
        with os.fdopen(reading, "rb", buffering=0):
            over = False
            while True:
                readable, _, _ = select.select(
                    [reading] if over else [reading, self._over], [], [], 0 if over else None
                )
                if reading in readable:
                    data = os.read(reading, _CHUNK)
                    if not data or not self._written(number, target, data):
                        return
                elif over:
                    return
                over = over or self._over in readable

    def _written(self, number: int, target: int, data: bytes) -> bool:
        try:
            self._screen.pass_on(target, data)
        except Stopped:
            return False
        except WorkError as error:
            self.trouble = error
            return False
        finally:
            self._copy(number, data)
        return True


class Plain:
    """A screen that shows nothing of its own."""

    def pass_on(self, fd: int, data: bytes) -> None:
        from kobako import terminal  # noqa: PLC0415 - where a command's bytes go by

        terminal.write(fd, data)

    def state(self, told: object) -> None:
        del told

    def close(self) -> None:
        return
