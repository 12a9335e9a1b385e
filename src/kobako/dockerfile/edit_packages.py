"""Add packages to an install list, change their versions, and take them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kobako.dockerfile.commands import classified
from kobako.dockerfile.edit_command import shape, without_command
from kobako.dockerfile.edit_step import remove_step
from kobako.dockerfile.instruction import Dockerfile, Instruction
from kobako.dockerfile.packages import Entry, entry_of, merged, quoted
from kobako.dockerfile.parse import parse
from kobako.dockerfile.recipe import run_script, understand
from kobako.dockerfile.shell import Script
from kobako.dockerfile.splice import Change, Splice, instruction_at, proved, refusal, spliced
from kobako.dockerfile.text import is_blank, is_comment
from kobako.errors import UsageError, Where
from kobako.model.recipe import Command, Manager, Package, Step, Word


class Install(NamedTuple):
    """An install command: its manager, and its step (itself, or a line of it; the line tells two installs apart)."""

    manager: Manager
    at: Step | int


@dataclass(frozen=True)
class _Target:
    """An install command in its file. ``number`` counts the commands of its step."""

    old: Dockerfile
    run: Instruction
    script: Script
    command: Command
    number: int
    manager: Manager

    def refuse(self, why: str) -> UsageError:
        return refusal(self.old, self.command.line, f"the {self.manager} list cannot be edited", why)

    @property
    def escape(self) -> str:
        """What continues a line there: in a heredoc the shell's backslash."""
        return "\\" if self.command.span.start >= self.run.head_end else self.old.escape


def add_packages(
    text: str, install: Install, packages: Sequence[str], *, replace: bool = False, file: str = "Dockerfile"
) -> str:
    """The text with packages at the end of an install's list, in that list's own layout, quoted where needed.

    A name that the list has already stays as it is; with ``replace`` its specifier becomes the new one, in place.
    Raises UsageError("bad-requirement") for what its manager does not take as a package.
    """
    target = _target(text, install, file)
    number = target.run.index, target.number
    for entry in _entries(packages, install.manager, file):
        target = _at(parse(text, file), install.manager, *number)
        listed = [package for package in target.command.packages if package.name == entry.name]
        if not listed:
            text = _added(target, entry)
        elif replace:
            text = _replaced(target, listed, entry)
    return text


def remove_packages(
    text: str, install: Install, names: Sequence[str], *, with_comment: bool = False, file: str = "Dockerfile"
) -> str:
    """The text without these packages; names that the list does not have are passed over.

    An install that is left with nothing to install goes as well, and with it a step that holds nothing else, whose
    comment block goes only ``with_comment``. Comment lines within a list stay.
    """
    target = _target(text, install, file)
    number = target.run.index, target.number
    wanted = {_name(name, install.manager, file) for name in names}
    while True:
        target = _at(parse(text, file), install.manager, *number)
        listed = [package for package in target.command.packages if package.name in wanted]
        if not listed:
            return text
        if len(listed) == len(target.command.packages) and not (target.command.sources or target.command.dynamic):
            return _without_install(target, with_comment=with_comment)
        text = _removed(target, listed[-1])


def _name(name: str, manager: Manager, file: str) -> str:
    return _entries([name], manager, file)[0].name


def _entries(packages: Sequence[str], manager: Manager, file: str) -> list[Entry]:
    entries = []
    for text in packages:
        entry = entry_of(text, manager)
        if entry is None:
            why = "a list takes a name, with a version if need be"
            what = f"{text!r} is not a package for {manager}"
            raise UsageError("bad-requirement", what, why=why, where=Where(file))
        entries.append(entry)
    return entries


def _target(text: str, install: Install, file: str) -> _Target:
    """The one install command that is meant. Raises UsageError("cannot-edit") when there is none or more than one."""
    old = parse(text, file)
    line = install.at if isinstance(install.at, int) else install.at.line
    run = instruction_at(old, line)
    what = f"the {install.manager} list cannot be edited"
    if run.keyword != "RUN" or run.words is not None:
        why = "the step is in JSON form" if run.keyword == "RUN" else f"the step is {run.keyword}, not RUN"
        raise refusal(old, run.line, what, why)
    if not understand(old).steps[run.index].understood:
        raise refusal(old, run.line, what, "the step's commands are not those of a POSIX shell")
    commands = _commands(run_script(old, run))
    found = [number for number, command in enumerate(commands) if command.manager == install.manager]
    if isinstance(install.at, int) and len(found) > 1:
        on_line = [
            number for number in found if commands[number].line <= line <= old.line_of(commands[number].span.end - 1)
        ]
        found = on_line or found
    if len(found) != 1:
        lines = ", ".join(str(commands[number].line) for number in found)
        why = (
            f"more than one install is meant (lines {lines})" if found else f"the step has no {install.manager} install"
        )
        raise refusal(old, run.line, what, why)
    target = _at(old, install.manager, run.index, found[0])
    _check_static(target)
    return target


def _commands(script: Script) -> tuple[Command, ...]:
    return tuple(classified(command) for command in script.commands)


def _check_static(target: _Target) -> None:
    command = target.command
    if not command.sound:
        raise target.refuse("the shell commands of this step are not understood")
    body = target.old.text[target.run.head_end : target.run.span.end]
    if command.span.start >= target.run.head_end and "\r" in body:
        raise target.refuse("the heredoc's lines end with carriage returns, which the shell takes as part of its words")
    if command.nesting and any(word.value is None for word in command.words):
        raise target.refuse(
            f"it is part of a {command.nesting[-1].replace('_', ' ')}, and not all its words are static"
        )


def _at(old: Dockerfile, manager: Manager, index: int, number: int) -> _Target:
    run = old.instructions[index]
    script = run_script(old, run)
    return _Target(old, run, script, _commands(script)[number], number, manager)


def _added(target: _Target, entry: Entry) -> str:
    command, old = target.command, target.old
    if command.packages:
        anchor = command.packages[-1].word
    elif command.dynamic:
        raise target.refuse(f"what {command.dynamic[-1].text} stands for is not known")
    else:
        anchor = command.words[-1]
    start = old.line_start(anchor.span.start)
    indent = old.text[start : anchor.span.start]
    alone = is_blank(indent) and start > command.span.start
    part = f" {target.escape}{old.newline}{indent}" if alone else " "
    result = spliced(old.text, [Splice(anchor.span.end, anchor.span.end, part + quoted(entry.text, _quote(command)))])
    position = command.words.index(anchor) + 1
    values = [_value(word) for word in command.words]
    return _checked(target, result, [*values[:position], entry.text, *values[position:]])


def _quote(command: Command) -> str:
    """The quote that the list's own entries have."""
    firsts = [package.word.text[:1] for package in command.packages]
    return '"' if '"' in firsts and "'" not in firsts else "'"


def _value(word: Word) -> str:
    return word.text if word.value is None else word.value


def _replaced(target: _Target, listed: list[Package], entry: Entry) -> str:
    if len(listed) > 1:
        raise target.refuse(f"{entry.name} is in it more than once")
    word = listed[0].word
    value = merged(listed[0], entry, target.manager)
    if word.value is None:
        raise target.refuse(f"the version of {entry.name} comes from a variable")
    if value == word.value:
        return target.old.text
    _check_one_line(target, word)
    own = word.text[:1] if word.text[:1] in ("'", '"') else ""
    shown = quoted(value, own or _quote(target.command))
    if own and shown == value:
        shown = f"{own}{value}{own}"
    result = spliced(target.old.text, [Splice(*word.span, shown)])
    return _checked(target, result, [value if one is word else _value(one) for one in target.command.words])


def _check_one_line(target: _Target, word: Word) -> None:
    if target.old.text[word.span.start : word.span.end] != word.text:
        raise target.refuse(f"{word.text} runs over more than one line")


def _removed(target: _Target, package: Package) -> str:
    word = package.word
    _check_one_line(target, word)
    result = spliced(target.old.text, _word_removal(target, word))
    return _checked(target, result, [_value(one) for one in target.command.words if one is not word])


def _word_removal(target: _Target, word: Word) -> list[Splice]:
    """The word and its own line, or the white space before it where it shares one."""
    old = target.old
    start, end = old.line_start(word.span.start), old.line_end(word.span.end)
    before, after = old.text[start : word.span.start], old.text[word.span.end : end]
    if not is_blank(before):
        return [Splice(word.span.start - len(before) + len(before.rstrip(" \t")), word.span.end)]
    if after.strip() == target.escape:
        return [Splice(start, end)]
    if not is_blank(after):
        above = old.text[old.line_start(start - 1) : start]
        followed = any(word.span.end <= one.word.span.start < end for one in target.command.packages)
        if not (followed or is_comment(above) or is_blank(above)):
            return [Splice(start - len(above) + _content(above, target.escape), word.span.end)]
        return [Splice(word.span.start, word.span.end + len(after) - len(after.lstrip(" \t")))]
    return _ending_removal(target, start, word.span.end)


def _ending_removal(target: _Target, start: int, end: int) -> list[Splice]:
    """The last line of a command goes, and with it the continuation of the line before; comments between stay."""
    old = target.old
    above = old.line_start(start - 1)
    while is_comment(line := old.text[above : old.line_end(above)]) or is_blank(line):
        above = old.line_start(above - 1)
    content = above + _content(line, target.escape)
    if above + len(line) == start:
        return [Splice(content, end)]
    newline = 2 if old.text[:start].endswith("\r\n") else 1
    return [Splice(content, above + len(line.rstrip("\r\n"))), Splice(start - newline, end)]


def _content(line: str, escape: str) -> int:
    """How long a continued line is without its continuation."""
    return len(line.rstrip().removesuffix(escape).rstrip(" \t"))


def _checked(target: _Target, result: str, values: list[str]) -> str:
    """The result, when the target has exactly these words and all other commands are what they were."""
    new = proved(target.old, result, Change(target.run.index, target.command.line))
    script = run_script(new, new.instructions[target.run.index])
    before, after = _commands(target.script), _commands(script)
    same = len(before) == len(after) and all(
        shape(one) == shape(other)
        for n, (one, other) in enumerate(zip(before, after, strict=True))
        if n != target.number
    )
    if not same:
        raise target.refuse("another command of the step would change")
    found, command = after[target.number], target.command
    kept = shape(found)[1:] == shape(command)[1:] and found.sound
    if not kept or [_value(word) for word in found.words] != values:
        raise target.refuse("the list would not be what was asked for")
    return result


def _without_install(target: _Target, *, with_comment: bool) -> str:
    old, run, script = target.old, target.run, target.script
    if len(script.items) == 1 and not target.command.nesting:
        return remove_step(old.text, run.line, with_comment=with_comment, file=old.file)
    return without_command(old, run, script, target.number)
