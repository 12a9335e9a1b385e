"""The module ``re``, over the bounded engine."""

# ruff: noqa: ARG001, ARG002, ARG005 - functions that stand in one table share one signature

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kobako.scan.evaluate.budget import MAX_ITEMS, MAX_TEXT
from kobako.scan.evaluate.builtins import unknown_of
from kobako.scan.evaluate.formatting import assembled
from kobako.scan.evaluate.regex import Found, Matcher, Pattern
from kobako.scan.evaluate.regex_signs import Refused
from kobako.scan.evaluate.state import State
from kobako.scan.evaluate.values import Namespace, Native, Opaque, Text, Unknown, Value, like

Args = list[Value]
Keywords = dict[str, Value]


class Match(Opaque):
    """``re.Match``."""

    __slots__ = ("found", "names", "text")

    def __init__(self, text: str, found: Found, names: dict[str, int]) -> None:
        self.text = text
        self.found = found
        self.names = names

    def get(self, machine: State, name: str) -> Value:
        run = _MATCH.get(name)
        return Unknown(f"match.{name}") if run is None else Native(name, lambda m, args, keywords: run(m, self, args))

    def part(self, number: Value) -> Value:
        at = self.names.get(number, -1) if isinstance(number, str) else number
        if not isinstance(at, int) or not 0 <= at < len(self.found.spans):
            raise IndexError("no such group")
        span = self.found.spans[at]
        return None if span is None else like(self.text[span[0] : span[1]], self.text, span[0])


def _group(machine: State, match: Match, args: Args) -> Value:
    found = [match.part(one) for one in args or [0]]
    return found[0] if len(found) == 1 else tuple(found)


def _groups(machine: State, match: Match, args: Args) -> Value:
    default = args[0] if args else None
    parts = [match.part(at) for at in range(1, len(match.found.spans))]
    return tuple(default if part is None else part for part in parts)


def _groupdict(machine: State, match: Match, args: Args) -> Value:
    return {name: match.part(at) for name, at in match.names.items()}


_MATCH: dict[str, Callable[[State, Match, Args], Value]] = {
    **dict.fromkeys(("group", "__getitem__"), _group),
    "groups": _groups,
    "groupdict": _groupdict,
}


class Compiled(Opaque):
    """``re.Pattern``."""

    __slots__ = ("pattern",)

    def __init__(self, pattern: Pattern) -> None:
        self.pattern = pattern

    def get(self, machine: State, name: str) -> Value:
        if name == "pattern":
            return self.pattern.text
        function = _FUNCTIONS.get(name)
        if function is None:
            return Unknown(f"pattern.{name}")
        return Native(name, lambda m, args, keywords: _run(m, function, self.pattern, args, keywords))


def _run(machine: State, function: Any, pattern: Pattern, args: Args, keywords: Keywords) -> Value:
    unknown = unknown_of(args, keywords)
    if unknown is not None:
        return unknown
    try:
        return function(machine, pattern, args, keywords)
    except Refused as refused:
        machine.spend(refused.steps)
        return Unknown(f"a regular expression ({refused})")


def _over(machine: State, pattern: Pattern, text: Value) -> Matcher:
    if not isinstance(text, str) or len(text) > MAX_TEXT // 4:
        raise Refused("a long text")
    machine.spend(20 + len(text) // 100)
    return pattern.over(text)


def _paid(machine: State, matcher: Matcher) -> None:
    machine.spend(matcher.steps // 4)


def _made(pattern: Pattern, text: str, found: Found | None) -> Value:
    return None if found is None else Match(text, found, pattern.names)


def _search(how: str) -> Any:
    def run(machine: State, pattern: Pattern, args: Args, keywords: Keywords) -> Value:
        matcher = _over(machine, pattern, args[0])
        found = matcher.search() if how == "search" else matcher.match(whole=how == "fullmatch")
        _paid(machine, matcher)
        return _made(pattern, args[0], found)

    return run


def _every(machine: State, pattern: Pattern, text: Value) -> list[Match]:
    matcher = _over(machine, pattern, text)
    found = [Match(text, one, pattern.names) for one in matcher.every()]
    _paid(machine, matcher)
    machine.spend(len(found) * (1 + len(text) // 2000))
    if len(found) > MAX_ITEMS:
        raise Refused("many matches")
    return found


def _finditer(machine: State, pattern: Pattern, args: Args, keywords: Keywords) -> Value:
    return _every(machine, pattern, args[0])


def _findall(machine: State, pattern: Pattern, args: Args, keywords: Keywords) -> Value:
    return [_shown(match, pattern) for match in _every(machine, pattern, args[0])]


def _shown(match: Match, pattern: Pattern) -> Value:
    if not pattern.groups:
        return match.part(0)
    parts = tuple("" if part is None else part for part in (match.part(at) for at in range(1, pattern.groups + 1)))
    return parts[0] if len(parts) == 1 else parts


def _split(machine: State, pattern: Pattern, args: Args, keywords: Keywords) -> Value:
    text = args[0]
    most = args[1] if len(args) > 1 else keywords.get("maxsplit", 0)
    parts: list[Value] = []
    at = 0
    for match in _every(machine, pattern, text)[: most or None]:
        start, end = match.found.spans[0] or (0, 0)
        parts.append(like(text[at:start], text, at))
        parts += [match.part(number) for number in range(1, pattern.groups + 1)]
        at = end
    return [*parts, like(text[at:], text, at)]


def _sub(machine: State, pattern: Pattern, args: Args, keywords: Keywords) -> Value:
    new, text = args[0], args[1]
    if isinstance(new, str) and len(new) > 200:
        return Unknown("a long text")
    most = args[2] if len(args) > 2 else keywords.get("count", 0)
    parts: list[Value] = []
    at = size = 0
    for match in _every(machine, pattern, text)[: most or None]:
        start, end = match.found.spans[0] or (0, 0)
        made = _filled(match, new) if isinstance(new, str) else machine.call(new, [match])
        if not isinstance(made, str):
            return made if isinstance(made, Unknown) else machine.fault(TypeError)
        parts += [like(text[at:start], text, at), made]
        size += len(made)
        machine.spend(len(made) // 100)
        if size > MAX_TEXT:
            return Unknown("a long text")
        at = end
    made = assembled(machine, [*parts, like(text[at:], text, at)])
    if isinstance(made, Text) and isinstance(text, Text) and made.count("\n") == text.count("\n"):
        return Text(made, text.file, text.line, text.flat, text.doubt)  # the lines are where they were
    return made


_REFERENCE = re.compile(r"\\(?:g<(?P<name>\w{1,99})>|(?P<number>\d{1,2})|(?P<sign>.))", re.DOTALL)
_SIGNS = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}


def _filled(match: Match, form: str) -> str:
    def one(reference: re.Match[str]) -> str:
        name = reference["name"] or reference["number"]
        if name is None:
            return _SIGNS.get(reference["sign"], reference[0])
        return str(match.part(int(name) if name.isdigit() else name) or "")

    return _REFERENCE.sub(one, form) if "\\" in form else form


_FUNCTIONS: dict[str, Any] = {
    **{name: _search(name) for name in ("search", "match", "fullmatch")},
    "finditer": _finditer,
    "findall": _findall,
    "split": _split,
    "sub": _sub,
}
_TAKES = {"sub": 3, "split": 2}


def _compiled(machine: State, pattern: Value, flags: Value) -> Pattern | Unknown:
    if isinstance(pattern, Compiled):
        return pattern.pattern
    if not isinstance(pattern, str) or not isinstance(flags, int):
        return Unknown("a regular expression")
    key = ("re", str(pattern), flags)
    if key not in machine.memory:
        machine.spend(100 + len(pattern))
        try:
            machine.memory[key] = Pattern(str(pattern), flags)
        except Refused as refused:
            machine.memory[key] = Unknown(f"a regular expression ({refused})")
    found: Pattern | Unknown = machine.memory[key]
    return found


def _compile(machine: State, args: Args, keywords: Keywords) -> Value:
    made = _compiled(machine, args[0], args[1] if len(args) > 1 else keywords.get("flags", 0))
    return Compiled(made) if isinstance(made, Pattern) else made


def _function(name: str) -> Native:
    function = _FUNCTIONS[name]
    takes = 1 + _TAKES.get(name, 1)

    def run(machine: State, args: Args, keywords: Keywords) -> Value:
        keywords = dict(keywords)
        flags = keywords.pop("flags", args[takes] if len(args) > takes else 0)
        pattern = _compiled(machine, keywords.pop("pattern") if "pattern" in keywords else args[0], flags)
        if not isinstance(pattern, Pattern):
            return pattern
        given = [*args[1:takes], *(keywords.pop(name) for name in ("repl", "string") if name in keywords)]
        return _run(machine, function, pattern, given, keywords)

    return Native(name, run)


def _escape(machine: State, args: Args, keywords: Keywords) -> Value:
    return re.escape(args[0]) if isinstance(args[0], str) else Unknown("re.escape()")


def re_module(machine: State) -> Namespace:
    flags = ("M", "MULTILINE", "I", "IGNORECASE", "S", "DOTALL", "X", "VERBOSE", "A", "ASCII", "U", "UNICODE")
    return Namespace(
        "re",
        {
            **{name: _function(name) for name in _FUNCTIONS},
            **{name: int(getattr(re, name)) for name in flags},
            "compile": Native("compile", _compile),
            "escape": Native("escape", _escape),
            "error": re.error,
        },
    )
