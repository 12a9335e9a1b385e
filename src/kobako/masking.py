"""Keeps credentials out of messages and logs."""

from __future__ import annotations

import re

_NAME = r"[\w-]{0,200}(?:token|password|passwd|secret|secret[_-]?key|api[_-]?key|access[_-]?key)"
_SECRET = re.compile(
    r"(?i)(://)[^/\s@]+@"  # user:password@ or TOKEN@ in a URL
    # a name starts where no part of one stands before it, and is not looked for at each of a thousand dashes
    rf"|((?<![\w-])[\"']?{_NAME}[\"']?\s{{0,20}}[=:](?!=)\s{{0,20}}|(?<![\w-])--{_NAME}\s{{1,20}})(?:\"[^\"]*\"|'[^']*'|\S+)",
)


_ACTING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """The text without what could act on a terminal or turn its words around: such characters stand as escapes.

    The escapes are those of JSON, which may be what is written.
    """
    return _ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def mask(text: str) -> str:
    """The text without credentials in URLs and without the values of things named token, password, key or secret."""
    return _SECRET.sub(lambda m: f"{m[1]}***@" if m[1] else f"{m[2]}***", text)
