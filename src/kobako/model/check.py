"""One thing that ``kobako doctor`` looked at."""

from __future__ import annotations

from typing import Literal, NamedTuple

CheckStatus = Literal["ok", "missing", "broken", "unchecked"]


class Check(NamedTuple):
    """``found`` is what is there, or why it was not looked at; ``means`` what follows for the user, in plain words.

    ``fix`` is one command (or address) that helps, "" where nothing is to be done or nothing is known to help.
    """

    name: str
    status: CheckStatus
    found: str
    means: str
    fix: str = ""
