"""Named tuples as JSON and back. What does not fit is a ``ValueError`` that names the place."""

from __future__ import annotations

import functools
import math
import types
from collections.abc import Hashable, Mapping
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def encode(value: Any) -> Any:
    """The value in JSON's own types. A number that JSON cannot say is null."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: encode(one) for name, one in value._asdict().items()}
    if isinstance(value, Mapping):
        return {encode(str(name)): encode(one) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [encode(one) for one in value]
    if isinstance(value, str):  # half of a surrogate pair can be written nowhere
        return value.encode("utf-8", "replace").decode("utf-8")
    return None if isinstance(value, float) and not math.isfinite(value) else value


def decode(kind: type[T], content: Any, place: str = "") -> T:
    """A named tuple from what :func:`encode` made of it. Keys that it does not know are left aside."""
    if not isinstance(content, Mapping):
        raise ValueError(f"{place or 'the record'} is not an object")  # noqa: TRY004 - one kind of error for all
    hints = _hints(cast("Hashable", kind))
    defaults: Mapping[str, Any] = getattr(kind, "_field_defaults", {})
    values = {}
    for name, hint in hints.items():
        if name in content:
            values[name] = _value(hint, content[name], f"{place}.{name}".lstrip("."))
        elif name not in defaults:
            raise ValueError(f"{f'{place}.{name}'.lstrip('.')} is missing")
    return kind(**values)


@functools.cache
def _hints(kind: Hashable) -> Mapping[str, Any]:
    """Asking for them takes longer than everything else here, and a list of runs decodes thousands."""
    return get_type_hints(kind)


def _value(hint: Any, content: Any, place: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        if content is None and type(None) in arguments:
            return None
        return _value(next(one for one in arguments if one is not type(None)), content, place)
    if origin is Literal:
        return _checked(content in arguments, content, place, " or ".join(map(str, arguments)))
    if origin is tuple:
        _checked(isinstance(content, list), content, place, "a list")
        return tuple(_value(arguments[0], one, f"{place}[{number}]") for number, one in enumerate(content))
    if origin is not None and issubclass(origin, Mapping):
        _checked(isinstance(content, Mapping), content, place, "an object")
        return {str(name): _value(arguments[1], one, f"{place}.{name}") for name, one in content.items()}
    if hasattr(hint, "_fields"):
        return decode(hint, content, place)
    return _plain(hint, content, place)


def _plain(hint: Any, content: Any, place: str) -> Any:
    if hint is float and isinstance(content, int) and not isinstance(content, bool):
        return float(content)
    fits = isinstance(content, hint) and not (isinstance(content, bool) and hint is not bool)
    return _checked(fits, content, place, hint.__name__)


def _checked(right: bool, content: T, place: str, wanted: str) -> T:  # noqa: FBT001 - an assertion
    if not right:
        raise ValueError(f"{place} is {str(content)[:40]!r}, not {wanted}")
    return content
