"""The entry script: where it lies in a repository, and how one that Kobako wrote is known."""

from __future__ import annotations

SCRIPT = "tools/clearml_train.py"
"""Relative to the repository."""

MARK = "Written by Kobako"
"""Stands among the first ``MARKED_WITHIN`` characters of a script that Kobako wrote."""

MARKED_WITHIN = 1000


def is_ours(name: str, text: str) -> bool:
    """Whether a file of a repository is the entry script that Kobako wrote into it."""
    return name == SCRIPT and MARK in text[:MARKED_WITHIN]
