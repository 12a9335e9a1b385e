"""Operators, comparisons and truth, over values some of which are not known."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from itertools import islice
from typing import Any

from kobako.scan.evaluate.budget import MAX_BITS, MAX_ITEMS, MAX_KEYS, MAX_TEXT
from kobako.scan.evaluate.formatting import percent
from kobako.scan.evaluate.state import State, doubtful
from kobako.scan.evaluate.values import (
    Defaults,
    Doubt,
    Instance,
    Iterator,
    Opaque,
    Text,
    Unknown,
    Value,
    leading,
    like,
)

FAILURES = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
_MAX_DEPTH = 6

_NUMBERS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
}
_SETS = (ast.Sub, ast.BitOr, ast.BitAnd, ast.BitXor)
_ORDER: dict[type, Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def binary(machine: State, operation: ast.operator, left: Value, right: Value) -> Value:
    """``left operation right``."""
    machine.spend()
    if isinstance(operation, ast.Add) and isinstance(left, list):
        return added(machine, left, right)
    if isinstance(operation, ast.Mod) and isinstance(left, str):
        return percent(machine, left, right)
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        if isinstance(operation, ast.Add) and isinstance(right, list):
            return [left, *right]
        return left if isinstance(left, Unknown) else right
    try:
        return _binary(machine, operation, left, right)
    except FAILURES as error:
        return machine.fault(type(error), str(error)[:200])


def _binary(machine: State, operation: ast.operator, left: Value, right: Value) -> Value:
    kind = type(operation)
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return _number(kind, left, right)
    if isinstance(left, str) and isinstance(right, str) and kind is ast.Add:
        return concatenated(machine, [left, right])
    if kind is ast.Mult and (isinstance(left, int) or isinstance(right, int)):
        return _repeated(machine, left, right)
    if isinstance(left, tuple) and isinstance(right, tuple) and kind is ast.Add:
        return tuple(added(machine, list(left), right))
    if kind is ast.Div and (isinstance(left, Opaque) or isinstance(right, Opaque)):
        return _path(machine, left, right)
    if isinstance(left, (set, frozenset)) and isinstance(right, (set, frozenset)) and kind in _SETS:
        machine.spend(len(left) + len(right))
        return _NUMBERS[kind](left, right)
    if isinstance(left, dict) and isinstance(right, dict) and kind is ast.BitOr:
        machine.spend(len(left) + len(right))
        return {**left, **right}
    return machine.fault(TypeError) if _plain(left) and _plain(right) else Unknown("an operator")


def _plain(value: Value) -> bool:
    return not isinstance(value, (Opaque, type))


def _number(kind: type, left: Any, right: Any) -> Value:
    if kind not in _NUMBERS:
        return Unknown("an operator")
    return bounded_number(_NUMBERS[kind](left, right))


def bounded_number(value: Any) -> Value:
    return Unknown("a large number") if isinstance(value, int) and value.bit_length() > MAX_BITS else value


def _repeated(machine: State, left: Value, right: Value) -> Value:
    times, what = (left, right) if isinstance(left, int) else (right, left)
    if not isinstance(what, (str, list, tuple)):
        return machine.fault(TypeError)
    if len(what) * max(times, 0) > (MAX_TEXT if isinstance(what, str) else MAX_ITEMS):
        return Unknown("a large value")
    found = what * times
    machine.spend(len(found) // 10)
    return like(found, what) if isinstance(found, str) else found


def _path(machine: State, left: Value, right: Value) -> Value:
    if isinstance(left, Opaque):
        return machine.call(machine.attribute(left, "joinpath"), [right])
    made = machine.call(machine.attribute(right, "_under"), [left])
    return made if isinstance(right, Opaque) else Unknown("an operator")


def added(machine: State, left: list[Value], right: Value) -> Value:
    """A list and whatever is added to it. What is not known stays in the list as one item that is not known."""
    if isinstance(right, Unknown):
        return [*left, right]
    if isinstance(right, Iterator):
        right = right.rest()
    if not isinstance(right, (list, tuple)):
        return machine.fault(TypeError)
    if len(left) + len(right) > MAX_ITEMS:
        return Unknown("a long list")
    machine.spend((len(left) + len(right)) // 10)
    return [*left, *right]


def concatenated(machine: State, parts: list[str]) -> Value:
    """Strings put together; the whole stands where the first part of it stands that says something."""
    size = sum(len(part) for part in parts)
    if size > MAX_TEXT:
        return Unknown("a long text")
    machine.spend(size // 100)
    whole = "".join(parts)
    source = leading(parts)
    if isinstance(source, Text):
        flat = source.flat or len(parts) > 1
        return Text(whole, source.file, source.line, flat, source.doubt)
    return whole


# --- comparisons ---------------------------------------------------------------------------------------------------


def compare(machine: State, operation: ast.cmpop, left: Value, right: Value) -> Value:
    """``left operation right``: true, false or unknown."""
    machine.spend()
    if isinstance(operation, (ast.In, ast.NotIn)):
        return inverted(contains(machine, right, left), isinstance(operation, ast.NotIn))
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return _of_options(machine, operation, left, right)
    if isinstance(operation, (ast.Is, ast.IsNot)):
        found = left is right or (isinstance(left, (bool, type(None))) and left == right and type(left) is type(right))
        return inverted(found, isinstance(operation, ast.IsNot))
    if isinstance(operation, (ast.Eq, ast.NotEq)):
        return inverted(same(machine, left, right), isinstance(operation, ast.NotEq))
    return _ordered(machine, operation, left, right)


def _of_options(machine: State, operation: ast.cmpop, left: Value, right: Value) -> Value:
    """A comparison with a value that is one of several, told where all of them agree."""
    unknown, other = (left, right) if isinstance(left, Unknown) else (right, left)
    if isinstance(other, Unknown) or not unknown.options:
        return Unknown("a comparison")
    answers = [
        compare(machine, operation, option, other) if unknown is left else compare(machine, operation, other, option)
        for option in unknown.options
    ]
    return answers[0] if all(answer is answers[0] for answer in answers) else Unknown("a comparison")


def inverted(value: Value, invert: bool) -> Value:  # noqa: FBT001
    return (not value) if invert and isinstance(value, bool) else value


def _ordered(machine: State, operation: ast.cmpop, left: Value, right: Value) -> Value:
    if isinstance(left, Opaque) or isinstance(right, Opaque):
        return machine.call(machine.attribute(left, "_compare"), [type(operation).__name__, right])
    if not (is_flat(left) and is_flat(right)):
        return Unknown("a comparison")
    try:
        return _ORDER[type(operation)](left, right)
    except TypeError as error:
        return machine.fault(TypeError, str(error))


def is_flat(value: Value) -> bool:
    """Whether Python's own comparison and hash of it are safe: no containers within containers, nothing unknown."""
    if isinstance(value, (str, int, float, type(None))):
        return True
    if isinstance(value, (tuple, frozenset)):
        return len(value) <= 64 and all(isinstance(item, (str, int, float, type(None))) for item in value)
    return False


def same(machine: State, left: Value, right: Value, depth: int = 0) -> Value:
    """Equality, bounded: containers that hold each other many times over are not followed for ever."""
    machine.spend()
    if left is right or (is_flat(left) and is_flat(right)):
        return left is right or bool(left == right)
    if isinstance(left, Unknown) or isinstance(right, Unknown) or depth > _MAX_DEPTH:
        return Unknown("a comparison")
    if isinstance(left, (list, tuple)) and type(left) is type(right):
        return _same_items(machine, left, right, depth)
    if isinstance(left, dict) and isinstance(right, dict):
        if left.keys() != right.keys():
            return False
        return _same_items(machine, list(left.values()), [right[key] for key in left], depth)
    if isinstance(left, (set, frozenset)) and isinstance(right, (set, frozenset)):
        machine.spend(len(left))
        return left == right
    if isinstance(left, Opaque) and type(left) is type(right):
        return bool(left == right)
    return False


def _same_items(machine: State, left: Value, right: Value, depth: int) -> Value:
    if len(left) != len(right):
        return False
    found: Value = True
    for one, other in zip(left, right, strict=True):
        answer = same(machine, one, other, depth + 1)
        if answer is False:
            return False
        found = found if answer is True else answer
    return found


def contains(machine: State, where: Value, what: Value) -> Value:
    """``what in where``."""
    if isinstance(where, Iterator):
        where = where.rest()
    if isinstance(where, Unknown) or isinstance(what, Unknown):
        return False if isinstance(where, (list, tuple, dict, set)) and not where else Unknown("a comparison")
    if isinstance(where, str):
        machine.spend(len(where) // 100)
        return what in where if isinstance(what, str) else machine.fault(TypeError)
    if isinstance(where, (dict, set, frozenset)):
        return _has_key(machine, where, what)
    if isinstance(where, (list, tuple)):
        answers = (same(machine, item, what) for item in where)
        doubt: Value = False
        for answer in answers:
            if answer is True:
                return True
            doubt = doubt if answer is False else answer
        return doubt
    if isinstance(where, Opaque):
        return machine.call(machine.attribute(where, "__contains__"), [what])
    return machine.fault(TypeError)


def _has_key(machine: State, where: Value, what: Value) -> Value:
    if is_key(what) and what in where:
        return True
    machine.spend(1 + len(where) // 20)
    return Unknown("a key") if any(isinstance(key, Unknown) for key in where) else False


def is_key(value: Value) -> bool:
    """Whether it can be a key: Python's hash of it is cheap and says nothing that an attacker chose."""
    if isinstance(value, int):
        return value.bit_length() < 60
    return isinstance(value, (str, float, type(None), Opaque, type)) or (
        isinstance(value, (tuple, frozenset)) and is_flat(value)
    )


def put(machine: State, where: dict[Value, Value], key: Value, value: Value) -> None:
    """``where[key] = value``; in doubt the old value may stay."""
    machine.spend()
    if isinstance(key, Unknown) or not is_key(key) or (len(where) >= MAX_KEYS and key not in where):
        where[Unknown("a key")] = value
        return
    if machine.doubts:
        old = where.get(key, MISSING)
        value = joined(machine, old, value, machine.doubts[-1])
    where[key] = value


# --- truth ---------------------------------------------------------------------------------------------------------


def truth(value: Value) -> bool | None:
    """Whether a value counts as true; None when that cannot be told."""
    if isinstance(value, Unknown):
        answers = {truth(option) for option in value.options}
        return answers.pop() if len(answers) == 1 else None
    if isinstance(value, (list, tuple, set)) and value and all(isinstance(item, Unknown) for item in islice(value, 8)):
        return None
    if isinstance(value, Iterator):
        return True
    if isinstance(value, Instance):
        return None if value.kind.lookup("__bool__") or value.kind.lookup("__len__") else True
    if isinstance(value, (Opaque, type)):
        return True
    return bool(value)


# --- two values of which one holds ---------------------------------------------------------------------------------

MISSING = object()


def joined(machine: State, one: Value, other: Value, doubt: Doubt) -> Value:
    """What stands for ``one`` or ``other``: of lists and dictionaries, what either holds."""
    machine.spend()
    if one is other or other is MISSING:
        return one
    if one is MISSING:
        return machine.tag(other)
    if isinstance(one, list) and isinstance(other, list):
        return _joined_lists(machine, one, other, doubt)
    if isinstance(one, dict) and isinstance(other, dict) and len(one) + len(other) <= MAX_KEYS:
        keys = [*one, *(key for key in other if key not in one)]
        found = Defaults() if isinstance(one, Defaults) else {}
        if isinstance(found, Defaults) and isinstance(one, Defaults):
            found.factory = one.factory
        for key in keys:
            found[key] = joined(machine, one.get(key, MISSING), other.get(key, MISSING), doubt)
        return found
    if same(machine, one, other) is True:
        return one
    missing = next((value.missing for value in (one, other) if isinstance(value, Unknown) and value.missing), "")
    return Unknown(doubt.text, (*_options(one), *_options(other))[:8], missing)


def _options(value: Value) -> tuple[Value, ...]:
    return (value.options or (value,)) if isinstance(value, Unknown) else (value,)


def _joined_lists(machine: State, one: list[Value], other: list[Value], doubt: Doubt) -> list[Value]:
    machine.spend(len(one) + len(other))
    there = {str(item) for item in other if isinstance(item, str)}
    here = {str(item) for item in one if isinstance(item, str)}
    found = [doubtful(item, doubt) if isinstance(item, str) and str(item) not in there else item for item in one]
    kept = {id(item) for item in one}
    for item in other:
        if isinstance(item, str):
            if str(item) not in here:
                found.append(doubtful(item, doubt))
        elif id(item) not in kept:
            found.append(item)
    return found[:MAX_ITEMS]
