"""What YAML's parser complains about, in plain words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kobako.errors import UsageError, Where

if TYPE_CHECKING:
    from yaml import YAMLError

    from kobako.compose.lines import Lines

MOST_LEVELS = 200
"""Levels of nesting that a file may have. The mission's compose file has seven."""

# What YAML allows in a file. Both of PyYAML's parsers refuse the rest, and so does Compose's, each in other words.
_REFUSED = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_LONGEST_SHOWN = 60

# A part of libyaml's message, then a part of PyYAML's own, each with what it means. First match wins.
_MEANINGS: tuple[tuple[str, str], ...] = (
    (r"tab character", "a tab is used for indentation; YAML takes spaces only"),
    (r"unexpected end of stream", "a quote is opened and never closed"),
    (r"unexpected document indicator", "a new document begins inside a quoted text"),
    (r"cannot start any token", "a value cannot begin with this character; put it in quotes"),
    (r"mapping values are not allowed", "a `:` stands where no key can be; check the indentation, or quote the text"),
    (r"could not find expected ':'", "this line is neither a key with its `:` nor part of the value above"),
    (r"mapping keys are not allowed", "a `?` stands where no key can be"),
    (r"(sequence|collection) entries are not allowed", "a `-` stands where no list can begin"),
    (r"',' or [']\]", "a list in [...] lacks a `,` or its `]`"),
    (r"',' or [']\}", "a mapping in {...} lacks a `,` or its `}`"),
    (r"did not find expected key|expected <block end>", "this does not fit the lines above; check the indentation"),
    (r"expected '-' indicator", "this does not fit the list above; check the indentation"),
    (r"unknown escape|escape sequence", "an escape (backslash) in a quoted text is not known to YAML"),
    (r"hexadecimal", "an escape in a quoted text needs hexadecimal digits"),
    (r"Unicode character code|UTF-8", "an escape does not stand for a character"),
    (r"alphabetic or numeric", "`&` or `*` is not followed by a name; put the text in quotes if it is not an anchor"),
    (r"undefined tag handle", "a tag (`!...!`) is used and never declared"),
    (r"duplicate anchor", "an anchor is defined twice"),
    (r"<document start>", "another document begins without `---`"),
    (r"duplicate .*directive", "a % directive stands twice"),
    (r"incompatible YAML|version number", "the %YAML line asks for a version that cannot be read"),
    (r"directive", "a % directive is malformed"),
    (
        r"comment or line break|comment or a line break|chomping or indentation indicators",
        "after `|` or `>` only a comment may stand on the line",
    ),
    (r"indentation indicator", "the number after `|` or `>` cannot be used as an indentation"),
    (r"node content|<block entry>", "a value is missing here"),
    (r"tag", "a tag (`!...`) is malformed"),
    # libyaml 0.2.6 refuses by itself what nests a thousand deep, before anybody else can count
    (r"depth", f"it nests deeper than {MOST_LEVELS} levels"),
)


def check_characters(text: str, lines: Lines, file: str) -> None:
    """Refuses what no YAML parser reads, by name: a byte that is not UTF-8, or a control character."""
    match = _REFUSED.search(text, 1 if text.startswith("\ufeff") else 0)
    if match is None:
        return
    code = ord(match.group())
    place = Where(file, *lines.place(match.start()))
    if 0xDC80 <= code <= 0xDCFF:
        raise invalid(f"the byte 0x{code - 0xDC00:02X} is not UTF-8 text", place, fix="save the file as UTF-8")
    raise invalid(f"the character U+{code:04X} may not stand in a YAML file", place, fix="remove or escape it")


def shown(text: str) -> str:
    """A piece of somebody's file as part of a message: short, and without what could act on a terminal."""
    piece = text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "..."
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in piece)


def invalid(what: str, where: Where, *, why: str = "", fix: str = "") -> UsageError:
    return UsageError("invalid-yaml", f"not valid YAML: {what}", why=why, fix=fix, where=where)


def translated(error: YAMLError, lines: Lines, file: str, shift: int) -> UsageError:
    """The parser's own error with its place, ``shift`` characters further on than the parser says."""
    problem = str(getattr(error, "problem", None) or "")
    context = str(getattr(error, "context", None) or "")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    start = getattr(error, "context_mark", None)
    if mark is None:
        return invalid("its beginning or end cannot be read", Where(file, 1, 1))
    if "unexpected end of stream" in problem and "quoted" in context:
        mark, start = start or mark, None  # the end of the file says nothing about where the quote was forgotten
    offset = min(mark.index + shift, len(lines.text))
    line, column = lines.place(offset)
    begun = lines.place(start.index + shift)[0] if start is not None else line
    why = f"what it belongs to begins on line {begun}" if begun != line else ""
    if "cannot start any token" in problem and lines.text.startswith("\t", offset):
        problem = "tab character"
    return invalid(_meaning(problem), Where(file, line, column), why=why)


def _meaning(problem: str) -> str:
    for pattern, meaning in _MEANINGS:
        if re.search(pattern, problem):
            return meaning
    return "the text here does not follow YAML's grammar"
