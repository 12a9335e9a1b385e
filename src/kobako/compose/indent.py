"""Lines written for two spaces, moved to where another file's habits put them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kobako.compose.comments import comments
from kobako.compose.nodes import Mapping, Node, Sequence

if TYPE_CHECKING:
    from kobako.compose.document import Document
    from kobako.compose.layout import Layout


def relaid(block: Document, layout: Layout) -> list[str]:
    """The block's lines, each nested mapping ``step`` and each list ``dash`` deeper than its key.

    Texts of several lines move along with their key, so what they say stays the same.
    """
    shifts: dict[int, int] = {}
    if block.root is not None:
        _shift(block, block.root, 0, layout, shifts)
    lines = block.lines
    count = len(lines.starts) - (lines.starts[-1] == len(block.text))
    alone = {lines.index(offset) for offset in comments(block) if lines.opens(offset)}
    below = 0
    for number in reversed(range(count)):
        if number in alone and number + 1 < count:
            shifts[number] = (
                below if _depth(lines.line(number)) == _depth_below(block, number) else shifts.get(number, 0)
            )
        below = shifts.get(number, below)
    return [_moved(lines.line(number), shifts.get(number, 0)) for number in range(count)]


def _depth(row: str) -> int:
    return len(row) - len(row.lstrip(" "))


def _depth_below(block: Document, number: int) -> int:
    rows = (block.lines.line(n) for n in range(number + 1, len(block.lines.starts)))
    return next((_depth(row) for row in rows if row.strip()), -1)


def _moved(row: str, shift: int) -> str:
    content = row.lstrip(" ")
    return " " * max(_depth(row) + shift, 0) + content if content else ""


def _shift(block: Document, node: Node, column: int, layout: Layout, shifts: dict[int, int]) -> None:
    """Notes by how much each line of a block collection moves when it goes to ``column``."""
    if not isinstance(node, (Mapping, Sequence)) or node.flow:
        return
    lines = block.lines
    old = lines.column(node.body)
    for number in range(lines.index(node.body), lines.index(node.end) + 1):
        shifts[number] = column - old
    if isinstance(node, Mapping):
        for entry in node.entries:
            depth = layout.dash if isinstance(entry.value, Sequence) else layout.step
            _shift(block, entry.value, column + depth, layout, shifts)
    else:
        for item in node.items:
            beside = not lines.opens(item.body)
            _shift(block, item, column + (lines.column(item.body) - old if beside else layout.step), layout, shifts)
