"""Logs that hold one JSON object per line: OpenMMLab's, detectron2's, and what others write in their manner."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from kobako.train.metrics.point import Point
from kobako.train.metrics.steps import Steps
from kobako.train.metrics.tail import HEAD, Tail

BOUND = 1 << 20
"""Bytes of one reading."""
LONGEST = 1 << 18
"""Bytes of one line. A longer one is no record of numbers; it is passed over."""


class Lines:
    """The whole lines of a growing file. The last one waits until its end is written."""

    def __init__(self, path: str, start: int = 0, head: int = HEAD) -> None:
        self.tail = Tail(path, start, head)
        self._rest = b""
        self._long = False

    def added(self, restarted: Callable[[], None], most: int = BOUND) -> Iterator[bytes]:
        """The lines that were added. ``restarted`` is told before the first line of a file that begins anew."""
        data = self.tail.read(most)
        if self.tail.restarted:
            self._rest, self._long = b"", False
            restarted()
        if not data:
            return
        *whole, last = (self._rest + data).split(b"\n")
        for line in whole:
            if self._long or len(line) > LONGEST:
                self._long = False
            else:
                yield line
        self._long = self._long or len(last) > LONGEST
        self._rest = b"" if self._long else last


class JsonLines:
    """Follows such a log. ``phase`` is what the place of the file says."""

    def __init__(self, path: str, start: int = 0, phase: str = "", *, sure: bool = True) -> None:
        self.trouble = ""
        self._lines = Lines(path, start)
        self._phase = phase
        self._steps = Steps(phase)
        self._sure = sure
        self._other = False
        """Whether it is not such a log at all, which only shows in its first line."""

    @property
    def behind(self) -> bool:
        return self._lines.tail.behind

    def read(self) -> list[Point]:
        found: list[Point] = []
        for line in self._lines.added(self._begin, 0 if self._other else BOUND):
            record = None if self._other else self._record(line)
            if record is not None:
                found += self._steps.points(record)
        return found

    def _begin(self) -> None:
        self._steps = Steps(self._phase)
        self._other = False

    def _record(self, line: bytes) -> dict[str, Any] | None:
        if not line.strip():
            return None
        record = parsed(line)
        if isinstance(record, dict):
            self._sure = True
            return record
        self._other = not self._sure
        if self._sure:
            self.trouble = self.trouble or "a line is not a JSON object; it is left out"
        return None


def parsed(text: bytes) -> Any:
    """What JSON stands there; None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
