"""What all the bounds on Python, torch or CUDA come to. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kobako.errors import Where
from kobako.model.finding import Finding
from kobako.model.requirement import Bound, Requirement
from kobako.model.result import Problem
from kobako.scan.declaring.declared import ordered

_NAMES = {"python": "Python", "torch": "torch", "cuda": "CUDA"}
_MOST = 100
"""Constraints on one thing that are looked at."""
_LONGEST_NUMBER = 20
_EVIDENCE = 6
"""Places that are worth showing for one constraint."""


def combined(what: str, bounds: Sequence[Bound]) -> tuple[Bound | None, list[Problem]]:
    """One bound that honours as many as can be honoured at once, and a problem for every firm one that cannot.

    ``bounds`` in the order of trust; firm ones go before the others. A wish that contradicts what is there is left out.
    """
    taken: list[Bound] = []
    problems: list[Problem] = []
    distinct = _distinct(sorted(bounds, key=lambda one: not one.firm))
    if len(distinct) > _MOST:
        what_else = f"{len(distinct) - _MOST} more constraints on {_NAMES[what]} were not looked at"
        problems.append(Problem("not-read", what_else, "nobody writes so many"))
    for bound in distinct[:_MOST]:
        if not _is_understood(bound):
            problems.append(_unreadable(what, bound))
        elif not _is_possible([bound]):
            problems.append(_impossible(what, bound))
        elif _is_possible([*taken, bound]):
            taken.append(bound)
        elif bound.firm:
            problems.append(_contradiction(what, _opponent(taken, bound), bound))
    if not taken:
        return None, problems
    specifier = _joined([one.specifier for one in taken])
    findings = tuple(dict.fromkeys(finding for one in taken for finding in one.findings))[:_EVIDENCE]
    return Bound(specifier, findings, firm=any(one.firm for one in taken)), problems


def _distinct(bounds: Sequence[Bound]) -> list[Bound]:
    """One for each specifier and firmness, with the places of all."""
    found: dict[tuple[str, bool], list[Finding]] = {}
    for one in bounds:
        found.setdefault((one.specifier, one.firm), []).extend(one.findings)
    return [
        Bound(specifier, tuple(dict.fromkeys(findings)), firm=firm) for (specifier, firm), findings in found.items()
    ]


def contradictions(kept: Sequence[Requirement], others: Sequence[Requirement]) -> list[Problem]:
    """A problem for each of ``others`` that excludes what is kept under its name; both are shown with their places."""
    by_name: dict[str, Requirement] = {one.name: one for one in reversed(kept) if not one.url}
    found: list[Problem] = []
    for other in others:
        first = by_name.get(other.name)
        if first is None or other.url or first.marker != other.marker:
            continue
        if not _is_possible([Bound(first.specifier), Bound(other.specifier)]):
            places = [f"`{one}`{f' ({one.findings[0]})' if one.findings else ''}" for one in (first, other)]
            finding = other.findings[0] if other.findings else None
            found.append(
                Problem(
                    "contradiction",
                    f"{places[0]} and {places[1]} exclude each other",
                    "no version satisfies both; the first is taken",
                    "correct one of them",
                    Where(finding.file, finding.line) if finding else None,
                )
            )
    return found


def _is_understood(bound: Bound) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - heavy

    try:
        SpecifierSet(bound.specifier)
    except InvalidSpecifier:
        return False
    return True


def _is_possible(bounds: Sequence[Bound]) -> bool:
    """Whether some version satisfies all. The versions tried are those that the bounds name, and their neighbours."""
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - heavy

    every = SpecifierSet(",".join(one.specifier for one in bounds if one.specifier))
    return any(every.contains(version, prereleases=True) for version in _candidates([one.specifier for one in bounds]))


def _candidates(specifiers: Sequence[str]) -> list[str]:
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - heavy

    found = ["0", "9999"]
    for one in SpecifierSet(",".join(part for part in specifiers if part)):
        release = one.version.removesuffix(".*").partition("+")[0]
        numbers = [
            int(part)
            for part in release.split(".")
            if part.isdecimal() and part.isascii() and len(part) < _LONGEST_NUMBER
        ] or [0]
        below = (
            [*numbers[:-1], numbers[-1] - 1, 9999]
            if numbers[-1]
            else [*numbers[:-2], max(numbers[-2:-1], default=0) - 1, 9999]
        )
        found += [one.version.removesuffix(".*"), f"{release}.1", ".".join(str(max(part, 0)) for part in below)]
        if len(numbers) > 1:
            found.append(f"{release}.9999")
    return found


def _opponent(taken: Sequence[Bound], bound: Bound) -> Bound:
    """The one among those taken that alone contradicts the bound, else the first."""
    return next((one for one in taken if not _is_possible([one, bound])), taken[0])


def _joined(specifiers: Sequence[str]) -> str:
    parts = dict.fromkeys(part.strip() for one in specifiers for part in one.split(",") if part.strip())
    return ordered(",".join(_tightest(list(parts))))


def tightened(specifier: str) -> str:
    """The same without limits that others in it make needless: ``>=1.3,>=1.3.8`` is ``>=1.3.8``."""
    return _joined([specifier]) if specifier.count(",") else specifier


def _tightest(parts: list[str]) -> list[str]:
    """Without lower bounds below another lower bound, and upper ones above another."""
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - heavy

    ranked: dict[str, dict[str, tuple[Version, bool]]] = {">": {}, "<": {}}
    for part in parts:
        version = part.lstrip("<>=")
        if part[0] in ranked:
            try:
                ranked[part[0]][part] = (Version(version), not part.startswith((">=", "<=")))
            except InvalidVersion:
                continue
    lower, upper = ranked[">"], ranked["<"]
    # of two bounds at one version the strict one is the tighter
    kept = {
        max(lower, key=lambda part: lower[part], default=""),
        min(upper, key=lambda part: (upper[part][0], not upper[part][1]), default=""),
    }
    return [part for part in parts if part in kept or (part not in lower and part not in upper)]


def _contradiction(what: str, first: Bound, second: Bound) -> Problem:
    name = _NAMES[what]
    places = [f"{name} {one.specifier}{_at(one)}" for one in (first, second)]
    finding = second.findings[0] if second.findings else None
    return Problem(
        "contradiction",
        f"the repository asks for {places[0]} and for {places[1]}",
        "no version satisfies both; the first is taken",
        f"decide with kobako base --{what} SPEC",
        Where(finding.file, finding.line) if finding else None,
    )


def _impossible(what: str, bound: Bound) -> Problem:
    """One specifier that no version satisfies: often two declarations that were joined."""
    name = _NAMES[what]
    places = ", ".join(str(one) for one in bound.findings)
    return Problem(
        "contradiction",
        f"the repository asks for {name} {bound.specifier}{f' ({places})' if places else ''}",
        "no version satisfies that",
        f"decide with kobako base --{what} SPEC",
        Where(bound.findings[-1].file, bound.findings[-1].line) if bound.findings else None,
    )


def _at(bound: Bound) -> str:
    return f" ({bound.findings[0]})" if bound.findings else ""


def _unreadable(what: str, bound: Bound) -> Problem:
    finding = bound.findings[0] if bound.findings else None
    return Problem(
        "bad-requirement",
        f"`{bound.specifier}` is no constraint on {_NAMES[what]} that is understood",
        "it is no PEP 440 specifier",
        "correct it there",
        Where(finding.file, finding.line) if finding else None,
    )
