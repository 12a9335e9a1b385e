"""The parsed form of a Dockerfile: instructions and gaps that together are its text, character for character."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kobako.dockerfile.heredoc import Heredoc
from kobako.dockerfile.text import BOM, Logical
from kobako.model.recipe import NOWHERE, Flag, Span


class Argument(NamedTuple):
    """A word of an instruction: its text and its offsets in the instruction's logical value."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    ``span`` covers whole lines, heredocs included; ``head_end`` is where the heredocs' bodies start. ``value`` is the
    logical text after keyword and flags, with every character's place in the file. ``words`` are the strings of the
    JSON form, or None. ``inner`` is what ONBUILD triggers. ``stage`` is -1 before the first FROM.
    """

    keyword: str
    value: Logical
    flags: tuple[Flag, ...] = ()
    span: Span = NOWHERE
    head_end: int = 0
    line: int = 0
    end_line: int = 0
    words: tuple[str, ...] | None = None
    heredocs: tuple[Heredoc, ...] = ()
    inner: Instruction | None = None
    index: int = 0
    stage: int = -1


@dataclass(frozen=True)
class Dockerfile:
    """``text`` as given; ``newline`` is what new lines shall end with; ``escape`` the continuation character."""

    text: str
    file: str
    newline: str
    escape: str
    directives: Mapping[str, str]
    instructions: tuple[Instruction, ...]

    def source(self, instruction: Instruction) -> str:
        """The instruction as written."""
        return self.text[instruction.span.start : instruction.span.end]

    def gaps(self) -> tuple[str, ...]:
        """The text before each instruction, and after the last one: byte-order mark, comments, blank lines."""
        ends = [0, *(one.span.end for one in self.instructions)]
        starts = [*(one.span.start for one in self.instructions), len(self.text)]
        return tuple(self.text[end:start] for end, start in zip(ends, starts, strict=True))

    @property
    def has_bom(self) -> bool:
        return self.text.startswith(BOM)

    def line_of(self, offset: int) -> int:
        """The number of the line that holds this character."""
        return self.text.count("\n", 0, offset) + 1

    def line_start(self, offset: int) -> int:
        """Where that line starts (after a byte-order mark)."""
        start = self.text.rfind("\n", 0, offset) + 1
        return 1 if start == 0 and self.has_bom else start

    def line_end(self, offset: int) -> int:
        """Where the next line starts."""
        found = self.text.find("\n", offset)
        return len(self.text) if found < 0 else found + 1
