"""Days as people type them."""

from __future__ import annotations

import calendar
import datetime as dt
import re

from kobako.errors import UsageError

TODAY = "today"
OLD = dt.timedelta(days=365)
"""What is older is of another time than today's: the index and the images of its day fit it better."""


def today() -> dt.date:
    """The day it is, in UTC, as indexes count."""
    return dt.datetime.now(dt.timezone.utc).date()


def parsed(text: str, flag: str) -> dt.date | None:
    """A day, the last one of a month (2022-05), or ``today``; None for "". Raises ``UsageError``."""
    if not text:
        return None
    if text == TODAY:
        return today()
    try:
        day = _day(text)
    except ValueError as error:
        what = f"{flag} {text} is no date"
        raise UsageError("usage", what, fix=f"{flag} 2022-05-31, or {flag} {TODAY}") from error
    if day > today():
        raise UsageError("usage", f"{flag} {text} is in the future", fix=f"{flag} {TODAY}")
    return day


def _day(text: str) -> dt.date:
    match = re.fullmatch(r"(\d{4})-(\d{2})(?:-(\d{2}))?", text, re.ASCII)
    if match is None:
        raise ValueError(text)
    year, month = int(match[1]), int(match[2])
    first = dt.date(year, month, 1)
    return first.replace(day=int(match[3]) if match[3] else calendar.monthrange(year, month)[1])
