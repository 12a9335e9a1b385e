"""Add and remove whole instructions."""

from __future__ import annotations

from typing import Literal, NamedTuple

from kobako.dockerfile.instruction import Dockerfile, Instruction
from kobako.dockerfile.parse import parse, parse_syntax
from kobako.dockerfile.recipe import understand
from kobako.dockerfile.splice import Change, Splice, instruction_at, proved, refusal, spliced
from kobako.dockerfile.text import is_blank, is_comment, split_lines
from kobako.errors import UsageError
from kobako.model.recipe import Step


class Place(NamedTuple):
    """Where a new step goes: after or before a step (itself, or any of its lines), or at the end of a stage."""

    how: Literal["after", "before", "end"]
    of: Step | int | str = -1


def add_step(text: str, instruction: str, place: Place, *, comment: str = "", file: str = "Dockerfile") -> str:
    """The text with one more instruction, on lines of its own.

    ``instruction`` is written with ``\\n`` and ``\\`` and takes the file's own newline and escape character.
    ``comment`` gives the lines of a comment block, without ``# ``; an empty line becomes a lone ``#``. A blank line
    parts the new step from its neighbour where the neighbours there are parted so. A new last step ends with a newline
    where the text did; a text without one gets it only between the old last line and the new step.
    """
    old = parse(text, file)
    fragment, wanted = _fragment(old, instruction)
    block = "".join(f"# {line}".rstrip() + "\n" for line in comment.split("\n")) if comment else ""
    spot = _spot(old, place)
    added = _parted(old, spot, block + fragment).replace("\n", old.newline)
    result = spliced(text, [Splice(spot.at, spot.at, added)])
    found = proved(old, result, Change(spot.place, spot.line, shift=1, keep_comments=False))
    new = found.instructions[spot.place]
    if (wanted.keyword, wanted.value.text) != (new.keyword, new.value.text):
        raise refusal(old, spot.line, "the step cannot be added there", "it would be read as something else")
    return result


def remove_step(text: str, step: Step | int, *, with_comment: bool = False, file: str = "Dockerfile") -> str:
    """The text without one instruction (given as a step, or by any of its lines).

    ``with_comment`` takes the comment block away that stands right above it. Of two blank lines that would meet, one
    goes. Where the removed step was the last one and the text had no final newline, the new text has none either.
    """
    old = parse(text, file)
    target = instruction_at(old, step if isinstance(step, int) else step.line)
    if target.keyword == "FROM":
        raise refusal(old, target.line, "FROM cannot be removed", "the steps after it would belong to another stage")
    start = comment_start(old, target) if with_comment else target.span.start
    end = target.span.end
    above, below = _line_above(old, start), text[end : old.line_end(end)]
    if above and is_blank(above) and is_blank(below):
        # The one with white space in it was there before a step was added.
        if above.rstrip("\r\n") and below and not below.rstrip("\r\n"):
            end += len(below)
        else:
            start -= len(above)
    elif not above and below and is_blank(below):
        end += len(below)
    if end == len(text) and not text.endswith("\n") and start and text[start - 1] == "\n":
        start -= 2 if text[:start].endswith("\r\n") else 1
    result = spliced(text, [Splice(start, end)])
    proved(old, result, Change(target.index, target.line, shift=-1, keep_comments=False))
    return result


def _fragment(old: Dockerfile, instruction: str) -> tuple[str, Instruction]:
    """The new instruction's lines, ending with a newline, in the file's escape character; and its parsed form."""
    plain = instruction.replace("\r\n", "\n").strip("\n") + "\n"
    what = "the new step is not one instruction"
    try:
        found = parse_syntax("FROM x\n" + plain, old.file)
    except UsageError as error:
        raise refusal(old, 1, what, error.what) from error
    wanted = found.instructions[-1]
    if len(found.instructions) != 2 or any(gap.strip() for gap in found.gaps()):
        raise refusal(old, 1, what, f"it holds {len(found.instructions) - 1} instructions, or comments around them")
    head, bodies = found.text[wanted.span.start : wanted.head_end], found.text[wanted.head_end :]
    if old.escape != "\\":
        lines = [line.text for line in split_lines(head)]
        head = "".join((line[:-1] + old.escape if line.endswith("\\") else line) + "\n" for line in lines)
    return head + bodies, wanted


class _Spot(NamedTuple):
    """Where the new text goes: its offset, the new instruction's place among the others, and a line for errors."""

    at: int
    place: int
    line: int
    before: bool


def _spot(old: Dockerfile, place: Place) -> _Spot:
    if place.how == "end":
        target = _last_of(old, place.of)
    else:
        line = place.of.line if isinstance(place.of, Step) else place.of
        if not isinstance(line, int):
            raise refusal(old, 1, f"there is no step {line}", "a step is named by one of its lines")
        target = instruction_at(old, line)
    if place.how == "before":
        return _Spot(comment_start(old, target), target.index, target.line, before=True)
    return _Spot(target.span.end, target.index + 1, target.line, before=False)


def _last_of(old: Dockerfile, of: Step | int | str) -> Instruction:
    stage = of.stage if isinstance(of, Step) else None
    if stage is None:
        found = understand(old).stage_of(of)  # type: ignore[arg-type]
        if found is None:
            raise refusal(old, 1, f"there is no stage {of}", "the Dockerfile has no such stage")
        stage = found.index
    return [one for one in old.instructions if one.stage == stage][-1]


def _parted(old: Dockerfile, spot: _Spot, added: str) -> str:
    """The new lines with the blank line that they need, in the manner of the place."""
    if spot.before:
        above = _line_above(old, spot.at)
        return added + "\n" if above and is_blank(above) else added
    gaps = old.gaps()
    below = gaps[spot.place]
    if below:
        blank = is_blank(below.split("\n", 1)[0]) and spot.at < len(old.text)
    else:
        blank = spot.place == len(old.instructions) and _has_blank(gaps[spot.place - 1])
    added = "\n" + added if blank else added
    return "\n" + added.rstrip("\n") if spot.at and old.text[spot.at - 1] != "\n" else added


def _has_blank(gap: str) -> bool:
    return any(is_blank(line.text) for line in split_lines(gap))


def _line_above(old: Dockerfile, start: int) -> str:
    """The line before the one that starts here, with its newline; empty at the top of the file."""
    return old.text[old.line_start(start - 1) : start] if start > old.has_bom else ""


def comment_start(old: Dockerfile, instruction: Instruction) -> int:
    """Where the comment block right above the instruction starts; directives are none of it."""
    start = instruction.span.start
    gap = old.gaps()[instruction.index]
    above = [line for line in split_lines(old.text[: instruction.span.start]) if line.start >= start - len(gap)]
    own = above[len(old.directives) :] if instruction.index == 0 else above
    for line in reversed(own):
        if not is_comment(line.text):
            break
        start = line.start
    return start
