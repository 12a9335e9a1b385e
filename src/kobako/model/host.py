"""Facts about the machine that Kobako runs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Gpu(NamedTuple):
    """A GPU as nvidia-smi shows it. ``capability`` is its compute capability ("": an old nvidia-smi does not tell)."""

    name: str
    driver: str
    capability: str = ""


@dataclass(frozen=True)
class HostFacts:
    """``timezone`` is a name of the time zone database ("" when not known); ``memory`` is in bytes (0: not known)."""

    timezone: str = ""
    memory: int = 0
