"""One number that a training wrote down, and what can be asked of those who read them."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Point(NamedTuple):
    """``time`` is in seconds since the epoch; 0.0 where the source does not tell it."""

    tag: str
    step: int
    value: float
    time: float


class Reader(Protocol):
    """Follows one file. Whatever the file holds, reading never raises."""

    trouble: str
    """What is wrong with the file, "" while nothing is."""

    @property
    def behind(self) -> bool:
        """Whether the last reading ended at its bound: there is more in the file already."""

    def read(self) -> list[Point]:
        """What was added since the last time, a bounded part of it."""
