"""Arithmetic on what people tell about versions: points and ranges, as PEP 440 specifiers. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from kobako.model.finding import Finding
from kobako.model.requirement import Bound
from kobako.scan.declaring.declared import Declared

SUBJECTS = ("python", "torch", "cuda")
MOST_FINDINGS = 6
"""Places that are kept as evidence for one thing; a hundred of them convince nobody more."""

Minor = tuple[int, int]

_POINT = re.compile(r"==(\d+)\.(\d+)(?:\.[\d*.]+)?(?:\+[\w.]+)?")
_MAJOR = re.compile(r"==(\d+)\.\*")
_SANE = {"python": ((3, 0), (3, 99)), "torch": ((0, 4), (9, 99)), "cuda": ((6, 0), (19, 9))}


def minor_of(text: str) -> Minor | None:
    """``3.8.10`` -> (3, 8); None for what is no version with at least two numbers."""
    found = re.fullmatch(r"v?(\d{1,3})\.(\d{1,3})(?:\.(?:\d{1,4}|x|\*)){0,2}(?:\+[\w.]+)?", text.strip())
    return (int(found[1]), int(found[2])) if found else None


def is_sane(subject: str, minor: Minor) -> bool:
    """Whether there can be such a release: a README's "Python 2.7" and "CUDA 8192" bound nothing."""
    low, high = _SANE[subject]
    return low <= minor <= high


def spread(points: Iterable[Minor]) -> str:
    """From the lowest to the highest of some releases: what was tested at both ends is hoped for between them.

    Patch releases do not matter: who tells ``1.8.1`` is served by 1.8.0, and few base images have each patch.
    """
    low, *rest = sorted(set(points))
    if not rest:
        return f"=={low[0]}.{low[1]}.*"
    high = rest[-1]
    return f">={low[0]}.{low[1]},<{high[0]}.{high[1] + 1}"


def bound_of(points: Sequence[tuple[Minor, Finding]]) -> Bound | None:
    """One wish for all that was told or tested."""
    if not points:
        return None
    findings = tuple(dict.fromkeys(finding for _, finding in points))[:MOST_FINDINGS]
    return Bound(spread(minor for minor, _ in points), findings, firm=False)


def condense(found: Declared) -> None:
    """At most one bound on each subject, and that a wish: what one file tells is one opinion, whatever its length.

    Commands for several CUDA versions are alternatives, so their releases are spread; the first bound that is none of
    a single release wins over those.
    """
    for subject in SUBJECTS:
        bounds: list[Bound] = getattr(found, subject)
        bounds[:] = _condensed(subject, bounds)


def _condensed(subject: str, bounds: Sequence[Bound]) -> list[Bound]:
    points: list[tuple[Minor, Finding]] = []
    wide: list[Bound] = []
    for bound in bounds:
        if (point := _POINT.fullmatch(bound.specifier)) and bound.findings:
            minor = (int(point[1]), int(point[2]))
            if is_sane(subject, minor):
                points += [(minor, finding) for finding in bound.findings]
        elif bound.specifier:
            wide.append(replace(bound, firm=False))
    if wide and not (points and _MAJOR.fullmatch(wide[0].specifier)):
        same = [one for one in wide if one.specifier == wide[0].specifier]
        findings = tuple(dict.fromkeys(finding for one in same for finding in one.findings))[:MOST_FINDINGS]
        return [replace(wide[0], findings=findings)]
    one = bound_of(points)
    return [one] if one else []
