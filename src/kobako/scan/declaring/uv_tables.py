"""``[tool.uv]`` of ``pyproject.toml``: where requirements come from instead, and what else binds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kobako.model.finding import Finding
from kobako.model.requirement import Other, Question, Requirement
from kobako.scan.declaring import spelling, tables, wheel_urls
from kobako.scan.declaring.declared import Declared
from kobako.scan.declaring.places import Places
from kobako.scan.declaring.tables import Table

_ROOT = ("tool", "uv")


def apply(document: Table, where: Places, found: Declared) -> None:
    """Change what was found so far as uv would: sources, constraints, overrides."""
    uv = tables.table(document, *_ROOT)
    if not uv:
        return
    indexes = _indexes(uv, where, found)
    sources = {spelling.normalised(name): (name, value) for name, value in tables.table(uv, "sources").items()}
    kept: list[Requirement] = []
    for one in found.requirements:
        name, value = sources.get(one.name, ("", None))
        finding = where.key(*_ROOT, "sources", name)
        kept += _from_source(found, one, _first(value), (indexes, finding))
    found.requirements = kept
    for entry in tables.strings(uv.get("constraint-dependencies")):
        bound = found.understand(entry, where.entry((*_ROOT, "constraint-dependencies"), entry))
        if bound is not None:
            found.bounds.setdefault(bound.name, []).append(bound)
    for entry in tables.strings(uv.get("override-dependencies")):
        _override(found, entry, where.entry((*_ROOT, "override-dependencies"), entry))


def _indexes(uv: Table, where: Places, found: Declared) -> dict[str, str]:
    named: dict[str, str] = {}
    for index in tables.tables(uv.get("index")):
        url = tables.text(index, "url")
        named[tables.text(index, "name")] = url
        if index.get("explicit") is not True:
            tables.source(found, url, where.entry((*_ROOT, "index"), url))
    for key in ("index-url", "extra-index-url", "find-links"):
        for url in tables.strings(uv.get(key)):
            tables.source(found, url, where.entry((*_ROOT, key), url))
    return named


def _first(value: object) -> Table:
    """The source for Linux: of several the first that has no marker for another system."""
    several = [one for one in tables.variants(value) if isinstance(one, Mapping)] if value is not None else []
    ours = [one for one in several if not _is_elsewhere(tables.text(one, "marker"))]
    return ours[0] if ours else {}


def _is_elsewhere(marker: str) -> bool:
    compact = marker.replace(" ", "").replace('"', "'")
    return any(sign in compact for sign in ("=='darwin'", "=='win32'", "=='Windows'", "=='Darwin'", "!='linux'"))


def _from_source(
    found: Declared, one: Requirement, source: Table, beside: tuple[dict[str, str], Finding]
) -> list[Requirement]:
    """The requirement as uv would take it; none where it is a part of the repository or a path."""
    indexes, finding = beside
    if source.get("workspace") is True:
        found.others.append(Other(str(one), "a part of this repository", (*one.findings, finding)))
        return []
    if path := tables.text(source, "path"):
        what = f"`{one.name}` comes from the path `{path}`: install it by hand if it is needed"
        found.questions.append(Question(what, finding))
        return []
    if at := tables.direct(source):
        probe = Declared()
        extras = f"[{','.join(one.extras)}]" if one.extras else ""
        tables.add_direct(probe, (one.name, extras, at), one.marker or "", finding)
        moved = [replace(new, findings=(*one.findings, finding)) for new in probe.requirements]
        probe.requirements = []
        found.merge(probe)
        return moved
    if index := indexes.get(tables.text(source, "index"), ""):
        bounds = wheel_urls.bounds(index, finding)
        found.merge(bounds)
        if "download.pytorch.org" not in index:
            tables.source(found, index, finding)
    return [one]


def _override(found: Declared, entry: str, finding: Finding) -> None:
    """An override replaces what is declared; one for a package that is not named itself says nothing here."""
    probe = Declared()
    new = probe.understand(entry, finding)
    found.problems += probe.problems
    if new is None:
        return
    at = [number for number, one in enumerate(found.requirements) if one.name == new.name]
    for number in at:
        old = found.requirements[number]
        found.requirements[number] = replace(
            old, specifier=new.specifier, url=new.url or old.url, findings=(*old.findings, finding)
        )
    if not at:
        found.others.append(Other(entry, "overrides a package that is not named itself", (finding,)))
