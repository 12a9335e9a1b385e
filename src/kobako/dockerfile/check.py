"""What BuildKit refuses in a Dockerfile whose syntax is right: unknown instructions, too few or too many arguments."""

from __future__ import annotations

import re
from collections.abc import Callable

from kobako.dockerfile.arguments import pairs_of, plain_words
from kobako.dockerfile.heredoc import heredoc_of
from kobako.dockerfile.instruction import Dockerfile, Instruction
from kobako.dockerfile.lex import LexError
from kobako.errors import UsageError, Where

_STAGE_NAME = re.compile(r"[a-z][a-z0-9\-_.]*")
_NOT_ON_BUILD = ("FROM", "MAINTAINER", "ONBUILD")


def check_instructions(dockerfile: Dockerfile) -> None:
    """Raises UsageError("invalid-dockerfile") with the line of the first instruction that cannot be meant."""
    for instruction in dockerfile.instructions:
        _check_one(dockerfile, instruction)
    if dockerfile.instructions[-1].stage < 0:
        where = Where(dockerfile.file, dockerfile.instructions[-1].line)
        raise UsageError("invalid-dockerfile", "the Dockerfile has no FROM", where=where)


def _check_one(dockerfile: Dockerfile, instruction: Instruction) -> None:
    where = Where(dockerfile.file, instruction.line)
    try:
        _check(instruction, dockerfile.escape)
    except LexError as error:
        raise UsageError("invalid-dockerfile", str(error), where=where) from error
    if instruction.stage < 0 and instruction.keyword != "ARG":
        what = f"{instruction.keyword} stands before the first FROM"
        raise UsageError("invalid-dockerfile", what, where=where)


def _check(instruction: Instruction, escape: str) -> None:
    check = _CHECKS.get(instruction.keyword)
    if check is None:
        raise LexError(f"unknown instruction: {_shown(instruction.keyword)}")
    check(instruction, escape)


def _shown(keyword: str) -> str:
    return keyword if len(keyword) < 40 else keyword[:40] + "..."


def _from(instruction: Instruction, _: str) -> None:
    words = [word.text for word in plain_words(instruction.value)]
    if len(words) == 3 and words[1].lower() == "as":
        if not _STAGE_NAME.fullmatch(words[2].lower()):
            raise LexError(f"invalid name for a build stage: {words[2]}")
    elif len(words) != 1:
        raise LexError("FROM requires either one or three arguments")


def _pairs(instruction: Instruction, escape: str) -> None:
    pairs = pairs_of(instruction, escape)
    if not pairs:
        raise LexError(f"{instruction.keyword} requires at least one argument")
    if any(not name for name, _ in pairs):
        raise LexError(f"{instruction.keyword} names can not be blank")


def _copy(instruction: Instruction, _: str) -> None:
    words = instruction.words
    if words is None:
        words = tuple(word.text for word in plain_words(instruction.value))
    if len(words) < 2:
        raise LexError(f"{instruction.keyword} requires at least two arguments")
    if _is_heredoc(words[-1]):
        raise LexError(f"{instruction.keyword} cannot accept a heredoc as a destination")


def _is_heredoc(word: str) -> bool:
    try:
        return heredoc_of(word) is not None
    except LexError:
        return False


def _some(instruction: Instruction, _: str) -> None:
    if not (instruction.value.text if instruction.words is None else instruction.words):
        raise LexError(f"{instruction.keyword} requires an argument")


def _shell(instruction: Instruction, _: str) -> None:
    if not instruction.words:
        raise LexError("SHELL requires its arguments in JSON form")


def _health(instruction: Instruction, _: str) -> None:
    words = instruction.value.text.split()
    kind = words[0].upper() if words else ""
    if kind not in ("CMD", "NONE"):
        raise LexError("HEALTHCHECK requires CMD or NONE")
    if kind == "NONE" and len(words) > 1:
        raise LexError("HEALTHCHECK NONE takes no arguments")
    if kind == "CMD" and (len(words) == 1 or instruction.words == ()):
        raise LexError("HEALTHCHECK CMD lacks its command")


def _onbuild(instruction: Instruction, escape: str) -> None:
    if instruction.inner is None or not instruction.inner.keyword:
        raise LexError("ONBUILD requires an instruction")
    if instruction.inner.keyword in _NOT_ON_BUILD:
        raise LexError(f"{instruction.inner.keyword} is not allowed in ONBUILD")
    _check(instruction.inner, escape)


def _nothing(instruction: Instruction, escape: str) -> None:
    """CMD, ENTRYPOINT and RUN may be empty."""


_CHECKS: dict[str, Callable[[Instruction, str], None]] = {
    "ADD": _copy,
    "ARG": _pairs,
    "CMD": _nothing,
    "COPY": _copy,
    "ENTRYPOINT": _nothing,
    "ENV": _pairs,
    "EXPOSE": _some,
    "FROM": _from,
    "HEALTHCHECK": _health,
    "LABEL": _pairs,
    "MAINTAINER": _some,
    "ONBUILD": _onbuild,
    "RUN": _nothing,
    "SHELL": _shell,
    "STOPSIGNAL": _some,
    "USER": _some,
    "VOLUME": _some,
    "WORKDIR": _some,
}
