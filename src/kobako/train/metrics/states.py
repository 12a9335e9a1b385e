"""Files that are written whole each time: ``trainer_state.json`` of Hugging Face's Trainer."""

from __future__ import annotations

from kobako.train.metrics.lines import parsed
from kobako.train.metrics.point import Point
from kobako.train.metrics.steps import Steps
from kobako.train.metrics.tail import Tail

LARGEST = 1 << 25
_MOST_RECORDS = 1_000_000


class State:
    """Follows such a file. ``given`` is shared by those of one training: each checkpoint holds the whole history.

    With a ``start`` it is of a training before; where that very file is written anew, and tells no more than was told
    already, another training has begun from nothing.
    """

    behind = False

    def __init__(self, path: str, start: int = 0, given: dict[str, int] | None = None) -> None:
        self.trouble = ""
        self._tail = Tail(path)
        self._path = path
        self._given: dict[str, int] = {} if given is None else given
        self._old = self._before = start > 0

    def pass_over(self) -> None:
        """Remember what stands there without reading it: that takes a while, and the newest one holds it all."""
        self._tail.read(0)
        self._old = False

    def read(self) -> list[Point]:
        self._tail.offset = 0
        text = self._tail.read(LARGEST + 1)
        self._tail.behind = False  # what is larger is not looked at again until it changes
        if not text:
            return []
        found = self._history(text)
        old, self._old = self._old, False
        if self._before and not old:
            self._before = False
            if not any(one.step > self._given.get(one.tag, -1) for one in found):
                self._given.clear()
        new = [one for one in found if one.step > self._given.get(one.tag, -1)]
        for one in new:
            self._given[one.tag] = max(one.step, self._given.get(one.tag, -1))
        return [] if old else new

    def _history(self, text: bytes) -> list[Point]:
        whole = parsed(text) if len(text) <= LARGEST else None
        history = whole.get("log_history") if isinstance(whole, dict) else None
        if not isinstance(history, list):
            if len(text) > LARGEST or text.rstrip().endswith(b"}"):  # else it is being written
                self.trouble = self.trouble or "no history of a training stands there"
            return []
        steps = Steps()
        records = [one for one in history[:_MOST_RECORDS] if isinstance(one, dict)]
        return [point for record in records for point in steps.points(record)]
