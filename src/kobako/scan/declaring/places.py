"""Where in a TOML or INI file a value stands: the line inside its own table, not the first that looks alike."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from kobako.masking import mask
from kobako.model.finding import Finding

Path = tuple[str, ...]

_BARE = r"[A-Za-z0-9_-]+|\"[^\"\n]{0,200}\"|'[^'\n]{0,200}'"
_PART = re.compile(rf"\s*({_BARE})\s*(\.?)")
_TOML_TABLE = re.compile(r"\s*\[{1,2}([^\[\]\n]+)\]{1,2}\s*(?:#.*)?$")
_TOML_KEY = re.compile(rf"\s*((?:{_BARE})(?:\s*\.\s*(?:{_BARE}))*)\s*=(?!=)")
_INI_SECTION = re.compile(r"\[([^\]\n]+)\]")
_INI_KEY = re.compile(r"([^\s#;=:\[][^=:\n]*)[=:]")
_SHOWN = 200
_FARTHEST = 3000
"""Lines below a key in which an entry is looked for."""
_LONG_LINE = 5000


class Places:
    """The lines of a file and of the keys in it. A path leads through the tables to a key."""

    def __init__(self, file: str, lines: Sequence[str], keys: Iterator[tuple[Path, int]]) -> None:
        self._file = file
        self._lines = lines
        self._keys: dict[Path, int] = {}
        for path, line in keys:
            self._keys.setdefault(path, line)
        self._starts = sorted({line: path for path, line in reversed(self._keys.items())}.items())
        self._next: dict[tuple[Path, str], int] = {}

    def key(self, *path: str) -> Finding:
        """The line where a key stands, or the nearest table around it; else the file's first."""
        return self._finding(self._line(path))

    def entry(self, path: Path, text: str) -> Finding:
        """The line of one entry of a list that stands at a key. Asked again for an equal entry, the next such line."""
        start = self._next.get((path, text), self._line(path))
        for number in range(start, min(self._end(path), start + _FARTHEST) + 1):
            if text in self._lines[number - 1]:
                self._next[path, text] = number + 1
                return Finding(self._file, number, mask(text[:_SHOWN]))
        return Finding(self._file, self._line(path), mask(text[:_SHOWN]))

    def _line(self, path: Path) -> int:
        while path:
            if path in self._keys:
                return self._keys[path]
            path = path[:-1]
        return 1

    def _end(self, path: Path) -> int:
        """The last line that belongs to a key: before the next one that is not below it."""
        at = bisect_right(self._starts, self._line(path), key=lambda one: one[0])
        for line, other in self._starts[at:]:
            if other[: len(path)] != path:
                return line - 1
        return len(self._lines)

    def _finding(self, line: int) -> Finding:
        text = self._lines[line - 1].strip() if line <= len(self._lines) else ""
        return Finding(self._file, line, mask(text[:_SHOWN]))


def of_toml(file: str, text: str) -> Places:
    lines = _split(text)
    return Places(file, lines, _toml(lines))


def of_ini(file: str, text: str) -> Places:
    """As ``configparser`` reads it: keys in lower case."""
    lines = _split(text)
    return Places(file, lines, _ini(lines))


def _split(text: str) -> list[str]:
    return re.split(r"\r\n|\n|\r", text)


def _toml(lines: Sequence[str]) -> Iterator[tuple[Path, int]]:
    table: Path = ()
    depth = 0
    for number, line in enumerate(lines, 1):
        if depth <= 0 and (header := _TOML_TABLE.match(line)):
            table = _parts(header[1])
            yield table, number
        elif depth <= 0 and (key := _TOML_KEY.match(line)):
            path = (*table, *_parts(key[1]))
            yield path, number
            yield from ((path[:length], number) for length in range(len(table) + 1, len(path)))
        depth = max(0, depth + _opened(line))


def _opened(line: str) -> int:
    """How many brackets of lists a line leaves open, those in strings and comments apart."""
    if len(line) > _LONG_LINE:
        return 0
    bare = re.sub(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'|#.*", "", line)
    return bare.count("[") - bare.count("]")


def _parts(dotted: str) -> Path:
    return tuple(match[1].strip("\"'") for match in _PART.finditer(dotted))


def _ini(lines: Sequence[str]) -> Iterator[tuple[Path, int]]:
    section = ""
    for number, line in enumerate(lines, 1):
        if header := _INI_SECTION.match(line):
            section = header[1]
            yield (section,), number
        elif key := _INI_KEY.match(line):
            yield (section, key[1].strip().lower()), number
