"""Where a shell stands while it is told what to do: folders changed to, repositories cloned. Pure."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import NamedTuple

from kobako.scan.told.own import Own, repository_of

_SCP = re.compile(r"(?:\w+@)?([\w.-]+):(?!//)([\w./-]+)")
_VALUED = frozenset({"-b", "--branch", "--depth", "-j", "--jobs", "-c", "-o", "--origin", "--reference", "--filter"})
_KNOWN = {("cocoapi", "pythonapi"): "pycocotools", ("coco", "pythonapi"): "pycocotools"}
"""(repository, folder): the package that is built there, where its name is neither's and an index has it."""


@dataclass(frozen=True)
class Clone:
    """A repository that was cloned; ``url`` is one that anybody can read from, ``rev`` "" for its default branch."""

    url: str
    rev: str = ""
    is_own: bool = False

    @property
    def name(self) -> str:
        return repository_of(self.url)


class Spot(NamedTuple):
    """A folder: below the repository itself (``clone`` is None) or below another clone. ``path`` "" is its top."""

    clone: Clone | None
    path: str = ""

    def package(self) -> tuple[str, str]:
        """The requirement for what is installed from here: name and direct reference ("" where an index has it)."""
        if self.clone is None:
            return "", ""
        rev = f"@{self.clone.rev}" if self.clone.rev else ""
        below = f"#subdirectory={self.path}" if self.path else ""
        url = f"git+{self.clone.url}{rev}{below}"
        known = known_package(url)
        return (known, "") if known else (self.clone.name, url)


@dataclass
class Walk:
    """Follows ``git clone``, ``git checkout`` and ``cd`` through the commands of one file."""

    own: Own
    clones: dict[str, Clone] = field(default_factory=dict)
    at: Spot = field(default_factory=lambda: Spot(None))
    entered: bool = False
    """Whether its own folder was entered: below it, a folder of the same name is the package's."""

    def clone(self, words: tuple[str, ...]) -> Clone | None:
        """``git clone [options] URL [folder]``."""
        plain: list[str] = []
        rev = ""
        rest = iter(words)
        for word in rest:
            if word in _VALUED:
                value = next(rest, "")
                rev = value if word in {"-b", "--branch"} else rev
            elif not word.startswith("-"):
                plain.append(word)
        if not plain:
            return None
        url = public(plain[0])
        made = Clone(url, rev, is_own=self.own.has_address(url))
        folder = posixpath.basename(plain[1].rstrip("/")) if len(plain) > 1 else made.name
        self.clones[folder.lower()] = made
        return made

    def checkout(self, rev: str) -> None:
        """The clone stood in moves to that revision; branches that are no more than a default are none."""
        here = self.at.clone
        if here is None or rev.startswith("-") or rev in {"master", "main"}:
            return
        moved = Clone(here.url, rev, here.is_own)
        self.clones = {folder: moved if one == here else one for folder, one in self.clones.items()}
        self.at = Spot(moved, self.at.path)

    def go(self, target: str) -> None:
        first = target.strip("/").rsplit("/", 1)[-1]
        was = self.at
        self.at = self.spot(target)
        self.entered = self.entered or (was.clone is None and self.at == Spot(None) and self._is_own(first))

    def home(self) -> None:
        """Back to the repository: a new chapter begins."""
        self.at = Spot(None)
        self.entered = False

    def spot(self, target: str) -> Spot:
        """Where a path leads from here. A folder that is a clone's by name is that clone, wherever it was put."""
        start = self.at
        if target.startswith(("$", "~", "/")) or not target:
            start = Spot(None)
            target = self._below_root(target)
        path = posixpath.normpath(posixpath.join(start.path, target)) if target else ""
        if path.startswith(".."):  # out of a clone, back to what it stands in
            rest = path[2:].lstrip("/").removeprefix("../")
            return self._named(Spot(None), rest)
        return self._named(start, "" if path == "." else path)

    def _below_root(self, target: str) -> str:
        """Of an absolute path, what is left below the variable that it starts from, or from a known folder on."""
        first, _, rest = target.partition("/")
        if first.startswith("$") and "home" not in first.lower():
            return "" if "$" in rest else rest
        parts = target.split("/")
        known = [
            number for number, part in enumerate(parts) if part and (part.lower() in self.clones or self._is_own(part))
        ]
        return "/".join(parts[known[0] :]) if known else ""

    def _named(self, start: Spot, path: str) -> Spot:
        parts = path.split("/") if path else []
        for number, part in reversed(list(enumerate(parts, 1))):
            found = self.clones.get(part.lower())
            if found is not None and not found.is_own and found != start.clone:
                return Spot(found, "/".join(parts[number:]))
        if start.clone is None and parts and not start.path and not self.entered and self._is_own(parts[0]):
            return Spot(None, "/".join(parts[1:]))
        return Spot(start.clone, path)

    def _is_own(self, folder: str) -> bool:
        found = self.clones.get(folder.lower())
        return self.own.has_name(folder) if found is None else found.is_own


def known_package(url: str) -> str:
    """The package of an index that a direct reference builds, where that is known; else ""."""
    path, _, fragment = url.partition("#")
    below = re.search(r"subdirectory=([^&]*)", fragment)
    return _KNOWN.get((repository_of(path).lower(), below[1].strip("/").lower() if below else ""), "")


def public(url: str) -> str:
    """An address that needs no key: ``git@host:owner/name`` is the same repository over https."""
    url = url.strip().rstrip("/")
    if found := _SCP.fullmatch(url):
        return f"https://{found[1]}/{found[2]}"
    return re.sub(r"^(?:ssh://(?:\w+@)?|git://)", "https://", url)
