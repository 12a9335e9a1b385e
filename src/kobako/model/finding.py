"""A fact about a repository, with the place where it is written."""

from __future__ import annotations

from dataclasses import dataclass

from kobako.errors import Where


@dataclass(frozen=True, order=True)
class Finding:
    """Where something is written. ``file`` is relative to the repository; ``text`` is what stands there."""

    file: str
    line: int
    text: str = ""

    @property
    def where(self) -> Where:
        return Where(self.file, self.line)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"
