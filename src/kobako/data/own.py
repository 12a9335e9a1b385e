"""A user's own rows of the table of images: a CSV file with the columns of ngc_pytorch.csv, any of them but ``image``
left out. What is in an image of one's own is known to nobody else."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path

from kobako.data import NgcRelease
from kobako.errors import Where
from kobako.model.result import Problem

VARIABLE = "KOBAKO_IMAGES"

_VERSION = r"\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?(?:\+[A-Za-z0-9.]+)?"
_SHAPES = {
    "image": r"[A-Za-z0-9][A-Za-z0-9._:/@-]*",
    "release": r"\d\d\.\d\d",
    "ubuntu": r"\d\d\.\d\d",
    "python": r"\d+\.\d+",
    "cuda": _VERSION,
    "pytorch": _VERSION,
    "driver_min": r"\d+(?:\.\d+)*",
    "driver_compat_branches": r"\d+(?:\.\d+)*(?:;\d+(?:\.\d+)*)*",
    "compute_capability_min": r"\d+\.\d",
    "compute_capability_max": r"\d+\.\d",
}
_MOST = 1024**2


def path(env: Mapping[str, str]) -> Path | None:
    """Where the file is: ``KOBAKO_IMAGES``, else ``kobako/images.csv`` in the folder for configuration, if there."""
    named = env.get(VARIABLE)
    if named:
        return Path(named)
    home = env.get("XDG_CONFIG_HOME") or (f"{env['HOME']}/.config" if env.get("HOME") else "")
    usual = Path(home, "kobako", "images.csv") if home else None
    return usual if usual is not None and usual.is_file() else None


def read(env: Mapping[str, str]) -> tuple[tuple[NgcRelease, ...], tuple[Problem, ...]]:
    """The rows, and what is wrong with those that cannot be used: each with its line."""
    file = path(env)
    if file is None:
        return (), ()
    try:
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as opened:
            text = opened.read(_MOST + 1)
    except OSError as error:
        why = error.strerror or str(error)
        return (), (Problem("bad-images", f"{file} cannot be read", why, "correct it, or the variable that names it"),)
    if len(text) > _MOST:
        return (), (Problem("bad-images", f"{file} is too large to be a table of images"),)
    return _rows(text, str(file))


def _rows(text: str, file: str) -> tuple[tuple[NgcRelease, ...], tuple[Problem, ...]]:
    reader = csv.DictReader(text.replace("\0", "").splitlines())
    if "image" not in (reader.fieldnames or ()):
        why = f"its first line names the columns, and one is to be image; known are {', '.join(NgcRelease._fields)}"
        return (), (Problem("bad-images", "the table has no column image", why, where=Where(file, 1)),)
    rows: list[NgcRelease] = []
    problems: list[Problem] = []
    try:
        for row in reader:
            why = _wrong(row)
            if why:
                problems.append(
                    Problem("bad-images", "a row is left out", why, "correct the line", Where(file, reader.line_num))
                )
            else:
                rows.append(_row(row, file))
    except csv.Error as error:
        problems.append(Problem("bad-images", "the table is no CSV", str(error), where=Where(file, reader.line_num)))
    return tuple(rows), tuple(problems)


def _wrong(row: Mapping[str | None, object]) -> str:
    """What is wrong with a row, or ""."""
    if None in row:
        return "it has more cells than there are columns"
    if not row.get("image"):
        return "it names no image"
    for column, shape in _SHAPES.items():
        cell = row.get(column) or ""
        if cell and not re.fullmatch(shape, str(cell)):
            return f"{column} is {str(cell)[:60]!r}"
    return ""


def _row(row: Mapping[str, str | None], file: str) -> NgcRelease:
    cells = {field: row.get(field) or "" for field in NgcRelease._fields}
    return NgcRelease(**{**cells, "source": cells["source"] or file, "confidence": cells["confidence"] or "own"})
