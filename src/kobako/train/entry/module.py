"""A script that imports relatively (``from .models import Net``) is part of a package, and starts as its module."""

from __future__ import annotations

import ast
import warnings
from typing import NamedTuple

from kobako.train.entry.repository import Repository

_LONGEST = 512 * 1024


class Own(NamedTuple):
    """``name`` is what stands behind ``python -m``, "" where the file starts by its path; ``root`` has to be found."""

    name: str = ""
    root: tuple[str, ...] = ()


def of(repository: Repository, script: str) -> Own:
    """Under which name a script is to be started. Only where it imports relatively as soon as it is read."""
    level = _level(repository.read(script) or "")
    *folders, file = script.split("/")
    if not level or level > len(folders):
        return Own()
    packages: list[str] = []
    while folders and (len(packages) < level or "/".join((*folders, "__init__.py")) in repository.files):
        packages.insert(0, folders.pop())
    parts = (*packages, file.removesuffix(".py"))
    if not all(part.isidentifier() for part in parts):
        return Own()
    return Own(".".join(parts), ("/".join(folders) or ".",))


def _level(text: str) -> int:
    """How many packages the script expects above itself; 0 for none, and where nothing in it starts by itself."""
    if len(text) > _LONGEST or "__main__" not in text:
        return 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return 0
    return max((node.level for node in body if isinstance(node, ast.ImportFrom)), default=0)
