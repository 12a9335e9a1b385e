"""What was added to a file since the last look: cut short, replaced, gone and back again, all of it is borne."""

from __future__ import annotations

import os
import stat

HEAD = 64
"""Bytes at a file's start, and before the place that was read to, that tell whether it is still the same one: somebody
may write it anew in place."""


class Tail:
    """Follows one file. A file that did not change costs one ``stat``."""

    def __init__(self, path: str, start: int = 0, head: int = HEAD) -> None:
        self.path = path
        self.offset = start
        self.restarted = False
        """Whether the last reading found another file, or another content, than the one before."""
        self.behind = False
        self.over = 0
        """Bytes that are passed over without reading them, before anything is read again."""
        self.changed = 0.0
        """When the file was last written to."""
        self.settled = start > 0
        """Whether it was another's until now: when it is written to and does not grow, it was written anew."""
        self._stamp: tuple[int, ...] = ()
        self._head = b""
        self._last = b""
        self._heads = head

    def read(self, most: int) -> bytes:
        """What stands behind the last reading, at most so many bytes."""
        self.restarted = False
        try:
            found = os.stat(self.path)
            stamp = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
            if (stamp == self._stamp and not self.behind) or not stat.S_ISREG(found.st_mode):
                return b""
            self.changed = found.st_mtime
            return self._look(stamp, most)
        except OSError:  # gone, or not for us to read; it may come back
            self.behind = False
            return b""

    def _look(self, stamp: tuple[int, ...], most: int) -> bytes:
        # what was a file a moment ago may be a pipe now, and opening that would wait for a writer
        handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            before = os.pread(handle, self._heads, 0)
            if self._other(stamp, handle) or before[: len(self._head)] != self._head:
                self.offset = self.over = 0
                self.restarted = True
            self._head = before
            passed = max(0, min(self.over, stamp[2] - self.offset))
            self.offset += passed
            self.over -= passed
            data = os.pread(handle, most, self.offset) if most else b""
            self.offset += len(data)
            begin = max(0, self.offset - HEAD)
            if self._stamp and stamp != self._stamp and (data or self.restarted):
                self.settled = False
            self._last = data[-HEAD:] if len(data) >= HEAD else os.pread(handle, self.offset - begin, begin)
        finally:
            os.close(handle)
        self.behind = bool(most) and self.offset < stamp[2]
        self._stamp = stamp
        return data

    def _other(self, stamp: tuple[int, ...], handle: int) -> bool:
        """Whether it is another file, or what was read of it does not stand there any more."""
        if not self._stamp:
            return stamp[2] < self.offset
        if stamp[:2] != self._stamp[:2] or stamp[2] < self.offset:
            return True
        if self.settled and stamp[3] != self._stamp[3] and stamp[2] == self.offset:
            return True
        return os.pread(handle, len(self._last), max(0, self.offset - len(self._last))) != self._last
