"""Poetry's own tables in ``pyproject.toml``: its constraints, its sources, what is optional."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kobako.model.finding import Finding
from kobako.model.requirement import Other, Question
from kobako.scan.declaring import classifiers, groups, spelling, tables
from kobako.scan.declaring.declared import Declared, not_understood
from kobako.scan.declaring.places import Places
from kobako.scan.declaring.tables import Table

_ROOT = ("tool", "poetry")
_CARET = re.compile(r"([\^~])\s*v?(\d+(?:\.\d+)*)([^\s,|]*)")
_WILD = re.compile(r"(?<![\w.])={0,2}\s*(\d+(?:\.\d+)*)\.[*xX](?:\.[*xX])*(?![\w.])")
_BARE = re.compile(r"(?:^|(?<=[,\s]))=?(?!=)\s*v?(\d[\w.!+-]*)(?=$|[,\s])")


def read(document: Table, where: Places, found: Declared, *, dependencies: bool = True) -> None:
    """Take in ``[tool.poetry]``. Without ``dependencies`` only what stands beside them: groups and sources."""
    poetry = tables.table(document, *_ROOT)
    for source in tables.tables(poetry.get("source")):
        url = tables.text(source, "url")
        tables.source(found, url, where.entry((*_ROOT, "source"), url))
    wanted_by = _extras(tables.table(poetry, "extras"))
    for name, value in tables.table(poetry, "dependencies").items() if dependencies else ():
        finding = where.key(*_ROOT, "dependencies", name)
        for one in tables.variants(value):
            _dependency(found, (name, one), wanted_by.get(spelling.normalised(name), ""), finding)
    _groups(poetry, where, found)
    listed = [(text, where.entry((*_ROOT, "classifiers"), text)) for text in tables.strings(poetry.get("classifiers"))]
    tested = classifiers.python_of(listed)
    found.python += [tested] if tested else []


def specifier_of(constraint: str) -> str | None:
    """Poetry's constraint as PEP 440; of a choice (``||``) all that lies between its ends. None if not understood."""
    if len(constraint) > spelling.LONGEST:
        return None
    choices = [_one(part) for part in re.split(r"\s*\|\|?\s*", constraint.strip())]
    known = [choice for choice in choices if choice is not None]
    if not known or len(known) < len(choices):
        return None
    return known[0] if len(known) == 1 else _hull(known)


def is_choice(constraint: str) -> bool:
    return "|" in constraint


def marker_of(value: Table) -> str:
    """The marker of a dependency: ``markers`` itself, ``python`` and ``platform`` as conditions."""
    parts = [f"({text})"] if (text := tables.text(value, "markers")) else []
    python = specifier_of(tables.text(value, "python")) or ""
    clauses = [re.fullmatch(r"([=<>!~]+)(.*)", part) for part in python.split(",") if part]
    parts += [f'python_version {clause[1]} "{_minor(clause[2])}"' for clause in clauses if clause]
    platform = tables.text(value, "platform")
    if re.fullmatch(r"[\w]+", platform):
        parts.append(f'sys_platform == "{platform}"')
    return " and ".join(parts)


def _dependency(found: Declared, what: tuple[str, str | Table], extras: str, finding: Finding) -> None:
    name, value = what
    if spelling.normalised(name) == "python":
        _python(found, value if isinstance(value, str) else tables.text(value, "version"), finding)
        return
    if isinstance(value, Mapping) and value.get("optional") is True:
        shown = f"{name} {tables.text(value, 'version')}".strip()
        found.others.append(Other(shown, f"optional: for {extras or 'nobody in particular'}", (finding,)))
        return
    table: Table = {"version": value} if isinstance(value, str) else value
    if path := tables.text(table, "path"):
        tables.add_path(found, path, finding)
        return
    extra, marker = tables.extras(table), marker_of(table)
    if at := tables.direct(table):
        tables.add_direct(found, (name, extra, at), marker, finding)
        return
    constraint = tables.text(table, "version")
    specifier = specifier_of(constraint)
    if specifier is None:
        found.problems.append(not_understood(f"{name} {constraint}", "it is no constraint of Poetry's", finding))
        return
    if is_choice(constraint):
        what_is_left = f"`{name} {constraint}` is a choice of versions: all between its ends are allowed here"
        found.questions.append(Question(what_is_left, finding))
    found.add(f"{name}{extra}{specifier}" + (f" ; {marker}" if marker else ""), finding)


def _python(found: Declared, constraint: str, finding: Finding) -> None:
    specifier = specifier_of(constraint)
    found.need_python(constraint if specifier is None else specifier, finding)


def _groups(poetry: Table, where: Places, found: Declared) -> None:
    developing = tables.table(poetry, "dev-dependencies")
    if developing:
        groups.development(found, "dev", developing, where.key(*_ROOT, "dev-dependencies"))
    for name, group in tables.table(poetry, "group").items():
        wanted = tables.table(group, "dependencies")
        if wanted:
            groups.development(found, name, wanted, where.key(*_ROOT, "group", name, "dependencies"))


def _extras(extras: Table) -> dict[str, str]:
    """Who wants an optional dependency: its name -> the extras."""
    found: dict[str, list[str]] = {}
    for extra, names in extras.items():
        for name in tables.strings(names):
            found.setdefault(spelling.normalised(name), []).append(extra)
    return {name: f"the extra {', '.join(several[:4])}" for name, several in found.items()}


def _one(constraint: str) -> str | None:
    """A constraint without choices."""
    constraint = constraint.strip()
    if constraint in {"", "*"}:
        return ""
    text = re.sub(r"(?<=[<>=!~^])\s+", "", constraint)
    text = re.sub(r"\s*,\s*|\s+", ",", text)
    parts = []
    for part in filter(None, text.split(",")):
        if match := _CARET.fullmatch(part):
            parts.append(_range(match[1], match[2], match[3]))
        elif match := _WILD.fullmatch(part):
            parts.append(f"=={match[1]}.*")
        elif match := _BARE.fullmatch(part):
            parts.append(f"=={match[1]}")
        elif part != "*":
            parts.append(part)
    return spelling.specifier_of(",".join(parts))


def _range(mark: str, release: str, suffix: str) -> str:
    """``^1.2.3`` allows up to the next change of the first number that is not 0, ``~1.2.3`` of the second."""
    if suffix.startswith("="):
        return f"~={release}"
    numbers = [int(part[:9]) for part in release.split(".")]
    if mark == "~":
        at = min(1, len(numbers) - 1)
    else:
        at = next((place for place, number in enumerate(numbers) if number), len(numbers) - 1)
    upper = [*numbers[:at], numbers[at] + 1, *[0] * (len(numbers) - at - 1)]
    return f">={release}{suffix},<{'.'.join(map(str, upper))}"


def _hull(choices: list[str]) -> str:
    """What lies between the lowest and the highest end of several specifiers."""
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - heavy

    lowest: list[tuple[Version, str]] = []
    highest: list[tuple[Version, str]] = []
    for choice in choices:
        lower, upper = "", ""
        for part in choice.split(","):
            exact = part.removeprefix("==").removesuffix(".*")
            lower = part if part.startswith(">") else f">={exact}" if part.startswith("==") else lower
            upper = part if part.startswith("<") else f"<={exact}" if part.startswith("==") else upper
            if part.startswith("==") and part.endswith(".*"):
                upper = _one(f"~{exact}" if "." in exact else f"^{exact}") or ""
                upper = upper.rpartition(",")[2]
        try:
            lowest.append((Version(lower.lstrip(">=") or "0"), lower))
            highest.append((Version(upper.lstrip("<=") or "99999"), upper))
        except InvalidVersion:
            return ""
    ends = [min(lowest)[1], max(highest)[1]]
    return spelling.ordered(",".join(filter(None, ends)))


def _minor(version: str) -> str:
    """A marker's ``python_version`` has two numbers."""
    return ".".join(version.split(".")[:2]) if version.count(".") > 1 and not version.endswith(".*") else version
