"""Take one command out of a step's chain."""

from __future__ import annotations

from collections.abc import Sequence

from kobako.dockerfile.instruction import Dockerfile, Instruction
from kobako.dockerfile.recipe import run_script
from kobako.dockerfile.shell import Item, Script
from kobako.dockerfile.splice import Change, Splice, proved, refusal, spliced
from kobako.dockerfile.text import is_blank, is_comment, split_lines
from kobako.errors import UsageError
from kobako.model.recipe import Command, Span

_IN_ORDER = ("&&", ";", "\n")


def shape(command: Command) -> tuple[object, ...]:
    """All that a command does, apart from where it stands; its words first."""
    return (
        tuple((word.text, word.value) for word in command.words),
        tuple(word.text for word in command.assignments),
        tuple(word.text for word in command.redirects),
        command.operator.text if command.operator else None,
        command.nesting,
    )


def without_command(old: Dockerfile, run: Instruction, script: Script, number: int) -> str:
    """The text without one command of a chain, and without the operator that joined it.

    Refused where the command stands in a condition, loop, pipe or background, or where its result is asked for
    (``||``): there the rest would not mean the same.
    """
    command = script.commands[number]
    place = next((n for n, item in enumerate(script.items) if item.span == command.span), None)
    if place is None or command.nesting:
        raise _refuse(old, command, "it is part of another construct")
    before, after = _operators(script, place)
    if any(one is not None and one not in _IN_ORDER for one in (before, after)):
        raise _refuse(old, command, "other commands depend on its result")
    if after is None and script.trailing and script.trailing.text != ";":
        raise _refuse(old, command, "it runs in the background")
    splices, joined = _cut(old, command, script.items, place, (before, after))
    result = spliced(old.text, splices)
    new = proved(old, result, Change(run.index, run.line, keep_comments=False))
    _prove(old, script, run_script(new, new.instructions[run.index]), number, joined)
    return result


def _refuse(old: Dockerfile, command: Command, why: str) -> UsageError:
    return refusal(old, command.line, "the install that would be left empty cannot be removed", why)


def _operators(script: Script, place: int) -> tuple[str | None, str | None]:
    items = script.items
    before = items[place].operator
    after = items[place + 1].operator if place + 1 < len(items) else None
    return before.text if before else None, after.text if after else None


def _cut(
    old: Dockerfile, command: Command, items: Sequence[Item], place: int, operators: tuple[str | None, str | None]
) -> tuple[list[Splice], str | None]:
    """What to take out, and the operator that the next command has then."""
    before, after = operators
    span = command.span
    lines = Span(old.line_start(span.start), old.line_end(span.end))
    around = old.text[lines.start : span.start] + old.text[span.end : lines.end]
    if before in (None, "\n") and after in (None, "\n") and is_blank(around):
        return [Splice(*lines)], before
    if after is None:
        return [_without_last(old, command, Span(items[place - 1].span.end, span.end))], None
    following = items[place + 1]
    if before is None or before not in (after, "&&"):
        part, joined = Span(span.start, following.span.start), before
    elif before == after:
        part, joined = Span(_start(items[place]), _start(following)), after
    else:
        part, joined = Span(items[place - 1].span.end, span.end), after
    if _comments(old, part, span):
        raise _refuse(old, command, "comment lines stand between it and the next command")
    return [Splice(*part)], joined


def _start(item: Item) -> int:
    return item.operator.span.start if item.operator else item.span.start


def _without_last(old: Dockerfile, command: Command, part: Span) -> Splice:
    """The last command goes; comment lines before it stay, behind the step."""
    kept = _comments(old, part, command.span)
    return Splice(*part, "".join(old.newline + line for line in kept))


def _comments(old: Dockerfile, part: Span, command: Span) -> list[str]:
    """The comment lines in a part of the text, outside the command itself."""
    lines = split_lines(old.text[: part.end])
    inside = [line for line in lines if line.start > part.start and is_comment(line.text)]
    return [line.text for line in inside if not command.start <= line.start < command.end]


def _prove(old: Dockerfile, before: Script, after: Script, number: int, joined: str | None) -> None:
    found = [shape(command) for command in after.commands]
    wanted = [shape(command) for n, command in enumerate(before.commands) if n != number]
    if number < len(wanted) and not before.commands[number + 1].nesting:
        wanted[number] = (*wanted[number][:3], joined, wanted[number][4])
    if found != wanted:
        raise _refuse(old, before.commands[number], "the other commands would not be what they were")
