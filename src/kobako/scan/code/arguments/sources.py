"""Where a name of a script is defined: in it, or in a module of the repository that it imports."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cached_property

from kobako.scan.aside import folder_kind
from kobako.scan.code.modules import MAX_MODULE, Module, parse
from kobako.scan.tree import Tree, joined

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
MAX_MODULES, _EACH = 24, 48 * 1024
"""Modules that are read for the arguments of one script, and the characters that all of them have on an average."""


class Sources:
    """Reads modules of the repository by the name under which a module imports them, each once."""

    def __init__(self, tree: Tree, most: int = MAX_MODULES) -> None:
        self.tree = tree
        self._most = most
        self._left = most * _EACH
        self._scopes: dict[str, Scope | None] = {}
        self._files = frozenset(name for name in tree.files if name.endswith(".py"))

    def find(self, dotted: str, level: int, seen_from: str) -> Scope | None:
        """The module, or None when it is not of the repository or too many were read."""
        name = self._file(dotted.replace(".", "/"), level, seen_from)
        if name and name not in self._scopes:
            self._scopes[name] = self._read(name) if len(self._scopes) < self._most else None
        return self._scopes[name] if name else None

    def _file(self, path: str, level: int, seen_from: str) -> str:
        for name in self._names(path, level, seen_from):
            if name in self._files:
                return name
        if level or not path or path in sys.stdlib_module_names:
            return ""
        # scripts that extend sys.path import from anywhere in the repository
        fitting = [name for name in self._by_last.get(path.rpartition("/")[2], ()) if name.endswith(f"/{path}.py")]
        return fitting[0] if len(fitting) == 1 else ""

    @cached_property
    def _by_last(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self._files:
            if folder_kind(name) not in {"outside", "vendored"}:
                found.setdefault(name.rpartition("/")[2].removesuffix(".py"), []).append(name)
        return found

    def _read(self, name: str) -> Scope | None:
        text = self.tree.read(name, most=min(MAX_MODULE, self._left))
        self._left -= len(text or "")
        syntax = parse(text) if text is not None else None
        return Scope(Module(name, text, syntax), self) if text is not None and syntax is not None else None

    def _names(self, path: str, level: int, seen_from: str) -> Iterator[str]:
        folder = seen_from.rpartition("/")[0]
        if level:
            folders = [joined(folder, "../" * (level - 1)) if level > 1 else folder]
        else:  # beside the script, at the root, in src/, and in the folders between
            parts = folder.split("/") if folder else []
            folders = ["/".join(parts[:depth]) for depth in range(len(parts), -1, -1)] + ["src"]
        for each in folders:
            base = f"{each}/{path}".strip("/")
            yield f"{base}.py" if path else f"{base}/__init__.py"
            yield f"{base}/__init__.py"


class Scope:
    """A module and what its names stand for."""

    def __init__(self, module: Module, sources: Sources) -> None:
        self.module = module
        self.sources = sources

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        found: dict[str, Definition] = {}
        for node in self.module.syntax.body:
            for one in (node, *getattr(node, "body", ())):  # also below `if` and `try`
                if isinstance(one, Definition) and (one is node or not isinstance(node, Definition)):
                    found.setdefault(one.name, one)
        return found

    @cached_property
    def imported(self) -> dict[str, tuple[str, str, int]]:
        """Name -> (module, member or "", level), of imports anywhere in the module."""
        found: dict[str, tuple[str, str, int]] = {}
        for node in ast.walk(self.module.syntax):
            if isinstance(node, ast.Import):
                for one in node.names:
                    root = one.name.partition(".")[0]
                    found[one.asname or root] = (one.name if one.asname else root, "", 0)
            elif isinstance(node, ast.ImportFrom):
                for one in node.names:
                    found[one.asname or one.name] = (node.module or "", one.name, node.level)
        return found

    def dotted(self, node: ast.expr) -> str:
        """The full name behind an expression, as far as imports tell it; else as it is written."""
        if isinstance(node, ast.Attribute):
            before = self.dotted(node.value)
            return f"{before}.{node.attr}" if before else node.attr
        if isinstance(node, ast.Name):
            module, member, _ = self.imported.get(node.id, (node.id, "", 0))
            return f"{module}.{member}" if member else module
        return ""

    def resolve(self, node: ast.expr, depth: int = 0) -> tuple[Scope, Definition] | None:
        """The function or class of the repository that an expression names, with the module that defines it."""
        if depth > 4:
            return None
        if isinstance(node, ast.Name):
            return self._by_name(node.id, depth)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            inner = self._module(node.value)
            return inner.resolve(ast.Name(node.attr), depth + 1) if inner is not None else None
        return None

    def _by_name(self, name: str, depth: int) -> tuple[Scope, Definition] | None:
        if name in self.definitions:
            return self, self.definitions[name]
        module, member, level = self.imported.get(name, ("", "", 0))
        if not member:
            return None
        inner = self.sources.find(module, level, self.module.name)
        return inner.resolve(ast.Name(member), depth + 1) if inner is not None else None

    def _module(self, node: ast.expr) -> Scope | None:
        """The module of the repository that an expression stands for."""
        if isinstance(node, ast.Attribute):
            parts: list[str] = [node.attr]
            inner = node.value
            while isinstance(inner, ast.Attribute):
                parts.append(inner.attr)
                inner = inner.value
            if not isinstance(inner, ast.Name) or inner.id not in self.imported:
                return None
            return self.sources.find(".".join((self.imported[inner.id][0], *reversed(parts))), 0, self.module.name)
        if not isinstance(node, ast.Name) or node.id not in self.imported:
            return None
        module, member, level = self.imported[node.id]
        path = f"{module}.{member}".strip(".") if member else module
        return self.sources.find(path, level, self.module.name)

    def value_module(self, name: str) -> Scope | None:
        """The module that binds a name which this one imports (``from options import parser``)."""
        module, member, level = self.imported.get(name, ("", "", 0))
        inner = self.sources.find(module, level, self.module.name) if member else None
        return inner if inner is not None and member not in inner.definitions else None
