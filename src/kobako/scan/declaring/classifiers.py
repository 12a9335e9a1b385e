"""What ``Programming Language :: Python :: 3.X`` classifiers come to. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kobako.model.finding import Finding
from kobako.model.requirement import Bound

_MINOR = re.compile(r"Programming Language\s*::\s*Python\s*::\s*([23])\.(\d{1,2})")


def python_of(classifiers: Sequence[tuple[str, Finding]]) -> Bound | None:
    """The range from the lowest to the highest minor version that is named, as a wish; gaps do not matter.

    ``Python :: 3`` says nothing that would help to choose. Where versions 2 and 3 are named, version 3 counts.
    """
    named = [
        (int(match[1]), int(match[2]), finding)
        for text, finding in classifiers
        if (match := _MINOR.fullmatch(text.strip()))
    ]
    if not named:
        return None
    newest = max(major for major, _, _ in named)
    minors = [minor for major, minor, _ in named if major == newest]
    findings = tuple(finding for major, _, finding in sorted(named) if major == newest)
    return Bound(f">={newest}.{min(minors)},<{newest}.{max(minors) + 1}", findings, firm=False)
