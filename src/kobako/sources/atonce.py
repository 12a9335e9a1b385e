"""Several questions at once, within a time. Whoever stops Kobako meanwhile does not wait for the answers."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

_Q = TypeVar("_Q")
_A = TypeVar("_A")


def answers(question: Callable[[_Q], _A], items: Sequence[_Q], *, at_once: int, seconds: float) -> dict[int, _A]:
    """The answer to each item by its place; those that took longer are missing. What a question raises is raised.

    The threads are daemons: a server that neither answers nor hangs up holds nobody back, neither after Ctrl-C nor at
    the end.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for place in range(len(items)):
        waiting.put(place)
    told: queue.SimpleQueue[tuple[int, _A | Exception]] = queue.SimpleQueue()

    def work() -> None:
        while True:
            try:
                place = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                told.put((place, question(items[place])))
            except Exception as error:  # noqa: BLE001 - it is raised again, by whoever waits
                told.put((place, error))

    for _ in range(min(at_once, len(items))):
        threading.Thread(target=work, daemon=True).start()
    return _collected(told, len(items), time.monotonic() + seconds)


def _collected(told: queue.SimpleQueue[tuple[int, _A | Exception]], count: int, deadline: float) -> dict[int, _A]:
    found: dict[int, _A] = {}
    while len(found) < count:
        try:
            place, answer = told.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return found
        if isinstance(answer, Exception):
            raise answer
        found[place] = answer
    return found
