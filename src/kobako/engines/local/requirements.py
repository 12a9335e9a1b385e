"""Requirement files of a stranger, read once, here: uv outside is given a file of Kobako's own with what they say.

uv follows a file's options to other files, to checkouts and to code that has to be built, and puts the caller's
variables into addresses. So nothing but names of packages, their versions and hashes, and plain addresses of indexes
is passed on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from kobako.engines.local.paths import within

LISTS = frozenset({"-r", "--requirement", "--requirements"})
BOUNDS = frozenset({"-c", "--constraint", "--constraints"})
OTHERS = frozenset({"--override", "--overrides", "-b", "--build-constraint", "--build-constraints"})
"""Options whose value is such a file."""

_ADDRESSES = {
    "-i": "--index-url",
    "--index-url": "--index-url",
    "--extra-index-url": "--extra-index-url",
    "-f": "--find-links",
    "--find-links": "--find-links",
}
_HARMLESS = frozenset({"--require-hashes", "--prefer-binary", "--trusted-host"})
_HASH = re.compile(r"\s--hash[= ](\S+)")
_OPTION = re.compile(r"(--?[A-Za-z][\w-]*)[= ]\s*(\S+)$")
_SHORT = re.compile(r"(-[rcif])(\S+)$")
_ARCHIVE = re.compile(r"(?i)\.(whl|zip|tar|tgz|tbz2?|txz|tzst|gz|bz2|xz|lzma|zst)$")
_DEEP = 10
_MANY = 5000
_LARGE = 1 << 20


class Given(NamedTuple):
    """``lines`` are requirements and addresses in a form that means one thing; ``bounds`` are constraints."""

    lines: tuple[str, ...] = ()
    bounds: tuple[str, ...] = ()

    def plus(self, other: Given) -> Given:
        return Given((*self.lines, *other.lines), (*self.bounds, *other.bounds))


def read(root: Path, inside: str, depth: int = 0) -> Given | None:
    """What a file says, and those that it names. None where it says anything else."""
    path = within(root, inside)
    if depth > _DEEP or not path.is_file() or path.stat().st_size > _LARGE:
        return None
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return None
    given = Given()
    for line in _logical(text):
        more = _line(root, inside, line, depth) if line is not None else None
        if more is None:
            return None
        given = given.plus(more)
        if len(given.lines) + len(given.bounds) > _MANY:
            return None
    return given


def _logical(text: str) -> Iterator[str | None]:
    """The lines without comments, continued ones joined; None for one that could be read in two ways."""
    joined = ""
    for physical in text.splitlines():
        plain = re.sub(r"(?:^|\s)#.*", "", physical).rstrip()
        if plain != physical.rstrip() and physical.rstrip().endswith("\\"):
            yield None
        if plain.endswith("\\"):
            joined += f"{plain[:-1]} "
            continue
        line, joined = f"{joined}{plain}".strip(), ""
        if "$" in line or "\\" in line:
            yield None
        if line:
            yield line
    if joined.strip():
        yield None


def _line(root: Path, inside: str, line: str, depth: int) -> Given | None:
    if not line.startswith("-"):
        found = requirement(line)
        return None if found is None else Given((found,))
    if line.split("=", maxsplit=1)[0].split(maxsplit=1)[0] in _HARMLESS:
        return Given()
    found_option = _OPTION.match(line) or _SHORT.match(line)
    if found_option is None:
        return None
    option, value = found_option[1], found_option[2]
    if option in LISTS | BOUNDS and "://" not in value:
        given = read(root, os.path.join(os.path.dirname(inside), value), depth + 1)
        if given is None or option in LISTS:
            return given
        return Given((), (*given.lines, *given.bounds))
    if option in _ADDRESSES and value.startswith(("https://", "http://")):
        return Given((f"{_ADDRESSES[option]}={value}",))
    return None


def requirement(line: str) -> str | None:
    """A requirement of a package by its name, in the standard's own form; None for anything else."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - heavy

    hashes = _HASH.findall(line)
    try:
        found = Requirement(_HASH.sub("", line).strip())
    except InvalidRequirement:
        return None
    if (
        found.url is not None
        or _ARCHIVE.search(found.name)
        or not all(re.fullmatch(r"\w+:[0-9a-f]+", one) for one in hashes)
    ):
        return None
    return " ".join([str(found), *(f"--hash={one}" for one in hashes)])
