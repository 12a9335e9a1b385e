"""Where a choice comes from: a flag, the environment, ``x-kobako``, or a default. Each value keeps its origin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kobako.errors import UsageError

ENGINES: tuple[str, ...] = ("docker", "local")
"""The engines there are, in the order in which they are tried."""


class Setting(NamedTuple):
    """A value (None where nobody said one) and where it was said."""

    value: str | None
    origin: str


def engine_name(flag: str | None, env: Mapping[str, str], hint: str | None) -> Setting:
    """Which engine is asked for: None when nobody says. Raises ``UsageError("unknown-engine")``."""
    said = (
        Setting(flag, "--engine"),
        Setting(env.get("KOBAKO_ENGINE") or None, "KOBAKO_ENGINE"),
        Setting(hint, "x-kobako.engine"),
    )
    chosen = next((one for one in said if one.value), Setting(None, "default"))
    if chosen.value is not None and chosen.value not in ENGINES:
        raise UsageError(
            "unknown-engine",
            f"there is no engine named {chosen.value}",
            why=f"{chosen.origin} says so",
            fix=f"one of: {', '.join(ENGINES)}",
        )
    return chosen
