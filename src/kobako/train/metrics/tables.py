"""Tables that grow by a row: Lightning's ``metrics.csv``, ultralytics' ``results.csv``, timm's ``summary.csv``."""

from __future__ import annotations

import csv

from kobako.train.metrics.lines import Lines
from kobako.train.metrics.point import Point
from kobako.train.metrics.steps import Steps

_HEAD = 4096
_MOST_COLUMNS = 1000


class Table:
    """Follows a table. One that is written anew with more columns, as Lightning does, goes on where it was."""

    def __init__(self, path: str, start: int = 0, phase: str = "") -> None:
        self.trouble = ""
        self._lines = Lines(path, 0, _HEAD)
        self._lines.tail.settled = start > 0
        self._from = start
        self._columns: list[str] = []
        self._phase = phase
        self._steps = Steps(phase)
        self._rows = 0
        self._known = 0
        self._place = 0
        self._before: list[str] = []

    @property
    def behind(self) -> bool:
        return self._lines.tail.behind

    def read(self) -> list[Point]:
        found: list[Point] = []
        for line in self._lines.added(self._begin):
            begin = self._place
            self._place += len(line) + 1
            cells = self._cells(line)
            if not any(cells):
                continue
            if not self._columns:
                self._name(cells)
                continue
            self._rows += 1
            if begin >= self._from and self._rows > self._known:
                found += self._row(cells)
        return found

    def _begin(self) -> None:
        self._before, self._columns = self._columns, []
        self._known = max(self._rows, self._known)
        self._rows = self._place = self._from = 0
        self._steps = Steps(self._phase)

    def _name(self, cells: list[str]) -> None:
        self._columns = cells
        if not (self._before and set(self._before) < set(cells)):  # another table, not the same one with more columns
            self._known = 0

    def _cells(self, line: bytes) -> list[str]:
        try:
            rows = list(csv.reader([line.decode("utf-8-sig", "replace").strip("\r\x00")]))
        except csv.Error:
            self.trouble = self.trouble or "a row cannot be read; it is left out"
            return []
        return [cell.strip() for cell in rows[0][:_MOST_COLUMNS]] if rows else []

    def _row(self, cells: list[str]) -> list[Point]:
        row: dict[str, float] = {}
        for name, cell in zip(self._columns, cells, strict=False):
            if name and name != "time":  # seconds since the start, where it is there at all
                value = _number(cell)
                if value is not None:
                    row[name] = value
        return self._steps.points(row)


def _number(cell: str) -> float | None:
    try:
        return float(cell) if cell else None
    except ValueError:
        return None
