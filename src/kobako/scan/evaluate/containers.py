"""The methods of lists, dictionaries, sets and tuples. In doubt nothing is taken out of them."""

# ruff: noqa: ARG001 - functions that stand in one table share one signature

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kobako.scan.evaluate.budget import MAX_ITEMS, MAX_KEYS
from kobako.scan.evaluate.operators import contains, is_flat, is_key, put, same
from kobako.scan.evaluate.state import State
from kobako.scan.evaluate.values import Defaults, Native, Unknown, Value

_Method = Callable[[State, Any, list[Value], dict[str, Value]], Value]


def method(value: Value, name: str) -> Value:
    """A method of a container, bound to it."""
    kind = next(kind for kind in (list, dict, (set, frozenset), tuple) if isinstance(value, kind))
    run = _METHODS[kind].get(name)
    if run is None:
        return Unknown(f".{name}")

    def bound(machine: State, args: list[Value], keywords: dict[str, Value]) -> Value:
        machine.spend(len(value) // 50)
        return run(machine, value, args, keywords)

    return Native(name, bound)


# --- lists ---------------------------------------------------------------------------------------------------------


def append(machine: State, value: list[Value], args: list[Value], keywords: dict[str, Value]) -> Value:
    if len(value) < MAX_ITEMS:
        value.append(machine.tag(args[0]))


def extend(machine: State, value: list[Value], args: list[Value], keywords: dict[str, Value]) -> Value:
    items = machine.iterated(args[0])
    if items is None:
        items = [args[0] if isinstance(args[0], Unknown) else Unknown("items")]
    if len(value) + len(items) > MAX_ITEMS:
        items = [Unknown("a long list")]
    value.extend(machine.tagged(items))
    return None


def _insert(machine: State, value: list[Value], args: list[Value], keywords: dict[str, Value]) -> Value:
    at = args[0] if isinstance(args[0], int) else len(value)
    if len(value) < MAX_ITEMS:
        value.insert(at, machine.tag(args[1]))


def _remove(machine: State, value: list[Value], args: list[Value], keywords: dict[str, Value]) -> Value:
    for at, item in enumerate(value):
        if same(machine, item, args[0]) is True:
            if not machine.doubts:
                del value[at]
            return None
    return machine.fault(ValueError, "list.remove(x): x not in list")


def _pop(machine: State, value: list[Value], args: list[Value], keywords: dict[str, Value]) -> Value:
    at = args[0] if args else -1
    if isinstance(at, Unknown):
        return at
    return value[at] if machine.doubts else value.pop(at)


def _clear(machine: State, value: Any, args: list[Value], keywords: dict[str, Value]) -> Value:
    if not machine.doubts:
        value.clear()


def _index(machine: State, value: Value, args: list[Value], keywords: dict[str, Value]) -> Value:
    for at, item in enumerate(value):
        answer = same(machine, item, args[0])
        if answer is not False:
            return at if answer is True else answer
    return machine.fault(ValueError, "not in list")


def _count(machine: State, value: Value, args: list[Value], keywords: dict[str, Value]) -> Value:
    answers = [same(machine, item, args[0]) for item in value]
    return next((one for one in answers if isinstance(one, Unknown)), sum(one is True for one in answers))


def _copy(machine: State, value: Any, args: list[Value], keywords: dict[str, Value]) -> Value:
    made = value.copy()
    if isinstance(value, Defaults):
        made = Defaults(value)
        made.factory = value.factory
    return made


def _reverse(machine: State, value: list[Value], args: list[Value], keywords: dict[str, Value]) -> Value:
    value.reverse()


def _sort(machine: State, value: list[Value], args: list[Value], keywords: dict[str, Value]) -> Value:
    made = in_order(machine, value, keywords)
    if isinstance(made, list):
        value[:] = made


def in_order(machine: State, items: list[Value], keywords: dict[str, Value]) -> Value:
    """``sorted``: what cannot be compared safely stays in the order that it has."""
    machine.spend(len(items))
    key = keywords.get("key")
    keys = list(items) if key is None else [machine.call(key, [item]) for item in items]
    if not all(is_flat(one) for one in keys):
        return list(items)
    try:
        order = sorted(range(len(items)), key=keys.__getitem__, reverse=keywords.get("reverse") is True)
    except TypeError as error:
        return machine.fault(TypeError, str(error))
    return [items[at] for at in order]


# --- dictionaries --------------------------------------------------------------------------------------------------


def _get(machine: State, value: dict[Value, Value], args: list[Value], keywords: dict[str, Value]) -> Value:
    default = args[1] if len(args) > 1 else keywords.get("default")
    found = contains(machine, value, args[0])
    return value[args[0]] if found is True else default if found is False else Unknown("a key")


def _setdefault(machine: State, value: dict[Value, Value], args: list[Value], keywords: dict[str, Value]) -> Value:
    if not is_key(args[0]):
        return Unknown("a key")
    if contains(machine, value, args[0]) is not True:
        put(machine, value, args[0], args[1] if len(args) > 1 else None)
    return value.get(args[0])


def update(machine: State, value: dict[Value, Value], args: list[Value], keywords: dict[str, Value]) -> Value:
    for given in (*args, keywords):
        pairs = list(given.items()) if isinstance(given, dict) else machine.iterated(given)
        if pairs is None:
            value[Unknown("a key")] = given if isinstance(given, Unknown) else Unknown("items")
        for pair in pairs or ():
            key, item = pair if isinstance(pair, (tuple, list)) and len(pair) == 2 else (Unknown("a key"), pair)
            put(machine, value, key, item)
    return None


def _dict_pop(machine: State, value: dict[Value, Value], args: list[Value], keywords: dict[str, Value]) -> Value:
    found = contains(machine, value, args[0])
    if found is True:
        return value[args[0]] if machine.doubts else value.pop(args[0])
    if found is False:
        return args[1] if len(args) > 1 else machine.fault(KeyError, str(args[0])[:200])
    return found


def _keys(machine: State, value: dict[Value, Value], args: list[Value], keywords: dict[str, Value]) -> Value:
    return list(value)


def _values(machine: State, value: dict[Value, Value], args: list[Value], keywords: dict[str, Value]) -> Value:
    return list(value.values())


def _items(machine: State, value: dict[Value, Value], args: list[Value], keywords: dict[str, Value]) -> Value:
    return list(value.items())


# --- sets ----------------------------------------------------------------------------------------------------------


def _add(machine: State, value: set[Value], args: list[Value], keywords: dict[str, Value]) -> Value:
    if len(value) < MAX_KEYS:
        value.add(machine.tag(args[0]) if is_key(args[0]) else Unknown("an item"))


def _discard(machine: State, value: set[Value], args: list[Value], keywords: dict[str, Value]) -> Value:
    if not machine.doubts and is_key(args[0]):
        value.discard(args[0])


def made_set(machine: State, items: list[Value]) -> Value:
    """A set of these items."""
    machine.spend(len(items) // 5)
    if len(items) > MAX_KEYS:
        return Unknown("a large set")
    return {item if is_key(item) else Unknown("an item") for item in items}


def _combined(how: str) -> _Method:
    combine: Callable[..., Any] = getattr(set, how)

    def run(machine: State, value: set[Value], args: list[Value], keywords: dict[str, Value]) -> Value:
        others = [machine.iterated(one) for one in args]
        sets = [made_set(machine, one) if one is not None else Unknown("a set") for one in others]
        unknown = next((one for one in sets if isinstance(one, Unknown)), None)
        return unknown if unknown is not None else combine(set(value), *sets)

    return run


def _set_update(machine: State, value: set[Value], args: list[Value], keywords: dict[str, Value]) -> Value:
    for given in args:
        items = machine.iterated(given)
        for item in [Unknown("an item")] if items is None else items:
            _add(machine, value, [item], keywords)


_SEQUENCE: dict[str, _Method] = {"index": _index, "count": _count}
_METHODS: dict[Any, dict[str, _Method]] = {
    list: {
        **_SEQUENCE,
        "append": append,
        "extend": extend,
        "insert": _insert,
        "remove": _remove,
        "pop": _pop,
        "clear": _clear,
        "copy": _copy,
        "reverse": _reverse,
        "sort": _sort,
    },
    tuple: _SEQUENCE,
    dict: {
        "get": _get,
        "setdefault": _setdefault,
        "update": update,
        "pop": _dict_pop,
        "clear": _clear,
        "keys": _keys,
        "values": _values,
        "items": _items,
        "copy": _copy,
    },
    (set, frozenset): {
        "add": _add,
        "discard": _discard,
        "remove": _discard,
        "update": _set_update,
        "clear": _clear,
        "copy": _copy,
        **{name: _combined(name) for name in ("union", "difference", "intersection", "symmetric_difference")},
    },
}
