"""Python's built-in functions, types and exceptions, as far as scripts of this kind use them."""

# ruff: noqa: ARG001, ARG005 - functions that stand in one table share one signature

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

from kobako.scan.evaluate import containers
from kobako.scan.evaluate.budget import MAX_ITEMS
from kobako.scan.evaluate.formatting import formatted, text_of
from kobako.scan.evaluate.operators import binary, bounded_number, is_flat, truth
from kobako.scan.evaluate.state import State
from kobako.scan.evaluate.values import (
    Bound,
    Class,
    Function,
    Instance,
    Iterator,
    Namespace,
    Native,
    Opaque,
    Unknown,
    Value,
)

Args = list[Value]
Keywords = dict[str, Value]


def unknown_of(args: Args, keywords: Keywords) -> Unknown | None:
    return next((one for one in (*args, *keywords.values()) if isinstance(one, Unknown)), None)


def _items(machine: State, value: Value) -> list[Value] | None:
    return machine.iterated(value)


def _sequence(name: str, kind: type | None, make: Callable[[State, list[Value]], Value]) -> Native:
    def run(machine: State, args: Args, keywords: Keywords) -> Value:
        if not args:
            return make(machine, [])
        items = _items(machine, args[0])
        if items is None:
            return args[0] if isinstance(args[0], Unknown) else machine.fault(TypeError)
        machine.spend(1 + len(items) // 10)
        return make(machine, items)

    return Native(name, run, kind)


def _dict(machine: State, args: Args, keywords: Keywords) -> Value:
    made: dict[Value, Value] = {}
    containers.update(machine, made, args, keywords)
    return made


def _from_keys(machine: State, args: Args, keywords: Keywords) -> Value:
    items = _items(machine, args[0])
    if items is None:
        return args[0] if isinstance(args[0], Unknown) else Unknown("keys")
    return _dict(machine, [[(item, args[1] if len(args) > 1 else None) for item in items]], {})


def _len(machine: State, args: Args, keywords: Keywords) -> Value:
    value = args[0]
    if isinstance(value, (str, list, tuple, dict, set, frozenset)):
        unsure = not isinstance(value, str) and any(isinstance(one, Unknown) for one in value)
        return Unknown("len()") if unsure else len(value)
    return value if isinstance(value, Unknown) else Unknown("len()")


def _range(machine: State, args: Args, keywords: Keywords) -> Value:
    unknown = unknown_of(args, keywords)
    if unknown is not None:
        return unknown
    made = range(*args)
    if len(made) > MAX_ITEMS:
        return Unknown("a long range")
    machine.spend(len(made) // 10)
    return list(made)


def _sorted(machine: State, args: Args, keywords: Keywords) -> Value:
    items = _items(machine, args[0])
    return args[0] if items is None else containers.in_order(machine, items, keywords)


def _reversed(machine: State, items: list[Value]) -> Value:
    return list(reversed(items))


def _enumerate(machine: State, args: Args, keywords: Keywords) -> Value:
    items = _items(machine, args[0])
    start = args[1] if len(args) > 1 else keywords.get("start", 0)
    if items is None or not isinstance(start, int):
        return Unknown("enumerate()")
    return Iterator([(start + at, item) for at, item in enumerate(items)])


def _zip(machine: State, args: Args, keywords: Keywords) -> Value:
    columns = [_items(machine, one) for one in args]
    known = [one for one in columns if one is not None]
    return Iterator(list(zip(*known, strict=False))) if len(known) == len(columns) else Unknown("zip()")


def _map(machine: State, args: Args, keywords: Keywords) -> Value:
    rows = _zip(machine, args[1:], {})
    if not isinstance(rows, Iterator):
        return args[1] if isinstance(args[1], Unknown) else rows
    return Iterator([machine.call(args[0], list(row)) for row in rows.rest()])


def _filter(machine: State, args: Args, keywords: Keywords) -> Value:
    items = _items(machine, args[1])
    if items is None:
        return args[1]
    kept: list[Value] = []
    for item in items:
        answer = truth(item if args[0] is None else machine.call(args[0], [item]))
        if answer is not False:
            kept.append(item if answer or isinstance(item, Unknown) else Unknown("a filter", (item,)))
    return Iterator(kept)


def _any_all(stop: bool) -> Callable[[State, Args, Keywords], Value]:  # noqa: FBT001
    def run(machine: State, args: Args, keywords: Keywords) -> Value:
        items = _items(machine, args[0])
        if items is None:
            return Unknown("a condition")
        answers = [truth(item) for item in items]
        if stop in answers:
            return stop
        return Unknown("a condition") if None in answers else not stop

    return run


def _sum(machine: State, args: Args, keywords: Keywords) -> Value:
    items = _items(machine, args[0])
    if items is None:
        return args[0]
    import ast  # noqa: PLC0415 - only its operator's name

    total: Value = args[1] if len(args) > 1 else keywords.get("start", 0)
    for item in items:
        total = item if total == 0 and isinstance(item, Unknown) else binary(machine, ast.Add(), total, item)
    return total


def _extreme(name: str, find: Callable[..., Any]) -> Native:
    def run(machine: State, args: Args, keywords: Keywords) -> Value:
        items = _items(machine, args[0]) if len(args) == 1 else args
        if items is None or not all(is_flat(item) for item in items) or set(keywords) - {"key"}:
            return Unknown(name)
        key = keywords.get("key")
        if key is None:
            return find(items)
        keys = [machine.call(key, [item]) for item in items]
        if not all(is_flat(one) for one in keys):
            return Unknown(name)
        return items[find(range(len(items)), key=keys.__getitem__)]

    return Native(name, run)


def _next(machine: State, args: Args, keywords: Keywords) -> Value:
    value = args[0]
    if not isinstance(value, Iterator):
        return value if isinstance(value, Unknown) else Unknown("next()")
    if value.at < len(value.items):
        value.at += 1
        return value.items[value.at - 1]
    return args[1] if len(args) > 1 else machine.fault(StopIteration)


def _iter(machine: State, args: Args, keywords: Keywords) -> Value:
    if isinstance(args[0], Iterator) or len(args) > 1:
        return args[0] if len(args) == 1 else Unknown("iter()")
    items = _items(machine, args[0])
    return args[0] if items is None else Iterator(items)


def _isinstance(machine: State, args: Args, keywords: Keywords) -> Value:
    value, kinds = args[0], args[1] if isinstance(args[1], tuple) else (args[1],)
    if isinstance(value, Unknown):
        return Unknown("isinstance()")
    answers = [_is_a(value, kind) for kind in kinds]
    return True if True in answers else Unknown("isinstance()") if None in answers else False


def _is_a(value: Value, kind: Value) -> bool | None:
    if isinstance(kind, Native) and kind.kind is not None:
        return None if isinstance(value, Instance) else isinstance(value, kind.kind)
    if isinstance(kind, Class):
        return isinstance(value, Instance) and kind in value.kind.family()
    return None


def _getattr(machine: State, args: Args, keywords: Keywords) -> Value:
    there = _hasattr(machine, args, keywords)
    if there is False and len(args) > 2:
        return args[2]
    return machine.attribute(args[0], args[1]) if there in {True, False} else Unknown("getattr()")


def _hasattr(machine: State, args: Args, keywords: Keywords) -> Value:
    """Whether something has an attribute. What a module lacks here it may well have."""
    value, name = args[:2]
    if isinstance(name, str) and isinstance(value, Instance):
        return name in value.names or value.kind.lookup(name) is not None
    return True if isinstance(name, str) and name in getattr(value, "names", ()) else Unknown("hasattr()")


def _str(machine: State, args: Args, keywords: Keywords) -> Value:
    return text_of(machine, args[0]) if args else ""


def _int(machine: State, args: Args, keywords: Keywords) -> Value:
    unknown = unknown_of(args, keywords)
    if unknown is not None:
        return unknown
    if args and (isinstance(args[0], Opaque) or (isinstance(args[0], str) and len(args[0]) > 60)):
        return Unknown("int()")
    return bounded_number(int(*args))


def _float(machine: State, args: Args, keywords: Keywords) -> Value:
    return float(args[0]) if args and isinstance(args[0], (str, int, float)) else Unknown("float()")


def _bool(machine: State, args: Args, keywords: Keywords) -> Value:
    answer = truth(args[0]) if args else False
    return Unknown("bool()") if answer is None else answer


def _type(machine: State, args: Args, keywords: Keywords) -> Value:
    value = args[0]
    if isinstance(value, Instance):
        return value.kind
    if len(args) != 1 or isinstance(value, (Opaque, Unknown)):
        return Unknown("type()")
    return next((one for one in TYPES.values() if one.kind is not None and type(value) is one.kind), Unknown("type()"))


def _super(machine: State, args: Args, keywords: Keywords) -> Value:
    """The first argument of the method that is being carried out, seen as what stands behind the method's class."""
    own = next(iter(machine.frame.scope.names.values()), None)
    if not isinstance(own, Instance):
        return Unknown("super()")
    family = own.kind.family()
    owner = machine.frame.owner
    names: dict[str, Value] = {}
    for kind in reversed(family[family.index(owner) + 1 :] if owner in family else []):
        machine.spend(len(kind.names))
        names.update(
            {name: Bound(one, own) if isinstance(one, (Function, Native)) else one for name, one in kind.names.items()}
        )
    return Namespace("super()", names)


def _locals(machine: State, args: Args, keywords: Keywords) -> Value:
    return machine.frame.scope.names


def _globals(machine: State, args: Args, keywords: Keywords) -> Value:
    scope = machine.frame.scope
    while scope.outer is not None:
        scope = scope.outer
    return scope.names


def _nothing(machine: State, args: Args, keywords: Keywords) -> Value:
    return None


def _exit(machine: State, args: Args, keywords: Keywords) -> Value:
    machine.throw(FUNCTIONS["SystemExit"])


def _format(machine: State, args: Args, keywords: Keywords) -> Value:
    return formatted(machine, *args[:2])


TYPES: dict[str, Native] = {
    "str": Native("str", _str, str, {"join": Native("join", lambda m, a, k: m.call(m.attribute(a[0], "join"), a[1:]))}),
    "int": Native("int", _int, int),
    "float": Native("float", _float, float),
    "bool": Native("bool", _bool, bool),
    "list": _sequence("list", list, lambda machine, items: items),
    "tuple": _sequence("tuple", tuple, lambda machine, items: tuple(items)),
    "set": _sequence("set", set, containers.made_set),
    "frozenset": _sequence("frozenset", frozenset, containers.made_set),
    "dict": Native("dict", _dict, dict, {"fromkeys": Native("fromkeys", _from_keys)}),
    "bytes": Native("bytes", _str),
}


def _text_method(name: str) -> Native:
    """``str.strip`` and its like, as functions."""
    return Native(
        name, lambda machine, args, keywords: machine.call(machine.attribute(args[0], name), args[1:], keywords)
    )


TYPES["str"].names.update(
    {
        name: _text_method(name)
        for name in ("strip", "lstrip", "rstrip", "lower", "upper", "split", "startswith", "join")
    }
)

FUNCTIONS: dict[str, Value] = {
    **TYPES,
    "len": Native("len", _len),
    "range": Native("range", _range),
    "sorted": Native("sorted", _sorted),
    "reversed": _sequence("reversed", None, _reversed),
    "enumerate": Native("enumerate", _enumerate),
    "zip": Native("zip", _zip),
    "map": Native("map", _map),
    "filter": Native("filter", _filter),
    "any": Native("any", _any_all(stop=True)),
    "all": Native("all", _any_all(stop=False)),
    "sum": Native("sum", _sum),
    "min": _extreme("min", min),
    "max": _extreme("max", max),
    "next": Native("next", _next),
    "iter": Native("iter", _iter),
    "isinstance": Native("isinstance", _isinstance),
    "getattr": Native("getattr", _getattr),
    "hasattr": Native("hasattr", _hasattr),
    "type": Native("type", _type),
    "super": Native("super", _super),
    "locals": Native("locals", _locals),
    "globals": Native("globals", _globals),
    "print": Native("print", _nothing),
    "exit": Native("exit", _exit),
    "quit": Native("quit", _exit),
    "format": Native("format", _format),
    "repr": Native("repr", lambda machine, args, keywords: text_of(machine, args[0], quoted=True)),
}
FUNCTIONS.update(
    {name: kind for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)}
)
