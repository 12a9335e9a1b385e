"""What follows a keyword: flags, words, pairs and the JSON form."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kobako.dockerfile.instruction import Argument, Instruction
from kobako.dockerfile.lex import LexError
from kobako.dockerfile.text import SPACE, Logical
from kobako.model.recipe import Flag

_WHITE = re.compile(r"[\t\v\f\r ]+")
_FLAG_SPACE = "\t\n\v\f\r "  # BuildKit reads flags byte by byte: no other white space parts them
_JSON = ("ADD", "CMD", "COPY", "ENTRYPOINT", "HEALTHCHECK", "RUN", "SHELL", "VOLUME")
_PAIRS = ("ENV", "LABEL")


def split_arguments(head: Logical, escape: str) -> Instruction:
    """Keyword, flags and value of a logical line."""
    line = head.strip()
    gap = _WHITE.search(line.text)
    if not gap:
        return Instruction(line.text.upper(), line.cut(len(line.text), len(line.text)))
    flags, start = _flags(line.text, gap.end(), escape)
    value = line.cut(start, len(line.text)).strip()
    return Instruction(line.text[: gap.start()].upper(), value, tuple(flags))


def _flags(line: str, at: int, escape: str) -> tuple[list[Flag], int]:
    """The leading words that start with ``--``, and where the rest starts."""
    flags: list[Flag] = []
    while at < len(line):
        if line[at] in _FLAG_SPACE:
            at += 1
            continue
        if not line.startswith("--", at):
            return flags, at
        word, at = _flag_word(line, at, escape)
        if word == "--":
            return flags, at
        name, equals, value = word[2:].partition("=")
        flags.append(Flag(name, value if equals else None))
    return flags, at


def _flag_word(line: str, at: int, escape: str) -> tuple[str, int]:
    """One flag without its quotes, and where it ends."""
    out: list[str] = []
    quote = ""
    while at < len(line):
        char = line[at]
        if not quote and char in _FLAG_SPACE:
            break
        at += 1
        if quote and char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        elif char == escape:
            out.append(line[at : at + 1])
            at += 1
        else:
            out.append(char)
    return "".join(out), min(at, len(line))


def json_words(instruction: Instruction) -> tuple[str, ...] | None:
    """The strings of the JSON form, or None for another form. Raises LexError for a list of anything else."""
    if instruction.keyword not in _JSON:
        return None
    text = instruction.value.text
    if instruction.keyword == "HEALTHCHECK":
        text = text[len(text.split(maxsplit=1)[0]) :] if text.split() else ""
    text = text.strip(SPACE)
    if not text.startswith("["):
        return None
    import json  # noqa: PLC0415 - few Dockerfiles need it before a command starts

    try:
        found = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(one, str) for one in found):
        raise LexError(f"{instruction.keyword}'s JSON form holds something other than strings")
    return tuple(found)


def _no_constant(name: str) -> None:
    raise ValueError(name)


def plain_words(value: Logical) -> tuple[Argument, ...]:
    """Words parted by white space; quotes mean nothing (FROM, COPY, EXPOSE)."""
    return tuple(Argument(word[0], *word.span()) for word in re.finditer(r"[^\t\v\f\r ]+", value.text))


def quoted_words(value: Logical, escape: str) -> tuple[Argument, ...]:
    """Words parted by white space outside quotes; quotes and escapes stay (ARG, ENV, LABEL)."""
    return tuple(_quoted(value.text, escape))


def _quoted(text: str, escape: str) -> Iterator[Argument]:
    at = 0
    while at < len(text):
        if text[at] in SPACE:
            at += 1
            continue
        start, quote = at, ""
        while at < len(text) and (quote or text[at] not in SPACE):
            char = text[at]
            if char == quote:
                quote = ""
            elif not quote and char in "'\"":
                quote = char
            elif char == escape and quote != "'":
                at += 1
            at += 1
        at = min(at, len(text))
        yield Argument(text[start:at], start, at)


def pairs_of(instruction: Instruction, escape: str) -> tuple[tuple[str, str | None], ...]:
    """Names and values of ARG, ENV and LABEL as written. Raises LexError where there is no pair."""
    words = quoted_words(instruction.value, escape)
    if instruction.keyword == "ARG":
        return tuple(_arg(word.text) for word in words)
    if instruction.keyword not in _PAIRS or not words:
        return ()
    if "=" not in words[0].text:
        parts = _WHITE.split(instruction.value.text, maxsplit=1)
        if len(parts) < 2:
            raise LexError(f"{instruction.keyword} must have two arguments")
        return ((parts[0], parts[1]),)
    if lone := next((word for word in words if "=" not in word.text), None):
        raise LexError(f"{instruction.keyword} has no = in {lone.text}")
    return tuple(_arg(word.text) for word in words)


def _arg(word: str) -> tuple[str, str | None]:
    name, equals, value = word.partition("=")
    return name, value if equals else None
