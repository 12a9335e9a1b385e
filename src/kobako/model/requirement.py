"""What a repository needs: requirements with their evidence, and the questions that reading left open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from kobako.model import NOTHING
from kobako.model.finding import Finding
from kobako.model.result import Problem

Origin = Literal["declared", "imported", "readme", "platform"]
Role = Literal["runtime", "project"]


@dataclass(frozen=True)
class Requirement:
    """One requirement. ``name`` is PEP 503 normalised, ``specifier`` PEP 440 ("" for any), ``url`` a direct reference.

    ``origin`` says where it is from: written down for an installer, seen in an import, told to a person (README, CI,
    a Dockerfile of the repository's), or implied by what the code is ("platform": mmcv for a detector that declares
    none, torch for code that imports it). ``role`` is "project" for the packages of the repository's own family, which
    it installs apart from the others (OpenMMLab's ``mminstall.txt``). ``imports`` are places that import it, which only
    annotate what is declared.
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
    imports: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        if self.url:
            marker = f" ; {self.marker}" if self.marker else ""
            return f"{self.name}{extras} @ {self.url}{marker}"
        marker = f"; {self.marker}" if self.marker else ""
        return f"{self.name}{extras}{self.specifier}{marker}"

    def applies(self, python: str = "") -> bool:
        """Whether the marker lets it be installed on Linux by that Python ("3.8"; "" for any), without an extra."""
        if not self.marker:
            return True
        from packaging.markers import InvalidMarker, Marker, UndefinedComparison  # noqa: PLC0415 - heavy

        linux = {"os_name": "posix", "platform_system": "Linux", "sys_platform": "linux", "extra": ""}
        try:
            marker = Marker(self.marker)
            return any(
                marker.evaluate({**linux, "python_version": one, "python_full_version": f"{one}.99"})
                for one in ((python,) if python else _PYTHONS)
            )
        except (InvalidMarker, UndefinedComparison):
            return True


_PYTHONS = tuple(f"3.{minor}" for minor in range(5, 16))


@dataclass(frozen=True)
class Bound:
    """A constraint on one thing (Python, torch, CUDA), a PEP 440 specifier, with its evidence.

    ``firm`` is true for what an installer or the code itself enforces; false for what was only tested or told
    (classifiers, CI matrices, a README's "Python 3.7+"): a wish, dropped before a firm one.
    """

    specifier: str
    findings: tuple[Finding, ...] = ()
    firm: bool = True


@dataclass(frozen=True)
class SystemPackage:
    """A Debian package that something needs at run time or while it is built."""

    name: str
    why: str
    findings: tuple[Finding, ...] = ()


Takes = Literal["value", "maybe", "values", "flag", "off", "switch", "rest"]
"""What stands behind an argument: one value; one or none (``nargs="?"``); several; none, and it sets (``store_true``)
or clears (``store_false``); none, with a second form that says no (``--x/--no-x``, ``--nox``); all that is left."""

Launch = Literal["", "spawns", "distributed", "lightning", "accelerate", "deepspeed", "parallel"]
"""Who starts the processes of several GPUs: the script itself; a launcher such as torchrun; Lightning's Trainer; one
that speaks torchrun's variables too; nobody, since one process uses them all (``DataParallel``)."""


@dataclass(frozen=True)
class Argument:
    """An argument of a training script, as its parser declares it. ``flags`` is a name alone for a positional one.

    ``choices`` are there where they are written down; ``dest`` is the name by which the script knows it, if declared.
    """

    flags: tuple[str, ...]
    required: bool = False
    default: str | None = None
    help: str = ""
    line: int = 0
    takes: Takes = "value"
    choices: tuple[str, ...] = ()
    dest: str = ""

    @property
    def positional(self) -> bool:
        return not self.flags[0].startswith("-")


@dataclass(frozen=True)
class EntryPoint:
    """A way to start a training: a script of the repository. Arguments in the order declared; the likeliest first.

    ``kinds`` names what parses the arguments ("argparse"), ``notes`` what else it takes, in words; of ``commands`` one
    has to come first. ``is_whole`` is false where it takes more than what is listed. ``starts`` says whether Python can
    start the file by its path; ``points`` rank it among the others.
    """

    file: str
    why: str
    arguments: tuple[Argument, ...] = ()
    kinds: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    is_whole: bool = False
    launch: Launch = ""
    starts: bool = True
    points: int = 0


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
    """All that was read from a repository. ``requirements`` is the proposed top-level set, in the order declared.

    ``python``, ``torch`` and ``cuda`` are what all that was found comes to; ``bounds`` holds each by itself, the firm
    ones first, by the same three names. ``build`` names what is needed before the repository itself or one of its
    requirements can be built.
    """

    requirements: tuple[Requirement, ...] = ()
    python: Bound | None = None
    torch: Bound | None = None
    cuda: Bound | None = None
    bounds: Mapping[str, tuple[Bound, ...]] = field(default_factory=lambda: NOTHING)
    system: tuple[SystemPackage, ...] = ()
    build: tuple[Requirement, ...] = ()
    entry_points: tuple[EntryPoint, ...] = ()
    others: tuple[Other, ...] = ()
    questions: tuple[Question, ...] = ()
    problems: tuple[Problem, ...] = ()
    has_python: bool = True

    def named(self, name: str) -> Requirement | None:
        """The requirement of that (normalised) name, or None."""
        return next((one for one in self.requirements if one.name == name), None)
