"""``Pipfile``: what pipenv installs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kobako.model.finding import Finding
from kobako.scan.declaring import groups, places, spelling, tables
from kobako.scan.declaring.declared import Declared
from kobako.scan.declaring.places import Places
from kobako.scan.declaring.tables import Table
from kobako.scan.tree import Tree

NAME = "Pipfile"
_MARKERS = frozenset(
    (
        *("os_name", "sys_platform", "platform_machine", "platform_system", "platform_release", "platform_version"),
        *("python_version", "python_full_version", "platform_python_implementation", "implementation_name"),
    )
)


def read(tree: Tree) -> Declared | None:
    """``[packages]``, ``[requires]`` and the sources; None where there is no Pipfile."""
    text = tree.read(NAME, most=tables.MOST)
    if text is None:
        return None
    found = Declared()
    document = tables.parse(NAME, text, found)
    if document is None:
        return found
    where = places.of_toml(NAME, text)
    for name, value in tables.table(document, "packages").items():
        finding = where.key("packages", name)
        for entry in tables.variants(value):
            _package(found, name, entry, finding)
    developing = tables.table(document, "dev-packages")
    if developing:
        groups.development(found, "dev-packages", developing, where.key("dev-packages"))
    _python(found, tables.table(document, "requires"), where)
    for source in tables.tables(document.get("source")):
        url = tables.text(source, "url")
        tables.source(found, url, where.entry(("source",), url))
    return found


def _package(found: Declared, name: str, value: str | Table, finding: Finding) -> None:
    if isinstance(value, str):
        found.add(name + _specifier(value), finding)
        return
    path = tables.text(value, "path") or tables.text(value, "file")
    if path and "://" not in path:
        tables.add_path(found, path, finding)
        return
    extras = tables.extras(value)
    markers = " and ".join(_markers(value))
    at = tables.direct(value)
    if at:
        tables.add_direct(found, (name, extras, at), markers, finding)
        return
    text = f"{name}{extras}{_specifier(tables.text(value, 'version'))}"
    found.add(f"{text} ; {markers}" if markers else text, finding)


def _markers(value: Mapping[str, Any]) -> Iterator[str]:
    """``markers`` as a whole, or the parts of one as keys (``sys_platform = "== 'linux'"``)."""
    whole = tables.text(value, "markers")
    if whole:
        yield f"({whole})"
    yield from (f"{key} {text}" for key, text in value.items() if key in _MARKERS and isinstance(text, str))


def _specifier(value: str) -> str:
    value = value.strip()
    return "" if value in {"", "*"} else value


def _python(found: Declared, requires: Table, where: Places) -> None:
    """Pipenv makes its environment with this one, and only warns about another."""
    for key in ("python_full_version", "python_version"):
        version = tables.text(requires, key)
        if version:
            specifier = spelling.specifier_of(version if version[0] in "<>=~!" else f"=={version}")
            found.used("python", specifier or "", where.key("requires", key))
            return
