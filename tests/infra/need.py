"""What a test needs and may not have: a reason to skip on a person's machine, a failure where everything must run."""

from __future__ import annotations

import os

import pytest

FLAG = "KOBAKO_TEST_ALL=1"


def strict() -> bool:
    """Whether everything must be tested, so that nothing may be skipped for being absent."""
    return os.environ.get("CI", "").lower() in {"1", "true"} or os.environ.get("KOBAKO_TEST_ALL") == "1"


def need(what: str, present: object, how: str) -> None:
    """Skip the running test unless ``present`` is true; fail it instead under ``strict()``. ``how`` is the remedy."""
    if present:
        return
    message = f"{what} is needed: {how}"
    if strict():
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
