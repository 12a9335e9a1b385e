"""Files that a script reads with a parser: JSON, TOML, INI."""

# ruff: noqa: ARG001, ARG002, ARG005 - functions that stand in one table share one signature

from __future__ import annotations

import configparser
import re
import sys
from collections.abc import Callable
from typing import Any

from kobako.scan.evaluate.files import File, opened, path_text
from kobako.scan.evaluate.state import State
from kobako.scan.evaluate.values import Iterator, Namespace, Native, Opaque, Text, Unknown, Value

Args = list[Value]
Keywords = dict[str, Value]

_MOST = 300_000
_MAX_DOTS = 1000
"""In a line of TOML: its parser takes memory that grows with the square of the parts of a dotted key."""


def _content(given: Value) -> Value:
    return given.content if isinstance(given, File) else given


def _from_json(machine: State, args: Args, keywords: Keywords) -> Value:
    import json  # noqa: PLC0415 - rarely needed

    return _loaded(machine, lambda text: json.loads(text, parse_int=_number), _content(args[0]))


def _number(text: str) -> Any:
    return int(text) if len(text) < 60 else None


def _from_toml(machine: State, args: Args, keywords: Keywords) -> Value:
    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415 - rarely needed
    else:
        import tomli as tomllib  # noqa: PLC0415

    given = _content(args[0])
    if isinstance(given, str) and "\n" not in given and given.endswith(".toml"):  # toml.load takes a path, too
        given = machine.text_of_file(given)
    elif (path := path_text(given)) is not None and not isinstance(given, str):
        given = machine.text_of_file(path)
    if isinstance(given, str) and max(line.count(".") for line in given.split("\n")) > _MAX_DOTS:
        return Unknown("a file")
    return _loaded(machine, tomllib.loads, given)


def _loaded(machine: State, load: Callable[[str], Any], text: Value) -> Value:
    if not isinstance(text, str) or len(text) > _MOST:
        return text if isinstance(text, Unknown) else Unknown("a file")
    machine.spend(len(text) // 20)
    file, lines = (text.file, _lines_of(text)) if isinstance(text, Text) else ("", {})
    try:
        found = load(str(text))
    except ValueError as error:
        return machine.fault(ValueError, str(error)[:200])
    except RecursionError:
        return Unknown("a deep value")
    return _placed(machine, found, file, lines)


def _lines_of(text: Text) -> dict[str, int]:
    """Where each quoted string stands first."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), text.line):
        for part in line.replace("'", '"').split('"')[1::2]:
            found.setdefault(part, number)
    return found


def _placed(machine: State, value: Any, file: str, lines: dict[str, int]) -> Value:
    """A value of a parser's, with the places of its strings."""
    machine.spend()
    if isinstance(value, str):
        return Text(value, file, lines.get(value, 1), flat=True) if file else value
    if isinstance(value, list):
        return [_placed(machine, item, file, lines) for item in value]
    if isinstance(value, dict):
        return {key: _placed(machine, item, file, lines) for key, item in value.items()}
    if isinstance(value, int):
        return value if value.bit_length() < 250 else Unknown("a large number")
    return value if isinstance(value, (float, type(None))) else Unknown("a date")


# --- INI files -----------------------------------------------------------------------------------------------------


class Config(Opaque):
    """``configparser.ConfigParser``."""

    __slots__ = ("lines", "parser")

    def __init__(self, keywords: Keywords) -> None:
        signs = keywords.get("delimiters")
        known = tuple(signs) if isinstance(signs, (list, tuple)) and set(signs) <= {"=", ":"} else ("=", ":")
        self.parser = configparser.RawConfigParser(strict=False, allow_no_value=True, delimiters=known)
        self.lines: list[tuple[str, dict[tuple[str, str], int]]] = []
        """For each file, the line where an option of a section stands."""

    def get(self, machine: State, name: str) -> Value:
        run = _CONFIG.get(name)
        if run is None:
            return Unknown(f"config.{name}")

        def bound(machine: State, args: Args, keywords: Keywords) -> Value:
            try:
                return run(machine, self, args, keywords)
            except configparser.Error as error:
                return machine.fault(LookupError, str(error)[:200])

        return Native(name, bound)

    def section(self, name: str) -> Value:
        found: dict[Value, Value] = {}
        for key, value in self.parser.items(name):
            found[key] = self.placed(name, key, value)
        return found

    def placed(self, section: str, key: str, value: str | None) -> Value:
        if value is None:
            return None
        if "%(" in value or "${" in value:
            return Unknown("a setting that names others")
        for file, lines in self.lines:
            line = lines.get((section.lower(), key)) or lines.get(("default", key))
            if line:
                return Text(value, file, line)
        return value


def _options_of(text: Text) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), text.line):
        if line.startswith("["):
            section = line.strip().strip("[]").lower()
        elif line[:1].strip():
            found.setdefault((section, re.split("[=:]", line, maxsplit=1)[0].strip().lower()), number)
    return found


def _feed(machine: State, config: Config, text: Value) -> Value:
    if not isinstance(text, str) or len(text) > _MOST:
        return text
    machine.spend(len(text) // 20 + text.count("\n") ** 2 // 2000)  # its list of faults grows with their square
    config.parser.read_string(str(text))
    if isinstance(text, Text):
        config.lines.append((text.file, _options_of(text)))
    return None


def _read(machine: State, config: Config, args: Args, keywords: Keywords) -> Value:
    given = args[0] if args else keywords.get("filenames")
    found: list[Value] = []
    for one in machine.iterated(given) or [] if isinstance(given, (list, tuple)) else [given]:
        path = path_text(one)
        if path is not None and machine.has_file(path):
            _feed(machine, config, machine.text_of_file(path))
            found.append(one)
    return found


def _read_file(machine: State, config: Config, args: Args, keywords: Keywords) -> Value:
    return _feed(machine, config, _content(args[0]))


def _value(machine: State, config: Config, args: Args, keywords: Keywords) -> Value:
    section, key = str(args[0]), str(args[1])
    if "fallback" in keywords and not config.parser.has_option(section, key):
        return keywords["fallback"]
    return config.placed(section, key.lower(), config.parser.get(section, key))


def _section(machine: State, config: Config, args: Args, keywords: Keywords) -> Value:
    if args[0] != "DEFAULT" and not config.parser.has_section(args[0]):
        return machine.fault(KeyError, str(args[0]))
    return config.section(args[0]) if args[0] != "DEFAULT" else _defaults(config)


def _defaults(config: Config) -> Value:
    return {key: config.placed("DEFAULT", key, value) for key, value in config.parser.defaults().items()}


def _items(machine: State, config: Config, args: Args, keywords: Keywords) -> Value:
    if not args:
        return [(name, config.section(name)) for name in config.parser.sections()]
    return list(config.section(args[0]).items())


def _has(machine: State, config: Config, args: Args, keywords: Keywords) -> Value:
    if len(args) == 1:
        return config.parser.has_section(args[0]) or args[0] == "DEFAULT"
    return config.parser.has_option(args[0], args[1])


_CONFIG: dict[str, Callable[[State, Config, Args, Keywords], Value]] = {
    "read": _read,
    **dict.fromkeys(("read_file", "readfp", "read_string"), _read_file),
    "get": _value,
    "__getitem__": _section,
    "items": _items,
    **dict.fromkeys(("has_section", "has_option", "__contains__"), _has),
    "sections": lambda machine, config, args, keywords: list(config.parser.sections()),
    "__iter__": lambda machine, config, args, keywords: Iterator(list(config.parser.sections())),
}


def json_module(machine: State) -> Namespace:
    load = Native("load", _from_json)
    return Namespace("json", {"load": load, "loads": load, "JSONDecodeError": ValueError})


def toml_module(machine: State) -> Namespace:
    load = Native("load", _from_toml)
    return Namespace("toml", {"load": load, "loads": load, "TOMLDecodeError": ValueError})


def config_module(machine: State) -> Namespace:
    made = Native("ConfigParser", lambda machine, args, keywords: Config(keywords))
    names = ("ConfigParser", "RawConfigParser", "SafeConfigParser")
    errors = ("Error", "NoSectionError", "NoOptionError")
    return Namespace("configparser", {**dict.fromkeys(names, made), **dict.fromkeys(errors, LookupError)})


def open_module(machine: State) -> Namespace:
    """``io``, ``codecs``: their ``open``."""

    def run(machine: State, args: Args, keywords: Keywords) -> Value:
        return opened(machine, args[:2], keywords)

    return Namespace("io", {"open": Native("open", run), "StringIO": Native("StringIO", lambda m, a, k: File(a[0]))})
