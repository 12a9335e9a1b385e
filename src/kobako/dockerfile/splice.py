"""Edits as splices of text at positions, and the proof that nothing else changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kobako.dockerfile.instruction import Dockerfile, Instruction
from kobako.dockerfile.parse import parse
from kobako.dockerfile.text import is_comment, split_lines
from kobako.errors import UsageError, Where


class Splice(NamedTuple):
    """Put ``text`` in the place of what stands from ``start`` up to ``end``."""

    start: int
    end: int
    text: str = ""


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """The text with all splices made; their positions are those of the old text, and they do not overlap."""
    for one in sorted(splices, reverse=True):
        text = text[: one.start] + one.text + text[one.end :]
    return text


def refusal(dockerfile: Dockerfile, line: int, what: str, why: str, fix: str = "") -> UsageError:
    """The one error of an edit that cannot be made; the caller's text is as it was."""
    return UsageError("cannot-edit", what, why=why, fix=fix, where=Where(dockerfile.file, line))


class Change(NamedTuple):
    """What an edit is meant to touch: one instruction, which came in (``shift`` 1), went (-1) or changed (0).

    ``line`` is for errors; ``keep_comments`` demands that no comment line came or went.
    """

    target: int
    line: int
    shift: int = 0
    keep_comments: bool = True


def proved(old: Dockerfile, text: str, change: Change) -> Dockerfile:
    """The new text parsed, when every instruction but the changed one is the same, byte for byte."""
    target, line, shift, keep_comments = change
    what = "the edit would change more than it should"
    try:
        new = parse(text, old.file)
    except UsageError as error:
        raise refusal(old, line, what, f"the result would not be a Dockerfile: {error.what}") from error
    if (new.escape, dict(new.directives)) != (old.escape, dict(old.directives)):
        raise refusal(old, line, what, "the directives at the top would change")
    before = [old.source(one) for one in old.instructions if shift > 0 or one.index != target]
    after = [new.source(one) for one in new.instructions if shift < 0 or one.index != target]
    ending = bool(before) and not before[-1].endswith("\n")
    if ending and shift > 0:
        before[-1] += new.newline  # the last line gets the newline that parts it from the new one
    if before != after and [*before[:-1], before[-1].rstrip("\r\n")] != [*after[:-1], after[-1].rstrip("\r\n")]:
        raise refusal(old, line, what, "another instruction would not be what it was")
    if keep_comments and _comments(old) != _comments(new):
        raise refusal(old, line, what, "a comment would be lost or be read as part of an instruction")
    return new


def _comments(dockerfile: Dockerfile) -> list[str]:
    return [line.text.strip() for line in split_lines(dockerfile.text) if is_comment(line.text)]


def instruction_at(dockerfile: Dockerfile, line: int) -> Instruction:
    """The instruction that holds this line."""
    for instruction in dockerfile.instructions:
        if instruction.line <= line <= instruction.end_line:
            return instruction
    raise refusal(dockerfile, line, f"line {line} is not part of an instruction", "there is nothing there to edit")
