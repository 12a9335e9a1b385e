"""Whether what a repository requires is to be had at all: asked before anything is written. Nothing is installed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from kobako import pipconfig
from kobako.model.requirement import Requirement
from kobako.pipconfig import PipConfig
from kobako.sources.atonce import answers
from kobako.sources.git import Git
from kobako.sources.index import listening
from kobako.sources.model import Run
from kobako.sources.spec import hide

if TYPE_CHECKING:
    from unearth import Link

    from kobako.sources.shelf import Shelf

AT_ONCE = 8
PATIENCE = 60.0
"""Seconds for all questions to the index together."""

_SHOWN = 5


_SCHEMES = frozenset({"https", "http", "ssh", "git", "file"})
"""Of git's own transports, those that take an address and no options."""


class Asked(NamedTuple):
    """For whom something is to be had: a Python version ("3.8"; "" for any), and the index as it stood on a day."""

    python: str = ""
    as_of: dt.date | None = None


class Missing(NamedTuple):
    """A requirement that cannot be had, why, and what there is instead. ``kind`` "unknown" is for no answer at all."""

    requirement: Requirement
    kind: Literal["absent", "too-new", "unknown"]
    why: str
    fix: str = ""


def missing(
    requirements: Sequence[Requirement], asked: Asked, run: Run, config: PipConfig | None = None
) -> list[Missing]:
    """Those that no index has for that Python and that day, in their order. URLs are asked whether git answers.

    What a marker keeps from that Python is not asked for.
    """
    settings = config or pipconfig.read()
    if settings.no_index and not settings.find_links:
        return []  # this machine has no index: an image's may
    wanted = [one for one in requirements if one.applies(asked.python)]
    from_index = [one for one in wanted if one.url is None]
    found = {id(one): said for one, said in zip(from_index, _on_indexes(from_index, asked, settings), strict=True)}
    for one in wanted:
        if (one.url or "").startswith("git+"):
            found[id(one)] = _behind_git(one, run)
    told = (found.get(id(one)) for one in wanted)
    return [one for one in told if one is not None]


def _on_indexes(wanted: Sequence[Requirement], asked: Asked, config: PipConfig) -> list[Missing | None]:
    if not wanted:
        return []
    from kobako.sources.shelf import Shelf  # noqa: PLC0415 - heavy, and needed with a network only

    with listening() as heard:
        try:
            shelf = Shelf(config, asked.python, heard)
        except (OSError, ValueError) as error:  # a certificate bundle that is not there, a proxy that is no address
            return [Missing(one, "unknown", hide(str(error))) for one in wanted]
        found = answers(lambda one: _look(one, asked, shelf), wanted, at_once=AT_ONCE, seconds=PATIENCE)
    late = f"no answer within {PATIENCE:g} s"
    return [found[place] if place in found else Missing(one, "unknown", late) for place, one in enumerate(wanted)]


def _look(one: Requirement, asked: Asked, shelf: Shelf) -> Missing | None:
    newest = None
    if asked.as_of is not None:
        day = asked.as_of + dt.timedelta(days=1)
        newest = dt.datetime(day.year, day.month, day.day, tzinfo=dt.timezone.utc)
    links, refused = shelf.links(one.name)
    if not links and refused:
        return Missing(one, "unknown", refused)
    try:
        if shelf.fitting(one, links, newest=newest):
            return None
        later = shelf.fitting(one, links) if newest is not None else ""
        if later:
            why = f"no version that fits was there on {asked.as_of}; {later} came later"
            return Missing(one, "too-new", why, "resolve as of today: --as-of today")
        if refused:  # one index of several did not answer: it may have it
            return Missing(one, "unknown", refused)
        return _absent(one, shelf, links, asked)
    except ValueError as error:
        return Missing(one, "unknown", hide(str(error)))


def _absent(one: Requirement, shelf: Shelf, links: Sequence[Link], asked: Asked) -> Missing:
    """Why it is not to be had, and what there is."""
    any_python = shelf.versions(one.name, links, any_python=True)
    if not any_python:
        return Missing(one, "absent", "no index has a package of that name")
    withdrawn = shelf.fitting(one, links, yanked=True)
    if withdrawn:
        return Missing(one, "absent", f"only {withdrawn} fits, which was withdrawn from the index (yanked)")
    versions = shelf.versions(one.name, links)
    why = f"no version fits{_for(asked)}; there is {', '.join(versions[:_SHOWN])}"
    if not versions:
        why = f"no index has a release of it{_for(asked)}; of any, the newest is {any_python[0]}"
    return Missing(one, "absent", why, "choose another Python with --base" if asked.python else "")


def _for(asked: Asked) -> str:
    return f" for Python {asked.python}" if asked.python else ""


def _behind_git(one: Requirement, run: Run) -> Missing | None:
    from pathlib import Path  # noqa: PLC0415 - for a requirement from git only

    url = (one.url or "").removeprefix("git+").partition("#")[0]
    scheme, _, rest = url.partition("://")
    address, at, _ref = rest.rpartition("@")
    if not at or "/" not in address:  # the user's name of ssh is no ref
        address = rest
    if scheme not in _SCHEMES:
        return Missing(
            one, "absent", f"git is not asked for an address that begins with {scheme}:", "correct the address"
        )
    outcome = Git(run, Path("/"))("ls-remote", "--quiet", "--", f"{scheme}://{address}", "HEAD")
    if outcome.ok:
        return None
    said = next((line.strip() for line in outcome.stderr.splitlines() if line.strip()), "git failed")
    return Missing(one, "absent", f"its repository does not answer: {hide(said)}", "correct the address")
