"""Expressions: a syntax tree's node in, a value out."""

from __future__ import annotations

import ast
from collections.abc import Callable
from collections.abc import Iterator as Iterating
from typing import Any

from kobako.scan.evaluate import containers, texts
from kobako.scan.evaluate.budget import MAX_ITEMS
from kobako.scan.evaluate.formatting import assembled, formatted
from kobako.scan.evaluate.operators import binary, compare, is_key, joined, put, truth
from kobako.scan.evaluate.state import State
from kobako.scan.evaluate.values import (
    Defaults,
    Doubt,
    Iterator,
    Opaque,
    Scope,
    Text,
    Unknown,
    Value,
    like,
    unknown_part,
)


def shortened(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 100 else f"{text[:97]}..."


class Expressions(State):
    """What computes the value of an expression."""

    def value(self, node: ast.expr) -> Value:
        self.spend()
        run = _EXPRESSIONS.get(type(node))
        return run(self, node) if run is not None else Unknown(type(node).__name__)

    def doubt(self, node: ast.AST) -> Doubt:
        key = ("doubt", node)
        if key not in self.memory:
            self.memory[key] = Doubt(self.frame.file, getattr(node, "lineno", 1), f"`{shortened(node)}`")
        found: Doubt = self.memory[key]
        return found

    # --- names and literals ----------------------------------------------------------------------------------------

    def constant(self, node: ast.Constant) -> Value:
        value = node.value
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        if isinstance(value, str):
            lines = (node.end_lineno or node.lineno) - node.lineno
            return Text(value, self.frame.file, node.lineno, lines != value.count("\n"))
        return value if isinstance(value, (bool, int, float, type(None))) else Unknown("a constant")

    def name(self, node: ast.Name) -> Value:
        return self.lookup(node.id)

    def lookup(self, name: str) -> Value:
        scope = self.frame.scope.find(name)
        if scope is not None:
            return scope.names[name]
        found = self.builtin(name)
        return self.fault(NameError, name) if found is None else found

    def joined_text(self, node: ast.JoinedStr) -> Value:
        parts = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                how = self.value(part.format_spec) if part.format_spec is not None else ""
                conversion = "" if part.conversion < 0 else chr(part.conversion)
                parts.append(formatted(self, self.value(part.value), how, conversion))
            else:
                parts.append(self.value(part))
        return assembled(self, parts)

    # --- displays --------------------------------------------------------------------------------------------------

    def items(self, nodes: list[ast.expr]) -> list[Value]:
        found: list[Value] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                given = self.value(node.value)
                found += [given] if isinstance(given, Unknown) else self.iterated(given) or []
            else:
                found.append(self.value(node))
        return found

    def dictionary(self, node: ast.Dict) -> Value:
        made: dict[Value, Value] = {}
        for key, item in zip(node.keys, node.values, strict=True):
            value = self.value(item)
            if key is not None:
                self.put_plainly(made, self.value(key), value)
            elif isinstance(value, dict):
                made.update(value)
                self.spend(len(value) // 10)
            else:
                made[Unknown("a key")] = Unknown("**")
        return made

    def put_plainly(self, where: dict[Value, Value], key: Value, value: Value) -> None:
        doubts, self.doubts = self.doubts, []
        put(self, where, key, value)
        self.doubts = doubts

    # --- operators -------------------------------------------------------------------------------------------------

    def truth(self, node: ast.expr) -> bool | None:
        """Whether a condition holds; None when that cannot be told."""
        if isinstance(node, ast.BoolOp):
            stop = isinstance(node.op, ast.Or)
            answer: bool | None = not stop
            for part in node.values:
                found = self.truth(part)
                if found is stop:
                    return stop
                answer = None if found is None else answer
            return answer
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            found = self.truth(node.operand)
            return None if found is None else not found
        return truth(self.value(node))

    def logic(self, node: ast.BoolOp) -> Value:
        stop = isinstance(node.op, ast.Or)
        value: Value = None
        perhaps: Value = None
        for part in node.values:
            value = self.value(part)
            found = truth(value)
            if found is None:
                perhaps = value
            elif found is stop:
                break
        return value if perhaps is None else joined(self, perhaps, value, self.doubt(node))

    def unary(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            found = self.truth(node.operand)
            return Unknown("not") if found is None else not found
        value = self.value(node.operand)
        if isinstance(value, (int, float)):
            if isinstance(node.op, ast.Invert):
                return ~value if isinstance(value, int) else self.fault(TypeError)
            return -value if isinstance(node.op, ast.USub) else value
        return value if isinstance(value, Unknown) else self.fault(TypeError)

    def comparison(self, node: ast.Compare) -> Value:
        left = self.value(node.left)
        answer: Value = True
        for operation, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node)
            found = compare(self, operation, left, right)
            if found is False:
                return False
            answer = answer if found is True else found
            left = right
        return answer

    def choice(self, node: ast.IfExp) -> Value:
        found = self.truth(node.test)
        if found is not None:
            return self.value(node.body if found else node.orelse)
        doubt = self.doubt(node.test)
        return joined(self, self.value(node.body), self.value(node.orelse), doubt)

    # --- parts of values -------------------------------------------------------------------------------------------

    def attribute_node(self, node: ast.Attribute) -> Value:
        return self.attribute(self.value(node.value), node.attr)

    def subscript(self, node: ast.Subscript) -> Value:
        value = self.value(node.value)
        if isinstance(node.slice, ast.Slice):
            return self.sliced(value, node.slice)
        return self.item(value, self.value(node.slice))

    def item(self, value: Value, key: Value) -> Value:
        if isinstance(value, Unknown):
            return unknown_part(value)
        if isinstance(key, Unknown):
            return unknown_part(key)
        if isinstance(value, dict):
            return self.entry(value, key)
        if isinstance(value, (str, list, tuple)):
            if not isinstance(key, int):
                return self.fault(TypeError)
            if not -len(value) <= key < len(value):
                return self.fault(IndexError, "index out of range")
            at = key % len(value)
            self.spend(at // 500)
            return like(value[key], value, at) if isinstance(value, str) else value[key]
        if isinstance(value, Opaque):
            method = self.attribute(value, "__getitem__")
            return Unknown("[]") if isinstance(method, Unknown) else self.call(method, [key])
        return Unknown("[]")

    def entry(self, value: dict[Value, Value], key: Value) -> Value:
        if is_key(key) and key in value:
            return value[key]
        if isinstance(value, Defaults) and value.factory is not None and is_key(key):
            value[key] = self.call(value.factory, [])
            return value[key]
        self.spend(len(value) // 20)
        if any(isinstance(one, Unknown) for one in value):
            return Unknown("[]")
        return self.fault(KeyError, str(key)[:200] if isinstance(key, str) else "")

    def sliced(self, value: Value, node: ast.Slice) -> Value:
        bounds = [None if part is None else self.value(part) for part in (node.lower, node.upper, node.step)]
        if isinstance(value, Iterator) or not isinstance(value, (str, list, tuple)):
            return value if isinstance(value, Unknown) else Unknown("[:]")
        if not all(bound is None or isinstance(bound, int) for bound in bounds):
            return next((bound for bound in bounds if isinstance(bound, Unknown)), Unknown("[:]"))
        if bounds[2] == 0:
            return self.fault(ValueError)
        found = value[slice(*bounds)]
        start = slice(*bounds).indices(len(value))[0]
        self.spend(len(found) // 50 + start // 500)
        return like(found, value, start) if isinstance(found, str) else found

    # --- going through values --------------------------------------------------------------------------------------

    def iterated(self, value: Value) -> list[Value] | None:
        """The items of a value; None when they are not known."""
        if isinstance(value, Opaque) and not isinstance(value, Iterator):
            made = self.attribute(value, "__iter__")
            value = made if isinstance(made, Unknown) else self.call(made, [])
        found = texts.items_of(value)
        if found is not None:
            self.spend(len(found) if isinstance(value, (set, frozenset)) else len(found) // 8)
        return found

    def unknown_item(self, value: Value) -> Unknown:
        """An item of a value whose items are not known."""
        if isinstance(value, Opaque):
            made = self.attribute(value, "__iter__")
            value = made if isinstance(made, Unknown) else self.call(made, [])
        return unknown_part(value)

    def comprehension(self, node: Any) -> Value:
        found: list[Value] = []
        frame = self.frame
        outer, frame.scope = frame.scope, Scope(frame.scope)
        try:
            for _ in self.rounds(node.generators):
                if isinstance(node, ast.DictComp):
                    found.append((self.value(node.key), self.value(node.value)))
                else:
                    found.append(self.tag(self.value(node.elt)))
                if len(found) > MAX_ITEMS:
                    return Unknown("a long list")
        finally:
            frame.scope = outer
        return self.collected(node, found)

    def collected(self, node: Any, found: list[Value]) -> Value:
        if isinstance(node, ast.DictComp):
            made: dict[Value, Value] = {}
            for key, item in found:
                self.put_plainly(made, key, item)
            return made
        if isinstance(node, ast.SetComp):
            return containers.made_set(self, found)
        return Iterator(found) if isinstance(node, ast.GeneratorExp) else found

    def rounds(self, generators: list[ast.comprehension]) -> Iterating[None]:
        """Each round of a comprehension, with its names bound; in doubt where a condition is not known."""
        if not generators:
            yield
            return
        first, *rest = generators
        value = self.value(first.iter)
        items = self.iterated(value)
        for item in [self.unknown_item(value)] if items is None else items:
            self.spend()
            self.bind(first.target, item)
            answers = [self.truth(test) for test in first.ifs]
            if False in answers:
                continue
            if None not in answers:
                yield from self.rounds(rest)
                continue
            self.doubts.append(self.doubt(first.ifs[answers.index(None)]))
            try:
                yield from self.rounds(rest)
            finally:
                self.doubts.pop()

    def named(self, node: ast.NamedExpr) -> Value:
        value = self.value(node.value)
        self.bind(node.target, value)
        return value

    def yielded(self, node: ast.Yield) -> Value:
        value = self.value(node.value) if node.value is not None else None
        if self.frame.yields is not None and len(self.frame.yields) < MAX_ITEMS:
            self.frame.yields.append(self.tag(value))
        return None

    def yielded_from(self, node: ast.YieldFrom) -> Value:
        value = self.value(node.value)
        items = [value] if isinstance(value, Unknown) else self.iterated(value) or []
        if self.frame.yields is not None and len(self.frame.yields) + len(items) < MAX_ITEMS:
            self.frame.yields += self.tagged(items)
        return None

    def starred(self, node: ast.Starred) -> Value:
        return self.value(node.value)


_EXPRESSIONS: dict[type, Callable[[Any, Any], Value]] = {
    ast.Constant: Expressions.constant,
    ast.Name: Expressions.name,
    ast.JoinedStr: Expressions.joined_text,
    ast.List: lambda machine, node: machine.items(node.elts),
    ast.Tuple: lambda machine, node: tuple(machine.items(node.elts)),
    ast.Set: lambda machine, node: containers.made_set(machine, machine.items(node.elts)),
    ast.Dict: Expressions.dictionary,
    ast.BinOp: lambda machine, node: binary(machine, node.op, machine.value(node.left), machine.value(node.right)),
    ast.BoolOp: Expressions.logic,
    ast.UnaryOp: Expressions.unary,
    ast.Compare: Expressions.comparison,
    ast.IfExp: Expressions.choice,
    ast.Attribute: Expressions.attribute_node,
    ast.Subscript: Expressions.subscript,
    ast.ListComp: Expressions.comprehension,
    ast.SetComp: Expressions.comprehension,
    ast.DictComp: Expressions.comprehension,
    ast.GeneratorExp: Expressions.comprehension,
    ast.NamedExpr: Expressions.named,
    ast.Yield: Expressions.yielded,
    ast.YieldFrom: Expressions.yielded_from,
    ast.Await: lambda machine, node: machine.value(node.value),
    ast.Starred: Expressions.starred,
    # calls and functions are looked up by name: a class further down carries them out
    ast.Call: lambda machine, node: machine.call_node(node),
    ast.Lambda: lambda machine, node: machine.lambda_(node),
}
