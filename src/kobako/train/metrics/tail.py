"""What was added to a file since the last look: cut short, replaced, gone and back again, all of it is borne."""

from __future__ import annotations

import os
import stat

HEAD = 64
"""Bytes at a file's start that tell whether it is still the same one: somebody may write it anew in place."""


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
        self._stamp: tuple[int, ...] = ()
        self._head = b""
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
            other = bool(self._stamp) and stamp[:2] != self._stamp[:2]
            if other or stamp[2] < self.offset or before[: len(self._head)] != self._head:
                self.offset = self.over = 0
                self.restarted = True
            self._head = before
            passed = max(0, min(self.over, stamp[2] - self.offset))
            self.offset += passed
            self.over -= passed
            data = os.pread(handle, most, self.offset) if most else b""
        finally:
            os.close(handle)
        self.offset += len(data)
        self.behind = bool(most) and self.offset < stamp[2]
        self._stamp = stamp
        return data
