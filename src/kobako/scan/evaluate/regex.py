"""Regular expressions of a stranger's, matched in bounded time.

Python's own engine needs exponential time for some patterns and cannot be interrupted. This one turns Python's parse of
the pattern into a small program that tries the same ways in the same order (so it finds the same match), and remembers
where it has been: each place of the program is tried at most once at each place of the text. That is right as long as
no part looks back at what was captured; patterns with back-references are refused. Every step is paid for.
"""

# ruff: noqa: ARG002 - the steps of a program share one signature

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from kobako.scan.evaluate.regex_signs import Place, Refused, Signs, Test

try:
    from re import _parser as parser  # type: ignore[attr-defined]  # Python 3.11 and later
except ImportError:
    import sre_parse as parser

MAX_PATTERN = 1000
MAX_CODE = 2000
MAX_STEPS = 250_000
_SINGLE = frozenset({"LITERAL", "NOT_LITERAL", "ANY", "IN"})


class Found(NamedTuple):
    """A match: the place of each group, the whole first; None for one that took no part."""

    spans: tuple[tuple[int, int] | None, ...]


class Pattern:
    """A pattern that was parsed. ``groups`` counts them without the whole."""

    def __init__(self, text: str, flags: int) -> None:
        if len(text) > MAX_PATTERN:
            raise Refused("a long pattern")
        try:
            parsed: Any = parser.parse(text, flags)
            self.flags: int = parsed.state.flags
            self.groups: int = parsed.state.groups - 1
            self.names: dict[str, int] = dict(parsed.state.groupdict)
            self.text = text
            self.code = _Code(self.flags, self.groups)
            self.code.sequence(list(parsed))
        except (re.error, RecursionError, OverflowError) as error:
            raise Refused(str(error)) from None
        self.code.put("end")
        self.start = "" if self.flags & re.IGNORECASE else _start(parsed)

    def over(self, text: str) -> Matcher:
        return Matcher(self, text)


def _start(items: Any) -> str:
    """A text that every match starts with; "^" where it starts at the beginning (of a line); "" for neither."""
    found = ""
    for operation, value in items:
        if str(operation) == "AT" and not found and str(value) == "AT_BEGINNING":
            return "^"
        if str(operation) != "LITERAL":
            break
        found += chr(value)
    return "" if found == "^" else found


class _Code:
    """The program of a pattern: each line is the name of a method of ``Matcher`` and what that is given.

    ``slots`` are the places that it remembers: two for each group, one for each loop.
    """

    def __init__(self, flags: int, groups: int) -> None:
        self.lines: list[tuple[str, Any, int | None]] = []
        self.signs = Signs(flags)
        self.slots = 2 * groups + 2
        self.looks = False
        self.loop: int | None = None

    def put(self, name: str, value: Any = None) -> int:
        if len(self.lines) >= MAX_CODE:
            raise Refused("a large pattern")
        self.lines.append((name, value, self.loop))
        return len(self.lines) - 1

    def fill(self, line: int, value: Any) -> None:
        self.lines[line] = (self.lines[line][0], value, self.lines[line][2])

    def sequence(self, items: list[Any]) -> None:
        for operation, value in items:
            name = str(operation)
            if name in _SINGLE:
                self.put("sign", self.signs.test(name, value))
            elif name == "AT":
                self.put("place", self.signs.place(str(value)))
            elif name in {"MAX_REPEAT", "MIN_REPEAT"}:
                self.repeat(list(value[2]), value[0], value[1], is_lazy=name == "MIN_REPEAT")
            elif name in {"ASSERT", "ASSERT_NOT"}:
                self.look(value[0], value[1], wanted=name == "ASSERT")
            elif name == "BRANCH":
                self.branch([list(way) for way in value[1]])
            elif name == "SUBPATTERN":
                self.group(*value)
            else:
                raise Refused(name)

    def branch(self, ways: list[list[Any]]) -> None:
        split = self.put("split")
        starts: list[int] = []
        ends: list[int] = []
        for way in ways:
            starts.append(len(self.lines))
            self.sequence(way)
            ends.append(self.put("jump"))
        self.fill(split, starts)
        for end in ends:
            self.fill(end, len(self.lines))

    def group(self, number: int | None, added: int, removed: int, inner: Any) -> None:
        if added or removed or (number is not None and self.looks):
            raise Refused("flags or groups inside of something")
        if number is None:
            self.sequence(list(inner))
            return
        self.put("save", 2 * number)
        self.sequence(list(inner))
        self.put("save", 2 * number + 1)

    def repeat(self, items: list[Any], low: int, high: Any, *, is_lazy: bool) -> None:
        most = None if high is parser.MAXREPEAT else int(high)
        if len(items) == 1 and str(items[0][0]) in _SINGLE:
            self.put("run", (self.signs.test(str(items[0][0]), items[0][1]), (low, most, is_lazy)))
            return
        for _ in range(low):
            self.sequence(items)
        leaves = [self.once(items, is_lazy=is_lazy)] if most is None else []
        if most is None:
            self.put("jump", leaves[0])
        leaves += [self.once(items, is_lazy=is_lazy) for _ in range(0 if most is None else most - low)]
        for leave in leaves:
            ways = [leave + 1, len(self.lines)]
            self.fill(leave, ways[::-1] if is_lazy else ways)
            slot = self.lines[leave + 1][1]
            for at in range(leave, len(self.lines)):
                if self.lines[at][:2] == ("moved", (slot, 0)):  # a round that took nothing is the last one
                    self.fill(at, (slot, len(self.lines)))

    def once(self, items: list[Any], *, is_lazy: bool) -> int:
        """A round that need not be; where it begins. Its ends are filled in when they are known."""
        begin = self.put("split", is_lazy)
        slot = self.slots
        self.slots += 1
        self.put("save", slot)
        outer, self.loop = self.loop, slot
        self.sequence(items)
        self.put("moved", (slot, 0))
        self.loop = outer
        return begin

    def look(self, direction: int, inner: Any, *, wanted: bool) -> None:
        low, high = inner.getwidth()
        if direction < 0 and low != high:
            raise Refused("a look behind without a width")
        begin = self.put("look")
        outer, self.looks = self.looks, True
        self.sequence(list(inner))
        self.looks = outer
        self.put("end")
        self.fill(begin, (low if direction < 0 else 0, wanted, len(self.lines)))


class Matcher:
    """A pattern at work on a text."""

    def __init__(self, pattern: Pattern, text: str) -> None:
        self.pattern = pattern
        self.code = pattern.code.lines
        self.text = text
        self.end = len(text)
        self.steps = 0
        self.slots: list[int | None] = []
        self.barred = -1
        """Where a match must not end."""
        self.tried: set[int] = set()
        """Where it has been, and has failed."""
        self.looked: dict[tuple[int, int], bool] = {}
        self.runs: dict[int, tuple[int, int]] = {}
        """Runs of one sign that were measured: from where, to where."""

    # --- what is asked ---------------------------------------------------------------------------------------------

    def match(self, at: int = 0, *, whole: bool = False) -> Found | None:
        """A match that starts there. ``whole``: and takes all of the text."""
        self.slots = [None] * self.pattern.code.slots
        end = self.go(0, at, self.end if whole else None)
        if end is None:
            return None
        spans = [(at, end)]
        for number in range(2, 2 * self.pattern.groups + 2, 2):
            start, stop = self.slots[number : number + 2]
            spans.append(None if start is None or stop is None else (start, stop))  # type: ignore[arg-type]
        return Found(tuple(spans))

    def search(self, at: int = 0) -> Found | None:
        self.tried.clear()
        for place in self.places(at):
            found = self.match(place)
            if found is not None:
                return found
        return None

    def every(self) -> Iterator[Found]:
        """All matches that do not overlap, in their order."""
        at = 0
        while at <= self.end:
            found = self.search(at)
            if found is None:
                return
            yield found
            start, at = found.spans[0] or (0, 0)
            self.barred = at if start == at else -1  # what comes next must take something, if it starts here

    def places(self, at: int) -> Iterator[int]:
        """Where a match may start."""
        start = self.pattern.start
        if not start:
            yield from range(at, self.end + 1)
        elif start == "^":
            if at == 0:
                yield 0
            while self.pattern.flags & re.MULTILINE:
                at = self.text.find("\n", max(at - 1, 0)) + 1
                if not at:
                    return
                yield at
                at += 1
        else:
            while (at := self.text.find(start, at)) >= 0:
                yield at
                at += 1

    def pay(self) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise Refused("a match that takes long", self.steps // 4)

    # --- the program -----------------------------------------------------------------------------------------------

    def go(self, line: int, at: int, only: int | None = None) -> int | None:
        """Carry out the program from a line on; where it ends. ``only``: it must end there."""
        ways: list[tuple[int, Any, Iterator[int] | None]] = [(line, at, None)]
        while ways:
            self.pay()
            line, at, ends = ways.pop()
            if line < 0:  # a way was given up: a slot has its old value again
                self.slots[~line] = at
                continue
            if ends is not None:
                following = next(ends, None)
                if following is None:
                    continue
                at = following
                ways.append((line, at, ends))
            end = self.follow(line, at, ways)
            if end is not None and end != self.barred and only in {None, end}:
                return end
        return None

    def follow(self, line: int, at: int, ways: list[Any]) -> int | None:
        """One way, as far as it goes. What else may be tried is put on ``ways``."""
        code, size = self.code, self.end + 1
        while True:
            loop = code[line][2]  # where it leads to depends on whether the round has taken something
            key = 2 * (line * size + at) + (loop is not None and self.slots[loop] == at)
            if key in self.tried:
                return None
            self.tried.add(key)
            while True:
                self.pay()
                name, value, _ = code[line]
                if name == "end":
                    return at
                step = _STEPS[name](self, line, at, value, ways)
                if step is None:
                    return None
                line, at = step
                if name == "jump":
                    break

    def sign(self, line: int, at: int, test: Test, ways: list[Any]) -> tuple[int, int] | None:
        return (line + 1, at + 1) if at < self.end and test(self.text[at]) else None

    def place(self, line: int, at: int, test: Place, ways: list[Any]) -> tuple[int, int] | None:
        return (line + 1, at) if test(self.text, at) else None

    def save(self, line: int, at: int, slot: int, ways: list[Any]) -> tuple[int, int]:
        ways.append((~slot, self.slots[slot], None))
        self.slots[slot] = at
        return line + 1, at

    def split(self, line: int, at: int, lines: list[int], ways: list[Any]) -> None:
        ways += [(one, at, None) for one in reversed(lines)]

    def jump(self, line: int, at: int, to: int, ways: list[Any]) -> tuple[int, int]:
        return to, at

    def moved(self, line: int, at: int, value: tuple[int, int], ways: list[Any]) -> tuple[int, int]:
        return (value[1] if self.slots[value[0]] == at else line + 1), at

    def run(self, line: int, at: int, value: Any, ways: list[Any]) -> None:
        """A run of one sign: how far it goes is counted once, then ends are tried one after the other."""
        test, (low, most, is_lazy) = value
        start, stop = self.runs.get(line, (0, -1))
        if not start <= at < stop:
            stop = at
            while stop < self.end and test(self.text[stop]):
                stop += 1
            self.steps += (stop - at) // 5
            self.runs[line] = (at, stop)
        last = stop if most is None else min(stop, at + most)
        ends = range(at + low, last + 1)
        ways.append((line + 1, at, iter(ends if is_lazy else reversed(ends))))

    def look(self, line: int, at: int, value: Any, ways: list[Any]) -> tuple[int, int] | None:
        """What must, or must not, follow or precede."""
        back, wanted, after = value
        key = (line, at)
        if key not in self.looked:
            tried, barred = self.tried, self.barred
            self.tried, self.barred = set(), -1
            self.looked[key] = at >= back and self.go(line + 1, at - back) is not None
            self.tried, self.barred = tried, barred
        return (after, at) if self.looked[key] is wanted else None


_STEPS: dict[str, Callable[[Any, int, int, Any, list[Any]], tuple[int, int] | None]] = {
    name: getattr(Matcher, name) for name in ("sign", "place", "save", "split", "jump", "moved", "run", "look")
}
