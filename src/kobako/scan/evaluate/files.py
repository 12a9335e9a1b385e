"""Files of the repository as the script sees them: ``open``, paths, listings. Nothing else is ever opened."""

# ruff: noqa: ARG001, ARG002 - functions that stand in one table share one signature

from __future__ import annotations

import posixpath
from fnmatch import fnmatchcase
from typing import Any

from kobako.scan.evaluate.budget import MAX_ITEMS, MAX_PATH
from kobako.scan.evaluate.state import ROOT, State
from kobako.scan.evaluate.values import Iterator, Native, Opaque, Unknown, Value, pieces

Args = list[Value]
Keywords = dict[str, Value]


class File(Opaque):
    """A file that is open."""

    __slots__ = ("content", "lines")

    def __init__(self, content: Value) -> None:
        self.content = content
        self.lines: Iterator | None = None

    def get(self, machine: State, name: str) -> Value:
        run = _FILE.get(name)
        return Unknown(f"file.{name}") if run is None else Native(name, lambda m, args, _: run(m, self, args))

    def left(self, machine: State) -> Value:
        """The lines that were not read yet."""
        if self.lines is None:
            if not isinstance(self.content, str):
                return self.content
            found = pieces(self.content, self.content.splitlines(keepends=True))
            machine.spend(len(found) // 5)
            self.lines = Iterator(found[:MAX_ITEMS])
        return self.lines


def _read(machine: State, file: File, args: Args) -> Value:
    if file.lines is not None or args:
        return Unknown("a part of a file")
    file.lines = Iterator([])
    return file.content


def _read_lines(machine: State, file: File, args: Args) -> Value:
    lines = file.left(machine)
    return lines.rest() if isinstance(lines, Iterator) else lines


def _read_line(machine: State, file: File, args: Args) -> Value:
    lines = file.left(machine)
    if not isinstance(lines, Iterator):
        return lines
    lines.at += 1
    return lines.items[lines.at - 1] if lines.at <= len(lines.items) else ""


def _lines(machine: State, file: File, args: Args) -> Value:
    return file.left(machine)


def _seek(machine: State, file: File, args: Args) -> Value:
    file.lines = None


def _nothing(machine: State, file: File, args: Args) -> Value:
    return None


_FILE: dict[str, Any] = {
    "read": _read,
    "readlines": _read_lines,
    "readline": _read_line,
    "__iter__": _lines,
    "seek": _seek,
    **dict.fromkeys(("write", "writelines", "close", "flush"), _nothing),
}


def path_text(value: Value) -> str | None:
    """The text of a path, or None; no system takes a path that is longer than this."""
    text = value if isinstance(value, str) else getattr(value, "text", None)
    return str(text) if isinstance(text, str) and len(text) <= MAX_PATH else None


def opened(machine: State, args: Args, keywords: Keywords) -> Value:
    """``open``."""
    path = path_text(args[0] if args else keywords.get("file", keywords.get("name")))
    mode = args[1] if len(args) > 1 else keywords.get("mode", "r")
    if path is None or not isinstance(mode, str):
        return File(Unknown("a file"))
    if not set(mode) & set("wax+"):
        return File(machine.text_of_file(path))
    machine.written.add(machine.name_of(path) or "")
    return File(Unknown("a file that is written"))


# --- listings ------------------------------------------------------------------------------------------------------


def listed(machine: State, path: str) -> list[str] | None:
    """The names in a folder, sorted; None when it is outside the repository."""
    name = machine.name_of(path)
    if name is None:
        return None
    prefix = f"{name}/" if name else ""
    found: dict[str, None] = {}
    machine.spend(len(machine.tree.files) // 20)
    for file in machine.tree.files:
        if file.startswith(prefix):
            machine.spend()
            found[file[len(prefix) :].split("/", 1)[0]] = None
    return sorted(found)[:MAX_ITEMS]


def globbed(machine: State, pattern: str) -> list[str] | None:
    """``glob.glob``: the files and folders that match, written as the pattern is."""
    full = machine.absolute(pattern)
    name = machine.name_of(pattern)
    if not name or len(name) > 300 or name.count("*") > 8:
        return None
    parts = name.split("/")
    fixed = next((at for at, part in enumerate(parts) if any(sign in part for sign in "*?[")), len(parts))
    start = "/".join(parts[:fixed])
    found: dict[str, None] = {}
    machine.spend(len(machine.tree.files) // 20)
    for file in machine.tree.files:
        if start and not file.startswith(f"{start}/") and file != start:
            continue
        machine.spend()
        match = _matched(file.split("/"), parts)
        if match:
            found["/".join(match)] = None
    shown = f"{ROOT}/" if posixpath.isabs(pattern) else ""
    base = "" if shown else machine.folder[len(ROOT) + 1 :]
    cut = len(base) + 1 if base else 0
    lead = pattern[: len(pattern) - len(full[len(machine.folder) + 1 :])] if not shown else ""
    return [shown + lead + one[cut:] for one in sorted(found)]


def _matched(parts: list[str], pattern: list[str]) -> list[str] | None:
    """The part of a file's name that matches the pattern (a folder on the way, or all of it); None when none does."""
    if "**" in pattern:
        at = pattern.index("**")
        rest = pattern[at + 1 :]
        if len(parts) < at + len(rest) or not _fits(parts[:at], pattern[:at]):
            return None
        return parts if _fits(parts[len(parts) - len(rest) :], rest) else None
    return parts[: len(pattern)] if len(parts) >= len(pattern) and _fits(parts[: len(pattern)], pattern) else None


def _fits(parts: list[str], pattern: list[str]) -> bool:
    return all(
        fnmatchcase(part, one) and (not part.startswith(".") or one.startswith("."))
        for part, one in zip(parts, pattern, strict=True)
    )
