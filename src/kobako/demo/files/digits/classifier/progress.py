"""Live progress: one line that is redrawn on a terminal, one line per epoch anywhere else. ASCII only."""

from __future__ import annotations

import os
import time
from typing import NamedTuple, TextIO

REDRAW = 0.1  # seconds between two drawings


class State(NamedTuple):
    """Where the training stands. ``part`` is how much of the epoch is done; ``accuracy`` is None until measured."""

    epoch: int
    epochs: int
    part: float
    loss: float
    accuracy: float | None
    left: float


def line(state: State, width: int) -> str:
    """The line that is redrawn, in at most ``width - 1`` columns: the last one would make some terminals wrap."""
    head, tail = _ends(state)
    room = min(24, width - 1 - len(head) - len(tail) - len(" []  "))
    if room >= 4:
        done = round(room * (state.epoch - 1 + state.part) / state.epochs)
        head += f" [{'#' * done}{'.' * (room - done)}]"
    return f"{head}  {tail}"[: max(width - 1, 1)]


def plain(state: State) -> str:
    """The line of an epoch for a pipe or a file."""
    return "  ".join(_ends(state))


def _ends(state: State) -> tuple[str, str]:
    """What stands before the bar, and what behind it."""
    accuracy = " --.-" if state.accuracy is None else f"{100 * state.accuracy:5.1f}"
    epoch = str(state.epoch).rjust(len(str(state.epochs)))
    head = f"epoch {epoch}/{state.epochs}"
    return head, f"loss {state.loss:.4f}  acc {accuracy} %  ETA {clock(state.left)}"


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds, hours in front where there are any."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Progress:
    """Tells of a training from epoch ``first`` on."""

    def __init__(self, stream: TextIO, epochs: int, first: int = 1) -> None:
        self._stream = stream
        self._live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._epochs = epochs
        self._first = first
        self._begin = time.monotonic()
        self._drawn = 0.0
        self._shown = 0
        self._accuracy: float | None = None

    def step(self, epoch: int, part: float, loss: float) -> None:
        """One batch is done."""
        now = time.monotonic()
        if self._live and now - self._drawn >= REDRAW:
            self._drawn = now
            self._draw(State(epoch, self._epochs, part, loss, self._accuracy, self._left(epoch - 1 + part)))

    def epoch(self, epoch: int, loss: float, accuracy: float) -> None:
        """One epoch is done, and what it learned is measured."""
        self._accuracy = accuracy
        state = State(epoch, self._epochs, 1.0, loss, accuracy, self._left(epoch))
        if self._live:
            self._draw(state)
        else:
            print(plain(state), file=self._stream, flush=True)

    def close(self) -> None:
        """End the line."""
        if self._shown:
            print(file=self._stream, flush=True)
            self._shown = 0

    def _left(self, done: float) -> float:
        done -= self._first - 1
        total = self._epochs - self._first + 1
        return (time.monotonic() - self._begin) * (total - done) / done if done else 0.0

    def _draw(self, state: State) -> None:
        width = self._width()
        text = line(state, width)
        padded = text.ljust(min(self._shown, width - 1))
        print(f"\r{padded}", end="", file=self._stream, flush=True)
        self._shown = len(text)

    def _width(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or 80
        except OSError:
            return 80
