"""The state of an evaluation: files, guards, doubts, and what the script called ``setup`` with."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from kobako.scan.evaluate.budget import LOOK, MAX_TEXT, Budget
from kobako.scan.evaluate.values import Class, Doubt, Namespace, Raised, Scope, Text, Unknown, Value
from kobako.scan.tree import Tree

ROOT = "/repository"
"""Where the repository lies, as far as the script can see."""


class SetupCall(NamedTuple):
    """A call of ``setup``: its keywords, and the line of each where it stands in the call."""

    file: str
    line: int
    keywords: dict[str, Value]
    lines: dict[str, int]
    doubt: Doubt | None


@dataclass
class Guard:
    """A ``try`` that is being carried out: what its handlers take, and what may have been raised."""

    kinds: list[Value]
    maybe: list[Value] = field(default_factory=list)

    def takes(self, kind: Value) -> bool:
        return any(takes(handled, kind) for handled in self.kinds)


@dataclass
class Frame:
    """A function or a module that is being carried out."""

    scope: Scope
    file: str
    is_function: bool = False
    yields: list[Value] | None = None
    owner: Class | None = None
    """The class whose function it is."""
    maybe: list[tuple[Value, Doubt]] = field(default_factory=list)
    """What it may return, besides what it returns at last."""


class State:
    """Everything that an evaluation remembers."""

    def __init__(self, tree: Tree, script: str, python: tuple[int, int]) -> None:
        self.tree = tree
        self.script = script
        self.python = python
        self.budget = Budget()
        self.spend = self.budget.spend
        self.folder = posixpath.join(ROOT, posixpath.dirname(script)).rstrip("/")
        self.calls: list[SetupCall] = []
        self.guards: list[Guard] = []
        self.doubts: list[Doubt] = []
        self.frames: list[Frame] = []
        self.modules: dict[str, Namespace] = {}
        self.read_files: list[str] = []
        self.missed: list[str] = []
        """Files that the script looked for, and that are not there."""
        self.written: set[str] = set()
        """Files that the script writes: they are there, and what they hold is not known."""
        self.memory: dict[object, Value] = {}
        """What modules keep (patterns that were compiled)."""

    @property
    def frame(self) -> Frame:
        return self.frames[-1]

    # what the classes further down do
    call: Callable[..., Value]
    attribute: Callable[[Value, str], Value]
    iterated: Callable[[Value], list[Value] | None]
    """The items of a value; None when they are not known."""
    builtin: Callable[[str], Value]
    """A name that the script does not bind; None when nobody knows it."""
    throw: Callable[[Value], None]
    module: Callable[[str], Namespace]
    """A module that is known by this name."""
    imported: Callable[[str], Value]
    load_file: Callable[[str], Namespace]
    """A Python file of the repository, carried out."""
    block: Callable[[list[ast.stmt]], None]
    bind: Callable[[ast.expr, Value], None]

    # --- files -----------------------------------------------------------------------------------------------------

    def absolute(self, path: str) -> str:
        return posixpath.normpath(posixpath.join(self.folder, path))

    def name_of(self, path: str) -> str | None:
        """The name in the repository of a path as the script writes it; None when it is outside."""
        full = self.absolute(path)
        if full == ROOT:
            return ""
        return full[len(ROOT) + 1 :] if full.startswith(f"{ROOT}/") else None

    def has_file(self, path: str) -> bool:
        name = self.name_of(path)
        if not name:
            return False
        self.spend(LOOK)
        found = name in self.written or self.tree.is_file(name)
        if not found and len(self.missed) < 100:
            self.missed.append(name)
        return found

    def has_folder(self, path: str) -> bool:
        name = self.name_of(path)
        return name == "" or (name is not None and self.tree.is_folder(name))

    def text_of_file(self, path: str) -> Value:
        """The text of a file of the repository, or an unknown value."""
        name = self.name_of(path)
        if not name:
            return Unknown(f"{path} is outside the repository")
        if name in self.written:
            return Unknown("a file that the script writes")
        self.spend(LOOK)
        text = self.tree.read(name, most=MAX_TEXT)
        if text is None:
            missing = self.fault(FileNotFoundError, f"{name} is not in the repository")
            missing.missing = name
            return missing
        self.spend(len(text) // 100)
        if name not in self.read_files:
            self.read_files.append(name)
        return Text(text.replace("\r\n", "\n").replace("\r", "\n"), name, 1)

    # --- exceptions ------------------------------------------------------------------------------------------------

    def guard(self, kind: Value) -> Guard | None:
        """The innermost ``try`` that handles such an exception."""
        return next((guard for guard in reversed(self.guards) if guard.takes(kind)), None)

    def fault(self, kind: type[BaseException], why: str = "") -> Value:
        """An operation fails. Where the script is prepared for it, it goes there; else its result is unknown."""
        if self.guard(kind) is not None:
            raise Raised(kind, why)
        return Unknown(why)

    def may_raise(self, kind: Value) -> None:
        """Something may fail or not: both go on."""
        guard = self.guard(kind)
        if guard is not None:
            guard.maybe.append(kind)

    # --- doubts ----------------------------------------------------------------------------------------------------

    def tag(self, value: Value) -> Value:
        """A value that is put somewhere now, perhaps."""
        if self.doubts and isinstance(value, str):
            return doubtful(value, self.doubts[-1])
        return value

    def tagged(self, values: list[Value]) -> list[Value]:
        return [self.tag(value) for value in values] if self.doubts else values


def doubtful(value: str, doubt: Doubt) -> Text:
    if isinstance(value, Text):
        return Text(value, value.file, value.line, value.flat, value.doubt or doubt)
    return Text(value, doubt.file, doubt.line, flat=True, doubt=doubt)


def takes(handled: Value, kind: Value) -> bool:
    """Whether a handler of ``handled`` takes an exception of ``kind``. A handler that is not known takes none."""
    if isinstance(handled, tuple):
        return any(takes(one, kind) for one in handled)
    if isinstance(handled, type) and isinstance(kind, type):
        return issubclass(kind, handled)
    if isinstance(kind, Class):
        return kind is handled or any(takes(handled, base) for base in kind.bases)
    return False
