"""YAML of a repository, read with the bounds and the places of the compose reader. Nothing in it is constructed."""

from __future__ import annotations

from collections.abc import Iterator

from kobako.compose.document import load
from kobako.compose.nodes import Mapping, Node, Scalar, Sequence, follow
from kobako.errors import KobakoError
from kobako.scan.told.budget import Budget
from kobako.scan.tree import Tree

LARGEST, LARGEST_ALL = 256 * 1024, 1024**2
"""Bytes. What people write for a CI or for Compose is far shorter."""


def budget() -> Budget:
    return Budget(LARGEST, LARGEST_ALL)


def root_of(tree: Tree, name: str, within: Budget) -> Node | None:
    """The first document's content, or None where there is none that can be read."""
    text = within.read(tree, name)
    if text is None:
        return None
    try:
        return load(text, name).root
    except KobakoError:  # not YAML, an alias bomb, nested too deep
        return None


def entries(node: Node | None) -> Iterator[tuple[str, Node]]:
    """Keys and values of a mapping, merge keys resolved, aliases followed; none for anything else."""
    target = follow(node) if node is not None else None
    if isinstance(target, Mapping):
        for key, entry in target.table.items():
            yield key, follow(entry.value)


def items(node: Node | None) -> tuple[Node, ...]:
    """The items of a list; a lone value is a list of one."""
    target = follow(node) if node is not None else None
    if isinstance(target, Sequence):
        return tuple(follow(item) for item in target.items)
    return (target,) if isinstance(target, Scalar) and target.value else ()


def get(node: Node | None, *keys: str) -> Node | None:
    """The value below some keys, or None."""
    current = node
    for key in keys:
        current = dict(entries(current)).get(key)
        if current is None:
            return None
    return current


def text_of(node: Node | None) -> str:
    """A scalar as it is written, without quotes: ``3.10`` stays what it is."""
    target = follow(node) if node is not None else None
    return target.value if isinstance(target, Scalar) else ""


def first_line(node: Scalar) -> int:
    """The line of the first line of a scalar's text: that after ``|``, else its own."""
    return node.line + 1 if node.style in {"|", ">"} else node.line
