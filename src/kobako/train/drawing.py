"""Text of a known width: what a terminal's columns are, and a training's place as one line."""

from __future__ import annotations

import math
import unicodedata


def columns(text: str) -> int:
    """How many columns the text takes on a terminal: East Asian wide characters take two, combining ones none."""
    return len(text) if text.isascii() else sum(_columns(one) for one in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Cf", "Me", "Mn"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, width: int) -> str:
    """The text in at most so many columns; where something is left out, ``~`` says so."""
    if columns(text) <= width:
        return text
    taken, used = [], 0
    for character in text:
        used += _columns(character)
        if used > width - 1:
            break
        taken.append(character)
    return "".join(taken) + "~" if width > 0 else ""


def padded(text: str, width: int) -> str:
    """The text in exactly so many columns."""
    text = cut(text, width)
    return text + " " * (width - columns(text))


def gauge(part: float, width: int) -> str:
    """``[####....]``, ASCII alone: what other characters take in columns, terminals do not agree on."""
    room = max(width - 2, 1)
    done = min(room, max(0, int(part * room + 1e-9)))
    return f"[{'#' * done}{'.' * (room - done)}]"


def clock(seconds: float) -> str:
    """``0:05``, ``1:02:03``, ``2 d 3:04``."""
    minutes, rest = divmod(min(round(seconds), 10**10), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours}:{minutes:02}"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def number(value: float) -> str:
    """A number in four digits or so, whatever its size."""
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    return f"{value:.4g}" if not 1e-3 <= abs(value) < 1e5 else f"{value:.4f}".rstrip("0").rstrip(".")
