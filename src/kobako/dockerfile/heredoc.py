"""Heredocs in RUN, COPY and ADD: which words start one, and what ends it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kobako.dockerfile.lex import Lexer, LexError
from kobako.model.recipe import NOWHERE, Span

_HEREDOC = re.compile(r"([0-9]*)<<(-?)[\t\n\f\r ]*([^<]*)")


@dataclass(frozen=True)
class Heredoc:
    """``body`` is the place of the content, without the terminator's line; ``end`` is after that line.

    ``expand`` says that variables in it are meant to be replaced; ``chomp`` that leading tabs are dropped (``<<-``).
    """

    name: str
    expand: bool
    chomp: bool
    body: Span = NOWHERE
    end: int = 0


def heredocs_of(line: str) -> list[Heredoc]:
    """The heredocs that a logical line announces, in order; their bodies are still to be found. Raises LexError."""
    if "<<" not in line:
        return []
    try:
        words = Lexer(line, raw_quotes=True, raw_escapes=True, keep_unset=True).words()
    except LexError:
        return []  # BuildKit ignores this error: a line with a lone quote announces nothing
    return [found for word in words if (found := heredoc_of(word))]


def heredoc_of(word: str) -> Heredoc | None:
    """The heredoc that one word announces, or None."""
    match = _HEREDOC.fullmatch(word)
    if not match or not match[3]:
        return None
    plain = Lexer(match[3], keep_unset=True).words()
    if len(plain) != 1:
        return None
    raw = Lexer(match[3], raw_quotes=True, keep_unset=True).words()
    if len(raw) != 1:
        raise LexError(f"the heredoc's name is not understood: {match[3]}")
    quoted = _quotes(plain[0]) != _quotes(raw[0])
    return Heredoc(plain[0], expand=not quoted, chomp=match[2] == "-")


def _quotes(word: str) -> int:
    return word.count("'") + word.count('"')
