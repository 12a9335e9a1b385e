"""Keeps credentials out of messages and logs."""

from __future__ import annotations

import re

_NAME = r"[\w-]*(?:token|password|passwd|secret|secret[_-]?key|api[_-]?key|access[_-]?key)"
_SECRET = re.compile(
    r"(?i)(://)[^/\s@]+@"  # user:password@ or TOKEN@ in a URL
    rf"|((?<!\w)[\"']?{_NAME}[\"']?\s*[=:](?!=)\s*|(?<!\w)--{_NAME}\s+)(?:\"[^\"]*\"|'[^']*'|\S+)",
)


def mask(text: str) -> str:
    """The text without credentials in URLs and without the values of things named token, password, key or secret."""
    return _SECRET.sub(lambda m: f"{m[1]}***@" if m[1] else f"{m[2]}***", text)
