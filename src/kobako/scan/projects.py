"""A repository of several packages: where they are, and what each of them declares."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from kobako.model.finding import Finding
from kobako.model.requirement import Other
from kobako.scan.aside import is_aside
from kobako.scan.declaring.declared import Declared, normalised
from kobako.scan.tree import Tree

MOST = 40
"""Packages that are read; a repository with more of them is a collection, not a project."""
_DEEPEST = 3
_MARKS = ("pyproject.toml", "setup.py", "setup.cfg")
_NAME = re.compile(
    r"""\bname[ \t]*=[ \t]*["']([A-Za-z0-9][\w.-]*)["']|^name[ \t]*=[ \t]*([A-Za-z0-9][\w.-]*)""", re.MULTILINE
)

Reader = Callable[[Tree], Declared | None]
InFolder = Callable[[Tree, str], Declared | None]
"""Reads what stands in one folder of a repository; the places in what it finds are seen from the top."""


def folders(tree: Tree) -> list[str]:
    """The folders below the top that hold a package of their own, the outermost of nested ones."""
    found: list[str] = []
    for name in sorted(tree.files, key=lambda one: (one.count("/"), one)):
        folder, _, last = name.rpartition("/")
        if last not in _MARKS or not folder or folder.count("/") >= _DEEPEST or is_aside(f"{folder}/__init__.py"):
            continue
        if not any(folder == one or folder.startswith(f"{one}/") for one in found):
            found.append(folder)
    return sorted(found[:MOST])


def within(reader: Reader) -> InFolder:
    """The reader of a whole repository as one of a folder in it."""

    def read_folder(tree: Tree, folder: str) -> Declared | None:
        found = reader(Tree(tree.root / folder))
        return None if found is None else _moved(found, folder)

    return read_folder


def read(tree: Tree, readers: Sequence[InFolder]) -> Declared | None:
    """What the packages below the top declare, but for each other. None where there is none."""
    every = Declared()
    own: set[str] = set()
    for folder in folders(tree):
        own.update(_names(Tree(tree.root / folder)))
        for reader in readers:
            found = reader(tree, folder)
            if found is not None:
                every.merge(found)
            if found is not None and found.requirements:
                break
    others = [
        Other(str(one), "a package of the repository itself", one.findings)
        for one in every.requirements
        if one.name in own
    ]
    every.requirements = [one for one in every.requirements if one.name not in own]
    every.others += others
    return every if every.requirements or every.python or every.questions else None


def _names(tree: Tree) -> set[str]:
    """The names that a package may have: those that its files give it."""
    texts = (tree.read(mark) for mark in _MARKS)
    found = (_NAME.search(text) for text in texts if text is not None)
    return {normalised(one[1] or one[2]) for one in found if one is not None}


def _moved(found: Declared, folder: str) -> Declared:
    """The same with its places seen from the top."""
    moved = Declared(bounds={name: [_placed(one, folder) for one in each] for name, each in found.bounds.items()})
    for each in fields(found):
        value = getattr(found, each.name)
        if isinstance(value, list):
            setattr(moved, each.name, [_placed(one, folder) for one in value])
    moved.is_partial = found.is_partial
    return moved


def _placed(one: Any, folder: str) -> Any:
    """A requirement, bound, question or problem whose findings lie below ``folder``."""
    where = getattr(one, "where", None)
    if where is not None and not is_dataclass(one):
        return one._replace(where=where._replace(file=f"{folder}/{where.file}"))
    if isinstance(one, Finding):
        return replace(one, file=f"{folder}/{one.file}")
    changes: dict[str, Any] = {}
    for name in ("findings", "imports"):
        if getattr(one, name, ()):
            changes[name] = tuple(_placed(each, folder) for each in getattr(one, name))
    if getattr(one, "finding", None) is not None:
        changes["finding"] = _placed(one.finding, folder)
    return replace(one, **changes) if changes and is_dataclass(one) and not isinstance(one, type) else one
