"""An axis: from where to where, and which numbers stand beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_PAD = 0.05
LARGEST = 1e100
"""What lies beyond is not drawn: no 32-bit number does, and axes that reach so far break arithmetic."""
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


class Scale(NamedTuple):
    """``low`` and ``high`` are on the axis as it is drawn: logarithms where ``log``."""

    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float | None:
        """From 0 to 1; None where the value has no place."""
        if not drawable(value) or (self.log and value <= 1 / LARGEST):
            return None
        at = math.log10(value) if self.log else value
        return min(1.0, max(0.0, (at - self.low) / (self.high - self.low)))

    def value(self, place: float) -> float:
        at = self.low * (1 - place) + self.high * place
        return 10.0**at if self.log else at


def drawable(value: float) -> bool:
    return abs(value) < LARGEST  # NaN is not


def scale(values: Iterable[float], *, log: bool = False, pad: float = _PAD) -> Scale:
    """A scale on which all of them have a place; one for a constant, too. Logarithms need a value above 0."""
    finite = [one for one in values if drawable(one)]
    positive = [one for one in finite if one > 1 / LARGEST]
    if log and positive:
        low, high = math.log10(min(positive)), math.log10(max(positive))
    else:
        log = False
        low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    if high - low <= abs(low) * 1e-12:
        around = (abs(low) / 10 or 1.0) if not log else 0.5
        return Scale(low - around, high + around, log)
    room = pad * (high - low)
    return Scale(low - room, high + room, log)


def ticks(of: Scale, most: int) -> list[float]:
    """Round numbers on the scale, at most so many and at least one."""
    if of.log:
        decades = [10.0**n for n in range(math.ceil(of.low), math.floor(of.high) + 1)]
        if len(decades) >= 2 or most < 2:
            return decades[:: max(1, -(-len(decades) // most))] or [of.value(0.5)]
        return [of.value(0.05), of.value(0.95)]
    found = _round_numbers(of.low, of.high, most)
    return found or [of.value(0.5)]


def labels(values: Sequence[float]) -> list[str]:
    """The ticks' numbers, short and all different."""
    for digits in range(3, 17):
        texts = [_plain(one, digits) for one in values]
        if len(set(texts)) == len(values) and all(
            _close(float(text), one) for text, one in zip(texts, values, strict=True)
        ):
            break
    return texts if values else []


def _plain(value: float, digits: int) -> str:
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e6 else f"{value:.{digits}g}"


def _close(shown: float, value: float) -> bool:
    return math.isclose(shown, value, rel_tol=5e-3, abs_tol=1e-300)


def _round_numbers(low: float, high: float, most: int) -> list[float]:
    rough = (high - low) / max(most, 1)
    if rough < 1e-300:
        return []
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next((nice * magnitude for nice in _NICE if nice * magnitude >= rough * (1 - 1e-9)), 10 * magnitude)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    if last - first > 2 * most:
        return []
    return [0.0 if number == 0 else number * step for number in range(first, last + 1)]
