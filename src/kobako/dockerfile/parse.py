"""A Dockerfile's instructions with their places, by the rules of BuildKit's own parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from kobako.dockerfile.arguments import json_words, split_arguments
from kobako.dockerfile.check import check_instructions
from kobako.dockerfile.heredoc import Heredoc, heredocs_of
from kobako.dockerfile.instruction import Dockerfile, Instruction
from kobako.dockerfile.lex import LexError
from kobako.dockerfile.text import SPACE, Line, Logical, is_blank, is_comment, newline_of, split_lines
from kobako.errors import UsageError, Where
from kobako.model.recipe import Span

_DIRECTIVE = re.compile(r"([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*")
_DIRECTIVES = ("syntax", "escape", "check")
_WITH_HEREDOCS = ("ADD", "COPY", "RUN")


def parse(text: str, file: str = "Dockerfile") -> Dockerfile:
    """All of the text, each character in exactly one instruction or gap.

    Raises UsageError("invalid-dockerfile") for what BuildKit would refuse as well; flags are not judged.
    """
    dockerfile = parse_syntax(text, file)
    check_instructions(dockerfile)
    return dockerfile


def parse_syntax(text: str, file: str = "Dockerfile") -> Dockerfile:
    """Like ``parse``, without judging what the instructions say."""
    reader = _Reader(text, file)
    instructions = list(_in_stages(reader.instructions()))
    if not instructions:
        raise reader.error("the Dockerfile holds no instruction", max(1, len(reader.lines)))
    return Dockerfile(text, file, newline_of(text), reader.escape, reader.directives, tuple(instructions))


def _in_stages(found: Iterator[Instruction]) -> Iterator[Instruction]:
    stage = -1
    for index, instruction in enumerate(found):
        stage += instruction.keyword == "FROM"
        yield replace(instruction, index=index, stage=stage)


@dataclass
class _Reader:
    text: str
    file: str
    lines: list[Line] = field(init=False)
    directives: dict[str, str] = field(default_factory=dict)
    escape: str = "\\"
    _at: int = 0
    _top: bool = True

    def __post_init__(self) -> None:
        self.lines = split_lines(self.text)

    def error(self, what: str, line: int) -> UsageError:
        return UsageError("invalid-dockerfile", what, where=Where(self.file, line))

    def instructions(self) -> Iterator[Instruction]:
        while self._at < len(self.lines):
            number = self._at
            line = self.lines[number]
            self._at += 1
            self._directive(line.text.lstrip(SPACE), number + 1)
            if is_comment(line.text) or is_blank(line.text):
                continue
            head = self._head(line)
            try:
                yield self._instruction(head, number)
            except LexError as error:
                raise self.error(str(error), number + 1) from error

    def _directive(self, line: str, number: int) -> None:
        """Directives stand at the very top; anything else ends them."""
        if not self._top:
            return
        match = _DIRECTIVE.fullmatch(line[1:].lstrip(SPACE)) if line.startswith("#") else None
        name = match[1].lower() if match else ""
        if not match or name not in _DIRECTIVES:
            self._top = False
            return
        if name in self.directives:
            raise self.error(f"only one {name} directive can be used", number)
        self.directives[name] = match[2]
        if name == "escape":
            if match[2] not in ("\\", "`"):
                raise self.error(f"the escape character is neither \\ nor `: {match[2]}", number)
            self.escape = match[2]

    def _head(self, first: Line) -> Logical:
        """The logical line that starts here; comment lines and blank lines within do not end it."""
        start = first.start + len(first.text) - len(first.text.lstrip(SPACE))
        text, more = self._continued(first.text.lstrip(SPACE))
        pieces = [(text, start)]
        while more and self._at < len(self.lines):
            line = self.lines[self._at]
            self._at += 1
            if not (is_comment(line.text) or is_blank(line.text)):
                text, more = self._continued(line.text)
                pieces.append((text, line.start))
        return Logical.join(pieces, start)

    def _continued(self, line: str) -> tuple[str, bool]:
        """Without its continuation character, and whether there was one. A doubled one does not count."""
        bare = line.rstrip(" \t")
        if bare.endswith(self.escape) and not bare.endswith(self.escape * 2):
            return bare[:-1], True
        return line, False

    def _instruction(self, head: Logical, number: int) -> Instruction:
        start = self.lines[number].start
        head_end = self.lines[self._at - 1].end
        shell = split_arguments(head, self.escape)
        inner = None
        if shell.keyword == "ONBUILD":
            inner = replace(self._words(split_arguments(shell.value, self.escape)), line=number + 1)
        found = replace(self._words(shell), inner=inner)
        heredocs: tuple[Heredoc, ...] = ()
        bearer = inner or found
        if bearer.keyword in _WITH_HEREDOCS and bearer.words is None:
            heredocs = tuple(self._bodies(heredocs_of(head.text), number))
        return replace(
            found,
            span=Span(start, self.lines[self._at - 1].end),
            head_end=head_end,
            line=number + 1,
            end_line=self._at,
            heredocs=heredocs,
            inner=inner and replace(inner, heredocs=heredocs, head_end=head_end, end_line=self._at),
        )

    @staticmethod
    def _words(instruction: Instruction) -> Instruction:
        return replace(instruction, words=json_words(instruction))

    def _bodies(self, announced: list[Heredoc], number: int) -> Iterator[Heredoc]:
        for heredoc in announced:
            start = self.lines[self._at - 1].end
            while self._at < len(self.lines):
                line = self.lines[self._at]
                self._at += 1
                text = line.text.lstrip("\t") if heredoc.chomp else line.text
                if text == heredoc.name:
                    yield replace(heredoc, body=Span(start, line.start), end=line.end)
                    break
            else:
                raise self.error(f"the heredoc {heredoc.name} has no end", number + 1)
