"""Reads the services of a workspace as Compose understands them, with the place of everything that may be wrong.

Covered: override files, COMPOSE_FILE, ``extends``, ``include``, anchors and merge keys, ``!reset`` and ``!override``,
interpolation. Only the keys that Kobako uses are read; the rest is Compose's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from kobako.compose import document, files, services
from kobako.compose.interpolate import interpolate
from kobako.compose.nodes import Mapping, Node, Scalar, Sequence, follow, is_null
from kobako.compose.tree import Items, Keys, Leaf, Tree, merge, tree
from kobako.errors import UsageError, Where
from kobako.model.service import Project
from kobako.workspace import read_text

_DEEPEST = 20
"""Levels of ``extends`` and ``include``; Compose files that need more are circles."""


def load(found: files.Found) -> tuple[Project, tuple[Path, ...]]:
    """The project of these files, and all files that were read. Raises ``UsageError`` with file, line and column."""
    reader = _Reader(found)
    merged: dict[str, Keys] = {}
    name = None
    for file in found.files:
        root = reader.root(file)
        said = root.table.get("name") if root is not None else None
        if said is not None and isinstance(leaf := follow(said.value), Scalar):
            name = interpolate(leaf.value, found.env, Where(str(file), leaf.line, leaf.column))
        for service, keys in reader.services(file, found.root).items():
            merged[service] = _laid(merged.get(service), keys)
    made = {service: services.service(service, keys, found.env) for service, keys in merged.items()}
    project = Project(
        name=files.project_name(found.root, name, found.env),
        root=str(found.root),
        files=tuple(str(file) for file in found.files),
        implicit=found.implicit,
        services=made,
    )
    return project, reader.files


def _laid(base: Keys | None, over: Keys) -> Keys:
    if base is None:
        return over
    merged = merge(base, over)
    return merged if isinstance(merged, Keys) else over


class _Reader:
    """Reads files once each."""

    def __init__(self, found: files.Found) -> None:
        self._env = found.env
        self._roots: dict[Path, Mapping | None] = {}

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(self._roots)

    def root(self, file: Path) -> Mapping | None:
        """The file's top-level mapping; None for an empty file."""
        if file not in self._roots:
            text = read_text(file)
            self._roots[file] = _mapping(document.load(text, str(file)), str(file))
        return self._roots[file]

    def services(self, file: Path, folder: Path, depth: int = 0) -> dict[str, Keys]:
        """The services that a file and what it includes define; relative paths in it are relative to ``folder``."""
        root = self.root(file)
        found: dict[str, Keys] = {}
        if root is None:
            return found
        if depth > _DEEPEST:
            raise UsageError("invalid-compose", f"{file} includes itself", where=Where(str(file)))
        if "include" in root.table:
            for path, inner in self._included(root.table["include"].value, file, folder):
                found.update(self.services(path, inner, depth + 1))
        for name, node in _entries(root, file):
            if isinstance(target := follow(node), Mapping):
                keys = self._service(target, node, file, folder)
                found[name] = self._extended(keys, name, file, folder, depth)
            elif not is_null(node):
                raise _not_a_mapping(f"the service {name}", file, node)
            else:
                found[name] = Keys({}, Where(str(file), node.line, node.column))
        return found

    def _service(self, target: Mapping, node: Node, file: Path, folder: Path) -> Keys:
        keys = tree(target, str(file), folder, services.READ)
        assert isinstance(keys, Keys)  # noqa: S101 - a mapping gives keys
        return Keys(keys.keys, Where(str(file), node.line, node.column))

    def _extended(self, keys: Keys, name: str, file: Path, folder: Path, depth: int) -> Keys:
        extends = keys.get("extends")
        if extends is None:
            return keys
        where = extends.where
        if depth > _DEEPEST:
            raise UsageError("invalid-compose", f"{name} extends itself", where=where)
        other, base = _said(extends)
        source, inner = (file, folder) if not other else ((folder / other), (folder / other).parent)
        if not source.is_file():
            raise UsageError("invalid-compose", f"{name} extends a file that does not exist: {other}", where=where)
        root = self.root(source)
        table = dict(_entries(root, source)) if root is not None else {}
        target = follow(table[base]) if base in table else None
        if not isinstance(target, Mapping):
            raise UsageError("invalid-compose", f"{name} extends {base}, which {source} does not define", where=where)
        below = self._extended(self._service(target, table[base], source, inner), base, source, inner, depth + 1)
        return _laid(Keys({k: v for k, v in below.keys.items() if k != "extends"}, below.where), keys)

    def _included(self, node: Node, file: Path, folder: Path) -> Iterator[tuple[Path, Path]]:
        value = tree(node, str(file), folder)
        for item in value.items if isinstance(value, Items) else (value,):
            paths = item.get("path") if isinstance(item, Keys) else item
            inner = item.get("project_directory") if isinstance(item, Keys) else None
            for path in paths.items if isinstance(paths, Items) else (paths,):
                if not isinstance(path, Leaf) or path.value is None:
                    raise UsageError("invalid-compose", "include: wants a path", where=item.where)
                where = folder / interpolate(path.value, self._env, path.where)
                if not where.is_file():
                    raise UsageError("invalid-compose", f"the included file {where} does not exist", where=path.where)
                named = inner.value if isinstance(inner, Leaf) else None
                yield where, folder / interpolate(named, self._env) if named else where.parent


def _said(extends: Tree) -> tuple[str, str]:
    """The file ("" for the same) and the service that ``extends`` names."""
    text: Callable[[Tree | None], str] = lambda leaf: (leaf.value or "") if isinstance(leaf, Leaf) else ""  # noqa: E731
    if isinstance(extends, Keys):
        return text(extends.get("file")), text(extends.get("service"))
    return "", text(extends)


def _entries(root: Mapping, file: Path) -> Iterator[tuple[str, Node]]:
    entry = root.table.get("services")
    if entry is None or is_null(entry.value):
        return
    target = follow(entry.value)
    if not isinstance(target, Mapping):
        raise _not_a_mapping("services", file, entry.value)
    for name, one in target.table.items():
        yield name, one.value


def _mapping(found: document.Document, file: str) -> Mapping | None:
    node = found.root
    if node is None or is_null(node):
        return None
    target = follow(node)
    if not isinstance(target, Mapping):
        raise _not_a_mapping("a compose file", Path(file), node)
    return target


def _not_a_mapping(what: str, file: Path, node: Node) -> UsageError:
    kind = "a list" if isinstance(follow(node), Sequence) else "a single value"
    return UsageError(
        "invalid-compose",
        f"{what} is to be a mapping, and is {kind}",
        why="it holds no `name: value` lines",
        where=Where(str(file), node.line, node.column),
    )
