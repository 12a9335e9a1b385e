"""What a value that ``setup`` was given declares: entries with their places, and what stayed open."""

from __future__ import annotations

import re
from collections.abc import Iterator as Iterating
from dataclasses import dataclass, field
from itertools import islice

from kobako.masking import mask
from kobako.model.finding import Finding
from kobako.scan.evaluate.files import File
from kobako.scan.evaluate.operators import truth
from kobako.scan.evaluate.state import ROOT
from kobako.scan.evaluate.values import Doubt, Instance, Iterator, Text, Unknown, Value, pieces
from kobako.scan.tree import Tree

_SHOWN = 200
_MOST = 2000
"""Entries of one list. Nobody declares more."""
_MAX_ENTRIES = 10_000
"""Entries of everything that a script declares, and (a hundred times as many) characters of them."""
_MAX_SEARCHES = 200


@dataclass
class Entries:
    """Strings in the order declared, each with its place; the doubts that some of them hang on; unknown ones.

    ``options`` are strings of which one holds; the unknown entry itself says which belong together.
    """

    texts: list[tuple[str, Finding]] = field(default_factory=list)
    options: list[tuple[str, Finding]] = field(default_factory=list)
    doubts: dict[Doubt, list[str]] = field(default_factory=dict)
    unknown: list[Unknown] = field(default_factory=list)


class Places:
    """Where strings stand that have lost their place: looked for in the files that the script read."""

    def __init__(self, tree: Tree, script: str, read_files: list[str]) -> None:
        self._tree = tree
        self._files = [*(one for one in read_files if one != script and not one.endswith((".md", ".rst"))), script]
        self._lines: dict[str, list[str]] = {}
        self._left = _MAX_SEARCHES
        self.entries_left = _MAX_ENTRIES
        self.signs_left = 100 * _MAX_ENTRIES

    def of(self, text: str, default: Finding) -> Finding:
        shown = mask(text[:_SHOWN])
        if isinstance(text, Text):
            return Finding(text.file, text.line, shown)
        self._left -= 1
        if self._left < 0:
            return Finding(default.file, default.line, shown)
        wanted = re.compile(rf"(?<![\w-]){re.escape(re.split('[^A-Za-z0-9._-]', text, maxsplit=1)[0])}(?![\w-])")
        for name in self._files:
            if name not in self._lines:
                self._lines[name] = (self._tree.read(name) or "").splitlines()[:20_000]
            for number, line in enumerate(self._lines[name], 1):
                if wanted.search(line[:1000]):
                    return Finding(name, number, shown)
        return Finding(default.file, default.line, shown)


def entries(value: Value, places: Places, default: Finding) -> Entries:
    """The strings that a list of requirements comes to, as setuptools takes it apart: lists, lines, comments."""
    found = Entries()
    for item in islice(_rows(value, places), min(_MOST, places.entries_left)):
        places.entries_left -= 1
        if isinstance(item, Unknown):
            options = item.options if all(isinstance(one, str) for one in item.options) else ()
            found.unknown.append(Unknown(item.why, options, item.missing))
            found.options += [(str(one), places.of(one, default)) for one in options if one.strip()]
            continue
        shown = str(item.replace(f"file://localhost{ROOT}", "file:.").replace(ROOT, "."))
        found.texts.append((shown, places.of(item, default)))
        if isinstance(item, Text) and item.doubt is not None:
            found.doubts.setdefault(item.doubt, []).append(shown)
    return found


def _rows(value: Value, places: Places) -> Iterating[Value]:
    """The lines of all entries, and what is not known."""
    for item in _flat(value, 0):
        if isinstance(item, str):
            places.signs_left -= len(item) + 10
            yield from _lines(item) if places.signs_left > 0 else ()
        else:
            yield item


def _flat(value: Value, depth: int) -> Iterating[Value]:
    if isinstance(value, File):
        content = value.content
        value = pieces(content, content.splitlines()) if isinstance(content, str) else content
    if isinstance(value, (str, Unknown)):
        yield value
    elif isinstance(value, Iterator):
        yield from _flat(value.items, depth)
    elif isinstance(value, (list, tuple)) and depth < 3:
        for item in value[: _MOST if depth == 0 else 50]:
            yield from _flat(item, depth + 1)
    elif isinstance(value, (set, frozenset, dict)):
        known = sorted((item for item in value if isinstance(item, str)), key=_order)
        yield from known
        yield from (item for item in value if isinstance(item, Unknown))
    elif isinstance(value, Instance) and isinstance(value.names.get("_whole"), str):
        yield value.names["_whole"]
    elif value is not None and truth(value) is not False:
        yield Unknown("a value that is no list of strings")


def _order(text: str) -> tuple[str, int, str]:
    """A set has no order: that of the places is the author's."""
    return (text.file, text.line, str(text)) if isinstance(text, Text) else ("", 0, str(text))


def _lines(text: str) -> list[str]:
    """The lines of one entry, without blank ones, comments and continuations."""
    if "\n" not in text and "#" not in text:
        return [text] if text.strip() else []
    from kobako.scan.declaring.requirements_txt import logical_lines  # noqa: PLC0415 - it is needed for few scripts

    rows = pieces(text, text.splitlines())
    found: list[str] = []
    for number, line in logical_lines(str(text)):
        row = rows[number - 1]
        found.append(Text(line, row.file, row.line, row.flat, row.doubt) if isinstance(row, Text) else line)
    return found
