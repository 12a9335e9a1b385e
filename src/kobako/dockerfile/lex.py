"""Dockerfile words: quotes, escapes and variables, with BuildKit's rules (and its quirks, which decide on heredocs)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from kobako.dockerfile.text import SPACE

_SPECIAL = "@*#?-$!0"


class LexError(ValueError):
    """A word that BuildKit would not accept either."""


@dataclass
class _Words:
    """Words being put together. The buffer is shared with nested calls, as in BuildKit."""

    buffer: list[str]
    words: list[str] = field(default_factory=list)
    in_word: bool = False

    def add(self, text: str) -> None:
        for char in text:
            if char not in SPACE:
                self.add_raw(char)
            elif self.in_word and self.buffer:
                self.words.append("".join(self.buffer))
                self.buffer.clear()
                self.in_word = False

    def add_raw(self, text: str) -> None:
        if text:
            self.buffer.append(text)
        self.in_word = True

    def finish(self) -> list[str]:
        if self.buffer:
            self.words.append("".join(self.buffer))
            self.buffer.clear()
            self.in_word = False
        return self.words


@dataclass
class Lexer:
    """Reads ``source``.

    ``raw_quotes`` and ``raw_escapes`` keep those characters in the result; ``keep_unset`` keeps unset variables.
    """

    source: str
    env: Mapping[str, str] = field(default_factory=dict)
    escape: str = "\\"
    raw_quotes: bool = False
    raw_escapes: bool = False
    keep_unset: bool = False
    _at: int = 0
    _buffer: list[str] = field(default_factory=list)

    def word(self) -> str:
        """The whole source as one word."""
        return self._until("", self.raw_escapes)[0]

    def words(self) -> list[str]:
        """The source split at white space outside quotes."""
        return self._until("", self.raw_escapes)[1]

    def _peek(self) -> str:
        return self.source[self._at : self._at + 1]

    def _next(self) -> str:
        char = self._peek()
        self._at += len(char)
        return char

    def _until(self, stop: str, raw_escapes: bool) -> tuple[str, list[str]]:  # noqa: FBT001
        outer, self.raw_escapes = self.raw_escapes, raw_escapes
        try:
            return self._collect(stop)
        finally:
            self.raw_escapes = outer

    def _collect(self, stop: str) -> tuple[str, list[str]]:
        result: list[str] = []
        self._buffer.clear()
        words = _Words(self._buffer)
        while char := self._peek():
            if stop and char == stop:
                self._next()
                return "".join(result), words.finish()
            if char in "$<'\"":
                text = self._special(char)
                result.append(text)
                (words.add if char == "$" else words.add_raw)(text)
                continue
            self._next()
            if char != self.escape:
                words.add(char)
                result.append(char)
                continue
            if self.raw_escapes:
                words.add_raw(char)
                result.append(char)
            escaped = self._next()
            if escaped:
                words.add_raw(escaped)
                result.append(escaped)
        if stop:
            raise LexError(f"a {stop} is missing")
        return "".join(result), words.finish()

    def _special(self, char: str) -> str:
        if char == "$":
            return self._dollar()
        if char == "<":
            return self._heredoc()
        return self._single() if char == "'" else self._double()

    def _heredoc(self) -> str:
        self._next()
        if self._peek() != "<":
            return "<"
        result = ["<", self._next()]
        while (char := self._peek()) and char in "\t\r ":
            result.append(self._next())
        return "".join(result)

    def _single(self) -> str:
        end = self.source.find("'", self._at + 1)
        if end < 0:
            raise LexError("a closing ' is missing")
        start, self._at = self._at, end + 1
        return self.source[start : end + 1] if self.raw_quotes else self.source[start + 1 : end]

    def _double(self) -> str:
        self._next()
        result = ['"'] if self.raw_quotes else []
        while char := self._peek():
            if char == '"':
                self._next()
                return "".join([*result, '"' if self.raw_quotes else ""])
            if char == "$":
                result.append(self._dollar())
                continue
            self._next()
            if char == self.escape:
                if self.raw_escapes:
                    result.append(char)
                following = self._peek()
                if not following:
                    continue
                if following in ('"', "$", self.escape):
                    char = self._next()
            result.append(char)
        raise LexError('a closing " is missing')

    def _dollar(self) -> str:
        self._next()
        if self._peek() != "{":
            name = self._name()
            if not name:
                return "$"
            return self.env.get(name, "$" + name if self.keep_unset else "")
        self._next()
        if self._peek() in ("", "{", "}", ":"):
            raise LexError("bad substitution: ${" + self._peek())
        name = self._name()
        char = self._next()
        if char == "}":
            return self.env.get(name, f"${{{name}}}" if self.keep_unset else "")
        return self._slash(name) if char == "/" else self._modified(name, char)

    def _modified(self, name: str, char: str) -> str:
        colon = char == ":"
        kind = self._next() if colon else char
        shown = f":{kind}" if colon else kind
        if not kind or (not colon and kind not in "+-?#%") or (colon and kind in "#%"):
            raise LexError(f"unsupported modifier ({shown}) in substitution")
        word = self._until("}", kind in "#%")[0]
        value = self.env.get(name)
        if value is None and self.keep_unset:
            return f"${{{name}{shown}{word}}}"
        missing = value is None or (colon and not value)
        if kind == "-":
            return word if missing else value or ""
        if kind == "+":
            return "" if missing else word
        if kind == "?":
            if missing:
                raise LexError(f"{name}: {word or 'must be set'}")
            return value or ""
        if kind in "#%":
            return _trim(value or "", word, kind)
        raise LexError(f"unsupported modifier ({shown}) in substitution")

    def _slash(self, name: str) -> str:
        every = self._peek() == "/"
        if every:
            self._next()
        pattern = self._until("/", True)[0]  # noqa: FBT003
        replacement = self._until("}", True)[0]  # noqa: FBT003
        value = self.env.get(name)
        if value is None and self.keep_unset:
            return f"${{{name}/{pattern}/{replacement}}}"
        found = re.compile(_regex(pattern, greedy=True), re.DOTALL)
        return found.sub(lambda _: replacement, value or "", count=0 if every else 1)

    def _name(self) -> str:
        rest = self.source[self._at :]
        found = re.match(r"[0-9]+", rest)
        if found:
            name = found[0]
        elif rest[:1] and rest[0] in _SPECIAL:
            name = rest[0]
        else:
            found = re.match(r"\w*", rest)
            name = found[0] if found else ""
        self._at += len(name)
        return name


def _regex(pattern: str, *, greedy: bool) -> str:
    """A shell pattern (``*``, ``?`` and escapes only) as a regular expression."""
    out = []
    chars = iter(pattern)
    for char in chars:
        if char == "\\":
            escaped = next(chars, "")
            if escaped not in ("*", "?", "\\", "}", "/"):
                raise LexError(f"invalid escape '\\{escaped}'")
            out.append(re.escape(escaped))
        elif char in "*?":
            out.append("." if char == "?" else ".*" if greedy else ".*?")
        else:
            out.append(re.escape(char))
    return "".join(out)


def _trim(value: str, word: str, kind: str) -> str:
    greedy = word.startswith(kind)
    pattern = _regex(word[1:] if greedy else word, greedy=greedy)
    if kind == "#":
        found = re.match(pattern, value, re.DOTALL)
        return value[found.end() :] if found else value
    # A regular expression finds the leftmost match: for the shortest suffix, try the starts from the right.
    starts = range(len(value) + 1) if greedy else range(len(value), -1, -1)
    for start in starts:
        if re.fullmatch(pattern, value[start:], re.DOTALL):
            return value[:start]
    return value


def expand(word: str, env: Mapping[str, str], escape: str = "\\") -> str:
    """The word with its quotes taken off and its variables put in; an unset one is empty. Raises LexError."""
    return Lexer(word, env, escape).word()
