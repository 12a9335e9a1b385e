"""A base image, and what is known about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Family = Literal["ngc", "pytorch", "python", "cuda", "distribution", "other"]


@dataclass(frozen=True)
class BaseImage:
    """What a table or a tag says about an image. An empty string means: not known.

    ``has_torch`` is None when nobody knows. ``has_pip`` is False where the image surely lacks Python's pip.
    ``constrained`` is true for images that ship ``/etc/pip/constraint.txt``. ``source`` is where the facts are from.
    """

    reference: str
    family: Family = "other"
    python: str = ""
    torch: str = ""
    cuda: str = ""
    system: str = ""
    release: str = ""
    has_torch: bool | None = None
    has_pip: bool = True
    constrained: bool = False
    confidence: str = ""
    source: str = ""

    @property
    def python_version(self) -> tuple[int, ...]:
        """Major and minor number, or () when not known."""
        return tuple(int(part) for part in self.python.split(".")[:2]) if self.python else ()

    @property
    def too_old_for_uv(self) -> bool:
        """uv enters an image through pip, and runs on Python 3.8 and later."""
        return bool(self.python) and self.python_version < (3, 8)
