"""What a repository needs: requirements with their evidence, and the questions that reading left open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from kobako.model.finding import Finding
from kobako.model.result import Problem

Origin = Literal["declared", "imported", "readme", "platform"]
Role = Literal["runtime", "project"]


@dataclass(frozen=True)
class Requirement:
    """One requirement. ``name`` is PEP 503 normalised, ``specifier`` PEP 440 ("" for any), ``url`` a direct reference.

    ``role`` is "project" for the packages of the repository's own family, which it installs apart from the others
    (OpenMMLab's ``mminstall.txt``).
    """

    name: str
    specifier: str = ""
    extras: tuple[str, ...] = ()
    marker: str | None = None
    url: str | None = None
    origin: Origin = "declared"
    role: Role = "runtime"
    optional: bool = False
    findings: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        if self.url:
            marker = f" ; {self.marker}" if self.marker else ""
            return f"{self.name}{extras} @ {self.url}{marker}"
        marker = f"; {self.marker}" if self.marker else ""
        return f"{self.name}{extras}{self.specifier}{marker}"


@dataclass(frozen=True)
class Bound:
    """A constraint on one thing (Python, say), with its evidence."""

    specifier: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Other:
    """Something that was seen and is not proposed, with the reason."""

    what: str
    why: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Question:
    """Something that only a person can decide; the work goes on without it."""

    what: str
    finding: Finding | None = None

    def __str__(self) -> str:
        return f"{self.finding}: {self.what}" if self.finding else self.what


@dataclass(frozen=True)
class Scan:
    """All that was read from a repository. ``requirements`` is the proposed top-level set, in the order declared."""

    requirements: tuple[Requirement, ...] = ()
    requires_python: Bound | None = None
    others: tuple[Other, ...] = ()
    questions: tuple[Question, ...] = ()
    problems: tuple[Problem, ...] = ()
    findings: tuple[Finding, ...] = field(default=())

    def named(self, name: str) -> Requirement | None:
        """The requirement of that (normalised) name, or None."""
        return next((one for one in self.requirements if one.name == name), None)
