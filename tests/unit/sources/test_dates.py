"""How old an archive is, told by its members."""

from __future__ import annotations

import datetime as dt
import io
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from kobako.sources import dates

_DAY = 86400
_2022 = int(dt.datetime(2022, 3, 5, 23, 59, 59, tzinfo=dt.timezone.utc).timestamp())


def tar(path: Path, members: Sequence[tuple[str, float, bytes]]) -> Path:
    """An archive of (name, time, type)."""
    with tarfile.open(path, "w:gz") as file:
        for name, when, kind in members:
            info = tarfile.TarInfo(name)
            info.mtime, info.type = when, kind
            file.addfile(info, io.BytesIO())
    return path


def packed(path: Path, days: Sequence[tuple[int, int, int]]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for at, day in enumerate(days):
            file.writestr(zipfile.ZipInfo(f"f{at}", (*day, 0, 0, 0)), "")
    return path


@pytest.mark.parametrize(
    ("members", "day"),
    [
        ([("a", _2022, tarfile.REGTYPE)], "2022-03-05"),
        ([("a", _2022 + 1, tarfile.REGTYPE)], "2022-03-06"),
        ([("a", 0, tarfile.REGTYPE), ("b", _2022, tarfile.REGTYPE), ("c", 1, tarfile.REGTYPE)], "2022-03-05"),
        # a folder's time is that of unpacking, a link's of nothing
        ([("a", _2022, tarfile.REGTYPE), ("d", _2022 + 900 * _DAY, tarfile.DIRTYPE)], "2022-03-05"),
        ([("a", _2022, tarfile.REGTYPE), ("l", _2022 + 900 * _DAY, tarfile.SYMTYPE)], "2022-03-05"),
        # made reproducibly: no date at all
        ([("a", 0, tarfile.REGTYPE)], ""),
        ([("a", 315532800, tarfile.REGTYPE)], ""),
        ([("a", -5, tarfile.REGTYPE)], ""),
        ([("a", 2**40, tarfile.REGTYPE)], ""),
        ([], ""),
    ],
)
def test_of_a_tar(members: list[tuple[str, float, bytes]], day: str, tmp_path: Path) -> None:
    assert dates.of_archive(tar(tmp_path / "a.tar.gz", members)) == day


@pytest.mark.parametrize(
    ("days", "day"),
    [
        ([(2022, 3, 5)], "2022-03-05"),
        ([(2019, 1, 1), (2022, 3, 5), (1980, 1, 1)], "2022-03-05"),
        ([(1980, 1, 1)], ""),
        ([(1980, 0, 0)], ""),
        ([(2022, 2, 31), (2021, 1, 1)], "2021-01-01"),
        ([], ""),
    ],
)
def test_of_a_zip(days: list[tuple[int, int, int]], day: str, tmp_path: Path) -> None:
    assert dates.of_archive(packed(tmp_path / "a.zip", days)) == day


@pytest.mark.parametrize(
    ("seconds", "day"),
    [
        ("1646524799", "2022-03-05"),
        ("1646524800", "2022-03-06"),
        ("", ""),
        ("soon", ""),
        ("-1", ""),
        ("0", ""),
        ("\N{SUPERSCRIPT TWO}", ""),
        ("9" * 30, ""),
    ],
)
def test_of_a_moment(seconds: str, day: str) -> None:
    assert dates.utc(seconds) == day
