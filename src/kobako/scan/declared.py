"""What one reader found, and how one requirement is understood."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from kobako.errors import Where
from kobako.model.finding import Finding
from kobako.model.requirement import Bound, Other, Question, Requirement
from kobako.model.result import Problem

if TYPE_CHECKING:
    from packaging.requirements import Requirement as Parsed

_VCS = re.compile(r"(?:git|hg|svn|bzr)\+")
_URL = re.compile(r"(?:https?|file|ssh|git)://|(?:git|hg|svn|bzr)\+")
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


@dataclass
class Declared:
    """Collects what a reader finds. ``bounds`` are constraints (pip's ``-c``) by name."""

    requirements: list[Requirement] = field(default_factory=list)
    bounds: dict[str, list[Requirement]] = field(default_factory=dict)
    requires_python: Bound | None = None
    others: list[Other] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, text: str, finding: Finding) -> None:
        """Take in one requirement as somebody wrote it; what is not understood becomes a problem."""
        found = self.understand(text, finding)
        if found is not None:
            self.requirements.append(found)

    def understand(self, text: str, finding: Finding) -> Requirement | None:
        """The requirement, or None after it was put among the others, the questions or the problems."""
        text = text.strip()
        if not text:
            return None
        if _URL.match(text):
            return self._direct(text, finding)
        if text.startswith((".", "/", "~")) or (text.lower().endswith(_ARCHIVES) and "@" not in text):
            return self._path(text, finding)
        return self._named(text, finding)

    def merge(self, other: Declared) -> None:
        """Add all that another reader found."""
        self.requirements += other.requirements
        self.others += other.others
        self.questions += other.questions
        self.problems += other.problems
        for name, bounds in other.bounds.items():
            self.bounds.setdefault(name, []).extend(bounds)
        self.requires_python = self.requires_python or other.requires_python

    def _named(self, text: str, finding: Finding) -> Requirement | None:
        from packaging.requirements import InvalidRequirement  # noqa: PLC0415 - heavy
        from packaging.requirements import Requirement as Grammar  # noqa: PLC0415

        try:
            parsed = Grammar(text)
        except InvalidRequirement as error:
            self.problems.append(_not_understood(text, str(error).splitlines()[0], finding))
            return None
        if parsed.url and not _URL.match(parsed.url):
            return self._path(parsed.url, finding)
        url = self._clean_url(parsed.url, finding) if parsed.url else None
        return self._checked(text, _made(parsed, finding, url), finding)

    def _direct(self, text: str, finding: Finding) -> Requirement | None:
        text, _, marker = text.partition(" ;")
        url, _, fragment = text.strip().partition("#")
        options = dict(part.partition("=")[::2] for part in fragment.split("&") if part)
        if url.startswith("file:"):
            return self._path(url, finding)
        extras: tuple[str, ...] = ()
        name = unquote(options.get("egg", ""))
        if "[" in name:
            name, _, rest = name.partition("[")
            extras = tuple(sorted(one.strip() for one in rest.rstrip("]").split(",")))
        name = name.partition("==")[0] or _name_of(url)
        if "subdirectory" in options:
            url = f"{url}#subdirectory={options['subdirectory']}"
        clean = self._clean_url(url, finding)
        found = Requirement(normalised(name), "", extras, marker.strip() or None, clean, findings=(finding,))
        return self._checked(text, found, finding)

    def _checked(self, text: str, found: Requirement, finding: Finding) -> Requirement | None:
        why = _malformed(found) if found.url else ""
        if why:
            self.problems.append(_not_understood(text, why, finding))
        return None if why else found

    def _path(self, text: str, finding: Finding) -> Requirement | None:
        if text in {".", "./"} or text.startswith(".["):
            self.others.append(Other(text, "the repository itself, which is mounted into the container", (finding,)))
        else:
            self.questions.append(Question(f"`{text}` is a path: install it by hand if it is needed", finding))
        return None

    def _clean_url(self, url: str, finding: Finding) -> str:
        """No credentials may reach a Dockerfile. The user name of ssh is none."""
        parts = urlsplit(url)
        user, at, host = parts.netloc.rpartition("@")
        if not at or (parts.scheme.endswith("ssh") and ":" not in user):
            return url
        what = f"`{parts._replace(netloc=host).geturl()}` was declared with credentials, which are left out"
        self.questions.append(Question(what, finding))
        return parts._replace(netloc=host).geturl()


def _malformed(one: Requirement) -> str:
    """Why a direct reference cannot be written into a file as it stands; "" when it can. A URL is one word."""
    from packaging.markers import InvalidMarker, Marker  # noqa: PLC0415 - heavy

    if not re.fullmatch(r"[!-~]+", one.url or ""):
        return "its URL holds a character that a URL has not"
    if not all(re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", name) for name in (one.name, *one.extras)):
        return "its name is none that a package can have"
    try:
        Marker(one.marker or "python_version > '0'")
    except InvalidMarker as error:
        return str(error).splitlines()[0]
    return ""


def normalised(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def bounded(requirement: Requirement, bounds: list[Requirement]) -> Requirement:
    """The requirement with the specifiers that constraint files add to it."""
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - heavy

    specifier = SpecifierSet(requirement.specifier)
    findings = list(requirement.findings)
    for bound in bounds:
        specifier &= SpecifierSet(bound.specifier)
        findings += bound.findings
    return replace(requirement, specifier=ordered(str(specifier)), findings=tuple(findings))


def ordered(specifier: str) -> str:
    """A specifier in a stable order that reads well: lower bounds first."""
    rank = {">=": 0, ">": 0, "~=": 1, "==": 2, "===": 2, "!=": 3, "<": 4, "<=": 4}
    parts = [part.strip() for part in specifier.split(",") if part.strip()]
    return ",".join(sorted(parts, key=lambda part: (rank[re.match(r"[=<>!~]+", part)[0]], part)))  # type: ignore[index]


def _made(parsed: Parsed, finding: Finding, url: str | None) -> Requirement:
    return Requirement(
        normalised(parsed.name),
        ordered(str(parsed.specifier)),
        tuple(sorted(parsed.extras)),
        str(parsed.marker) if parsed.marker else None,
        url,
        findings=(finding,),
    )


def _name_of(url: str) -> str:
    """A direct reference that names no package: its file's or repository's name."""
    last = unquote(urlsplit(url).path.rstrip("/").rsplit("/", 1)[-1])
    if last.endswith(".whl"):
        return last.split("-", 1)[0]
    if _VCS.match(url):
        return last.partition("@")[0].removesuffix(".git")
    for suffix in _ARCHIVES:
        last = last.removesuffix(suffix)
    return re.sub(r"-\d.*$", "", last)


def _not_understood(text: str, why: str, finding: Finding) -> Problem:
    return Problem(
        "bad-requirement",
        f"`{text}` is not a requirement that is understood",
        why,
        "correct it there, or add the package to the Dockerfile by hand",
        Where(finding.file, finding.line),
    )
