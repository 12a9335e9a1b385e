"""What the configured indexes hold for one Python. One connection for all questions, and no more looked at than needed:
an index lists thousands of files of a popular package, and one that fits is enough."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2
from packaging.requirements import Requirement as Wanted
from packaging.version import Version
from unearth import Link, TargetPython
from unearth.collector import collect_links_from_location
from unearth.evaluator import evaluate_package, is_equality_specifier

from kobako.model.requirement import Requirement
from kobako.pipconfig import PipConfig
from kobako.sources.index import finder_of
from kobako.sources.spec import hide

if TYPE_CHECKING:
    from packaging.tags import Tag


class _Target(TargetPython):
    """A Python whose tags are a set: unearth compares every file with all thousand of them one by one."""

    def supported_tags(self) -> list[Tag]:
        known: list[Tag] | None = getattr(self, "_as_set", None)
        if known is None:
            known = frozenset(super().supported_tags())  # type: ignore[assignment]
            self._as_set = known
        assert known is not None  # noqa: S101 - it has just been made
        return known


class Shelf:
    """The indexes and folders of pip's configuration. Several threads may ask at once.

    ``heard`` is where the warnings of unearth go, which does not raise where an index refuses.
    """

    def __init__(self, config: PipConfig, python: str, heard: Sequence[str]) -> None:
        numbers = tuple(int(part) for part in python.split(".")) if python else None
        self._finder = finder_of(config, target_python=_Target(py_ver=numbers))
        self._heard = heard
        self._dead: dict[str, str] = {}
        self._finder.target_python.supported_tags()  # once, before threads ask

    def links(self, name: str) -> tuple[list[Link], str]:
        """All files of that name, and what an index said that did not answer (""). A dead index is asked once."""
        found: list[Link] = []
        refused = ""
        for source in self._finder.sources:
            url = source["url"]
            if url in self._dead:
                refused = self._dead[url]
                continue
            try:
                found += self._of(url, name if source["type"] == "index" else "")
            except (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError, ValueError) as error:
                refused = f"{_host(url)}: {hide(str(error)) or type(error).__name__}"
                if isinstance(error, httpx2.TransportError):
                    self._dead[url] = refused
        return found, refused or self._refused(name)

    def _of(self, url: str, name: str) -> list[Link]:
        session = self._finder.session
        if name:
            return list(collect_links_from_location(session, _link(f"{url.rstrip('/')}/{name}/")))
        return list(collect_links_from_location(session, _link(url), expand=True))

    def _refused(self, name: str) -> str:
        """What an index answered instead of a page: 403, 500; but a page that is not there is an answer."""
        return next((line for line in self._heard if f"/{name}/" in line and "(404)" not in line), "")

    def fitting(
        self, one: Requirement, links: Sequence[Link], *, newest: dt.datetime | None = None, yanked: bool = False
    ) -> str:
        """A version that fits and was there by then, or "". One withdrawn counts where it is pinned, as for pip."""
        wanted = Wanted(f"{one.name}{one.specifier}")
        evaluator = self._finder.build_evaluator(one.name, yanked or is_equality_specifier(wanted.specifier))
        evaluator.exclude_newer_than = newest
        for link in reversed(links):  # an index lists the newest last
            package = evaluator.evaluate_link(link)
            if package is not None and evaluate_package(package, wanted, allow_prereleases=True):
                return package.version or ""
        return ""

    def versions(self, name: str, links: Sequence[Link], *, any_python: bool = False) -> list[str]:
        """The versions for that Python, the newest first."""
        evaluator = self._finder.build_evaluator(name, allow_yanked=any_python)
        evaluator.ignore_compatibility = any_python
        packages = (evaluator.evaluate_link(link) for link in links)
        found = {one.version for one in packages if one is not None and one.version}
        return sorted(found, key=Version, reverse=True)


def _link(address: str) -> Link:
    if "://" in address:
        return Link(address)
    path = Path(address)
    if not path.exists():
        raise ValueError(f"{address} is not there")
    return Link.from_path(str(path.absolute()))


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2] or url
    except ValueError:
        return hide(url)
