"""The variables that a container of a service gets: those of its env files, and ``environment`` over them.

Rules: https://docs.docker.com/reference/compose-file/services/#env_file , compose-go ``dotenv/parser.go`` and
``types/project.go``, docker/cli ``pkg/kvfile`` (``format: raw``). They are not those of python-dotenv, which replaces
``${NAME}`` in single quotes too, ``$NAME`` nowhere, and looks into Kobako's own environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from kobako.compose.interpolate import interpolate
from kobako.errors import UsageError, Where
from kobako.model.service import EnvFile, Service
from kobako.workspace import read_text

_SKIPPED = re.compile(r"(?:\s+|#[^\n]*)*")
_NAME = re.compile(r"(?:export[^\S\n]+)?(?P<name>[\w.\[\]-]+)[^\S\n]*(?P<sep>[=:][^\S\n]*|(?=\n|\Z))")
_QUOTED = re.compile(
    r"""(?s:'(?P<single>(?:\\.|[^'\\])*)'|"(?P<double>(?:\\.|[^"\\])*)")[^\S\n]*(?:#[^\n]*)?(?=\n|\Z)"""
)
_BARE = re.compile(r"""(?!['"])[^\n]*""")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = dict(zip('abfnrtv\\"', '\a\b\f\n\r\t\v\\"', strict=True)) | {"$": "$$"}


def environment_of(service: Service, env: Mapping[str, str]) -> dict[str, str]:
    """What a container of the service gets. ``env`` is what its compose file saw: the caller's variables and ``.env``.

    Raises ``UsageError`` with the place of what is wrong: ``unreadable`` for a file, ``invalid-setting`` and
    ``invalid-interpolation`` for a line of one. No message holds a value.
    """
    declared = {name: value for name, value in service.environment.items() if value is not None}
    found: dict[str, str] = {}
    for file in service.env_files:
        _add(file, found, {**declared, **env})
    for name, said in service.environment.items():
        value = env.get(name) if said is None else said
        if value is not None:
            found[name] = value
        else:
            found.pop(name, None)  # a name without a value, that the caller has not set, takes it away
    return found


def _add(file: EnvFile, found: dict[str, str], outer: Mapping[str, str]) -> None:
    """Adds what a file says. Its ``${...}`` see ``outer`` before what files have said so far."""
    if file.format not in {None, "", "raw"}:
        fix = "leave the format out, or write raw"
        raise UsageError("invalid-compose", f"env_file knows no format {file.format}", fix=fix, where=file.where)
    text = _text(file)
    if text is None:
        return
    seen = {**found, **outer}
    for name, value, quote, line in (_raw if file.format == "raw" else _entries)(text, file.path):
        if value is None:
            said = seen.get(name) if file.format != "raw" else outer.get(name)
        else:
            said = value if quote == "'" else _replaced(name, value, seen, Where(file.path, line))
        if said is None:
            continue
        found[name] = said
        if name not in outer:
            seen[name] = said


_Entry = tuple[str, "str | None", str, int]
"""Name, value (None where it is the caller's), the quote it stands in (``'``: nothing is replaced in it), line."""


def _text(file: EnvFile) -> str | None:
    """None for a file that is not there and need not be."""
    try:
        return read_text(Path(file.path)).removeprefix("\ufeff")
    except UsageError as error:
        error.where = file.where or error.where
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        if not file.required:
            return None
        raise UsageError(
            "unreadable",
            f"the environment file {file.path} does not exist",
            why="env_file names it",
            fix="create it, or write it as {path: ..., required: false}",
            where=file.where,
        ) from error


def _entries(text: str, path: str) -> Iterator[_Entry]:
    position = 0

    def refused(start: int) -> UsageError:
        return _not_understood(text[start:], Where(path, text.count("\n", 0, start) + 1))

    while (start := _end(_SKIPPED, text, position)) < len(text):
        line = text.count("\n", 0, start) + 1
        name = _NAME.match(text, start)
        if name is None:
            raise refused(start)
        if not name["sep"]:
            position = name.end()
            yield name["name"], None, "", line
            continue
        value = _QUOTED.match(text, name.end()) or _BARE.match(text, name.end())
        if value is None:
            raise refused(start)
        position = value.end()
        yield name["name"], *_meant(value), line


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position


def _meant(value: re.Match[str]) -> tuple[str, str]:
    """The value, quotes and comment taken off, and the quote."""
    if value.re is _BARE:
        return value[0].partition(" #")[0].rstrip(), ""
    if value["single"] is not None:
        return value["single"].replace("\\'", "'"), "'"
    return _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[0]), value["double"]), '"'


def _raw(text: str, path: str) -> Iterator[_Entry]:
    """Lines as they are: no quotes, no comments behind a value, nothing replaced."""
    for number, row in enumerate(text.split("\n"), 1):
        line = row.removesuffix("\r").lstrip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not name or name.split() != [name]:
            raise _not_understood(line, Where(path, number))
        yield name, value if equals else None, "'", number


def _replaced(name: str, value: str, seen: Mapping[str, str], where: Where) -> str:
    try:
        return interpolate(value, seen)
    except UsageError as error:  # its message may hold the value, and the value may be a secret
        what = f"the value of {name} cannot be put together"
        raise UsageError("invalid-interpolation", what, why=error.why, fix=error.fix, where=where) from None


def _not_understood(rest: str, where: Where) -> UsageError:
    name, equals, _ = rest.splitlines()[0].partition("=")
    return UsageError(
        "invalid-setting",
        "a line of the environment file is not understood",
        why=f"{name[:60]}{equals and '=...'}",
        fix="write NAME=value, the value in quotes where it holds spaces",
        where=where,
    )
