"""The values of an evaluation.

Python's own types stand for themselves (text, numbers, lists, dictionaries); what is not among them is one of the
classes here. ``Unknown`` is a value that cannot be told without running the script, and whatever is computed from it
is unknown too.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

Value = Any


class Doubt(NamedTuple):
    """A condition that could not be told: where it stands, and its text."""

    file: str
    line: int
    text: str


class Text(str):
    """A string with the place that it was written at.

    ``flat`` is true where its line ends are no line ends of the file (escapes in a literal). ``doubt`` is the
    condition that its being in a list depends on.
    """

    __slots__ = ("doubt", "file", "flat", "line")
    file: str
    line: int
    flat: bool
    doubt: Doubt | None

    def __new__(cls, value: str, file: str, line: int, flat: bool = False, doubt: Doubt | None = None) -> Text:  # noqa: FBT001, FBT002, PYI034 - Python 3.10 has no Self
        made = str.__new__(cls, value)
        made.file = file
        made.line = line
        made.flat = flat
        made.doubt = doubt
        return made


def like(value: str, source: object, start: int = 0) -> str:
    """A string cut out of another one at ``start``: it stands on the same line, or some lines further down."""
    if not isinstance(source, Text):
        return value
    line = source.line if source.flat or not start else source.line + source.count("\n", 0, start)
    return Text(value, source.file, line, source.flat, source.doubt)


def pieces(source: str, parts: Iterable[str]) -> list[Value]:
    """Strings cut out of another one, in their order."""
    if not isinstance(source, Text):
        return list(parts)
    found: list[Value] = []
    at, line = 0, source.line
    for part in parts:
        start = max(source.find(part, at), at)
        if not source.flat:
            line += source.count("\n", at, start)
        found.append(Text(part, source.file, line, source.flat, source.doubt))
        if not source.flat:
            line += part.count("\n")
        at = start + len(part)
    return found


def leading(parts: Iterable[object]) -> object:
    """Of strings that were put together, the one that says where the whole stands: the first that is not blank."""
    return next((part for part in parts if isinstance(part, Text) and part.strip()), None)


class Unknown:
    """A value that cannot be told. ``options`` are all that it can be, where that much is known."""

    __slots__ = ("missing", "options", "why")

    def __init__(self, why: str = "", options: tuple[Value, ...] = (), missing: str = "") -> None:
        self.why = why
        self.options = options
        self.missing = missing
        """The file that it would have been read from, and that is not there."""


def unknown_part(value: object) -> Unknown:
    """Something of a value that is not known: not one of its options, but read from the same missing file."""
    if not isinstance(value, Unknown):
        return Unknown("a part of something")
    return Unknown(value.why, missing=value.missing) if value.options else value


class Opaque:
    """A value with attributes of its own."""

    __slots__ = ()

    def get(self, machine: Any, name: str) -> Value:  # noqa: ARG002 - the contract
        return Unknown(f".{name}")


Run = Callable[[Any, list[Value], dict[str, Value]], Value]


class Native(Opaque):
    """A function that is known. ``kind`` is the type that it makes, where it is the name of one."""

    __slots__ = ("kind", "name", "names", "run")

    def __init__(self, name: str, run: Run, kind: type | None = None, names: dict[str, Value] | None = None) -> None:
        self.name = name
        self.run = run
        self.kind = kind
        self.names = names or {}

    def get(self, machine: Any, name: str) -> Value:  # noqa: ARG002
        return self.name if name == "__name__" else self.names.get(name, Unknown(f"{self.name}.{name}"))


class Scope:
    """Names, and the scope around them."""

    __slots__ = ("names", "outer", "shared")

    def __init__(self, outer: Scope | None = None, names: dict[str, Value] | None = None) -> None:
        self.names: dict[str, Value] = {} if names is None else names
        self.outer = outer
        self.shared: set[str] = set()
        """Names that ``global`` or ``nonlocal`` leaves to a scope further out."""

    def find(self, name: str) -> Scope | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope
            scope = scope.outer
        return None


class Function(Opaque):
    """A function of the script, or a lambda."""

    __slots__ = ("defaults", "file", "flags", "node", "owner", "scope", "yields")

    def __init__(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope, file: str) -> None:
        self.node = node
        self.scope = scope
        self.file = file
        self.defaults: dict[str, Value] = {}
        self.flags: frozenset[str] = frozenset()
        self.owner: Class | None = None
        self.yields = False


class Bound(Opaque):
    """A function with the object that it is called on."""

    __slots__ = ("function", "owner")

    def __init__(self, function: Value, owner: Value) -> None:
        self.function = function
        self.owner = owner


class Class(Opaque):
    """A class of the script: a namespace, and bases."""

    __slots__ = ("bases", "name", "names")

    def __init__(self, name: str, bases: tuple[Value, ...], names: dict[str, Value]) -> None:
        self.name = name
        self.bases = bases
        self.names = names

    def family(self) -> list[Class]:
        """The class and its bases, as far as they are known."""
        found: list[Class] = []
        todo: list[Value] = [self]
        while todo and len(found) < 50:
            one = todo.pop(0)
            if isinstance(one, Class) and one not in found:
                found.append(one)
                todo = [*one.bases, *todo]
        return found

    def lookup(self, name: str) -> Value:
        """What the class or one of its bases holds under that name; None when none does."""
        return next((one.names[name] for one in self.family() if name in one.names), None)


class Instance(Opaque):
    """An object of a class."""

    __slots__ = ("kind", "names")

    def __init__(self, kind: Class, names: dict[str, Value] | None = None) -> None:
        self.kind = kind
        self.names: dict[str, Value] = names or {}


class Namespace(Opaque):
    """A module, or whatever else is a bag of names. A name that it lacks is unknown."""

    __slots__ = ("file", "name", "names")

    def __init__(self, name: str, names: dict[str, Value] | None = None, file: str = "") -> None:
        self.name = name
        self.names: dict[str, Value] = {} if names is None else names
        self.file = file

    def get(self, machine: Any, name: str) -> Value:  # noqa: ARG002
        return self.names.get(name, Unknown(f"{self.name}.{name}"))


class Iterator(Opaque):
    """Something that is gone through once: a generator, a file's lines."""

    __slots__ = ("at", "items")

    def __init__(self, items: list[Value]) -> None:
        self.items = items
        self.at = 0

    def rest(self) -> list[Value]:
        found = self.items[self.at :]
        self.at = len(self.items)
        return found


class Defaults(dict[Value, Value]):
    """``collections.defaultdict``."""

    factory: Value = None


class VersionInfo(tuple[Value, ...]):
    """``sys.version_info``."""

    __slots__ = ()


class Raised(Exception):  # noqa: N818 - an exception of the script, not of ours
    """An exception that the script raises and that some part of it handles."""

    def __init__(self, kind: Value, value: Value = None) -> None:
        super().__init__()
        self.kind = kind
        self.value = value


class Returned(Exception):  # noqa: N818
    """``return``."""

    def __init__(self, value: Value) -> None:
        super().__init__()
        self.value = value


class Left(Exception):  # noqa: N818
    """``break`` and ``continue``, and the end of a branch that may not be taken at all."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
