"""How fast something goes on, and when it will be done. Time is passed in."""

from __future__ import annotations

import math

_MEMORY = 60.0
"""Seconds after which what was measured counts a third."""
_OVERHEAD_MEMORY = 0.5


class Pace:
    """Amount per second, weighted towards the present: a ratio of two sums that fade alike, so it needs no start."""

    def __init__(self, memory: float = _MEMORY) -> None:
        self._memory = memory
        self._amount = 0.0
        self._seconds = 0.0

    def add(self, amount: float, seconds: float) -> None:
        if seconds < 0 or amount < 0:
            return
        kept = math.exp(-seconds / self._memory)
        self._amount = self._amount * kept + amount
        self._seconds = self._seconds * kept + seconds

    @property
    def value(self) -> float | None:
        return self._amount / self._seconds if self._seconds > 0 and self._amount > 0 else None


class Remaining:
    """When a training ends: its own pace, and what the ends of epochs cost (evaluation, checkpoints) apart.

    Only what it sees moving counts, so a training that was resumed at epoch 5, or that starts anew in the middle, needs
    no telling.
    """

    def __init__(self) -> None:
        self._pace = Pace()
        self._place = math.nan
        self._time = math.nan
        self._pause: float | None = None

    def advance(self, place: float, time: float) -> None:
        """The training stands at ``place``, in epochs (or in any unit that has no ends in between)."""
        if not place > self._place or not time >= self._time:  # its start, or a new one
            if place != self._place:
                self._place, self._time = place, time
            return
        way, seconds = place - self._place, time - self._time
        ends = math.ceil(place - 1e-9) - math.ceil(self._place - 1e-9)
        pace = self._pace.value
        if ends > 0 and way < 1 and pace:  # the step over the end of an epoch holds what is done there
            self._rest(max(0.0, seconds - way / pace) / ends)
            seconds = min(seconds, way / pace)
        self._pace.add(way, seconds)
        self._place, self._time = place, time

    def seconds(self, until: float, time: float) -> float | None:
        """Seconds from ``time`` until it stands at ``until``; None while that cannot be known."""
        pace = self._pace.value
        if pace is None:
            return None
        left = max(0.0, until - self._place)
        ends = max(0.0, math.ceil(until - 1e-9) - math.ceil(self._place - 1e-9))
        # what passed since the last step has been waited for already
        return max(0.0, left / pace + ends * (self._pause or 0.0) - max(0.0, time - self._time))

    def _rest(self, seconds: float) -> None:
        self._pause = seconds if self._pause is None else self._pause + _OVERHEAD_MEMORY * (seconds - self._pause)
