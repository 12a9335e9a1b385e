"""A compose file as it stands: its text, its values and where each of them is written.

The text is what ``bytes.decode("utf-8", "surrogateescape")`` gives, line ends untouched, so that it goes back to disk
byte for byte. A file may hold several documents, as Compose allows.
"""

from __future__ import annotations

from dataclasses import dataclass

from kobako.compose.lines import Lines
from kobako.compose.nodes import Mapping, Node, Scalar, Sequence, follow, key_text
from kobako.compose.parse import Root, parse
from kobako.compose.scalars import Plain, resolve_tagged
from kobako.errors import Where

Path = tuple[str | int, ...]
Value = Plain | list["Value"] | dict[str, "Value"]


@dataclass(frozen=True, eq=False)
class Document:
    """``roots`` has one entry for each YAML document of the file; none where the file holds nothing but comments."""

    text: str
    file: str
    lines: Lines
    roots: tuple[Root, ...]

    @property
    def root(self) -> Node | None:
        """The first document's content."""
        return self.roots[0].node if self.roots else None

    def where(self, node: Node) -> Where:
        return Where(self.file, node.line, node.column)


def load(text: str, file: str = "") -> Document:
    """Reads a text. Raises ``UsageError`` with the code ``invalid-yaml``, line and column, on anything that is not
    YAML, on a key that stands twice, and on aliases or nesting beyond what a compose file could need."""
    lines = Lines.of(text)
    return Document(text, file, lines, parse(text, lines, file))


def find(document: Document, path: Path) -> Node | None:
    """The node at a path, through aliases and merge keys, in the first document that has it.

    An alias at the very end of the path is returned as such: ``follow`` leads on to what it stands for.
    """
    for root in document.roots:
        node = find_below(root.node, path) if root.node is not None else None
        if node is not None:
            return node
    return None


def find_below(node: Node, path: Path) -> Node | None:
    current: Node | None = node
    for step in path:
        if current is None:
            return None
        current = child(current, step)
    return current


def child(node: Node, step: str | int) -> Node | None:
    """One step down: a key of a mapping (merged ones included) or an index of a list."""
    target = follow(node)
    if isinstance(target, Mapping):
        entry = target.table.get(step) if isinstance(step, str) else None
        return entry.value if entry else None
    if isinstance(target, Sequence) and isinstance(step, int) and 0 <= step < len(target.items):
        return target.items[step]
    return None


def plain(node: Node | None) -> Value:
    """The value as Compose would understand it: aliases and merge keys resolved, keys as text, own keys first.

    Standard tags (``!!str``) are applied; other tags (``!reset``, ``!override``) are for the caller to look at.
    """
    if node is None:
        return None
    target = follow(node)
    if isinstance(target, Scalar):
        return resolve_tagged(target.value, target.tag, target.style)
    if isinstance(target, Sequence):
        items: list[Value] = []
        for item in target.items:  # no comprehension: each would be a second stack frame for every level
            items.append(plain(item))  # noqa: PERF401
        return items
    table: dict[str, Value] = {}
    for name, entry in target.table.items():
        table[name] = plain(entry.value)
    return table


def keys(node: Node | None) -> tuple[str, ...]:
    """The keys of a mapping, merged ones included; none for anything else."""
    target = follow(node) if node is not None else None
    return tuple(target.table) if isinstance(target, Mapping) else ()


__all__ = [
    "Document",
    "Path",
    "Root",
    "Value",
    "child",
    "find",
    "find_below",
    "follow",
    "key_text",
    "keys",
    "load",
    "plain",
]
