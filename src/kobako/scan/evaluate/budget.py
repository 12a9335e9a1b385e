"""What an evaluation may use up. Everything that a stranger's script could make large is paid for here."""

from __future__ import annotations

MAX_STEPS = 250_000
"""Nodes looked at, characters and items made (a hundred, or ten, for one step). About half a second."""
LOOK = 20
"""Steps for looking for a file, or reading a short one."""
MAX_TEXT = 1_000_000
MAX_ITEMS = 100_000
MAX_KEYS = 20_000
MAX_BITS = 256
MAX_PATH = 4096
MAX_CALLS = 40
MAX_MODULES = 24
MAX_SETUPS = 20
"""Calls of setup: one for each of a few cases, not for each round of a loop."""


def weight(value: object) -> int:
    """What it costs to look at a value once, or to have made it."""
    if isinstance(value, str):
        return len(value) // 100
    return len(value) // 20 if isinstance(value, (list, tuple, dict, set, frozenset)) else 0


class Exhausted(Exception):  # noqa: N818 - a limit that was met, not a fault
    """The evaluation has used up what it may; nothing catches it but whoever started it."""


class Budget:
    """Steps left."""

    __slots__ = ("left",)

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.left = steps

    def spend(self, steps: int = 1) -> None:
        self.left -= steps
        if self.left < 0:
            raise Exhausted
