"""Lines, white space and logical text, as BuildKit sees them, with every character's place in the file."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from kobako.model.recipe import Span

BOM = "\ufeff"

# Go's unicode.IsSpace, which differs from str.isspace in the control characters 0x1c to 0x1f.
SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


class Line(NamedTuple):
    """A physical line: ``end`` is after its newline; ``text`` is without the newline."""

    start: int
    end: int
    text: str


def split_lines(text: str) -> list[Line]:
    """Lines end at a line feed and nowhere else; trailing carriage returns belong to the newline."""
    lines = []
    start = 1 if text.startswith(BOM) else 0
    while start < len(text):
        found = text.find("\n", start)
        end = len(text) if found < 0 else found + 1
        lines.append(Line(start, end, text[start:end].rstrip("\r\n")))
        start = end
    return lines


def newline_of(text: str) -> str:
    """The file's own newline: that of most of its lines."""
    crlf = text.count("\r\n")
    return "\r\n" if crlf * 2 > text.count("\n") else "\n"


def is_comment(line: str) -> bool:
    return line.lstrip(SPACE).startswith("#")


def is_blank(line: str) -> bool:
    return not line.strip(SPACE)


@dataclass(frozen=True)
class Logical:
    """Text put together from pieces of the file. ``starts`` are the pieces' offsets here, ``places`` in the file."""

    text: str
    starts: tuple[int, ...]
    places: tuple[int, ...]

    @classmethod
    def join(cls, pieces: Iterable[tuple[str, int]], place: int = 0) -> Logical:
        """From (text, offset in the file); ``place`` is where an empty result stands."""
        kept = [(text, offset) for text, offset in pieces if text]
        starts, length = [], 0
        for text, _ in kept:
            starts.append(length)
            length += len(text)
        if not kept:
            return cls("", (0,), (place,))
        return cls("".join(text for text, _ in kept), tuple(starts), tuple(offset for _, offset in kept))

    def offset(self, index: int) -> int:
        """The place in the file of the character at ``index``."""
        piece = bisect_right(self.starts, index) - 1
        return self.places[piece] + index - self.starts[piece]

    def span(self, start: int, end: int) -> Span:
        """The place in the file of a part. A part that ends a piece ends there, not where the next piece starts."""
        if end <= start:
            return Span(self.offset(start), self.offset(start))
        return Span(self.offset(start), self.offset(end - 1) + 1)

    def cut(self, start: int, end: int) -> Logical:
        """A part, still knowing its places."""
        return Logical.join(self.pieces(start, end), self.offset(start))

    def pieces(self, start: int, end: int) -> list[tuple[str, int]]:
        bounds = [*self.starts, len(self.text)]
        found = []
        for piece, place in enumerate(self.places):
            low, high = max(start, bounds[piece]), min(end, bounds[piece + 1])
            if low < high:
                found.append((self.text[low:high], place + low - bounds[piece]))
        return found

    def strip(self) -> Logical:
        """Without the white space around it."""
        start = len(self.text) - len(self.text.lstrip(SPACE))
        return self.cut(start, max(start, len(self.text.rstrip(SPACE))))
