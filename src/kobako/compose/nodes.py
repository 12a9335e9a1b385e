"""What a YAML text holds, with the place of every piece. Offsets count characters of the text as given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, eq=False)
class Piece:
    """What all nodes share. Nodes are compared by identity.

    ``start`` is the first character, anchor and tag included; ``body`` the first one of the content itself; ``end`` is
    behind the last character of the content, so never behind trailing blanks, comments or line ends. ``line`` and
    ``column`` are those of ``start``, from 1. ``size`` counts nodes and ``height`` levels with aliases followed.
    """

    start: int
    body: int
    end: int
    line: int
    column: int
    tag: str | None
    anchor: str | None
    size: int = field(default=1, kw_only=True)
    height: int = field(default=1, kw_only=True)


@dataclass(frozen=True, eq=False)
class Scalar(Piece):
    """``style`` is ``'`` or ``"`` for quoted text, ``|`` or ``>`` for a block of text, empty for a plain word."""

    value: str
    style: str

    @property
    def missing(self) -> bool:
        """Nothing is written: ``key:`` and no more."""
        return self.body == self.end


@dataclass(frozen=True, eq=False)
class Alias(Piece):
    name: str
    target: Target


@dataclass(frozen=True, eq=False)
class Sequence(Piece):
    items: tuple[Node, ...]
    flow: bool


class Entry(NamedTuple):
    key: Scalar | Alias
    value: Node

    @property
    def end(self) -> int:
        return max(self.key.end, self.value.end)


@dataclass(frozen=True, eq=False)
class Mapping(Piece):
    """``own`` is what is written in this mapping, merge key included; ``table`` is what it means, merges resolved."""

    entries: tuple[Entry, ...]
    flow: bool
    own: dict[str, Entry]
    table: dict[str, Entry]


Target = Scalar | Sequence | Mapping
Node = Scalar | Alias | Sequence | Mapping


def follow(node: Node) -> Target:
    """The node that an alias stands for; any other node itself."""
    return node.target if isinstance(node, Alias) else node


def key_text(key: Scalar | Alias) -> str:
    """A key as text; the parser lets only scalars through as keys."""
    node = follow(key)
    return node.value if isinstance(node, Scalar) else ""


def is_merge(key: Scalar | Alias) -> bool:
    """A merge key is a plain ``<<``; a quoted one is an ordinary key."""
    return isinstance(key, Scalar) and key.value == "<<" and (not key.style or key.tag == "tag:yaml.org,2002:merge")


def is_null(node: Node) -> bool:
    return (
        isinstance(node, Scalar)
        and not node.style
        and node.tag in {None, "!", "tag:yaml.org,2002:null"}
        and node.value in {"", "~", "null", "Null", "NULL"}
    )


def walk(node: Node) -> Iterator[Node]:
    """A node and all that is written in it, keys included, in the order of the text. Aliases are not followed."""
    pending: list[Node] = [node]
    while pending:
        current = pending.pop()
        yield current
        if isinstance(current, Mapping):
            for entry in reversed(current.entries):
                pending += (entry.value, entry.key)
        elif isinstance(current, Sequence):
            pending += reversed(current.items)
