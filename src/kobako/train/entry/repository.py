"""A repository's files, as discovery reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple


class Repository(NamedTuple):
    """``files`` are names relative to it, with ``/``; ``read`` gives a text, or None where there is none to read."""

    files: Sequence[str]
    read: Callable[[str], str | None]

    def has_folder(self, name: str) -> bool:
        return name == "." or any(one.startswith(f"{name}/") for one in self.files)
