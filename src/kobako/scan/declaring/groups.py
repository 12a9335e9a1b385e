"""Groups of requirements that are declared and not for running: extras, development, and what a build needs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from kobako.model.finding import Finding
from kobako.model.requirement import Other, Question
from kobako.scan.declaring.declared import Declared

_SHOWN = 12
_TRAINING = re.compile(r"(?:pre)?train(?:ing|er)?|fine[-_]?tun(?:e|ing)", re.IGNORECASE)
_BACKENDS = frozenset(
    {
        "setuptools",
        "wheel",
        "pip",
        "hatchling",
        "flit-core",
        "flit",
        "poetry-core",
        "poetry",
        "pdm-backend",
        "pdm-pep517",
    }
)
"""Build backends by themselves: pip fetches them for a build, and every base image has setuptools and wheel."""


def of_extra(found: Declared, name: str, entries: Collection[str], finding: Finding) -> None:
    """An extra: seen, and not proposed. Whether one that is named for training is wanted is asked."""
    if entries and _TRAINING.fullmatch(name):
        what = f"the extra `{name}` is named for training: is what it holds needed?"
        found.questions.append(Question(what, finding))
    _group(found, f"extra {name}", entries, ("for those who ask for the extra", finding))


def development(found: Declared, name: str, entries: Iterable[str], finding: Finding) -> None:
    """A group for whoever works on the repository itself."""
    _group(found, f"group {name}", entries, ("a group for development, which an installation leaves out", finding))


def build(found: Declared, text: str, finding: Finding) -> None:
    """Take in one requirement of the build itself, unless it is nothing but the backend."""
    probe = Declared()
    one = probe.understand(text, finding)
    found.problems += probe.problems
    found.questions += probe.questions
    if one is not None and one.name not in _BACKENDS:
        found.build.append(one)


def _group(found: Declared, what: str, entries: Iterable[str], why: tuple[str, Finding]) -> None:
    names = [" ".join(entry.split()) for entry in entries]
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    reason, finding = why
    found.others.append(Other(f"{what}: {shown[:500]}" if shown else what, reason, (finding,)))
