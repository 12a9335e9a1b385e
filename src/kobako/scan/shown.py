"""A scan as a person reads it, in lines of eighty columns: what is needed, how it is trained, what to decide. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from kobako.model.finding import Finding
from kobako.model.requirement import Bound, EntryPoint, Other, Question, Requirement, Scan, SystemPackage

WIDTH = 80
_MOST = 12
"""Entries of a list, and things that share one reason; ``-v`` and ``--json`` have the rest."""
_MOST_BOUNDS = 4
_WIDEST = 40
_FLAGS = 8
_EXTRA = "for those who ask for the extra"
_PLAIN = (
    "CUDA comes with",
    "a Debian package that is told as optional",
    "a file that is named",
    "a placeholder",
    "a setting for building",
    "a tool that installs",
    "an extension that the repository builds",
    "another environment",
    "every environment",
    "for the host",
    "for development",
    "for documents",
    "for tests",
    "for Windows or macOS",
    "imported only in tests",
    "in another Dockerfile",
    "not for running",
    "the base image has",
    "the repository itself",
    "told for ",
    "told history",
)
"""How reasons begin that nobody wonders about."""
_TAKEN = "is told elsewhere, and is taken"
_ORIGINS = (
    ("declared", "declared"),
    ("platform", "what the code is made for"),
    ("readme", "told by README, CI or a Dockerfile"),
    ("imported", "imported, and declared nowhere"),
)


def lines(found: Scan, *, verbose: bool = False) -> list[str]:
    """The scan for a person. ``verbose`` leaves nothing out."""
    most = None if verbose else _MOST
    told = [
        line
        for name, kind in (("Python", "python"), ("torch", "torch"), ("CUDA", "cuda"))
        for line in _bound(name, kind, found)
    ]
    told += _requirements(found.requirements)
    told += _listed("to build", [f"{one}{_at(one.findings)}" for one in found.build])
    told += _listed("Debian packages", _systems(found.system))
    told += _entry_points(found.entry_points, verbose=verbose)
    told += _others(found.others, most)
    told += _listed("questions", _questions(found.questions), most)
    return told


def _bound(name: str, kind: str, found: Scan) -> list[str]:
    """One line for each constraint that counts, with its own evidence."""
    every: Bound | None = getattr(found, kind)
    if every is None:
        return []
    clauses = set(every.specifier.split(","))
    shown: list[Bound] = []
    for one in found.bounds.get(kind, ()):
        if clauses.intersection(one.specifier.split(",")):
            clauses.difference_update(one.specifier.split(","))
            shown.append(one)
    shown = shown[:_MOST_BOUNDS] or [every]
    width = max(len(one.specifier) for one in shown)
    tails = [f"{_at(one.findings)}{'' if one.firm else '  tested or told'}" for one in shown]
    heads = [f"{name:<8}", *([" " * 8] * (len(shown) - 1))]
    return [
        f"{head}{one.specifier:<{width}}{tail}".rstrip() for head, one, tail in zip(heads, shown, tails, strict=True)
    ]


def _requirements(requirements: Sequence[Requirement]) -> list[str]:
    if not requirements:
        return ["no requirements were found"]
    width = min(max(len(str(one)) for one in requirements), _WIDEST)
    told: list[str] = []
    for origin, title in _ORIGINS:
        group = [one for one in requirements if one.origin == origin]
        entries = [f"{one!s:<{width}}{_at(one.findings)}{'  optional' if one.optional else ''}" for one in group]
        told += _listed(title, entries)
    return told


def _systems(packages: Sequence[SystemPackage]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for one in packages:
        groups.setdefault(one.why, []).append(one.name)
    return [f"{', '.join(names)}: {why}" for why, names in groups.items()]


def _entry_points(found: Sequence[EntryPoint], *, verbose: bool) -> list[str]:
    """The first in full, the others by name: whoever wants them asks for more."""
    if not found:
        return ["how it is trained: no script that trains was found"]
    first = [_entry(one) for one in (found if verbose else found[:1])]
    others = [] if verbose else [f"or {one.file}{_started(one)}" for one in found[1:]]
    return _listed("how it is trained", [*first, *others])


def _entry(one: EntryPoint) -> str:
    flags = [each.flags[-1] for each in one.arguments]
    tail = f"  [{' '.join(flags[:_FLAGS])}{' ...' if len(flags) > _FLAGS else ''}]" if flags else ""
    return f"{one.file}: {one.why}{tail}"


def _started(one: EntryPoint) -> str:
    told = next((part for part in one.why.split("; ") if "starts it" in part or "installs it" in part), "")
    return f": {told}" if told else ""


def _others(others: Sequence[Other], most: int | None) -> list[str]:
    """Grouped by their reason; what nobody wonders about is only counted."""
    groups: dict[str, list[Other]] = {}
    for one in others:
        groups.setdefault(one.why, []).append(one)
    plain = [] if most is None else [why for why in groups if why.startswith(_PLAIN) or why.endswith(_TAKEN)]
    hidden = sum(len(groups.pop(why)) for why in plain)
    entries = [_group(why, group, most) for why, group in groups.items()]
    told = ["seen and not proposed:"] if entries or hidden else []
    for entry in entries[:most]:
        told += _wrapped(entry)
    if len(entries) > len(entries[:most]):
        told.append(f"  ... and {len(entries) - len(entries[:most])} more reasons (-v shows them)")
    if hidden:
        told.append(f"  and {hidden} that need no decision (-v shows them)")
    return told


def _group(why: str, group: Sequence[Other], most: int | None) -> str:
    is_short = why == _EXTRA and most is not None
    words = [f"{one.what.partition(':')[0] if is_short else one.what}{_at(one.findings, ' ')}" for one in group[:most]]
    if len(group) == 1:
        return f"{words[0]}: {why}"
    more = f", and {len(group) - len(words)} more" if len(group) > len(words) else ""
    return f"{why}: {'; '.join(words) if any(', ' in one for one in words) else ', '.join(words)}{more}"


def _questions(questions: Iterable[Question]) -> list[str]:
    return [str(one) for one in questions]


def _listed(title: str, entries: Sequence[str], most: int | None = None) -> list[str]:
    if not entries:
        return []
    shown = entries if most is None or len(entries) <= most else entries[: most - 1]
    told = [f"{title}:"]
    for entry in shown:
        told += _wrapped(entry)
    if len(shown) < len(entries):
        told.append(f"  ... and {len(entries) - len(shown)} more (-v shows them)")
    return told


def _wrapped(entry: str) -> list[str]:
    wrapper = textwrap.TextWrapper(WIDTH, "  ", "      ", break_on_hyphens=False, break_long_words=False)
    return wrapper.wrap(entry)


def _at(findings: Sequence[Finding], space: str = "  ") -> str:
    return f"{space}({findings[0]})" if findings else ""
