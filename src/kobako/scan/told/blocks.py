"""Markdown, reStructuredText and plain text, parted into commands that are shown and prose, each with its headings.

No grammar of either language is followed to the letter: a line counts as code when it stands in a fence, in <pre>, or
further in than prose does. Whether it is a command is for others to say. Pure.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from kobako.scan.told.lines import is_command

MOST_LINES = 20_000
LONGEST_LINE = 20_000
MOST_SPANS = 50

_FENCE = re.compile(r"[ \t>*+-]*(?:\d{1,3}[.)][ \t]+)?(`{3,}|~{3,})[ \t]*([^`]*)$")
_ATX = re.compile(r"[ ]{0,3}(#{1,6})[ \t]+([^\n]{1,300})$")
_UNDERLINE = re.compile(r"([=\-~^\"'`#*+.])\1{2,}\s*$")
_HTML_HEADING = re.compile(r"<h([1-6])[^>]{0,200}>(.{0,300}?)</h\1>", re.IGNORECASE)
_SUMMARY = re.compile(r"<summary[^>]{0,200}>(.{0,300}?)</summary>", re.IGNORECASE)
_BOLD = re.compile(r"[ \t>*+-]*(?:\d{1,2}[.)]\s*)?(?:\*\*|__)([^*_]{2,100})(?:\*\*|__)\s*[:\uff1a]?\s*$")
_TAG = re.compile(r"<[^<>]{1,400}>")
_SPAN = re.compile(r"(`{1,2})([^`\n]{4,400})\1")
_IN_SPAN = re.compile(
    r"(?:[$!%]\s*)?(?:sudo\s+)?(?:(?:python[\d.]*\s+-m\s+)?pip[\d.]*"
    r"|uv pip|conda|mamba|mim|apt|apt-get)\s+(?:install|create)\s"
)
_TAB = re.compile(r"[ \t]*(?:===\s*[\"'](.{1,100})[\"']|\.\.\s+(?:tab|group-tab|tab-item)::\s*(.{1,100}))\s*$")


class Block(NamedTuple):
    """Lines that belong together. ``line`` is the first one's number; ``lead`` the paragraph above it."""

    kind: str  # "code", "span" or "prose"
    text: str
    line: int
    headings: tuple[str, ...] = ()
    lead: str = ""


@dataclass
class _Reader:
    rst: bool
    blocks: list[Block] = field(default_factory=list)
    _headings: list[tuple[int, str]] = field(default_factory=list)
    _marks: list[str] = field(default_factory=list)
    _code: list[str] = field(default_factory=list)
    _start: int = 0
    _fence: str = ""
    _lead: list[str] = field(default_factory=list)
    _blank: bool = True
    _hidden: bool = False
    _indented: bool = False
    _markup: bool = False

    def line(self, number: int, line: str) -> None:
        stripped = line.strip()
        if self._fence:
            self._fenced(number, line, stripped)
        elif self._hidden or (stripped.startswith("<!--") and not self._code):
            self._hidden = "-->" not in stripped
        elif not self.rst and (fence := _FENCE.match(line)):
            self.flush()
            self._fence, self._start = fence[1], number + 1
        elif "<pre" in stripped.lower():
            self.flush()
            self._fence, self._start, self._markup = "</pre>", number, True
            self._fenced(number, re.sub(r"^.*?<pre[^>]{0,200}>", "", line, flags=re.IGNORECASE), stripped)
        else:
            self._open(number, line, stripped)

    def flush(self) -> None:
        """The code that was being collected is complete."""
        code, self._code = self._code, []
        if self._indented and not any(is_command(line) for line in code):
            self._indented = False
            for number, line in enumerate(code, self._start):
                if line.strip():  # the rest of a list's item, or an example in another language
                    self._sentence(number, line)
                self._blank = not line.strip()
        elif code:
            self.blocks.append(Block("code", "\n".join(code), self._start, self._above(), self._paragraph()))
        self._indented = False

    def _fenced(self, number: int, line: str, stripped: str) -> None:
        bare = stripped.lstrip("> ")
        end = self._fence
        closed = (
            end in bare.lower()
            if self._markup
            else bare.startswith(end) and not bare.strip(end[0]) and len(bare) >= len(end)
        )
        if closed and not (
            self._markup and number == self._start and bare.lower().find(end) < bare.lower().find("<pre")
        ):
            self._code.append(_text_of(re.split("</pre>", line, flags=re.IGNORECASE)[0])) if self._markup else None
            self._fence, self._markup = "", False
            self.flush()
            self._blank = True
        else:
            self._code.append(_text_of(line) if self._markup else re.sub(r"^[ \t]*>[ ]?", "", line))

    def _open(self, number: int, line: str, stripped: str) -> None:
        if self._heading(line, stripped):
            self.flush()
            self._lead, self._blank = [], False
            return
        if not stripped:
            if self._code:
                self._code.append("")
            self._blank = True
            return
        indented = line.startswith(("    ", "\t")) or (self.rst and line.startswith("  "))
        if indented and (self._code or self._blank or self.rst):
            if not self._code:
                self._start = number
                self._indented = True
            self._code.append(line)
        else:
            blank = self._blank
            self.flush()
            self._blank = blank
            self._sentence(number, line)
        self._blank = False

    def _sentence(self, number: int, line: str) -> None:
        if self._blank:
            self._lead = []
        self._lead.append(line.strip())
        self.blocks.append(Block("prose", line, number, self._above()))
        for span in islice(_SPAN.finditer(line), MOST_SPANS):
            if _IN_SPAN.match(f"{span[2].strip()} "):
                self.blocks.append(Block("span", span[2], number, self._above(), line[: span.start()]))

    def _paragraph(self) -> str:
        return " ".join(self._lead)[-600:]

    def _above(self) -> tuple[str, ...]:
        return tuple(text for _, text in self._headings)

    def _heading(self, line: str, stripped: str) -> bool:
        """Whether this line is a heading, or makes one of the line before it."""
        if (found := _ATX.match(line)) and not self.rst:
            self._push(len(found[1]), found[2].strip("# "))
        elif found := _HTML_HEADING.search(stripped):
            self._push(int(found[1]), _text_of(found[2]))
        elif found := _SUMMARY.search(stripped):
            self._push(7, _text_of(found[1]))
        elif "</details>" in stripped.lower():
            self._push(7, "")
        elif found := _TAB.match(line):
            self._push(9, found[1] or found[2])
        elif found := _BOLD.match(line):
            self._push(8, found[1])
        else:
            return self._underlined(stripped)
        return True

    def _underlined(self, stripped: str) -> bool:
        if not (mark := _UNDERLINE.match(stripped)) or not self._lead or self._blank or len(self._lead) != 1:
            return False
        if not self.rst and mark[1] not in "=-":
            return False
        if self.rst and mark[1] not in self._marks:
            self._marks.append(mark[1])
        level = self._marks.index(mark[1]) + 1 if self.rst else 1 if mark[1] == "=" else 2
        self._push(level, self._lead[0].strip("# "))
        return True

    def _push(self, level: int, text: str) -> None:
        text = re.sub(r"\[([^\]]{0,200})\]\([^)]{0,400}\)", r"\1", text)
        self._headings = [one for one in self._headings if one[0] < level]
        if text.strip():
            self._headings.append((level, text.strip()))


def blocks_of(text: str, *, rst: bool = False) -> list[Block]:
    """All blocks in the order of the text. Blocks of prose are single lines, paragraphs being of no use to anybody."""
    reader = _Reader(rst)
    number = 0
    for number, line in enumerate(_lines(text), 1):
        reader.line(number, line[:LONGEST_LINE])
    reader.flush()
    return reader.blocks


def _lines(text: str) -> Iterator[str]:
    start = 0
    for _ in range(MOST_LINES):
        end = text.find("\n", start)
        if end < 0:
            yield text[start:].rstrip("\r")
            return
        yield text[start:end].rstrip("\r")
        start = end + 1


def _text_of(markup: str) -> str:
    return html.unescape(_TAG.sub("", markup)).strip()
