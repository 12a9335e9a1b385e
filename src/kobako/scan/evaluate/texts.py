"""The methods of strings. What they cut out of a string keeps its place."""

# ruff: noqa: ARG001 - functions that stand in one table share one signature

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from kobako.scan.evaluate.budget import MAX_ITEMS, MAX_TEXT
from kobako.scan.evaluate.formatting import assembled, filled
from kobako.scan.evaluate.state import State
from kobako.scan.evaluate.values import Iterator, Native, Text, Unknown, Value, leading, like, pieces

_Method = Callable[[State, str, list[Value], dict[str, Value]], Value]

_TO_TEXT = frozenset({"lower", "upper", "title", "capitalize", "casefold", "swapcase", "removeprefix", "removesuffix"})
_TO_FACT = frozenset(
    {
        *("startswith", "endswith", "find", "rfind", "index", "rindex", "count", "isdigit", "isalpha", "isalnum"),
        *("isnumeric", "isdecimal", "isspace", "isupper", "islower", "isidentifier", "istitle", "isascii"),
    }
)
_CUTS = frozenset({"split", "rsplit", "splitlines", "partition", "rpartition"})


def method(text: str, name: str) -> Value:
    """A method of a string, bound to it."""
    run = _METHODS.get(name)
    if run is None:
        return Unknown(f"str.{name}")

    def bound(machine: State, args: list[Value], keywords: dict[str, Value]) -> Value:
        machine.spend(len(text) // 100)
        unknown = next((one for one in (*args, *keywords.values()) if isinstance(one, Unknown)), None)
        return run(machine, text, args, keywords) if unknown is None else unknown

    return Native(name, bound)


def _native(name: str) -> _Method:
    found: Callable[..., Any] = getattr(str, name)

    def run(machine: State, text: str, args: list[Value], keywords: dict[str, Value]) -> Value:
        made = found(text, *args, **keywords)
        if name not in _TO_TEXT:
            return made
        if name == "removeprefix":
            return like(made, text, len(text) - len(made))
        return like(made, text)

    return run


def _cut(name: str) -> _Method:
    found: Callable[..., Any] = getattr(str, name)

    def run(machine: State, text: str, args: list[Value], keywords: dict[str, Value]) -> Value:
        parts = found(text, *args, **keywords)
        machine.spend(len(parts) // 5)
        if len(parts) > MAX_ITEMS:
            return Unknown("a long list")
        made = pieces(text, parts)
        return tuple(made) if isinstance(parts, tuple) else made

    return run


def _strip(machine: State, text: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    made = str.strip(text, *args)
    return like(made, text, len(text) - len(str.lstrip(text, *args))) if made else like(made, text)


def _lstrip(machine: State, text: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    made = str.lstrip(text, *args)
    return like(made, text, len(text) - len(made))


def _rstrip(machine: State, text: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    return like(str.rstrip(text, *args), text)


def _replace(machine: State, text: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    old, new = args[0], args[1]
    if len(text) + (str.count(text, old) + 1) * len(new) > MAX_TEXT:  # before it is made
        return Unknown("a long text")
    made = str.replace(text, *args)
    if isinstance(text, Text) and "\n" in old and "\n" not in new:
        return Text(made, text.file, text.line, True, text.doubt)  # noqa: FBT003
    return like(made, text)


def _join(machine: State, text: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    parts = machine.iterated(args[0])
    if parts is None:
        return machine.fault(TypeError)
    unknown = next((part for part in parts if isinstance(part, Unknown)), None)
    if unknown is not None:
        return unknown
    if not all(isinstance(part, str) for part in parts):
        return machine.fault(TypeError)
    if len(text) * len(parts) + sum(len(part) for part in parts) > MAX_TEXT:
        return Unknown("a long text")
    if "\n" in text and _runs_on(parts):
        return like(str.join(text, parts), leading(parts))
    woven = [piece for part in parts for piece in (text, part)][1:]
    return assembled(machine, woven)


def _runs_on(parts: list[Value]) -> bool:
    """Whether the parts stand on lines that follow each other, so that joining them gives the file's text back."""
    return all(isinstance(part, Text) for part in parts) and all(
        one.file == other.file and other.line == one.line + 1 and not one.flat for one, other in pairwise(parts)
    )


def items_of(value: Value) -> list[Value] | None:
    """What Python's own functions would iterate over; None where that is not known."""
    if isinstance(value, Iterator):
        return value.rest()
    if isinstance(value, str):
        return pieces(value, list(value[:10_000])) if len(value) <= 10_000 else None
    if isinstance(value, (list, tuple, dict)):
        return list(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)  # the order of a set is chance: an answer must not depend on it
    return None


def _format(machine: State, text: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    return filled(machine, text, args, keywords)


def _format_map(machine: State, text: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    return filled(machine, text, [], dict(args[0]))


def _same(machine: State, text: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    """``encode`` and ``decode``: bytes are not told apart from the text that they hold."""
    return text


_METHODS: dict[str, _Method] = {
    **{name: _native(name) for name in _TO_TEXT | _TO_FACT},
    **{name: _cut(name) for name in _CUTS},
    "strip": _strip,
    "lstrip": _lstrip,
    "rstrip": _rstrip,
    "replace": _replace,
    "join": _join,
    "format": _format,
    "format_map": _format_map,
    "encode": _same,
    "decode": _same,
}
