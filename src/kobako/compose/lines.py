"""Lines as YAML 1.1 counts them, which is how libyaml and Compose's own parser do."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

BOM = "\ufeff"
BREAKS = "\n\r\x85\u2028\u2029"
BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_REST = re.compile(r"[ \t]*(?P<comment>#[^\n\r\x85\u2028\u2029]*)?")


@dataclass(frozen=True)
class Lines:
    """``starts`` holds where each line begins, ``ends`` where its line break stands (the last line may have none)."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Lines:
        breaks = [match.span() for match in BREAK.finditer(text)]
        first = 1 if text.startswith(BOM) else 0
        return cls(text, (first, *(end for _, end in breaks)), (*(start for start, _ in breaks), len(text)))

    def index(self, offset: int) -> int:
        return max(bisect_right(self.starts, offset) - 1, 0)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1."""
        index = self.index(offset)
        return index + 1, max(offset - self.starts[index], 0) + 1

    def column(self, offset: int) -> int:
        """Characters before ``offset`` on its line."""
        return max(offset - self.starts[self.index(offset)], 0)

    def start(self, offset: int) -> int:
        return self.starts[self.index(offset)]

    def end(self, offset: int) -> int:
        """Where the line of ``offset`` ends, before its line break."""
        return self.ends[self.index(offset)]

    def next(self, offset: int) -> int:
        """Where the line after that of ``offset`` begins: the text's end behind the last one."""
        index = self.index(offset) + 1
        return self.starts[index] if index < len(self.starts) else len(self.text)

    def line(self, index: int) -> str:
        return self.text[self.starts[index] : self.ends[index]]

    def opens(self, offset: int) -> bool:
        """Only blanks stand before ``offset`` on its line."""
        return not self.text[self.start(offset) : offset].strip(" \t")

    def comment_after(self, offset: int) -> int | None:
        """Where the comment begins that is all there is behind ``offset`` on its line; ``None`` without one."""
        match = _REST.match(self.text, offset)
        return match.start("comment") if match and match["comment"] else None
