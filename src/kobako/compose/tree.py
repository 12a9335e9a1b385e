"""Plain values with their places, merged over several files as Compose merges them.

Rules: https://docs.docker.com/reference/compose-file/merge/ .
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping as Environment
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from kobako.compose.interpolate import interpolate
from kobako.compose.nodes import Mapping, Node, Sequence, follow, is_null
from kobako.errors import Where

RESET, OVERRIDE = "!reset", "!override"

_WHOLE = {("command",), ("entrypoint",), ("x-kobako", "entry"), ("x-kobako", "verify")}
"""Lists that are one thing: a later one replaces an earlier one."""


@dataclass(frozen=True)
class Leaf:
    """A scalar, variables replaced. Relative paths in it are relative to ``folder``; ``value`` is None for null."""

    value: str | None
    where: Where
    folder: Path
    tag: str | None = None


@dataclass(frozen=True)
class Items:
    """A sequence."""

    items: tuple[Tree, ...]
    where: Where
    tag: str | None = None


@dataclass(frozen=True)
class Keys:
    """A mapping, merge keys resolved."""

    keys: dict[str, Tree]
    where: Where
    tag: str | None = None

    def get(self, *path: str) -> Tree | None:
        """What stands at the path, or None."""
        found: Tree | None = self
        for key in path:
            found = found.keys.get(key) if isinstance(found, Keys) else None
        return found


Tree = Leaf | Items | Keys


class Source(NamedTuple):
    """Where nodes come from: their file, what its relative paths are relative to, and what its ``${...}`` see."""

    file: str
    folder: Path
    env: Environment[str, str]

    def where(self, node: Node) -> Where:
        return Where(self.file, node.line, node.column)


def tree(node: Node, source: Source, only: frozenset[str] | None = None) -> Tree:
    """The node as a tree, variables replaced: Compose does so file by file, before it merges.

    ``only`` limits the keys of the mapping itself to those that somebody will read.
    """
    where = source.where(node)
    target = follow(node)
    if isinstance(target, Mapping):
        entries = {key: tree(entry.value, source) for key, entry in target.table.items() if only is None or key in only}
        return Keys(entries, where, node.tag)
    if isinstance(target, Sequence):
        return Items(tuple(tree(item, source) for item in target.items), where, node.tag)
    value = None if is_null(target) else interpolate(target.value, source.env, where)
    return Leaf(value, where, source.folder, node.tag)


def merge(base: Tree, over: Tree, path: tuple[str, ...] = ()) -> Tree | None:
    """``over`` laid on ``base``; None when ``over`` takes the value away. ``path`` is below the service."""
    if over.tag == RESET:
        return None
    if over.tag == OVERRIDE or (isinstance(over, Leaf) and over.value is None):
        return over if over.tag == OVERRIDE else base
    if path == ("build",):
        base, over = _build(base), _build(over)
    if path == ("build", "args"):
        base, over = _pairs(base), _pairs(over)
    if isinstance(base, Keys) and isinstance(over, Keys):
        merged = dict(base.keys)
        for key, value in over.keys.items():
            kept = merge(merged[key], value, (*path, key)) if key in merged else value
            if kept is None:
                merged.pop(key, None)
            else:
                merged[key] = kept
        return Keys(merged, base.where)
    if isinstance(base, Items) and isinstance(over, Items) and path not in _WHOLE:
        return _joined(base, over, path)
    return over


def settled(value: Tree) -> Tree | None:
    """The value when nothing more is merged: what takes something away (``!reset``) is not there."""
    if value.tag == RESET:
        return None
    if isinstance(value, Keys):
        kept = {key: found for key, one in value.keys.items() if (found := settled(one)) is not None}
        return replace(value, keys=kept)
    return value


def _build(value: Tree) -> Tree:
    """``build: PATH`` is short for ``build: {context: PATH}``."""
    return Keys({"context": value}, value.where) if isinstance(value, Leaf) else value


def _pairs(value: Tree) -> Tree:
    """``- NAME=value`` is another way to write ``NAME: value``."""
    if not isinstance(value, Items):
        return value
    found: dict[str, Tree] = {}
    for item in value.items:
        if isinstance(item, Leaf):
            name, equals, text = (item.value or "").partition("=")
            found[name] = replace(item, value=text if equals else None)
    return Keys(found, value.where)


def _joined(base: Items, over: Items, path: tuple[str, ...]) -> Items:
    if path != ("volumes",):
        return Items(base.items + over.items, over.where)
    by_target = {target_of(item): item for item in base.items}
    by_target.update({target_of(item): item for item in over.items})
    return Items(tuple(by_target.values()), over.where)


def target_of(volume: Tree) -> str:
    """Where a volume is mounted: what two volumes are compared by."""
    if isinstance(volume, Keys):
        target = volume.get("target")
        return clean((target.value or "") if isinstance(target, Leaf) else "")
    if isinstance(volume, Leaf):
        parts = (volume.value or "").split(":")
        return clean(parts[0] if len(parts) == 1 else parts[1])
    return ""


def clean(target: str) -> str:
    """A path inside as Compose compares it: ``/data/`` is ``/data``."""
    return posixpath.normpath(target) if target else ""
