"""The import statements of one file, and how firmly each is meant.

Only statements are walked, and only where a line holds the word: most of a file cannot import anything.
"""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, TypeGuard, cast

from kobako.scan.code.modules import Module

Kind = Literal["import", "function", "condition", "try", "dynamic", "config"]
"""How a name is imported: for sure when its file is, when a function is called, under a condition, where it may be
missing, by a call with its name, by a configuration file."""

_LONGEST = 200
"""Characters of a finding's text."""
_MISSING = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException", "OSError", "AttributeError"})


class Seen(NamedTuple):
    """One import statement's one module. ``names`` is what it takes from it; ``level`` counts a relative one's dots."""

    module: str
    names: tuple[str, ...]
    level: int
    kind: Kind
    line: int
    text: str


class _Lines:
    """The lines of a text that hold the word "import"."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: dict[int, int] = {}
        at, line, counted = text.find("import"), 1, 0
        while at >= 0:
            line += text.count("\n", counted, at)
            counted = at
            self._starts[line] = text.rfind("\n", 0, at) + 1
            end = text.find("\n", at)
            at = text.find("import", end) if end >= 0 else -1
        self._numbers = list(self._starts)
        self._every = "\r" in text.replace("\r\n", "")  # the parser counts lines otherwise then

    def within(self, node: ast.stmt) -> bool:
        """Whether a statement can hold an import."""
        at = bisect_left(self._numbers, node.lineno)
        return self._every or (at < len(self._numbers) and self._numbers[at] <= (node.end_lineno or node.lineno))

    def text(self, line: int) -> str:
        start = self._starts.get(line)
        return "" if start is None else self._text[start : start + _LONGEST].partition("\n")[0].strip()


def seen(module: Module) -> list[Seen]:
    """All imports of a file, in the order of its lines but for those by a call, which come last."""
    lines = _Lines(module.text)
    found = [one for node, kind in _statements(module.syntax, lines) for one in _taken(node, kind, lines)]
    if "import_module(" in module.text or "__import__(" in module.text:
        found += _called(module.syntax)
    if "custom_imports" in module.text:
        found += _configured(module.syntax)
    return found


Body = tuple[list[ast.stmt], Kind]

_COMPOUND = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.If, ast.Try, ast.With, ast.AsyncWith, ast.For),
    *(ast.AsyncFor, ast.While, ast.Match, getattr(ast, "TryStar", ast.Try)),  # the last is new in Python 3.11
)
"""Statements that hold others."""


def _statements(syntax: ast.Module, lines: _Lines) -> Iterator[tuple[ast.Import | ast.ImportFrom, Kind]]:
    """Each import statement, and how firmly it is meant."""
    waiting: list[Body] = [(syntax.body, "import")]
    while waiting:
        body, kind = waiting.pop()
        for node in body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield node, kind
            elif isinstance(node, _COMPOUND) and lines.within(node):
                waiting += _inside(node, kind)


def _inside(node: ast.stmt, kind: Kind) -> list[Body]:
    """The bodies of a statement. What is already under a guard keeps its kind."""
    if isinstance(node, ast.If):
        return _chosen(node, kind)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return [(node.body, _guarded(kind, "function"))]
    if hasattr(node, "handlers"):  # a try, with `except` or with `except*`
        return _tried(cast("ast.Try", node), kind)
    if isinstance(node, ast.With):
        return [(node.body, _guarded(kind, "try") if _is_suppressed(node) else kind)]
    if isinstance(node, ast.Match):
        return [(case.body, _guarded(kind, "condition")) for case in node.cases]
    bodies = [getattr(node, "body", []), getattr(node, "orelse", [])]
    return [(body, kind) for body in bodies if body]


def _guarded(kind: Kind, guard: Kind) -> Kind:
    return guard if kind == "import" else kind


def _chosen(node: ast.If, kind: Kind) -> list[Body]:
    """What every branch of a condition imports is imported for sure."""
    guard = _guarded(kind, "condition")
    always = _tops(node.body) & _tops(node.orelse)
    if not always:
        return [(node.body, guard), (node.orelse, guard)]
    sure: list[ast.stmt] = []
    perhaps: list[ast.stmt] = []
    for one in (*node.body, *node.orelse):
        (sure if _tops([one]) & always else perhaps).append(one)
    return [(sure, kind), (perhaps, guard)]


def _tops(body: Iterable[ast.stmt]) -> set[str]:
    found: set[str] = set()
    for node in body:
        if isinstance(node, ast.Import):
            found.update(one.name.partition(".")[0] for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def _tried(node: ast.Try, kind: Kind) -> list[Body]:
    """What may fail is optional, unless failing ends in another error all the same."""
    handlers = [one for one in node.handlers if _catches_missing(one)]
    optional = any(not isinstance(one.body[-1], ast.Raise) for one in handlers)
    guard = _guarded(kind, "try") if optional else kind
    found: list[Body] = [(node.body, guard), (node.orelse, guard), (node.finalbody, kind)]
    return [*found, *((one.body, _guarded(kind, "try")) for one in node.handlers)]


def _catches_missing(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(getattr(one, "id", getattr(one, "attr", "")) in _MISSING for one in caught)


def _is_suppressed(node: ast.With) -> bool:
    """``with suppress(ImportError):``, or a library's own way to say so (``try_import``, ``optional_imports``)."""
    calls = [one.context_expr for one in node.items if isinstance(one.context_expr, ast.Call)]
    return any(word in _called_name(call).lower() for call in calls for word in ("suppress", "try", "optional"))


def _called_name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _taken(node: ast.Import | ast.ImportFrom, kind: Kind, lines: _Lines) -> Iterator[Seen]:
    text = lines.text(node.lineno)
    if isinstance(node, ast.ImportFrom):
        names = tuple(one.name for one in node.names)
        yield Seen(node.module or "", names, node.level, kind, node.lineno, text)
        return
    for one in node.names:
        yield Seen(one.name, (), 0, kind, node.lineno, text)


def _called(syntax: ast.Module) -> Iterator[Seen]:
    """``importlib.import_module("name")``, ``__import__("name")``."""
    for node in ast.walk(syntax):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called, given = _called_name(node), node.args[0]
        if called in {"import_module", "__import__"} and _is_name(name := getattr(given, "value", None)):
            yield Seen(name, (), 0, "dynamic", node.lineno, f'{called}("{name}")'[:_LONGEST])


def _configured(syntax: ast.Module) -> Iterator[Seen]:
    """OpenMMLab's ``custom_imports = dict(imports=["package.module"])``."""
    for node in syntax.body:
        if not isinstance(node, ast.Assign) or not any(
            getattr(one, "id", "") == "custom_imports" for one in node.targets
        ):
            continue
        for one in ast.walk(node.value):
            if _is_name(name := getattr(one, "value", None)) and name != "imports":
                yield Seen(name, (), 0, "config", node.lineno, f"custom_imports: {name}"[:_LONGEST])


def _is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and all(part.isidentifier() for part in value.split("."))
