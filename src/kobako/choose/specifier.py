"""Versions as people type them, and whether a version fits. A bare one is a prefix: ``1.11`` means ``==1.11.*``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

_BARE = re.compile(r"v?(\d+(?:\.\d+)*)(?:\.[*x])?(?:(?:a|b|rc|\.?dev|\.?post)\d*)?(?:\+[A-Za-z0-9.]*)?", re.IGNORECASE)
_PATCH = re.compile(
    r"(?<![=!<])(?P<sign>==(?!=)|~=|>=|>)\s*(?P<minor>\d+\.\d+)\.(?!0+(?:\.\*)?$)\d+(?:\.\*|\.?post\d+)?$"
)
_LOCAL = re.compile(r"(?<=[0-9])\+[A-Za-z0-9._-]+")


def understood(text: str, flag: str) -> str:
    """What a user typed as a PEP 440 specifier. Raises ``ValueError``, which names the flag."""
    bare = re.sub(r"\s+", "", text)
    bare = re.sub(r"^(?:torch|cuda|cu|python|py)(?=[\d=<>!~])", "", bare, flags=re.IGNORECASE)
    digits = re.fullmatch(r"(\d{2})(\d)", bare) if re.match(r"cu\d", text.strip(), re.IGNORECASE) else None
    found = _BARE.fullmatch(f"{digits[1]}.{digits[2]}" if digits else bare)
    if found:
        return f"=={found[1]}.*"
    try:
        return checked(bare)
    except ValueError as error:
        raise ValueError(f"{flag} {text} is neither a version nor a PEP 440 specifier such as '>=1.8,<1.12'") from error


def checked(text: str) -> str:
    """A specifier without the local parts of its versions (``==1.11.0+cu113``). Raises ``ValueError``."""
    without = _LOCAL.sub("", text)
    _set(without)
    return without


def by_minor_version(text: str) -> str:
    """Without patch releases: ``==2.1.2`` is ``==2.1.*``, ``~=2.1.2`` too, ``>=2.1.2`` is ``>=2.1``."""
    return ",".join(_PATCH.sub(_widened, part.strip()) for part in text.split(","))


def _widened(found: re.Match[str]) -> str:
    return f">={found['minor']}" if found["sign"] in {">=", ">"} else f"=={found['minor']}.*"


@cache
def _set(text: str) -> SpecifierSet:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - heavy

    try:
        return SpecifierSet(text)
    except InvalidSpecifier as error:
        raise ValueError(f"it is no PEP 440 specifier: {text}") from error


def driver(text: str) -> str:
    """A driver's version, or its branch alone ("470"). Raises ``ValueError``."""
    found = re.fullmatch(r"[rR]?(\d{3}(?:\.\d+){0,3})(?:\.[*x]+)?", text.strip())
    if found is None:
        raise ValueError(f"--driver {text} is not a driver's version such as 470 or 535.183.01")
    return found[1]


@cache
def fits(specifier: str, versions: tuple[str, ...]) -> bool | None:
    """Whether the version is in the specifier; None where some of the versions that it may be are, and some are not."""
    found = {_contains(specifier, version) for version in versions}
    return found.pop() if len(found) == 1 else None


@cache
def _contains(specifier: str, version: str) -> bool:
    return _set(specifier).contains(version, prereleases=True)


@cache
def python_fits(specifier: str, versions: tuple[str, ...]) -> bool | None:
    """The same for Pythons. The tables say 3.8: a specifier has it where it has any 3.8.x."""
    found = {any(_contains(specifier, one) for one in _patches(version)) for version in versions}
    return found.pop() if len(found) == 1 else None


def _patches(python: str) -> Iterable[str]:
    if python.count(".") > 1:
        return (python,)
    return (f"{python}.{patch}" for patch in (99, *range(31)))
