"""Functions, classes and modules of the script and those that are known: defined, called, and looked into."""

from __future__ import annotations

import ast
from typing import Any

from kobako.scan.evaluate import containers, texts
from kobako.scan.evaluate.budget import MAX_CALLS, MAX_SETUPS, weight
from kobako.scan.evaluate.expressions import Expressions
from kobako.scan.evaluate.operators import FAILURES, joined
from kobako.scan.evaluate.state import Frame, SetupCall
from kobako.scan.evaluate.values import (
    Bound,
    Class,
    Function,
    Instance,
    Iterator,
    Left,
    Native,
    Opaque,
    Raised,
    Returned,
    Scope,
    Unknown,
    Value,
    VersionInfo,
    unknown_part,
)

_VERSION_NAMES = ("major", "minor", "micro", "releaselevel", "serial")
_KNOWN_DECORATORS = frozenset({"staticmethod", "classmethod", "property"})


class Calls(Expressions):
    """What calls functions."""

    def call_node(self, node: ast.Call) -> Value:
        function = self.value(node.func)
        args = self.items(node.args)
        keywords: dict[str, Value] = {}
        lines: dict[str, int] = {}
        for keyword in node.keywords:
            value = self.value(keyword.value)
            if keyword.arg is not None:
                keywords[keyword.arg] = value
                lines[keyword.arg] = keyword.value.lineno
            elif isinstance(value, dict):
                self.spend(len(value) // 10)
                keywords.update({key: item for key, item in value.items() if isinstance(key, str)})
                if any(isinstance(key, Unknown) for key in value):
                    keywords["**"] = Unknown("**")
            else:
                keywords["**"] = value
        if _is_setup(node, function):
            return self.set_up(node, keywords, lines)
        keywords.pop("**", None)
        return self.call(function, args, keywords)

    def set_up(self, node: ast.Call, keywords: dict[str, Value], lines: dict[str, int]) -> Value:
        doubt = self.doubts[-1] if self.doubts else None
        if len(self.calls) < MAX_SETUPS:
            self.calls.append(SetupCall(self.frame.file, node.lineno, keywords, lines, doubt))
        return Unknown("setup()")

    def call(self, function: Value, args: list[Value], keywords: dict[str, Value] | None = None) -> Value:
        self.spend()
        given = keywords or {}
        if isinstance(function, Bound):
            return self.call(function.function, [function.owner, *args], given)
        if isinstance(function, Native):
            return self.call_native(function, args, given)
        if isinstance(function, Function):
            return self.call_function(function, args, given)
        if isinstance(function, Class):
            return self.made(function, args, given)
        if isinstance(function, type):  # an exception
            return Instance(Class(function.__name__, (function,), {}), {"args": tuple(args)})
        if isinstance(function, Instance):
            method = function.kind.lookup("__call__")
            return self.call(method, [function, *args], given) if method is not None else Unknown("a call")
        return unknown_part(function)

    def call_native(self, function: Native, args: list[Value], keywords: dict[str, Value]) -> Value:
        self.spend(weight(args) + sum(map(weight, args)) + sum(map(weight, keywords.values())))
        try:
            made = function.run(self, args, keywords)
        except FAILURES as error:  # what the script gave is not what the function takes
            return self.fault(type(error), str(error)[:200])
        self.spend(weight(made))
        return made

    # --- functions of the script -----------------------------------------------------------------------------------

    def function(self, node: Any) -> Function:
        """The function that a definition makes, with its defaults as they are now."""
        made = Function(node, self.frame.scope, self.frame.file)
        given = node.args
        positional = [*given.posonlyargs, *given.args]
        for argument, default in zip(positional[len(positional) - len(given.defaults) :], given.defaults, strict=True):
            made.defaults[argument.arg] = self.value(default)
        for argument, keyword_default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
            if keyword_default is not None:
                made.defaults[argument.arg] = self.value(keyword_default)
        made.yields = not isinstance(node, ast.Lambda) and _yields(node.body)
        names = {last_name(one) for one in getattr(node, "decorator_list", [])}
        made.flags = frozenset(names & _KNOWN_DECORATORS)
        return made

    def lambda_(self, node: ast.Lambda) -> Value:
        return self.function(node)

    def call_function(self, function: Function, args: list[Value], keywords: dict[str, Value]) -> Value:
        if len(self.frames) > MAX_CALLS:
            return Unknown("a deep call")
        self.spend(weight(args) + weight(keywords))
        scope = Scope(function.scope)
        self.fill(function, scope, args, keywords)
        frame = Frame(scope, function.file, True, [] if function.yields else None, function.owner)  # noqa: FBT003
        self.frames.append(frame)
        doubts = list(self.doubts)
        try:
            value = self.body(function)
        finally:
            self.frames.pop()
            self.doubts[:] = doubts
        if frame.yields is not None:
            return Iterator(frame.yields)
        for other, doubt in frame.maybe:
            value = joined(self, value, other, doubt)
        return value

    def body(self, function: Function) -> Value:
        if isinstance(function.node, ast.Lambda):
            return self.value(function.node.body)
        try:
            self.block(function.node.body)
        except Returned as returned:
            return returned.value
        return None if not self.frame.maybe else self.frame.maybe.pop()[0]

    def fill(self, function: Function, scope: Scope, args: list[Value], keywords: dict[str, Value]) -> None:
        """Bind a function's arguments. Those that are missing are not known."""
        given = function.node.args
        names = [argument.arg for argument in (*given.posonlyargs, *given.args)]
        bound = scope.names
        bound.update(zip(names, args, strict=False))
        rest = dict(keywords)
        for name in (*names, *(argument.arg for argument in given.kwonlyargs)):
            if name in rest:
                bound[name] = rest.pop(name)
            elif name not in bound:
                bound[name] = function.defaults.get(name, Unknown(f"the argument {name}"))
        if given.vararg is not None:
            bound[given.vararg.arg] = tuple(args[len(names) :])
        if given.kwarg is not None:
            bound[given.kwarg.arg] = rest

    # --- classes of the script -------------------------------------------------------------------------------------

    def made(self, kind: Class, args: list[Value], keywords: dict[str, Value]) -> Value:
        """An object of a class."""
        instance = Instance(kind)
        start = kind.lookup("__init__")
        if start is not None:
            self.call(start, [instance, *args], keywords)
        elif args or keywords:  # a data class, or one with a base that is not known
            return Unknown(kind.name)
        return instance

    # --- attributes ------------------------------------------------------------------------------------------------

    def attribute(self, value: Value, name: str) -> Value:
        self.spend()
        if isinstance(value, Unknown):
            return unknown_part(value)
        if isinstance(value, str):
            return texts.method(value, name)
        if isinstance(value, VersionInfo) and name in _VERSION_NAMES:
            return value[_VERSION_NAMES.index(name)]
        if isinstance(value, (list, dict, set, frozenset, tuple)):
            return containers.method(value, name)
        if isinstance(value, Instance):
            return self.attribute_of_instance(value, name)
        if isinstance(value, Class):
            found = value.lookup(name)
            if isinstance(found, Function) and "classmethod" in found.flags:
                return Bound(found, value)
            return self.missing(value, name) if found is None else found
        return value.get(self, name) if isinstance(value, Opaque) else Unknown(f".{name}")

    def attribute_of_instance(self, value: Instance, name: str) -> Value:
        if name in value.names:
            return value.names[name]
        found = value.kind.lookup(name)
        if isinstance(found, Function):
            if "staticmethod" in found.flags:
                return found
            owner = value.kind if "classmethod" in found.flags else value
            return self.call(found, [value]) if "property" in found.flags else Bound(found, owner)
        if isinstance(found, Native) and found.kind is None:
            return Bound(found, value)
        return self.missing(value.kind, name) if found is None else found

    def missing(self, kind: Class, name: str) -> Value:
        """An attribute that a class of the script lacks. With a base that is not known, it may be there."""
        is_whole = all(isinstance(base, Class) for base in kind.bases)
        return self.fault(AttributeError, name) if is_whole else Unknown(f".{name}")

    # --- definitions -----------------------------------------------------------------------------------------------

    def define(self, node: Any) -> None:
        self.bind(ast.Name(node.name), self.function(node))

    def define_class(self, node: ast.ClassDef) -> None:
        bases = tuple(self.value(base) for base in node.bases)
        frame = self.frame
        outer, frame.scope = frame.scope, Scope(frame.scope)
        try:
            self.block([one for one in node.body if not isinstance(one, ast.Return)])
            names = frame.scope.names
        finally:
            frame.scope = outer
        made = Class(node.name, bases, names)
        for value in names.values():
            if isinstance(value, Function):
                value.owner = made
                value.scope = outer  # the names of a class are no names inside its functions
        self.bind(ast.Name(node.name), made)

    # --- modules ---------------------------------------------------------------------------------------------------

    def run_body(self, body: list[ast.stmt], frame: Frame) -> None:
        """The statements of a module. One that fails is passed over: what it would have bound is not known."""
        self.frames.append(frame)
        depth = len(self.frames)
        guards, self.guards = self.guards, []
        doubts, self.doubts = self.doubts, []
        try:
            for node in body:
                try:
                    self.block([node])
                except (Raised, Returned, Left):
                    continue
        finally:
            del self.frames[depth - 1 :]
            self.guards, self.doubts = guards, doubts


def _is_setup(node: ast.Call, function: Value) -> bool:
    """Whether a call is that of ``setup``: the one that is known, or whatever bears that name and is not known."""
    if isinstance(function, Native):
        return function.name == "setup"
    if not isinstance(function, Unknown):
        return False
    return last_name(node.func) == "setup" and (bool(node.keywords) or isinstance(node.func, ast.Name))


def last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _yields(body: list[ast.stmt]) -> bool:
    todo: list[ast.AST] = list(body)
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            todo += ast.iter_child_nodes(node)
    return False
