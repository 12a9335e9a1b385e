"""Exact versions for an interpreter that uv cannot run on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Resolved:
    """``pins`` are versions by normalised name, without the torch family. ``loose`` are requirements by name that exist
    as sources only: nobody can say what they need without running their code.
    """

    pins: Mapping[str, str] = field(default_factory=dict)
    loose: frozenset[str] = frozenset()
