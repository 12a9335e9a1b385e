"""Requirements as installers give them to a script: ``pip``'s and ``pkg_resources``' parsers, and what they make."""

# ruff: noqa: ARG001, ARG005 - functions that stand in one table share one signature

from __future__ import annotations

import re
from posixpath import dirname, join

from kobako.scan.declaring.requirement_lines import logical_lines, without_options
from kobako.scan.evaluate.files import path_text
from kobako.scan.evaluate.state import State
from kobako.scan.evaluate.values import Class, Instance, Iterator, Namespace, Native, Text, Unknown, Value, pieces

Args = list[Value]
Keywords = dict[str, Value]

_MAX_DEPTH = 10
_OPTION = re.compile(r"(?P<name>--[a-z-]+|-[a-zA-Z])[= ]?\s*(?P<value>.*)")
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


class DistributionNotFound(ImportError):  # noqa: N818 - its name there
    """``pkg_resources.DistributionNotFound``; also ``importlib.metadata.PackageNotFoundError``."""


class VersionConflict(Exception):  # noqa: N818 - its name there
    """``pkg_resources.VersionConflict``."""


def logical(machine: State, text: str) -> list[Value]:
    """The lines of a requirements file, each with its place: comments gone, continuations joined."""
    machine.spend(len(text) // 10)
    if not isinstance(text, Text):
        return [line for _, line in logical_lines(text)]
    start = text.line - 1
    return [
        Text(line, text.file, text.line if text.flat else start + number, doubt=text.doubt)
        for number, line in logical_lines(str(text))
    ]


# --- one requirement -----------------------------------------------------------------------------------------------


def _start(machine: State, args: Args, keywords: Keywords) -> Value:
    """``Requirement.__init__``."""
    this, text = args[0], args[1] if len(args) > 1 else keywords.get("requirement_string")
    this.names["_whole"] = text
    if not isinstance(text, str):
        return None
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - heavy

    machine.spend(20 + len(text) // 10)
    try:
        parsed = Requirement(str(text)[:2000])
    except InvalidRequirement as error:
        return machine.fault(ValueError, str(error)[:200])
    specifiers = sorted((one.operator, one.version) for one in parsed.specifier)
    parts = [_shown(_SPECIFIER, f"{sign}{to}", {"operator": sign, "version": to}) for sign, to in specifiers]
    this.names.update(
        {
            **dict.fromkeys(("name", "project_name", "unsafe_name"), parsed.name),
            "key": re.sub(r"[^A-Za-z0-9.]+", "-", parsed.name).lower(),
            "extras": tuple(sorted(parsed.extras)),
            "specs": specifiers,
            "url": parsed.url,
            "specifier": _shown(_SPECIFIERS, str(parsed.specifier), {"_parts": parts}),
            "marker": None if parsed.marker is None else str(parsed.marker),
            "_shown": Text(str(parsed), text.file, text.line, True, text.doubt)  # noqa: FBT003
            if isinstance(text, Text)
            else str(parsed),
        }
    )
    return None


def _shown(kind: Class, text: str, names: dict[str, Value]) -> Instance:
    return Instance(kind, {**names, "_shown": text})


def _show(machine: State, args: Args, keywords: Keywords) -> Value:
    names = args[0].names
    return names.get("_shown", names.get("_whole", Unknown("a requirement")))


_SPECIFIER = Class("Specifier", (), {"__str__": Native("__str__", _show)})
_SPECIFIERS = Class(
    "SpecifierSet",
    (),
    {
        "__str__": Native("__str__", _show),
        "__iter__": Native("__iter__", lambda machine, args, keywords: Iterator(list(args[0].names["_parts"]))),
        "__len__": Native("__len__", lambda machine, args, keywords: len(args[0].names["_parts"])),
    },
)
REQUIREMENT: Class = Class(
    "Requirement",
    (),
    {
        "__init__": Native("__init__", _start),
        "__str__": Native("__str__", _show),
        "parse": Native("parse", lambda machine, args, keywords: machine.call(REQUIREMENT, args)),
    },
)


def _parsed(machine: State, args: Args, keywords: Keywords) -> Value:
    """``pkg_resources.parse_requirements``: of a text, or of lines."""
    lines = _lines(machine, args[0])
    return Iterator([line if isinstance(line, Unknown) else machine.call(REQUIREMENT, [line]) for line in lines])


def _lines(machine: State, given: Value) -> list[Value]:
    if isinstance(given, str):
        return logical(machine, given)
    items = machine.iterated(given)
    if items is None:
        return [given if isinstance(given, Unknown) else Unknown("lines")]
    return [line for item in items for line in (logical(machine, item) if isinstance(item, str) else [item])]


def _yield_lines(machine: State, args: Args, keywords: Keywords) -> Value:
    """``pkg_resources.yield_lines``: no blank lines and no comment lines."""
    given = args[0]
    items = pieces(given, given.splitlines()) if isinstance(given, str) else machine.iterated(given)
    if items is None:
        return given
    found: list[Value] = []
    for item in items:
        stripped = machine.call(machine.attribute(item, "strip"), []) if isinstance(item, str) else item
        if not isinstance(stripped, str) or (stripped and not stripped.startswith("#")):
            found.append(stripped)
    return Iterator(found)


# --- pip -----------------------------------------------------------------------------------------------------------


def _of_pip(machine: State, args: Args, keywords: Keywords) -> Value:
    """``pip``'s ``parse_requirements(filename, session)``, in its old and its new shape."""
    path = path_text(args[0] if args else keywords.get("filename"))
    if path is None:
        return args[0] if args and isinstance(args[0], Unknown) else Unknown("parse_requirements()")
    return Iterator(_of_file(machine, path, 0))


def _of_file(machine: State, path: str, depth: int) -> list[Value]:
    text = machine.text_of_file(path)
    if not isinstance(text, str):
        return [text]
    found: list[Value] = []
    for line in logical(machine, text):
        option = _OPTION.match(line)
        if option is None:
            found.append(_entry(machine, line, without_options(line), editable=False))
        elif option["name"] in {"-e", "--editable"}:
            found.append(_entry(machine, line, option["value"], editable=True))
        elif option["name"] in {"-r", "--requirement"} and depth < _MAX_DEPTH and "://" not in option["value"]:
            found += _of_file(machine, join(dirname(path), option["value"]), depth + 1)
    return found


def _entry(machine: State, line: str, value: str, *, editable: bool) -> Value:
    """An entry of a file: ``requirement`` is its text (pip 20 and later), ``req`` the requirement (pip before that)."""
    text = Text(value, line.file, line.line) if isinstance(line, Text) else value
    is_url = re.match(r"[a-z+]+:", value) is not None
    name = _NAME.match(value.partition("#egg=")[2] if is_url else value)
    link = Namespace("link", {"url": text}) if is_url else None
    names: dict[str, Value] = {
        "requirement": text,
        **dict.fromkeys(("editable", "is_editable"), editable),
        "options": {},
        "constraint": False,
        "name": name[1] if name else None,
        "req": None if is_url else machine.call(REQUIREMENT, [text]),
        **dict.fromkeys(("link", "original_link"), link),
    }
    return Instance(_ENTRY, names)


_ENTRY = Class("ParsedRequirement", (), {"__str__": Native("__str__", lambda m, args, k: args[0].names["requirement"])})


# --- modules -------------------------------------------------------------------------------------------------------


def _not_installed(machine: State, args: Args, keywords: Keywords) -> Value:
    """Asked for a distribution that may be installed: in a fresh environment none is but the installers."""
    name = args[0] if args else ""
    if isinstance(name, str) and re.match(r"(?:pip|setuptools|wheel)\b", name):
        return Unknown("an installed distribution")
    return machine.fault(DistributionNotFound, "a distribution that is not installed")


def pip_module(machine: State) -> Namespace:
    parse = Native("parse_requirements", _of_pip)
    return Namespace("pip", {"parse_requirements": parse})


def pkg_resources_module(machine: State) -> Namespace:
    asked = Native("get_distribution", _not_installed)
    return Namespace(
        "pkg_resources",
        {
            "parse_requirements": Native("parse_requirements", _parsed),
            "Requirement": REQUIREMENT,
            "yield_lines": Native("yield_lines", _yield_lines),
            "get_distribution": asked,
            "require": asked,
            "DistributionNotFound": DistributionNotFound,
            "VersionConflict": VersionConflict,
        },
    )


def packaging_requirements(machine: State) -> Namespace:
    return Namespace("packaging.requirements", {"Requirement": REQUIREMENT, "InvalidRequirement": ValueError})


def metadata_module(machine: State) -> Namespace:
    asked = Native("version", _not_installed)
    return Namespace(
        "importlib.metadata",
        {"version": asked, "distribution": asked, "PackageNotFoundError": DistributionNotFound},
    )
