"""Statements, and modules made of them.

Where a condition is not known both branches are carried out, each from the state before it, and what they did is put
together: of lists everything that either adds, of other values that they may be either. Nothing is taken away then.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from kobako.scan.evaluate import containers
from kobako.scan.evaluate.calls import Calls, last_name
from kobako.scan.evaluate.expressions import shortened
from kobako.scan.evaluate.operators import MISSING, binary, joined, put
from kobako.scan.evaluate.state import Guard
from kobako.scan.evaluate.values import (
    Class,
    Doubt,
    Instance,
    Iterator,
    Left,
    Namespace,
    Raised,
    Returned,
    Scope,
    Unknown,
    Value,
)

_ABANDONED = "abandoned"


class Statements(Calls):
    """What carries out statements."""

    def block(self, body: list[ast.stmt]) -> None:
        for node in body:
            self.spend()
            run = _STATEMENTS.get(type(node))
            if run is not None:
                run(self, node)

    def expression(self, node: ast.Expr) -> None:
        self.value(node.value)

    # --- assignments -----------------------------------------------------------------------------------------------

    def assign(self, node: ast.Assign) -> None:
        value = self.value(node.value)
        for target in node.targets:
            self.bind(target, value)

    def assign_annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.bind(node.target, self.value(node.value))

    def assign_augmented(self, node: ast.AugAssign) -> None:
        old = self.value(node.target)
        value = self.value(node.value)
        if isinstance(old, list) and isinstance(node.op, ast.Add):
            containers.extend(self, old, [value], {})
        elif isinstance(old, dict) and isinstance(node.op, ast.BitOr):
            containers.update(self, old, [value], {})
        else:
            self.bind(node.target, binary(self, node.op, old, value))

    def bind(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.scope_of(target.id).names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            self.unpack(target.elts, value)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value)
        elif isinstance(target, ast.Attribute):
            self.bind_attribute(self.value(target.value), target.attr, value)
        elif isinstance(target, ast.Subscript):
            self.bind_item(target, value)

    def scope_of(self, name: str) -> Scope:
        scope = self.frame.scope
        if name in scope.shared and scope.outer is not None:
            return scope.outer.find(name) or scope.outer
        return scope

    def unpack(self, targets: list[ast.expr], value: Value) -> None:
        items = self.iterated(value)
        star = next((at for at, one in enumerate(targets) if isinstance(one, ast.Starred)), None)
        if items is None or (star is None and len(items) != len(targets)) or len(items) < len(targets) - 1:
            if items is not None:
                self.fault(ValueError, "too many or not enough values to unpack")
            items = [value if isinstance(value, Unknown) else Unknown("an item") for _ in targets]
        elif star is not None:
            after = len(targets) - star - 1
            end = len(items) - after
            items = [*items[:star], items[star:end], *items[end:]]
        for target, item in zip(targets, items, strict=False):
            self.bind(target, item)

    def bind_attribute(self, owner: Value, name: str, value: Value) -> None:
        if isinstance(owner, (Instance, Namespace, Class)):
            owner.names[name] = self.tag(value)

    def bind_item(self, target: ast.Subscript, value: Value) -> None:
        owner = self.value(target.value)
        if isinstance(target.slice, ast.Slice):
            self.bind_slice(owner, target.slice, value)
            return
        key = self.value(target.slice)
        if isinstance(owner, dict):
            put(self, owner, key, value)
        elif isinstance(owner, list) and isinstance(key, int) and -len(owner) <= key < len(owner):
            owner[key] = joined(self, owner[key], value, self.doubts[-1]) if self.doubts else value
        elif isinstance(owner, list):
            owner[:] = [Unknown("an item") for _ in owner]

    def bind_slice(self, owner: Value, where: ast.Slice, value: Value) -> None:
        items = self.iterated(value)
        if isinstance(owner, list) and where.lower is None and where.upper is None and items is not None:
            owner[:] = joined(self, list(owner), items, self.doubts[-1]) if self.doubts else items
        elif isinstance(owner, list):
            owner.append(Unknown("an item"))

    def delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if self.doubts:
                continue
            if isinstance(target, ast.Name):
                self.frame.scope.names.pop(target.id, None)
            elif isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Slice):
                owner, key = self.value(target.value), self.value(target.slice)
                if isinstance(owner, (dict, list)) and not isinstance(key, Unknown):
                    self.call(self.attribute(owner, "pop"), [key])

    def share(self, node: Any) -> None:
        self.frame.scope.shared.update(node.names)

    # --- branches and loops ----------------------------------------------------------------------------------------

    def if_(self, node: ast.If) -> None:
        found = self.truth(node.test)
        if found is None:
            self.both(node.body, node.orelse, self.doubt(node.test))
        else:
            self.block(node.body if found else node.orelse)

    def both(self, body: list[ast.stmt], orelse: list[ast.stmt], doubt: Doubt) -> None:
        """Two branches of which one is taken: both are, and what they bound is put together."""
        scope = self.frame.scope
        before = dict(scope.names)
        self.spend(len(before) // 5)
        first_end = self.branch(body, doubt)
        first = scope.names
        scope.names = dict(before)
        second_end = self.branch(orelse, doubt)
        second = scope.names
        self.merge(scope, (first, second, before), (first_end, second_end), doubt)
        if first_end and second_end:
            raise second_end if not isinstance(second_end, Returned) else self.returned_at_last()

    def returned_at_last(self) -> Returned:
        return Returned(self.frame.maybe.pop()[0] if self.frame.maybe else None)

    def merge(self, scope: Scope, names: tuple[dict[str, Value], ...], ends: tuple[Any, Any], doubt: Doubt) -> None:
        first, second, before = names
        if ends[0] and ends[1]:
            scope.names = before
        elif ends[0] or ends[1]:
            scope.names = second if ends[0] else first
        else:
            scope.names = first
            for name in {**first, **second}:
                one, other = first.get(name, MISSING), second.get(name, MISSING)
                if one is not other:
                    first[name] = other if one is MISSING else joined(self, one, other, doubt)

    def branch(self, body: list[ast.stmt], doubt: Doubt) -> Exception | None:
        """Carry out a branch that may not be taken; how it ended, when not at its end."""
        self.doubts.append(doubt)
        depth = len(self.doubts)
        try:
            self.block(body)
        except Returned as returned:
            self.frame.maybe.append((returned.value, doubt))
            return returned
        except Left as left:
            return left
        finally:
            del self.doubts[depth - 1 :]
        return None

    def for_(self, node: Any) -> None:
        value = self.value(node.iter)
        if isinstance(value, Iterator):
            self.for_each(node, _consumed(value))
            return
        items = self.iterated(value)
        if items is None:
            self.perhaps(node, self.unknown_item(value))
        else:
            self.for_each(node, iter(items))

    def for_each(self, node: Any, items: Any) -> None:
        for item in items:
            self.spend()
            self.bind(node.target, item)
            try:
                self.block(node.body)
            except Left as left:
                if left.how == "break":
                    return
                if left.how != "continue":
                    raise
        self.block(node.orelse)

    def perhaps(self, node: Any, item: Value) -> None:
        """A loop over what is not known: its body once, in doubt."""
        self.bind(node.target, item)
        self.both(node.body, [], self.doubt(node.iter))

    def while_(self, node: ast.While) -> None:
        while True:
            self.spend()
            found = self.truth(node.test)
            if found is None:
                self.both(node.body, [], self.doubt(node.test))
                return
            if not found:
                self.block(node.orelse)
                return
            try:
                self.block(node.body)
            except Left as left:
                if left.how == "break":
                    return
                if left.how != "continue":
                    raise

    def leave_(self, node: ast.stmt) -> None:
        raise Left("break" if isinstance(node, ast.Break) else "continue")

    def return_(self, node: ast.Return) -> None:
        raise Returned(self.tag(self.value(node.value)) if node.value is not None else None)

    def match(self, node: Any) -> None:
        self.value(node.subject)
        for case in node.cases:
            self.both(case.body, [], self.doubt(node.subject))

    # --- exceptions ------------------------------------------------------------------------------------------------

    def raise_(self, node: ast.Raise) -> None:
        kind = self.value(node.exc) if node.exc is not None else Exception
        if isinstance(kind, Instance):
            kind = kind.kind
        self.throw(kind)

    def throw(self, kind: Value) -> None:
        """An exception. No script is published that fails: where none handles it, no more than its function is left."""
        if isinstance(kind, Class) and len(kind.bases) == 1 and isinstance(kind.bases[0], type):
            kind = kind.bases[0] if not kind.names else kind
        if self.doubts:
            self.may_raise(kind)
            raise Left(_ABANDONED)
        if self.guard(kind) is not None:
            raise Raised(kind)
        if self.frame.is_function:
            raise Returned(Unknown("an exception"))

    def assert_(self, node: ast.Assert) -> None:
        if self.guard(AssertionError) is not None and self.truth(node.test) is False:
            self.throw(AssertionError)

    def try_(self, node: Any) -> None:
        guard = Guard([self.value(one.type) if one.type is not None else BaseException for one in node.handlers])
        frames = len(self.frames)
        self.guards.append(guard)
        depth = len(self.guards)
        try:
            self.block(node.body)
        except Raised as raised:
            del self.frames[frames:], self.guards[depth - 1 :]
            if not guard.takes(raised.kind):
                raise
            self.handle(node, guard, raised)
        except Returned as returned:
            if not guard.maybe:
                raise
            del self.guards[depth - 1 :]
            self.frame.maybe.append((returned.value, self.doubt(node.body[0])))
            self.handle_perhaps(node, guard)
            raise self.returned_at_last() from None
        else:
            del self.guards[depth - 1 :]
            self.block(node.orelse)
        finally:
            del self.guards[depth - 1 :]
            self.block(node.finalbody)
        self.handle_perhaps(node, guard)

    def handle(self, node: Any, guard: Guard, raised: Raised) -> None:
        for handler, kind in zip(node.handlers, guard.kinds, strict=True):
            if Guard([kind]).takes(raised.kind):
                if handler.name:
                    self.frame.scope.names[handler.name] = Unknown("an exception")
                self.block(handler.body)
                return

    def handle_perhaps(self, node: Any, guard: Guard) -> None:
        """The handlers of what may have been raised, in doubt."""
        for kind in guard.maybe[:3]:
            for handler, handled in zip(node.handlers, guard.kinds, strict=True):
                if Guard([handled]).takes(kind):
                    if handler.name:
                        self.frame.scope.names[handler.name] = Unknown("an exception")
                    doubt = Doubt(self.frame.file, handler.lineno, f"whether `{shortened(node.body[0])}` fails")
                    self.both(handler.body, [], doubt)
                    break

    def with_(self, node: Any) -> None:
        for item in node.items:
            call = item.context_expr
            if isinstance(call, ast.Call) and last_name(call.func) == "suppress":
                handler = ast.ExceptHandler(ast.Tuple(call.args), None, [], lineno=node.lineno)
                self.try_(ast.Try(node.body, [handler], [], []))
                return
            value = self.value(item.context_expr)
            if isinstance(value, Iterator):  # a context manager that is a generator: what it yields
                value = (value.rest() or [None])[0]
            elif isinstance(value, Instance) and value.kind.lookup("__enter__") is not None:
                value = self.call(self.attribute(value, "__enter__"), [])
            if item.optional_vars is not None:
                self.bind(item.optional_vars, value)
        self.block(node.body)


def _consumed(value: Iterator) -> Any:
    while value.at < len(value.items):
        value.at += 1
        yield value.items[value.at - 1]


_STATEMENTS: dict[type, Callable[[Any, Any], None]] = {
    ast.Assign: Statements.assign,
    ast.AnnAssign: Statements.assign_annotated,
    ast.AugAssign: Statements.assign_augmented,
    ast.Delete: Statements.delete,
    ast.Expr: Statements.expression,
    ast.If: Statements.if_,
    ast.For: Statements.for_,
    ast.While: Statements.while_,
    ast.Break: Statements.leave_,
    ast.Continue: Statements.leave_,
    ast.Return: Statements.return_,
    ast.Raise: Statements.raise_,
    ast.Assert: Statements.assert_,
    ast.Try: Statements.try_,
    ast.With: Statements.with_,
    ast.FunctionDef: Statements.define,
    ast.ClassDef: Statements.define_class,
    ast.Global: Statements.share,
    ast.Nonlocal: Statements.share,
    ast.Import: lambda machine, node: machine.import_(node),
    ast.ImportFrom: lambda machine, node: machine.import_from(node),
    ast.Match: Statements.match,
}
