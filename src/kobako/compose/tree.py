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

_CLEARED = {("command",), ("entrypoint",)}
"""A later null takes an earlier value away; everywhere else it says nothing."""

_PAIRS = {("environment",), ("build", "args")}
"""Names and values, as a mapping or as a list; a null beside a name is a value like any other."""


@dataclass(frozen=True)
class Leaf:
    """A scalar, variables replaced. Relative paths in it are relative to ``folder``; ``value`` is None for null.

    ``word`` is true for a plain word, in which YAML may see a number. ``key``, here and in the other trees, is where
    the service's key stands that holds the value.
    """

    value: str | None
    where: Where
    folder: Path
    tag: str | None = None
    word: bool = False
    key: Where | None = None


@dataclass(frozen=True)
class Items:
    """A sequence."""

    items: tuple[Tree, ...]
    where: Where
    tag: str | None = None
    key: Where | None = None


@dataclass(frozen=True)
class Keys:
    """A mapping, merge keys resolved."""

    keys: dict[str, Tree]
    where: Where
    tag: str | None = None
    key: Where | None = None

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


def tree(node: Node, source: Source, key: Where | None = None) -> Tree:
    """The node as a tree, variables replaced: Compose does so file by file, before it merges."""
    where = source.where(node)
    target = follow(node)
    if isinstance(target, Mapping):
        entries = {name: tree(entry.value, source) for name, entry in target.table.items()}
        return Keys(entries, where, node.tag, key)
    if isinstance(target, Sequence):
        return Items(tuple(tree(item, source) for item in target.items), where, node.tag, key)
    if is_null(target):
        return Leaf(None, where, source.folder, node.tag, key=key)
    word = not target.style and target.tag is None and "$" not in target.value
    return Leaf(interpolate(target.value, source.env, where), where, source.folder, node.tag, word, key)


def service_tree(node: Mapping, source: Source, only: frozenset[str]) -> Keys:
    """A service's own mapping. Of the keys that are not in ``only``, none but the place and whether they say anything
    is kept."""
    keys: dict[str, Tree] = {}
    for name, (key, value) in node.table.items():
        place = source.where(key)
        if name in only:
            keys[name] = tree(value, source, place)
        else:
            said = None if is_null(follow(value)) else ""
            keys[name] = Leaf(said, source.where(value), source.folder, value.tag, key=place)
    return Keys(keys, source.where(node))


def merge(base: Tree, over: Tree, path: tuple[str, ...] = ()) -> Tree | None:
    """``over`` laid on ``base``; None when ``over`` takes the value away. ``path`` is below the service."""
    if over.tag == RESET:
        return None
    if over.tag == OVERRIDE:
        return over
    if isinstance(over, Leaf) and over.value is None:
        return over if path in _CLEARED or path[:-1] in _PAIRS else base
    base, over = _long(base, path), _long(over, path)
    if isinstance(base, Keys) and isinstance(over, Keys):
        merged = dict(base.keys)
        for key, value in over.keys.items():
            kept = merge(merged[key], value, (*path, key)) if key in merged else value
            if kept is None:
                merged.pop(key, None)
            else:
                merged[key] = kept
        return Keys(merged, base.where, key=base.key)
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


def _long(value: Tree, path: tuple[str, ...]) -> Tree:
    """The long form of what has a short one."""
    if path in _PAIRS:
        return pairs(value)
    if path == ("env_file",):
        return listed(value)
    return _build(value) if path == ("build",) else value


def _build(value: Tree) -> Tree:
    """``build: PATH`` is short for ``build: {context: PATH}``."""
    return Keys({"context": value}, value.where, key=value.key) if isinstance(value, Leaf) else value


def pairs(value: Tree) -> Tree:
    """``- NAME=value`` is another way to write ``NAME: value``. What is no such text is left without a name."""
    if not isinstance(value, Items):
        return value
    found: dict[str, Tree] = {}
    for item in value.items:
        if isinstance(item, Leaf):
            name, equals, text = (item.value or "").partition("=")
            found[name] = replace(item, value=text if equals else None, word=False)
        else:
            found[""] = item
    return Keys(found, value.where, key=value.key)


def listed(value: Tree) -> Tree:
    """``env_file: PATH`` is short for a list of one."""
    if not isinstance(value, Leaf):
        return value
    return Items(() if value.value is None else (value,), value.where, key=value.key)


def _joined(base: Items, over: Items, path: tuple[str, ...]) -> Items:
    if path != ("volumes",):
        return Items(base.items + over.items, over.where, key=over.key)
    by_target = {target_of(item): item for item in base.items}
    by_target.update({target_of(item): item for item in over.items})
    return Items(tuple(by_target.values()), over.where, key=over.key)


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
