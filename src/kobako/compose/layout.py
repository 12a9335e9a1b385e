"""A file's own habits: how far it indents, how its lists stand, how it quotes, how its lines end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kobako.compose.lines import BREAK
from kobako.compose.nodes import Mapping, Node, Scalar, Sequence, walk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kobako.compose.document import Document

DEFAULT_STEP = 2


@dataclass(frozen=True)
class Layout:
    """``step`` is how much deeper a mapping stands than its key, ``dash`` how much deeper a list does (often 0)."""

    step: int
    dash: int
    newline: str
    quote: str


def layout_of(document: Document, near: Node | None = None) -> Layout:
    """The habits of ``near`` where it shows any, else of the whole file, else the usual ones."""
    local_steps, local_dashes = _indents(document, [near] if near is not None else [])
    nodes = [root.node for root in document.roots if root.node is not None]
    steps, dashes = _indents(document, nodes)
    step = _usual(local_steps) or _usual(steps) or DEFAULT_STEP
    dash = _usual(local_dashes)
    dash = dash if dash is not None else _usual(dashes)
    return Layout(step, step if dash is None else dash, newline_of(document), _quote(nodes))


def newline_of(document: Document) -> str:
    """The line end that the file uses most; a line feed where it has none."""
    ends = Counter(BREAK.findall(document.text))
    return ends.most_common(1)[0][0] if ends else "\n"


def quote_among(nodes: Iterable[Node]) -> str:
    """The quote that all the texts of a group share; empty where plain words stand among them."""
    styles = {node.style for node in nodes if isinstance(node, Scalar) and node.style in {"", "'", '"'}}
    return styles.pop() if len(styles) == 1 else ""


def _quote(nodes: list[Node]) -> str:
    """The quote for a text that needs one."""
    pieces = (piece for node in nodes for piece in walk(node))
    styles = Counter(piece.style for piece in pieces if isinstance(piece, Scalar) and piece.style in {"'", '"'})
    return "'" if styles["'"] > styles['"'] else '"'


def _usual(counts: Counter[int]) -> int | None:
    return counts.most_common(1)[0][0] if counts else None


def _indents(document: Document, nodes: list[Node]) -> tuple[Counter[int], Counter[int]]:
    steps: Counter[int] = Counter()
    dashes: Counter[int] = Counter()
    column = document.lines.column
    for node in (piece for top in nodes for piece in walk(top)):
        if not isinstance(node, Mapping) or node.flow:
            continue
        for entry in node.entries:
            value = entry.value
            if isinstance(value, Mapping) and not value.flow and document.lines.opens(value.body):
                steps[column(value.body) - column(node.body)] += 1
            elif isinstance(value, Sequence) and not value.flow and document.lines.opens(value.body):
                dashes[column(value.body) - column(node.body)] += 1
    return steps, dashes
