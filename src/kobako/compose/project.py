"""Reads the services of a workspace as Compose understands them, with the place of everything that may be wrong.

Covered: override files, COMPOSE_FILE, ``extends``, ``include``, anchors and merge keys, ``!reset`` and ``!override``,
interpolation. Only the keys that Kobako uses are read; the rest is Compose's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Mapping as Environment
from pathlib import Path

from kobako.compose import document, files, services
from kobako.compose.nodes import Mapping, Node, Sequence, follow, is_null
from kobako.compose.tree import RESET, Items, Keys, Leaf, Source, Tree, merge, service_tree, settled, tree
from kobako.errors import UsageError, Where
from kobako.model.service import Project, Service
from kobako.workspace import read_text

_DEEPEST = 20
"""Levels of ``extends`` and ``include``; Compose files that need more are circles."""


def load(found: files.Found) -> tuple[Project, tuple[Path, ...]]:
    """The project of these files, and all files that were read. Raises ``UsageError`` with file, line and column."""
    reader = _Reader()
    merged: dict[str, Keys] = {}
    name = None
    for file in found.files:
        source = Source(str(file), found.root, found.env)
        name = reader.name(source) or name
        merged = _laid_over(merged, reader.services(source))
    project = Project(
        name=files.project_name(found.root, name, found.env),
        root=str(found.root),
        files=tuple(str(file) for file in found.files),
        implicit=found.implicit,
        services=_made(merged, found.env),
    )
    return project, reader.files


def _made(merged: dict[str, Keys], env: Environment[str, str]) -> dict[str, Service]:
    made = {}
    for name, keys in merged.items():
        left = settled(keys)
        if isinstance(left, Keys):
            made[name] = services.service(name, left, env)
    return made


def _laid_over(base: dict[str, Keys], over: dict[str, Keys]) -> dict[str, Keys]:
    """All services of both; those of the same name merged."""
    merged = dict(base)
    for name, keys in over.items():
        laid = merge(base[name], keys) if name in base else keys
        if isinstance(laid, Keys):
            merged[name] = laid
        else:
            merged.pop(name, None)
    return merged


class _Layered(Environment[str, str]):
    """An environment over what a file says. Only what is asked for is looked up, so that it can be remembered."""

    def __init__(self, env: Environment[str, str], below: Environment[str, str]) -> None:
        self._env = env
        self._below = below

    def __getitem__(self, name: str) -> str:
        found = self._env.get(name)
        return self._below[name] if found is None else found

    def __iter__(self) -> Iterator[str]:
        return iter({**self._below, **self._env})

    def __len__(self) -> int:
        return len({**self._below, **self._env})


class _Reader:
    """Reads files once each."""

    def __init__(self) -> None:
        self._roots: dict[Path, tuple[Mapping, ...]] = {}
        self._env_files: list[Path] = []

    @property
    def files(self) -> tuple[Path, ...]:
        return (*self._roots, *self._env_files)

    def roots(self, file: Path) -> tuple[Mapping, ...]:
        """The top-level mapping of each of the file's documents; empty ones are left out."""
        if file not in self._roots:
            found = document.load(read_text(file), str(file))
            nodes = [root.node for root in found.roots if root.node is not None and not is_null(root.node)]
            self._roots[file] = tuple(_mapping(node, file) for node in nodes)
        return self._roots[file]

    def name(self, source: Source) -> str | None:
        """What the file says under ``name``; the last of its documents wins."""
        said = [root.table["name"].value for root in self.roots(Path(source.file)) if "name" in root.table]
        leaf = tree(said[-1], source) if said else None
        return leaf.value if isinstance(leaf, Leaf) else None

    def services(self, source: Source, depth: int = 0) -> dict[str, Keys]:
        """The services that a file and what it includes define. Its documents are merged as files are."""
        if depth > _DEEPEST:
            raise UsageError("invalid-compose", f"{source.file} includes itself", where=Where(source.file))
        found: dict[str, Keys] = {}
        for root in self.roots(Path(source.file)):
            if "include" in root.table:
                for included in self._included(root.table["include"].value, source):
                    together: dict[str, Keys] = {}
                    for one in included:
                        together = _laid_over(together, self.services(one, depth + 1))
                    found.update(together)
            written = {
                name: self._extended(self._service(node, name, source), name, source, depth)
                for name, node in _entries(root, source)
            }
            found = _laid_over(found, written)
        return found

    def _service(self, node: Node, name: str, source: Source) -> Keys:
        target = follow(node)
        if is_null(node) or node.tag == RESET:
            return Keys({}, source.where(node), node.tag)
        if not isinstance(target, Mapping):
            raise _not_a_mapping(f"the service {name}", Path(source.file), node)
        keys = service_tree(target, source, services.READ)
        return Keys(keys.keys, source.where(node), node.tag)

    def _extended(self, keys: Keys, name: str, source: Source, depth: int) -> Keys:
        extends = keys.get("extends")
        if extends is None or (isinstance(extends, Leaf) and extends.value is None):
            return keys
        where = extends.where
        if depth > _DEEPEST:
            raise UsageError("invalid-compose", f"{name} extends itself", where=where)
        other, base = _said(extends)
        file = source.folder / other if other else Path(source.file)
        if not files.is_file(file):
            raise UsageError("invalid-compose", f"{name} extends a file that does not exist: {other}", where=where)
        inner = source._replace(file=str(file), folder=file.parent) if other else source
        table = {found: node for root in self.roots(file) for found, node in _entries(root, inner)}
        if base not in table:
            raise UsageError("invalid-compose", f"{name} extends {base}, which {file} does not define", where=where)
        below = self._extended(self._service(table[base], base, inner), base, inner, depth + 1)
        laid = merge(Keys({k: v for k, v in below.keys.items() if k != "extends"}, below.where), keys)
        return laid if isinstance(laid, Keys) else keys

    def _included(self, node: Node, source: Source) -> Iterator[list[Source]]:
        """The files of each entry of ``include``; the second and further ones of an entry override the first."""
        value = tree(node, source)
        for item in value.items if isinstance(value, Items) else (value,):
            paths = item.get("path") if isinstance(item, Keys) else item
            found = [self._path(path, source) for path in (paths.items if isinstance(paths, Items) else (paths,))]
            said = item.get("project_directory") if isinstance(item, Keys) else None
            named = said.value if isinstance(said, Leaf) else None
            folder = source.folder / named if named else found[0].parent
            env = self._environment(item, folder, source)
            yield [Source(str(file), folder, env) for file in found]

    def _path(self, path: Tree | None, source: Source) -> Path:
        if not isinstance(path, Leaf) or not path.value:
            where = path.where if path is not None else Where(source.file)
            raise UsageError("invalid-compose", "include: wants a path", where=where)
        file = source.folder / path.value
        if not files.is_file(file):
            raise UsageError("invalid-compose", f"the included file {file} does not exist", where=path.where)
        return file

    def _environment(self, item: Tree, folder: Path, source: Source) -> Environment[str, str]:
        """An included file has an environment of its own, below the one around it."""
        said = item.get("env_file") if isinstance(item, Keys) else None
        named = said.items if isinstance(said, Items) else (said,)
        texts = [one.value for one in named if isinstance(one, Leaf) and one.value]
        listed = [source.folder / text for text in texts] or [folder / ".env"]
        below: dict[str, str] = {}
        for file in listed:
            self._env_files.append(file)  # one that is not there is remembered as such
            if files.is_file(file):
                below.update(files.dotenv(read_text(file), file))
        return _Layered(source.env, below) if below else source.env


def _said(extends: Tree) -> tuple[str, str]:
    """The file ("" for the same) and the service that ``extends`` names."""
    text: Callable[[Tree | None], str] = lambda leaf: (leaf.value or "") if isinstance(leaf, Leaf) else ""  # noqa: E731
    if isinstance(extends, Keys):
        return text(extends.get("file")), text(extends.get("service"))
    return "", text(extends)


def _entries(root: Mapping, source: Source) -> Iterator[tuple[str, Node]]:
    entry = root.table.get("services")
    if entry is None or is_null(entry.value):
        return
    target = follow(entry.value)
    if not isinstance(target, Mapping):
        raise _not_a_mapping("services", Path(source.file), entry.value)
    for name, one in target.table.items():
        yield name, one.value


def _mapping(node: Node, file: Path) -> Mapping:
    target = follow(node)
    if not isinstance(target, Mapping):
        raise _not_a_mapping("a compose file", file, node)
    return target


def _not_a_mapping(what: str, file: Path, node: Node) -> UsageError:
    kind = "a list" if isinstance(follow(node), Sequence) else "a single value"
    return UsageError(
        "invalid-compose",
        f"{what} is to be a mapping, and is {kind}",
        why="it holds no `name: value` lines",
        where=Where(str(file), node.line, node.column),
    )
