"""Keeps credentials out of messages and logs."""

from __future__ import annotations

import re

_SECRET = re.compile(
    r"(?i)(://[^/\s:@]*:)[^/\s@]+(@)"  # user:password@ in a URL
    r"|((?:token|password|passwd|secret|api[_-]?key|access[_-]?key)[a-z_]*[=:]\s*)\S+",
)


def mask(text: str) -> str:
    """The text without credentials in URLs and without the values of things named token, password, key or secret."""
    return _SECRET.sub(lambda m: f"{m[1]}***{m[2]}" if m[1] else f"{m[3]}***", text)
