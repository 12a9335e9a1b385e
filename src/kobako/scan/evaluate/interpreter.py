"""The whole evaluation: names, imports, other files of the repository, and what the script called ``setup`` with."""

# ruff: noqa: ARG001, ARG005 - functions that stand in one table share one signature

from __future__ import annotations

import ast
import posixpath
import sys
from typing import Any, NamedTuple

from kobako.scan.code.modules import parse
from kobako.scan.evaluate.budget import LOOK, MAX_MODULES, Exhausted
from kobako.scan.evaluate.builtins import FUNCTIONS
from kobako.scan.evaluate.files import opened
from kobako.scan.evaluate.modules import MODULES
from kobako.scan.evaluate.state import ROOT, Frame, SetupCall, State
from kobako.scan.evaluate.statements import Statements
from kobako.scan.evaluate.values import Function, Namespace, Native, Raised, Scope, Text, Unknown, Value
from kobako.scan.tree import Tree

PYTHON = (3, 10)
_MOST_FRAMES = 20
_MAX_NESTED = 3
"""Modules that modules import are followed this far."""

_PERHAPS = frozenset({"torch", "torchvision", "torchaudio", "numpy", "Cython", "pybind11"})
"""What a script looks for and what the base image may well hold: it is there, or it is not."""
_THERE = frozenset({"setuptools", "pkg_resources", "wheel", "pip", "distutils", "packaging"})


class Outcome(NamedTuple):
    """What an evaluation came to. ``stopped`` says why it did not come to its end."""

    calls: list[SetupCall]
    read_files: list[str]
    missed: list[str]
    stopped: str = ""


class Interpreter(Statements):
    """An evaluation of one script of the repository."""

    # --- names -----------------------------------------------------------------------------------------------------

    def builtin(self, name: str) -> Value:
        found = _BUILTINS.get(name)
        if found is None and name in MODULES and "." not in name:
            found = self.module(name)  # a star import that is not known may have bound it
        return found

    # --- imports ---------------------------------------------------------------------------------------------------

    def module(self, name: str) -> Namespace:
        """A module that is known by this name."""
        if name not in self.modules:
            self.modules[name] = MODULES[name](self)
        return self.modules[name]

    def imported(self, name: str) -> Value:
        """``import name``: a module that is known, one of the repository, or an unknown value."""
        if name in MODULES:
            return self.module(name)
        file = self.file_of_module(name)
        if file is not None:
            return self.load_file(posixpath.join(ROOT, file))
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top in _THERE:
            return Unknown(name)
        if top in _PERHAPS:
            self.may_raise(ImportError)
            return Unknown(name)
        return self.fault(ModuleNotFoundError, name)

    def file_of_module(self, name: str) -> str | None:
        """The file of a module beside the script, or below one of the usual folders."""
        self.spend(LOOK)
        path = name.replace(".", "/")
        base = self.folder[len(ROOT) + 1 :]
        for folder in (base, posixpath.join(base, "src")):
            for tail in (".py", "/__init__.py"):
                file = posixpath.join(folder, path + tail)
                if file != self.script and self.tree.is_file(file):
                    return file
        return None

    def import_(self, node: ast.Import) -> None:
        for one in node.names:
            value = self.imported(one.name)
            top, _, rest = one.name.partition(".")
            if rest and not one.asname:
                value = self.package(top, rest, value)
            self.frame.scope.names[one.asname or top] = value

    def package(self, top: str, rest: str, value: Value) -> Value:
        """``import a.b`` binds ``a``, and ``a.b`` becomes an attribute of it."""
        old = self.frame.scope.names.get(top)
        whole = old if isinstance(old, Namespace) else self.module(top) if top in MODULES else Namespace(top)
        at = whole
        *middle, last = rest.split(".")
        for part in middle:
            below = at.names.get(part)
            if not isinstance(below, Namespace):
                below = at.names[part] = Namespace(part)
            at = below
        if at.names.get(last) is None:
            at.names[last] = value
        return whole

    def import_from(self, node: ast.ImportFrom) -> None:
        name = node.module or ""
        source = self.relative(node) if node.level else self.imported(name)
        for one in node.names:
            if one.name == "*":
                self.frame.scope.names.update(source.names if isinstance(source, Namespace) else {})
            else:
                self.frame.scope.names[one.asname or one.name] = self.imported_name(source, name, one.name)

    def imported_name(self, source: Value, module: str, name: str) -> Value:
        if isinstance(source, Namespace) and name in source.names:
            return source.names[name]
        whole = f"{module}.{name}"
        if whole in MODULES or (isinstance(source, Namespace) and self.file_of_module(whole)):
            return self.imported(whole)
        return self.attribute(source, name)

    def relative(self, node: ast.ImportFrom) -> Value:
        folder = posixpath.dirname(self.frame.file)
        for _ in range(node.level - 1):
            folder = posixpath.dirname(folder)
        path = posixpath.join(folder, *(node.module or "__init__").split("."))
        for file in (f"{path}.py", f"{path}/__init__.py"):
            if self.tree.is_file(file):
                return self.load_file(posixpath.join(ROOT, file))
        return Unknown("a module")

    # --- other files -----------------------------------------------------------------------------------------------

    def load_file(self, path: str) -> Namespace:
        """A Python file of the repository, carried out as the script itself is."""
        file = self.name_of(path) or ""
        if file not in self.modules:
            made = self.modules[file] = Namespace(file, {}, file)
            nested = len({frame.file for frame in self.frames})
            if nested <= _MAX_NESTED and len(self.modules) < MAX_MODULES + len(MODULES):
                self.run_text(self.text_of_file(path), made, f"{ROOT}/{file}")
        return self.modules[file]

    def syntax_of(self, text: Value) -> ast.Module | None:
        """The syntax tree of code; None for what is none."""
        if not isinstance(text, str):
            return None
        self.spend(LOOK + len(text) // 10)
        return parse(text)

    def run_text(self, text: Value, module: Namespace, path: str) -> None:
        syntax = self.syntax_of(text)
        if syntax is None:
            return
        name = posixpath.splitext(posixpath.basename(path))[0]
        module.names.update({"__file__": path, "__name__": name, "__doc__": Unknown("__doc__")})
        file = text.file if isinstance(text, Text) else module.file
        self.run_body(syntax.body, Frame(Scope(None, module.names), file))

    def run_here(self, args: list[Value], keywords: dict[str, Value]) -> Value:
        """``exec``: almost always of a file that holds the version. Its names go where it says."""
        text = args[0]
        names = next((one for one in (*args[1:], *keywords.values()) if isinstance(one, dict)), None)
        scope = self.frame.scope if names is None else Scope(None, names)
        syntax = self.syntax_of(text) if len(self.frames) <= _MOST_FRAMES else None
        if syntax is None:
            return None
        file = text.file if isinstance(text, Text) else self.frame.file
        _move(syntax, text.line - 1 if isinstance(text, Text) else 0)
        self.run_body(syntax.body, Frame(scope, file))
        return None

    # --- the script itself -----------------------------------------------------------------------------------------

    def run_script(self, syntax: ast.Module) -> None:
        scope = Scope()
        scope.names.update({"__file__": f"{ROOT}/{self.script}", "__name__": "__main__", "__doc__": Unknown("__doc__")})
        frame = Frame(scope, self.script)
        self.run_body(syntax.body, frame)
        if not self.calls:
            self.run_functions(frame)

    def run_functions(self, frame: Frame) -> None:
        """Functions that call ``setup`` and that nobody has called, as far as could be seen."""
        for value in list(frame.scope.names.values()):
            if isinstance(value, Function) and not self.calls and calls_setup(value.node):
                self.frames.append(frame)
                try:
                    self.call(value, [])
                except Raised:
                    continue
                finally:
                    del self.frames[:]


def _move(syntax: ast.Module, lines: int) -> None:
    if lines:
        ast.increment_lineno(syntax, lines)


def calls_setup(node: ast.AST) -> bool:
    """Whether a call of something named ``setup`` stands below a node."""
    return any(
        isinstance(one, ast.Call)
        and (one.func.id if isinstance(one.func, ast.Name) else getattr(one.func, "attr", "")) == "setup"
        for one in ast.walk(node)
    )


def _open(machine: State, args: list[Value], keywords: dict[str, Value]) -> Value:
    return opened(machine, args, keywords)


def _exec(machine: Any, args: list[Value], keywords: dict[str, Value]) -> Value:
    return machine.run_here(args, keywords)


def _eval(machine: Any, args: list[Value], keywords: dict[str, Value]) -> Value:
    text = args[0]
    syntax = machine.syntax_of(text.strip()) if isinstance(text, str) else None
    if syntax is None or len(syntax.body) != 1 or not isinstance(syntax.body[0], ast.Expr):
        return Unknown("eval()")
    return machine.value(syntax.body[0].value)


def _import(machine: Any, args: list[Value], keywords: dict[str, Value]) -> Value:
    return machine.imported(str(args[0])) if isinstance(args[0], str) else Unknown("a module")


_BUILTINS: dict[str, Value] = {
    **FUNCTIONS,
    "open": Native("open", _open),
    "exec": Native("exec", _exec),
    "execfile": Native("execfile", lambda m, args, keywords: m.run_here([m.text_of_file(str(args[0])), *args[1:]], {})),
    "eval": Native("eval", _eval),
    "compile": Native("compile", lambda machine, args, keywords: args[0]),
    "__import__": Native("__import__", _import),
    "setup": Native("setup", lambda machine, args, keywords: None),
}


def evaluate(tree: Tree, script: str, syntax: ast.Module, python: tuple[int, int] = PYTHON) -> Outcome:
    """Follow a script as far as that can be done without running anything."""
    machine = Interpreter(tree, script, python)
    stopped = ""
    try:
        machine.run_script(syntax)
    except Exhausted:
        stopped = "it does more than is followed"
    except RecursionError:
        stopped = "it is nested more deeply than is followed"
    except MemoryError:
        stopped = "it holds more than is followed"
    return Outcome(machine.calls, machine.read_files, machine.missed, stopped)
