"""Splices that take a key or an item out, whole lines where it stood on its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from kobako.compose.nodes import Mapping, Sequence
from kobako.compose.place import Spot, Step, check_anchors
from kobako.compose.proof import Splice, cannot
from kobako.compose.put import put_inline, tail

_DASH = re.compile(r"[ ]*-[ \t]*")
_DASHES = re.compile(r"[ ]*(?:-[ \t]+)+")


@dataclass(frozen=True)
class Taken:
    """``old`` is the piece whose comments go along."""

    splice: Splice
    old: tuple[int, int]


def take(spot: Spot, what: str, *, with_comment: bool) -> Taken:
    step = spot.last
    if step is None or spot.node is None:
        raise cannot(spot.document, what, "the whole document would be removed")
    check_anchors(spot, step.entry.key.start if step.entry else step.node.start, step.node.end, what)
    if step.holder.flow:
        return _from_flow(spot, step, what)
    start = step.entry.key.start if step.entry else spot.node.start
    before = spot.document.text[spot.document.lines.start(start) : start]
    if step.entry is None and not _DASH.fullmatch(before):
        raise cannot(spot.document, what, "the item does not stand behind a `-` of its own line", line=spot.node.line)
    if step.entry is not None and before.strip(" \t"):
        return _first_beside_dash(spot, step, before, what)
    return _lines(spot, step, what, with_comment=with_comment)


def _neighbours(step: Step) -> tuple[int, int]:
    """The number of the entry or item, and how many there are."""
    if isinstance(step.holder, Mapping):
        return next(n for n, entry in enumerate(step.holder.entries) if entry is step.entry), len(step.holder.entries)
    return step.index, len(step.holder.items)


def _emptied(spot: Spot, step: Step, above_end: int, end: int, what: str) -> Splice:
    """The collection that loses its last member stays, as an empty one beside its key; so do the lines between the
    two, down to ``above_end``."""
    holder = step.holder
    empty = "{}" if isinstance(holder, Mapping) else "[]"
    above = replace(spot, node=holder, steps=spot.steps[:-1])
    if above.last is None or holder.flow or not spot.document.lines.opens(holder.body):
        return Splice(holder.body, end, empty)
    splice = put_inline(above, empty, what)
    between = spot.document.text[spot.document.lines.end(splice.start) : above_end]
    return Splice(splice.start, end, splice.text + between)


def _lines(spot: Spot, step: Step, what: str, *, with_comment: bool) -> Taken:
    document, lines, node = spot.document, spot.document.lines, step.node
    start = step.entry.key.start if step.entry else node.start
    first = lines.index(start)
    column = lines.column(step.holder.body)
    is_block = isinstance(node, (Mapping, Sequence)) and not node.flow
    end = step.entry.end if step.entry else node.end
    end = tail(lines, end, column + 1, spot.limit) if is_block else lines.end(end)
    last = lines.index(end)
    if with_comment:
        first = _comment_above(spot, first, column)
    old = (lines.starts[first], end)
    if _neighbours(step)[1] == 1:
        return Taken(_emptied(spot, step, lines.ends[first - 1] if first else 0, end, what), old)
    first, last = _with_blank(spot, step, first, last)
    if last + 1 < len(lines.starts):
        return Taken(Splice(lines.starts[first], lines.starts[last + 1], ""), old)
    return Taken(Splice(lines.ends[first - 1] if first else 0, len(document.text), ""), old)


def _comment_above(spot: Spot, first: int, column: int) -> int:
    lines = spot.document.lines
    while first > 0 and lines.line(first - 1).strip(" \t").startswith("#"):
        row = lines.line(first - 1)
        if len(row) - len(row.lstrip(" \t")) != column:
            break
        first -= 1
    return first


def _with_blank(spot: Spot, step: Step, first: int, last: int) -> tuple[int, int]:
    """One blank line goes along, so that the gap that stays is as wide as its neighbours."""
    lines, holder = spot.document.lines, step.holder
    number, count = _neighbours(step)
    is_first, is_last = number == 0, number == count - 1
    ends = [member.end for member in (holder.entries if isinstance(holder, Mapping) else holder.items)]
    text_end = -1 if is_first else lines.index(ends[number - 1])

    def blank(number: int) -> bool:
        return (
            0 <= number < len(lines.starts) and not lines.line(number).strip(" \t") and lines.ends[number] < spot.limit
        )

    # A blank line above may be the end of a text that keeps its blank lines (`|+`).
    above, below = blank(first - 1) and first - 1 > text_end, blank(last + 1)
    if above and (below or is_last) and not (is_first and is_last):
        return first - 1, last
    if below and is_first and not above:
        return first, last + 1
    return first, last


def _first_beside_dash(spot: Spot, step: Step, before: str, what: str) -> Taken:
    """The first key of a mapping that begins behind a dash: the next key moves up to the dash."""
    document, lines, holder = spot.document, spot.document.lines, step.holder
    number, count = _neighbours(step)
    if step.entry is None or number or not _DASHES.fullmatch(before) or not isinstance(holder, Mapping):
        raise cannot(document, what, "the key does not begin its line", line=lines.place(holder.body)[0])
    end = lines.end(step.entry.end)
    old = (step.entry.key.start, end)
    if count == 1:
        return Taken(Splice(holder.body, end, "{}"), old)
    return Taken(Splice(step.entry.key.start, holder.entries[1].key.start, ""), old)


def _from_flow(spot: Spot, step: Step, what: str) -> Taken:
    holder = step.holder
    if spot.document.text[holder.body] not in "{[":
        raise cannot(spot.document, what, "a pair without braces stands there", line=holder.line)
    spans = (
        [(entry.key.start, entry.end) for entry in holder.entries]
        if isinstance(holder, Mapping)
        else [(item.start, item.end) for item in holder.items]
    )
    number, count = _neighbours(step)
    start, end = spans[number]
    if count == 1:
        empty = "{}" if isinstance(holder, Mapping) else "[]"
        return Taken(Splice(holder.body, holder.end, empty), (start, end))
    if number + 1 < count:
        return Taken(Splice(start, spans[number + 1][0], ""), (start, end))
    return Taken(Splice(spans[number - 1][1], end, ""), (start, end))
