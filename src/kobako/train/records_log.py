"""What a run printed, kept as a file: whole lines, of a line that redraws itself the last state only, and bounded."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

HALF = 100_000_000
"""Bytes after which the file is put aside and a new one begun: at most two of that size are kept."""

OLDER = "log.1.txt"

_LONGEST = 1_000_000


class Log:
    """Takes bytes of several streams and writes their lines in the order in which they end.

    What cannot be written stops nothing: ``trouble`` says why, and the rest is left out. ``dropped`` is true once the
    oldest part is gone.
    """

    def __init__(self, path: Path, blot: Callable[[bytes], bytes] = bytes, half: int = HALF) -> None:
        self._path = path
        self._blot = blot
        self._half = half
        self._rests: dict[int, bytes] = {}
        self._lock = threading.Lock()
        self._fd = -1
        self._size = 0
        self.trouble = ""
        self.dropped = False
        self._open()

    def feed(self, stream: int, data: bytes) -> list[bytes]:
        """Take bytes of a stream; gives the lines that ended, and of one that has not its state, to read along."""
        with self._lock:
            whole, newline, rest = (self._rests.get(stream, b"") + data).rpartition(b"\n")
            if len(rest) > _LONGEST:
                whole, newline, rest = whole + newline + rest, b"", b""
            self._rests[stream] = rest[rest.rfind(b"\r", 0, -1) + 1 :] if b"\r" in rest else rest
            lines = _thinned(whole) if whole or newline else []
            if lines:
                self._write(self._blot(b"\n".join(lines)) + b"\n")
            shown = self._rests[stream].strip(b"\r")
            return [*lines, shown] if shown and b"\r" in rest else lines

    def close(self) -> None:
        """Write what has no end, and close."""
        with self._lock:
            for rest in self._rests.values():
                if rest:
                    self._write(self._blot(b"\n".join(_thinned(rest))) + b"\n")
            self._rests.clear()
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    def _open(self) -> None:
        try:
            self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        except OSError as error:
            self.trouble = error.strerror or str(error)

    def _write(self, data: bytes) -> None:
        if self._fd < 0:
            return
        try:
            if self._size + len(data) > self._half and self._size:
                os.close(self._fd)
                self._fd = -1
                self.dropped = self.dropped or os.path.exists(self._path.with_name(OLDER))
                os.replace(self._path, self._path.with_name(OLDER))
                self._size = 0
                self._open()
            view = memoryview(data)
            while view and self._fd >= 0:
                view = view[os.write(self._fd, view) :]
            self._size += len(data)
        except OSError as error:
            self.trouble = error.strerror or str(error)
            if self._fd >= 0:
                os.close(self._fd)
            self._fd = -1


def _thinned(whole: bytes) -> list[bytes]:
    if b"\r" not in whole:
        return whole.split(b"\n")
    return [line.rstrip(b"\r").rpartition(b"\r")[2] for line in whole.split(b"\n")]
