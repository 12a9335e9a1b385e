"""Facts about the machine that Kobako runs on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HostFacts:
    """``timezone`` is a name of the time zone database ("" when not known); ``memory`` is in bytes (0: not known)."""

    timezone: str = ""
    memory: int = 0
