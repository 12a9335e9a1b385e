"""What a run reported: kept point by point beside its record, and summed up in it."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from kobako.errors import KobakoError
from kobako.model.run import Metric
from kobako.workspace import write_text

KEPT = 200_000
"""Points that are kept of a run. When there are more, every second one of each tag goes, and so on; the sums are of
all of them.
"""

_TAGS = 2000


class Reported(Protocol):
    """A point, as ``kobako.train.metrics`` has it."""

    @property
    def tag(self) -> str: ...
    @property
    def step(self) -> int: ...
    @property
    def value(self) -> float: ...
    @property
    def time(self) -> float: ...


class Metrics:
    """``path`` is where the points go; None for nowhere."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._sums: dict[str, Metric] = {}
        self._kept = 0
        self._every = 1

    def add(self, points: Iterable[Reported]) -> None:
        """Take points, in the order in which they were reported."""
        lines = []
        for point in points:
            known = self._sums.get(point.tag)
            if known is None and len(self._sums) >= _TAGS:
                continue
            self._sums[point.tag] = _with(known, point)
            if known is not None and known.points % self._every:
                continue
            value = point.value if math.isfinite(point.value) else None
            lines.append(json.dumps([point.tag, point.step, value, round(point.time or time.time(), 3)]))
            if len(lines) + self._kept >= KEPT:
                self._write(lines)
                self._thin_out()
                lines = []
        self._write(lines)

    def _write(self, lines: list[str]) -> None:
        if lines and self._path is not None:
            self._kept += len(lines)
            try:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write("\n".join(lines) + "\n")
            except OSError:  # a full disk: the sums are in the record, where that can be written
                self._path = None

    def _thin_out(self) -> None:
        """Keep the first, the third, the fifth point of each tag."""
        if self._path is None:
            return
        self._every *= 2
        seen: dict[str, int] = {}
        lines = []
        try:
            for line in self._path.read_text(encoding="utf-8").splitlines():
                tag = json.loads(line)[0]
                seen[tag] = seen.get(tag, 0) + 1
                if seen[tag] % 2:
                    lines.append(line)
            write_text(self._path, "\n".join([*lines, ""]), self._path.name)
        except (KobakoError, OSError, ValueError):  # as above; what stands there stays
            self._path = None
        self._kept = len(lines)

    def sums(self) -> tuple[Metric, ...]:
        """One for each tag, by name."""
        return tuple(self._sums[tag] for tag in sorted(self._sums))


def _with(known: Metric | None, point: Reported) -> Metric:
    value = point.value if math.isfinite(point.value) else None
    if known is None:
        return Metric(point.tag, value, value, value, point.step)
    if value is None:
        return known._replace(last=None, step=point.step, points=known.points + 1)
    lowest = value if known.minimum is None else min(known.minimum, value)
    highest = value if known.maximum is None else max(known.maximum, value)
    return Metric(point.tag, value, lowest, highest, point.step, known.points + 1)


def main_metric(metrics: Iterable[Metric]) -> Metric | None:
    """The one that a table of runs shows: what an evaluation gave where there is one, else the loss."""
    from kobako.train.metrics.headline import headline  # noqa: PLC0415 - its package knows the consoles of all

    return next(iter(headline(metrics)), None)


def forget(path: Path) -> None:
    """Points of an earlier look are not to be counted twice."""
    try:
        os.unlink(path)
    except OSError:
        return
