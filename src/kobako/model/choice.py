"""A value that was chosen, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Choice(Generic[T]):
    """``reasons`` are sentences for a person, the most telling first."""

    value: T
    reasons: tuple[str, ...] = ()
