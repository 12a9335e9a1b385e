"""How far a path leads through what is written in a file itself, without aliases and merge keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kobako.compose.document import Document, Path, child
from kobako.compose.nodes import Alias, Entry, Mapping, Node, Scalar, Sequence, is_null, walk
from kobako.compose.proof import cannot, name_of

if TYPE_CHECKING:
    from kobako.compose.parse import Root


@dataclass(frozen=True)
class Step:
    """One step down: through an entry of a mapping, or through the item of a list with this index."""

    holder: Mapping | Sequence
    node: Node
    entry: Entry | None
    index: int = -1


@dataclass(frozen=True)
class Spot:
    """``node`` is the deepest one on the way that exists (``None``: the document is empty); ``rest`` is what is
    missing below it; ``number`` tells the YAML document."""

    document: Document
    number: int
    node: Node | None
    steps: tuple[Step, ...]
    rest: Path

    @property
    def root(self) -> Root | None:
        return self.document.roots[self.number] if self.document.roots else None

    @property
    def limit(self) -> int:
        """Where the region of this YAML document ends."""
        return self.root.end if self.root else len(self.document.text)

    @property
    def last(self) -> Step | None:
        return self.steps[-1] if self.steps else None


def locate(document: Document, path: Path, what: str) -> Spot:
    """Follows ``path`` in the first document that leads furthest along it. Refuses a way through an alias, through a
    plain value, or through a mapping that only a merge key brings in."""
    if "<<" in path:
        raise cannot(document, what, "merge keys are not edited")
    number = max(range(len(document.roots)), key=lambda n: (_depth(document.roots[n].node, path), -n), default=0)
    node = document.roots[number].node if document.roots else None
    steps: list[Step] = []
    for position in range(len(path)):
        if node is None or is_null(node):
            return Spot(document, number, node, tuple(steps), path[position:])
        step = _step(document, node, path[: position + 1], what)
        if step is None:
            _check_merged(document, node, path, position, what)
            return Spot(document, number, node, tuple(steps), path[position:])
        steps.append(step)
        node = step.node
    return Spot(document, number, node, tuple(steps), ())


def _depth(node: Node | None, path: Path) -> int:
    for count, name in enumerate(path):
        node = child(node, name) if node is not None else None
        if node is None:
            return count
    return len(path)


def _step(document: Document, node: Node, path: Path, what: str) -> Step | None:
    name = path[-1]
    where = f"`{name_of(path[:-1])}`" if len(path) > 1 else "the document"
    if isinstance(node, Alias):
        why = f"{where} is the alias `*{node.name}`, so its content belongs to line {node.target.line}"
        raise cannot(document, what, why, line=node.line)
    if isinstance(node, Mapping) and isinstance(name, str):
        entry = node.own.get(name)
        return Step(node, entry.value, entry) if entry else None
    if isinstance(node, Sequence) and isinstance(name, int):
        return Step(node, node.items[name], None, name) if 0 <= name < len(node.items) else None
    kind = "a plain value" if isinstance(node, Scalar) else "a list" if isinstance(node, Sequence) else "a mapping"
    raise cannot(document, what, f"{where} is {kind}", line=node.line)


def _check_merged(document: Document, node: Node, path: Path, position: int, what: str) -> None:
    if position == len(path) - 1 or not isinstance(node, Mapping):
        return
    entry = node.table.get(str(path[position]))
    if entry is not None:
        through = f"`{name_of(path[: position + 1])}` comes through a merge key from line {entry.key.line}"
        raise cannot(document, what, f"{through}; to write it here would hide the rest of it", line=node.line)


def check_anchors(spot: Spot, start: int, end: int, what: str) -> None:
    """Refuses to let go of a piece of text that defines what an alias elsewhere needs."""
    for node in walk(spot.root.node) if spot.root and spot.root.node is not None else ():
        if isinstance(node, Alias) and start <= node.target.start < end and not start <= node.start < end:
            raise cannot(spot.document, what, f"`*{node.name}` on line {node.line} refers to it", line=node.target.line)
