"""TOML as a stranger wrote it: anything may have any type. Plus what the tools that use it have in common."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from kobako.model.finding import Finding
from kobako.model.requirement import Other, Question
from kobako.scan.declaring import wheel_urls
from kobako.scan.declaring.declared import Declared
from kobako.scan.declaring.direct import without_credentials

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MOST = 1024**2
"""Bytes of a TOML file that is read."""
_MAX_DOTS = 1000
MAX_ENTRIES = 2000
"""Entries of one table or list."""

Table = Mapping[str, Any]


def parse(file: str, text: str, found: Declared) -> Table | None:
    """The document, or None after a question."""
    # the parser takes memory that grows with the square of the parts of a dotted key
    if max(line.count(".") for line in text.split("\n")) > _MAX_DOTS:
        found.questions.append(Question("it has a line that nobody wrote by hand; it is not read", Finding(file, 1)))
        return None
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: also an integer of thousands of digits
        line = getattr(error, "lineno", 1)
        found.questions.append(Question(f"it is not valid TOML: {error}", Finding(file, line)))
        return None


def table(value: Any, *path: str) -> Table:
    """The table at a path; an empty one where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return dict(list(value.items())[:MAX_ENTRIES]) if isinstance(value, Mapping) else {}


def tables(value: Any) -> list[Table]:
    """The tables of a list of tables."""
    return [one for one in value[:MAX_ENTRIES] if isinstance(one, Mapping)] if isinstance(value, list) else []


def strings(value: Any) -> list[str]:
    """The texts of a list; a text alone is a list of one."""
    if isinstance(value, str):
        return [value]
    return [one for one in value[:MAX_ENTRIES] if isinstance(one, str)] if isinstance(value, list) else []


def text(value: Any, key: str) -> str:
    """The text at a key; "" where there is none."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found.strip() if isinstance(found, str) else ""


def variants(value: Any) -> list[str | Table]:
    """A dependency is a text or a table, or several of them in a list, one for each platform or Python."""
    many = value if isinstance(value, list) else [value]
    return [one for one in many[:MAX_ENTRIES] if isinstance(one, str | Mapping)]


def extras(value: Table) -> str:
    names = strings(value.get("extras"))
    return f"[{','.join(names)}]" if names else ""


def direct(value: Table) -> str:
    """The address of a dependency that is not from an index, as pip takes it; "" for any other."""
    repository = text(value, "git")
    if not repository:
        return next((at for key in ("url", "file") if (at := text(value, key))), "")
    at = repository if repository.startswith("git+") else f"git+{repository}"
    reference = next((name for key in ("rev", "ref", "tag", "branch") if (name := text(value, key))), "")
    if reference:
        at += f"@{reference}"
    folder = text(value, "subdirectory")
    return f"{at}#subdirectory={folder}" if folder else at


def add_direct(found: Declared, what: tuple[str, str, str], marker: str, finding: Finding) -> None:
    """Take in a name (with extras) and an address."""
    name, extra, at = what
    condition = f" ; {marker}" if marker else ""
    if "://" in at.removeprefix("git+"):
        found.add(f"{name}{extra} @ {at}{condition}", finding)
        return
    address, _, fragment = at.partition("#")  # git@host:path, which only a bare reference may be
    found.add(f"{address}#egg={name}{extra}{'&' + fragment if fragment else ''}{condition}", finding)


def add_path(found: Declared, path: str, finding: Finding) -> None:
    """Take in a folder or an archive of the author's."""
    found.add(path if path.startswith((".", "/", "~")) else f"./{path}", finding)


@cache
def _usual_hosts() -> frozenset[str]:
    """Where packages come from when nobody says anything."""
    from unearth import PackageFinder  # noqa: PLC0415 - heavy, and needed where an index is named alone

    return frozenset(_host(one["url"]) for one in PackageFinder().sources)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def source(found: Declared, url: str, finding: Finding) -> None:
    """Another index than the usual one: what its address tells is kept, whether to trust it is asked."""
    if not url or _host(url) in _usual_hosts():
        return
    found.merge(wheel_urls.bounds(url, finding))
    shown = without_credentials(url)
    if shown.startswith("https://download.pytorch.org/"):
        found.others.append(Other(shown, "PyTorch is the base image's own", (finding,)))
    else:
        what = f"the index `{shown}` is not taken over: say whether packages should come from there"
        found.questions.append(Question(what, finding))
