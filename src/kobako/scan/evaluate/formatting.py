"""Text of values: ``str``, ``%``, ``format`` and f-strings, with widths and sizes bounded."""

from __future__ import annotations

import re
from typing import Any

from kobako.scan.evaluate.budget import MAX_TEXT
from kobako.scan.evaluate.state import State
from kobako.scan.evaluate.values import Bound, Instance, Opaque, Text, Unknown, Value, leading

_LONG_NUMBER = re.compile(r"\d{4}")
_PERCENT = re.compile(r"%(?:\((?P<key>[^()%]{1,200})\))?(?P<how>[-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?)[hlL]?(?P<kind>.)")
_FIELD = re.compile(r"\.(?P<attribute>\w+)|\[(?P<item>[^\]]*)\]")
_MAX_DEPTH = 5


def text_of(machine: State, value: Value, *, quoted: bool = False, depth: int = 0) -> Value:
    """``str(value)``, or ``repr(value)``; unknown where that cannot be told, or where it would be very long."""
    machine.spend()
    if isinstance(value, str):
        machine.spend(len(value) // 50 if quoted else 0)
        return repr(str(value)) if quoted else value
    if isinstance(value, (bool, int, float, type(None))):
        return repr(value)
    if isinstance(value, Unknown) or depth > _MAX_DEPTH:
        return Unknown("a text")
    if isinstance(value, Instance):
        return _text_of_instance(machine, value)
    if isinstance(value, Opaque):
        shown = machine.attribute(value, "_text")
        return shown if isinstance(shown, str) else Unknown("a text")
    if isinstance(value, type):
        return f"<class '{value.__name__}'>"
    return _text_of_container(machine, value, depth)


def _text_of_instance(machine: State, value: Instance) -> Value:
    for name in ("__str__", "__repr__"):
        method = value.kind.lookup(name)
        if method is not None:
            found = machine.call(Bound(method, value), [])
            return found if isinstance(found, str) else Unknown("a text")
    return Unknown("a text")


def _text_of_container(machine: State, value: Value, depth: int) -> Value:
    if isinstance(value, dict):
        items = [(text_of(machine, key, quoted=True, depth=depth + 1), item) for key, item in value.items()]
        parts = [_pair(machine, key, item, depth) for key, item in items]
    elif isinstance(value, (list, tuple, set, frozenset)):
        parts = [text_of(machine, item, quoted=True, depth=depth + 1) for item in value]
    else:
        return Unknown("a text")
    if not all(isinstance(part, str) for part in parts) or sum(len(part) + 2 for part in parts) > MAX_TEXT:
        return Unknown("a text")
    machine.spend(sum(len(part) for part in parts) // 100)
    inner = ", ".join(parts)
    if isinstance(value, list):
        return f"[{inner}]"
    if isinstance(value, tuple):
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return f"{{{inner}}}" if inner or isinstance(value, dict) else "set()"


def _pair(machine: State, key: Value, item: Value, depth: int) -> Value:
    shown = text_of(machine, item, quoted=True, depth=depth + 1)
    return f"{key}: {shown}" if isinstance(key, str) and isinstance(shown, str) else Unknown("a text")


def formatted(machine: State, value: Value, how: Value = "", conversion: str = "") -> Value:
    """One field of a format string: ``{value!conversion:how}``."""
    if isinstance(value, Unknown) or not isinstance(how, str) or _LONG_NUMBER.search(how):
        return value if isinstance(value, Unknown) else Unknown("a text")
    if conversion in {"r", "a"}:
        value = text_of(machine, value, quoted=True)
    elif conversion == "s" or not isinstance(value, (int, float)):
        value = text_of(machine, value)
    if isinstance(value, Unknown) or not how:
        return text_of(machine, value)
    try:
        return format(value, how)
    except (ValueError, TypeError, OverflowError) as error:
        return machine.fault(ValueError, str(error))


def assembled(machine: State, parts: list[Value]) -> Value:
    """The parts of a format string put together: the whole stands where its first part stands that says something."""
    if not all(isinstance(part, str) for part in parts):
        return next(part for part in parts if not isinstance(part, str))
    size = sum(len(part) for part in parts)
    if size > MAX_TEXT:
        return Unknown("a long text")
    machine.spend(1 + size // 100)
    whole = "".join(parts)
    source = leading(parts)
    if isinstance(source, Text):
        return Text(whole, source.file, source.line, source.flat or len(parts) > 1, source.doubt)
    return whole


def percent(machine: State, form: str, values: Value) -> Value:
    """``form % values``."""
    given = list(values) if isinstance(values, tuple) else [values]
    parts: list[Value] = []
    at = 0
    for field in _PERCENT.finditer(form):
        machine.spend()
        parts.append(_cut(form, at, field.start()))
        at = field.end()
        if field["kind"] == "%":
            parts.append("%")
            continue
        if "*" in field["how"] or _LONG_NUMBER.search(field["how"]):
            return Unknown("a text")
        value = _argument(machine, field["key"], values, given)
        parts.append(_percent_one(machine, field["how"], field["kind"], value))
    parts.append(_cut(form, at, len(form)))
    return assembled(machine, parts)


def _cut(form: str, start: int, end: int) -> str:
    part = form[start:end]
    return Text(part, form.file, form.line, form.flat, form.doubt) if isinstance(form, Text) else part


def _argument(machine: State, key: str | None, values: Value, given: list[Value]) -> Value:
    if key is None:
        return given.pop(0) if given else machine.fault(TypeError, "not enough arguments")
    if isinstance(values, dict):
        return values[key] if key in values else machine.fault(KeyError, key)
    return Unknown("a text")


def _percent_one(machine: State, how: str, kind: str, value: Value) -> Value:
    if kind in {"s", "r", "a"}:
        value = text_of(machine, value, quoted=kind != "s")
        kind = "s"
    if isinstance(value, Unknown) or (kind == "s" and not how):
        return value
    try:
        return f"%{how}{kind}" % value
    except (ValueError, TypeError, OverflowError) as error:
        return machine.fault(type(error), str(error))


def filled(machine: State, form: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    """``form.format(*args, **keywords)``."""
    import string  # noqa: PLC0415 - rarely needed

    parts: list[Value] = []
    number = 0
    try:
        for literal, field, how, conversion in string.Formatter().parse(form):
            machine.spend()
            parts.append(_at(literal, form) if isinstance(form, Text) else literal)
            if field is None:
                continue
            if "{" in (how or ""):
                return Unknown("a text")
            is_next = not field or field[0] in ".["
            value = _field(machine, f"{number}{field}" if is_next else field, args, keywords)
            number += is_next
            parts.append(formatted(machine, value, how or "", conversion or ""))
    except ValueError as error:
        return machine.fault(ValueError, str(error))
    return assembled(machine, parts)


def _at(literal: str, form: Text) -> Text:
    return Text(literal, form.file, form.line, form.flat, form.doubt)


def _field(machine: State, field: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    match = re.match(r"[^.\[]*", field)
    first = match[0] if match else ""
    if first.isdigit():
        value: Any = args[int(first)] if len(first) < 6 and int(first) < len(args) else machine.fault(IndexError)
    else:
        value = keywords[first] if first in keywords else machine.fault(KeyError, first)
    for step in _FIELD.finditer(field[:200], len(first)):
        if step["attribute"] is not None:
            value = machine.attribute(value, step["attribute"])
        else:
            value = _item(machine, value, step["item"])
    return value


def _item(machine: State, value: Value, key: str) -> Value:
    if isinstance(value, dict):
        return value[key] if key in value else machine.fault(KeyError, key)
    if isinstance(value, (list, tuple, str)) and key.isdigit() and len(key) < 6:
        return value[int(key)] if int(key) < len(value) else machine.fault(IndexError)
    return Unknown("a text")
