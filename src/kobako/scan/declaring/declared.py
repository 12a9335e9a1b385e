"""What one reader found, and how one requirement is understood."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import islice
from typing import TYPE_CHECKING, Literal

from kobako.errors import Where
from kobako.masking import mask
from kobako.model.finding import Finding
from kobako.model.requirement import Bound, Other, Question, Requirement, SystemPackage
from kobako.model.result import Problem
from kobako.scan.declaring import build_tags, direct, spelling
from kobako.scan.declaring.spelling import LONGEST, normalised, ordered

if TYPE_CHECKING:
    from packaging.requirements import Requirement as Parsed

__all__ = ("MOST_BOUNDS", "Declared", "bounded", "normalised", "not_understood", "ordered")

MOST_BOUNDS = 100
"""Different specifiers of one package, and places that name it, that are put together."""

_ITSELF = re.compile(r"\.?/?(?:\[[^\]]*\])?")
_INSTEAD = {"pytorch": "torch"}
"""Names under which the index has nothing but an error message (pytorch/pytorch: "The package ... is 'torch'")."""
_CUDA = frozenset({"cuda", "cudatoolkit", "pytorch-cuda"})
"""Names that only conda has. In a requirements file they are a note to the reader."""
_FAMILY = frozenset({"torch", "torchvision", "torchaudio", "torchtext"})
"""Packages whose wheels' addresses name a CUDA build. The base image's own build is taken instead."""


@dataclass
class Declared:
    """Collects what a reader finds. ``bounds`` are constraints (pip's ``-c``) by name.

    ``is_partial`` is true where more is declared than could be read. ``listed`` is what files for an installer list
    besides what the package declares (an environment file beside a setup.py).
    """

    requirements: list[Requirement] = field(default_factory=list)
    bounds: dict[str, list[Requirement]] = field(default_factory=dict)
    python: list[Bound] = field(default_factory=list)
    torch: list[Bound] = field(default_factory=list)
    cuda: list[Bound] = field(default_factory=list)
    system: list[SystemPackage] = field(default_factory=list)
    build: list[Requirement] = field(default_factory=list)
    others: list[Other] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    listed: list[Requirement] = field(default_factory=list)
    is_partial: bool = False

    def add(self, text: str, finding: Finding) -> None:
        """Take in one requirement as somebody wrote it; what is not understood becomes a problem."""
        found = self.understand(text, finding)
        if found is not None:
            self.requirements.append(found)

    def need_python(self, specifier: str, finding: Finding) -> None:
        """Take in a specifier that an installer holds Python against (``python_requires``)."""
        if not specifier.strip():
            return
        understood = spelling.specifier_of(specifier)
        if understood is None:
            self.problems.append(not_understood(f"Python {specifier}", "it is no PEP 440 specifier", finding))
        elif understood:
            self.python.append(Bound(understood, (finding,)))

    def used(self, what: Literal["python", "cuda"], specifier: str, finding: Finding) -> None:
        """Take in the Python or CUDA of an environment that somebody wrote down.

        An exact version says what was used, and any patch release will do: a wish. A range says what is needed.
        """
        if specifier:
            minor = spelling.minor_only(specifier)
            into = self.python if what == "python" else self.cuda
            into.append(Bound(minor, (finding,), firm="==" not in minor))

    def understand(self, text: str, finding: Finding) -> Requirement | None:
        """The requirement, or None after it was put among the bounds, the others, the questions or the problems."""
        text = text.strip()
        if not text:
            return None
        if len(text) > LONGEST:
            self.problems.append(not_understood(text, "it is longer than any requirement", finding))
            return None
        if direct.is_direct(text):
            return self._direct(text, finding)
        if direct.is_path(text):
            return self._path(text, finding)
        return self._named(text, finding)

    def merge(self, other: Declared) -> None:
        """Add all that another reader found."""
        for each in fields(self):
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            if isinstance(mine, list):
                mine += theirs
        for name, bounds in other.bounds.items():
            self.bounds.setdefault(name, []).extend(bounds)
        self.is_partial |= other.is_partial

    def _named(self, text: str, finding: Finding) -> Requirement | None:
        if direct.VARIABLE.search(text) and "@" not in text:
            what = f"`{text}` depends on a variable: say what it stands for"
            self.questions.append(Question(what, finding))
            return None
        parsed, why = _parsed(text)
        if parsed is None:
            parsed, _ = _parsed(spelling.mended(text))
        if parsed is None:
            self.problems.append(not_understood(text, why, finding))
            return None
        if parsed.url:
            return self._at(text, parsed, finding)
        return self._checked(text, self._public(parsed, finding), finding)

    def _at(self, text: str, parsed: Parsed, finding: Finding) -> Requirement | None:
        """``name @ url``."""
        url = parsed.url or ""
        if not direct.is_direct(url) or url.startswith("file:"):
            return self._path(url, finding)
        found = replace(_made(parsed, finding), url=self._clean_url(direct.address(url), finding))
        return self._checked(text, self._from_wheel(found, finding), finding)

    def _direct(self, text: str, finding: Finding) -> Requirement | None:
        url, _, marker = text.partition(" ;")
        if url.startswith("file:"):
            return self._path(url, finding)
        target = direct.target(url)
        clean = self._clean_url(target.url, finding)
        found = Requirement(
            normalised(target.name), "", target.extras, marker.strip() or None, clean, findings=(finding,)
        )
        return self._checked(text, self._from_wheel(found, finding), finding)

    def _from_wheel(self, found: Requirement, finding: Finding) -> Requirement:
        """A wheel's name tells what it was built for. One of torch's family stands for its version, not for itself."""
        file = direct.file_name(found.url or "")
        if not file.endswith(".whl"):
            return found
        self._note(build_tags.of_wheel(file), finding)
        version = file.split("-")[1].partition("+")[0] if file.count("-") >= 4 else ""
        if found.name in _FAMILY and build_tags.is_version(version):
            return replace(found, url=None, specifier=f"=={version}")
        return found

    def _public(self, parsed: Parsed, finding: Finding) -> Requirement:
        """Without a local version, which no index has (``torch==1.7.0+cu110``); what it tells becomes a bound."""
        made = _made(parsed, finding)
        specifier, local = spelling.without_local(made.specifier)
        found = replace(made, specifier=specifier)
        if local:
            self._note(build_tags.of_local(local)._replace(**({"torch": ""} if found.name == "torch" else {})), finding)
        if local and found.name == "torch":
            self.torch.append(Bound(specifier, (finding,)))
        self._note(build_tags.of_package(found.name, specifier.removeprefix("==")), finding)
        return found

    def _note(self, tags: build_tags.Tags, finding: Finding) -> None:
        """Keep what a build's name implies, as wishes: the build was the author's choice."""
        for name, specifier in zip(tags._fields, tags, strict=True):
            if specifier:
                getattr(self, name).append(Bound(specifier, (finding,), firm=False))

    def _checked(self, text: str, found: Requirement, finding: Finding) -> Requirement | None:
        why = _malformed(found) if found.url else ""
        if not str(found).isprintable():  # the grammar reads "\\n" in a marker as the character
            why = "it holds a character that cannot be shown"
        if why:
            self.problems.append(not_understood(text, why, finding))
            return None
        if found.url and direct.VARIABLE.search(found.url):
            what = f"`{found.name} @ {found.url}` depends on a variable: say what it stands for, or install it by hand"
            self.questions.append(Question(what, finding))
            return None
        if found.url and mask(tail := found.url.partition("?")[2]) != tail:
            what = f"`{found.name} @ {mask(found.url)}` holds a credential and is left out: install it by hand"
            self.questions.append(Question(what, finding))
            return None
        if re.search(r"\bextra\s*==", found.marker or ""):
            self.others.append(Other(str(found), "wanted by an extra only", (finding,)))
            return None
        if not found.url and self._is_no_package(found, finding):
            return None
        return replace(found, name=_INSTEAD.get(found.name, found.name))

    def _is_no_package(self, found: Requirement, finding: Finding) -> bool:
        """Python and CUDA are no packages of the index: who lists them says which version the code is for."""
        if found.name != "python" and found.name not in _CUDA:
            return False
        self.used("python" if found.name == "python" else "cuda", found.specifier, finding)
        return True

    def _path(self, text: str, finding: Finding) -> Requirement | None:
        if _ITSELF.fullmatch(text.removeprefix("file:").partition("#")[0]):
            self.others.append(Other(text, "the repository itself, which is mounted into the container", (finding,)))
        else:
            self.questions.append(Question(f"`{text}` is a path: install it by hand if it is needed", finding))
        return None

    def _clean_url(self, url: str, finding: Finding) -> str:
        """No credentials may reach a Dockerfile. The user name of ssh is none."""
        clean = direct.without_credentials(url)
        if clean != url:
            what = f"`{clean}` was declared with credentials, which are left out"
            self.questions.append(Question(what, finding))
        return clean


def _parsed(text: str) -> tuple[Parsed | None, str]:
    """What the standard's own grammar makes of a requirement, or why it cannot."""
    from packaging.requirements import Requirement as Grammar  # noqa: PLC0415 - heavy

    try:
        parsed = Grammar(text)
        str(parsed.marker)  # nested too deeply to be written is nested too deeply
    except RecursionError:
        return None, "it is nested too deeply"
    except ValueError as error:  # InvalidRequirement, and InvalidSpecifier for some uses of ===
        return None, str(error).partition("\n")[0]
    return parsed, ""


def _malformed(one: Requirement) -> str:
    """Why a direct reference cannot be written into a file as it stands; "" when it can. A URL is one word."""
    from packaging.markers import InvalidMarker, Marker  # noqa: PLC0415 - heavy

    if not re.fullmatch(r"[!-~]+", one.url or ""):
        return "its URL holds a character that a URL has not"
    if direct.is_broken(one.url or ""):
        return "its URL is broken"
    if not all(re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", name) for name in (one.name, *one.extras)):
        return "its name is none that a package can have"
    try:
        Marker(one.marker or "python_version > '0'")
    except (InvalidMarker, RecursionError) as error:
        return str(error).partition("\n")[0]
    return ""


def bounded(requirement: Requirement, bounds: Sequence[Requirement]) -> Requirement:
    """The requirement with the specifiers that constraint files add to it."""
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - heavy

    every = dict.fromkeys(one.specifier for one in (requirement, *bounds) if one.specifier)
    findings = islice((finding for one in (requirement, *bounds) for finding in one.findings), MOST_BOUNDS)
    specifier = ordered(str(SpecifierSet(",".join(islice(every, MOST_BOUNDS)))))
    return replace(requirement, specifier=specifier, findings=tuple(findings))


def _made(parsed: Parsed, finding: Finding) -> Requirement:
    return Requirement(
        normalised(parsed.name),
        ordered(str(parsed.specifier)),
        tuple(sorted(parsed.extras)),
        str(parsed.marker) if parsed.marker else None,
        findings=(finding,),
    )


def not_understood(text: str, why: str, finding: Finding) -> Problem:
    """A problem of what somebody declared, shown without secrets and not longer than a line or two."""
    shown = mask(text[:LONGEST])
    shown = shown if len(shown) <= 200 else f"{shown[:200]}..."
    return Problem(
        "bad-requirement",
        f"`{shown}` is not a requirement that is understood",
        why,
        "correct it there, or add the package to the Dockerfile by hand",
        Where(finding.file, finding.line),
    )
