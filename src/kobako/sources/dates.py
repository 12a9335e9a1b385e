"""How old a repository is: the date of its newest commit, or of the newest file in its archive."""

from __future__ import annotations

import datetime as dt
import tarfile
import zipfile
from pathlib import Path

KEY = "date"
"""Under this key the date stands in ``x-kobako.source``, as YYYY-MM-DD in UTC."""

_EARLIEST = dt.date(1995, 1, 1)
"""Archives that are made reproducibly carry 1970 or 1980: no date at all."""


def of_archive(archive: Path) -> str:
    """The date of the newest member of an archive that has been unpacked safely, or ""."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as file:
            days = [info.date_time[:3] for info in file.infolist()]
        return max((_day(*day) for day in days), default="")
    with tarfile.open(archive) as file:
        newest = max((member.mtime for member in file if member.isfile()), default=0)
    return utc(str(int(newest)))


def utc(seconds: str) -> str:
    """The date of a Unix time, or "" where it is none that a file or a commit can have."""
    if not seconds.isdigit():
        return ""
    try:
        moment = dt.datetime.fromtimestamp(int(seconds), dt.timezone.utc)
    except (OverflowError, ValueError, OSError):
        return ""
    return _day(moment.year, moment.month, moment.day)


def _day(year: int, month: int, day: int) -> str:
    """The date, unless it is none that a file can have."""
    try:
        found = dt.date(year, month, day)
    except ValueError:
        return ""
    return found.isoformat() if found > _EARLIEST else ""
