"""The Python files of a repository, each parsed once and shown to everybody who reads code."""

from __future__ import annotations

import ast
import gc
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from kobako.scan.tree import Tree

MAX_MODULE = 1024**2
"""Bytes. Code that people write is shorter; longer files are generated, and are not read."""

LARGEST = 160 * 1024
"""Bytes of code that are parsed at once. A syntax tree takes up to a thousand bytes for one of code, and Python 3.10's
parser is no more when 105,000 calls or attributes follow each other. Of longer files only the imports are read."""

MAX_PARSED = 32 * 1024**2
MAX_MARKS = 2_700_000
"""Bytes of code that are parsed, from the top of the repository down, and signs in it that make syntax: what people
write has one in twelve bytes, and takes some 5 seconds. Of the rest only the import statements at module level are
read, which takes a tenth of the time."""

MAX_READ = 512 * 1024**2
"""Bytes of code that are looked at at all."""

_MARKS = "\n,;([{=.<'\""
_MOST = 1_000
"""Dots of one name that is imported, holes of one f-string: Python's own parser goes over all before for each."""
_GAP = r"(?:[ \t\f]|\\\r?\n)"
_DOTTED = tuple(re.compile(rf"{word}{_GAP}(?:[\w.,]|{_GAP})*") for word in ("import", "from"))
_FORMATTED = re.compile(r"[fF][rR]?(\"{3}|'{3}|[\"'])")
_ENDS = {
    mark: re.compile(rf"[^{mark[0]}\\]*(?:(?:\\.{more})[^{mark[0]}\\]*)*{mark}", re.DOTALL)
    for quote in "\"'"
    for mark, more in ((quote, ""), (quote * 3, f"|{quote}(?!{quote * 2})"))
}
_REST = r"(?:[^\n(\\;#]|\\\r?\n)*"
_IMPORT = re.compile(
    rf"^(?:import[ \t\\]{_REST}|from[ \t]+[\w.]+{_GAP}+import\b{_GAP}*(?:\((?:[^()#]|#[^\n]*\n){{0,20000}}\)|{_REST}))",
    re.MULTILINE,
)


class Module(NamedTuple):
    """A Python file: its name in the repository, its text, and its syntax tree."""

    name: str
    text: str
    syntax: ast.Module


class Reader(Protocol):
    """Looks at one module after the other and remembers what it needs."""

    def look(self, module: Module) -> None: ...


@dataclass
class Unread:
    """Files that were not parsed, by the reason."""

    too_large: list[str] = field(default_factory=list)
    no_python: list[str] = field(default_factory=list)
    imports_only: list[str] = field(default_factory=list)
    too_much: list[str] = field(default_factory=list)


def parse(text: str) -> ast.Module | None:
    """The syntax tree, or None where it is not Python that can be read."""
    if len(text) > LARGEST or _is_slow(text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in a stranger's strings
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_slow(text: str) -> bool:
    """Whether the parser would take hours: a name of a hundred thousand parts, an f-string of as many holes."""
    if text.count(".") > _MOST and any(
        found[0].count(".") > _MOST for pattern in _DOTTED for found in pattern.finditer(text)
    ):
        return True
    if text.count("{") <= _MOST:
        return False
    at = 0
    while found := _FORMATTED.search(text, at):
        end = _ENDS[found[1]].match(text, found.end())
        at = end.end() if end else found.end()
        if text.count("{", found.end(), at) > _MOST:
            return True
    return False


def modules(tree: Tree, unread: Unread) -> Iterator[Module]:
    """Every Python file that can be read, those near the top first."""
    size = marks = 0
    with _without_collection():
        for name in sorted((one for one in tree.files if one.endswith(".py")), key=lambda one: (one.count("/"), one)):
            if size > MAX_READ:
                unread.too_much.append(name)
                continue
            text = tree.read(name, most=MAX_MODULE)
            if text is None:
                unread.too_large.append(name)
                continue
            size += len(text)
            if size <= MAX_PARSED and len(text) <= LARGEST:
                marks += sum(map(text.count, _MARKS))
            if size > MAX_PARSED or marks > MAX_MARKS or len(text) > LARGEST:
                unread.imports_only.append(name)
                text, syntax = _imports_of(text)
            else:
                syntax = parse(text)
            if syntax is None:
                unread.no_python.append(name)
            else:
                yield Module(name, text, syntax)


def _imports_of(text: str) -> tuple[str, ast.Module | None]:
    """The import statements at module level as a module of their own. One that cannot be read spoils no other."""
    every = list(_IMPORT.finditer(text))
    alone = _imports_alone(text, every)
    syntax = parse(alone)
    if syntax is None and len(every) <= _MOST:
        alone = _imports_alone(text, [found for found in every if parse(found[0]) is not None])
        syntax = parse(alone)
    return alone, syntax


def _imports_alone(text: str, every: Iterable[re.Match[str]]) -> str:
    """Statements, each on its own line still, and nothing else."""
    kept: list[str] = []
    at = line = 0
    for found in every:
        start = text.count("\n", at, found.start()) + (line if at else 0)
        kept += [""] * (start - len(kept))
        kept += found[0].split("\n")
        line, at = start, found.start()
    return "\n".join(kept)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Syntax trees are freed by counting; looking for cycles in them takes a seventh of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
