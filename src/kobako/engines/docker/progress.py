"""BuildKit's plain progress, read into steps.

Format: one vertex a number, ``#7 [3/5] RUN ...`` when it starts, then ``#7 CACHED``, ``#7 DONE 1.2s`` or
``#7 ERROR: ...`` (moby/buildkit, util/progress/progressui). After a failure comes an excerpt whose first line is
``FILE:LINE``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from kobako.protocols import Step

_VERTEX = re.compile(r"^#(\d+) (.*)$")
_NAME = re.compile(r"^\[(?!internal\])[^\]]*\] (?:[A-Z]+)\b.*$")
_DONE = re.compile(r"^DONE (\d+(?:\.\d+)?)s$")


class Progress:
    """Feed it lines; it keeps the steps of the build and, after a failure, which one failed and at which line."""

    def __init__(self, on_step: Callable[[Step | str], None], dockerfile: str) -> None:
        self._place = re.compile(rf"^{re.escape(dockerfile)}:(\d+)$")
        self.steps: list[Step] = []
        self.failed: str | None = None
        self.line: int | None = None
        self._on_step = on_step
        self._names: dict[str, str] = {}
        self._finished: set[str] = set()

    def feed(self, line: str) -> None:
        vertex = _VERTEX.match(line)
        if vertex is None:
            if self.line is None and (place := self._place.match(line)):
                self.line = int(place[1])
            return
        number, text = vertex.groups()
        if number not in self._names:
            if _NAME.match(text):
                self._names[number] = text
                self._on_step(text)
            return
        if number in self._finished:
            return
        if text == "CACHED":
            self._finish(number, 0.0, cached=True)
        elif done := _DONE.match(text):
            self._finish(number, float(done[1]), cached=False)
        elif text.startswith("ERROR:"):
            self.failed = self._names[number]

    def _finish(self, number: str, seconds: float, *, cached: bool) -> None:
        step = Step(self._names[number], seconds, cached)
        self._finished.add(number)
        self.steps.append(step)
        self._on_step(step)
