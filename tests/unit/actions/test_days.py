"""Days as people type them."""

from __future__ import annotations

import datetime as dt

import pytest

from kobako.actions import days
from kobako.errors import UsageError


@pytest.mark.parametrize(
    ("text", "day"), [("", None), ("2022-05-10", "2022-05-10"), ("2022-05", "2022-05-31"), ("2024-02", "2024-02-29")]
)
def test_days(text: str, day: str | None) -> None:
    found = days.parsed(text, "--as-of")
    assert (found.isoformat() if found else None) == day


def test_today() -> None:
    before = dt.datetime.now(dt.timezone.utc).date()
    found = days.parsed("today", "--as-of")
    assert found is not None
    assert before <= found <= dt.datetime.now(dt.timezone.utc).date()


@pytest.mark.parametrize(
    "text", ["2022", "2022-13", "may", "2022-02-30", "10.5.2022", "20220510", "2022-W10-1", "２０２２-05-10", "0000-01"]
)
def test_no_day(text: str) -> None:
    with pytest.raises(UsageError, match="is no date") as caught:
        days.parsed(text, "--as-of")
    assert caught.value.fix == "--as-of 2022-05-31, or --as-of today"


def test_a_day_that_is_yet_to_come() -> None:
    with pytest.raises(UsageError, match="is in the future"):
        days.parsed("2999-01-01", "--as-of")
