"""Splices that put a value in: in place of another, or behind the last entry of a mapping or list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kobako.compose import render
from kobako.compose.layout import Layout, layout_of, quote_among
from kobako.compose.nodes import Entry, Mapping, Node, Scalar, Sequence
from kobako.compose.proof import Splice, cannot
from kobako.compose.render import Style

if TYPE_CHECKING:
    from kobako.compose.document import Document, Value
    from kobako.compose.lines import Lines
    from kobako.compose.place import Spot, Step

_COLON = re.compile(r"[ \t]*:")
_COMMA = re.compile(r"[ \t]*,")
_HEADER_COMMENT = re.compile(r"[|>][-+0-9]*(?P<comment>[ \t]+#[^\n\r\x85\u2028\u2029]*)")


def style_of(holder: Node | None, layout: Layout) -> Style:
    """How the neighbours are quoted."""
    if isinstance(holder, Mapping):
        texts = [entry.value for entry in holder.entries if _is_text(entry.value)]
        return Style(quote_among(texts), layout.quote, quote_among([entry.key for entry in holder.entries]))
    if isinstance(holder, Sequence):
        return Style(quote_among([item for item in holder.items if _is_text(item)]), layout.quote)
    return Style(need=layout.quote)


def _is_text(node: Node) -> bool:
    return isinstance(node, Scalar) and (bool(node.style) or render.is_plain_safe(node.value))


def tail(lines: Lines, offset: int, column: int, limit: int) -> int:
    """The end of the last line that belongs to what ends at ``offset``: comments that stand at ``column`` or deeper
    below it do, as do lines of that depth that an editor has commented out in the first column."""
    index = lines.index(offset)
    last = lines.ends[index]
    for number in range(index + 1, len(lines.starts)):
        row = lines.line(number)
        content = row.strip(" \t")
        if lines.starts[number] >= limit or (content and not (content.startswith("#") and _belongs(row, column))):
            break
        last = lines.ends[number] if content else last
    return last


def _belongs(row: str, column: int) -> bool:
    depth = len(row) - len(row.lstrip(" \t"))
    inner = row[1:]
    return depth >= column or (depth == 0 and column > 1 and len(inner) - len(inner.lstrip(" ")) >= column)


def indented(rows: list[str], column: int, newline: str) -> str:
    return "".join(newline + (" " * column + row if row else "") for row in rows)


def extent(spot: Spot, old: Node) -> tuple[int, int]:
    """A value with the comments that go when it goes: those between its key's line and itself, those inside, and for a
    block below its key the one behind its last line."""
    lines, entry = spot.document.lines, spot.last.entry if spot.last else None
    start = min(old.start, lines.end(entry.key.end)) if entry else old.start
    below = isinstance(old, (Mapping, Sequence)) and not old.flow and lines.opens(old.body)
    return start, lines.end(old.end) if below else old.end


def replace(spot: Spot, value: Value, what: str) -> Splice:
    """A splice that puts ``value`` in place of the node that ``spot`` leads to."""
    old, step = spot.node, spot.last
    if old is None or step is None:
        raise cannot(spot.document, what, "the whole document would be replaced")
    layout = layout_of(spot.document, step.holder)
    style = style_of(step.holder, layout)
    if isinstance(old, (Mapping, Sequence)) and (old.entries if isinstance(old, Mapping) else old.items):
        style = style_of(old, layout)
    as_block = isinstance(value, (list, dict)) and bool(value) and not step.holder.flow
    if as_block and not (isinstance(old, (Mapping, Sequence)) and old.flow and _filled(old)):
        return put_rows(spot, render.rows(value, layout, style), what)
    return put_inline(spot, _inline(spot, old, value, style), what)


def _filled(node: Mapping | Sequence) -> bool:
    return bool(node.entries if isinstance(node, Mapping) else node.items)


def _inline(spot: Spot, old: Node, value: Value, style: Style) -> str:
    """The new text, in the old one's quotes where it had some."""
    in_flow = spot.last is not None and spot.last.holder.flow
    if not isinstance(value, str) or not isinstance(old, Scalar) or old.missing:
        return render.flow(value, style) if in_flow else render.inline(value, style)
    if old.style in {"|", ">"}:
        block = _as_block(spot.document, old, value)
        if block is not None:
            return block
    want = old.style if old.style in {"'", '"'} else ""
    return render.scalar(value, Style(want, style.need), flow=in_flow)


def _as_block(document: Document, old: Scalar, value: str) -> str | None:
    lines = document.lines
    first = lines.index(old.body) + 1
    if lines.end(old.end) == len(document.text):
        return None  # without a last line end, a block would lose its own
    rows = [row for row in map(lines.line, range(first, lines.index(old.end) + 1)) if row.strip()]
    if not rows:
        return None
    indent = len(rows[0]) - len(rows[0].lstrip(" "))
    newline = layout_of(document).newline
    block = render.folded(value, indent, newline) if old.style == ">" else None
    block = block or render.literal(value, indent, newline)
    comment = _HEADER_COMMENT.match(document.text, old.body)
    if block is None or comment is None:
        return block
    header, _, rest = block.partition(newline)
    return header + comment["comment"] + newline + rest


def put_inline(spot: Spot, new: str, what: str) -> Splice:
    """A splice that puts ``new`` in place of the node that ``spot`` leads to; a comment on its line stays behind it."""
    text, lines = spot.document.text, spot.document.lines
    old, step = spot.node, spot.last
    if old is None or step is None:
        raise cannot(spot.document, what, "the whole document would be replaced")
    start, behind = _content(spot, old, what), ""
    if isinstance(old, (Mapping, Sequence)) and not old.flow:
        if lines.opens(old.body):  # the block stood below its key: the value moves up beside it, before any comment
            start = _beside(spot, step, old, what)
            begin = _trimmed(text, old.start, old.body) if old.start < old.body else start
            behind = text[begin : lines.end(begin)]
    elif isinstance(old, Scalar) and old.style in {"|", ">"} and new[0] not in "|>":
        comment = _HEADER_COMMENT.match(text, old.body)
        behind = comment["comment"] if comment else ""
    elif isinstance(old, Scalar) and old.missing:
        start = _beside(spot, step, old, what)
    in_place = start == old.body < old.end
    before = "" if in_place or (start and text[start - 1] in " \t[{") else " "
    end = max(extent(spot, old)[1], start)
    after = "" if end >= len(text) or text[end] in " \t\n\r\x85\u2028\u2029,]}" else " "
    return Splice(start, end, before + new + behind + after)


def _content(spot: Spot, old: Node, what: str) -> int:
    """Where the content to replace begins. An anchor stays; a tag goes with the value that it was made for, save
    ``!override``, which speaks about the key."""
    if old.tag is None or old.tag == "!override":
        return old.body
    if old.anchor is not None:
        raise cannot(spot.document, what, f"the value carries both a tag (`{old.tag}`) and an anchor", line=old.line)
    return old.start


def _beside(spot: Spot, step: Step, old: Node, what: str) -> int:
    """Where a value on the key's own line begins: behind the colon or dash, and behind an anchor or tag that stays."""
    text, lines = spot.document.text, spot.document.lines
    if step.entry is None:
        if old.start == old.body:
            return old.body if not lines.opens(old.body) else text.rindex("-", 0, old.body) + 1
        return _trimmed(text, old.start, old.body)
    if _content(spot, old, what) == old.body > old.start:
        return _trimmed(text, old.start, old.body)
    colon = _COLON.match(text, step.entry.key.end)
    if colon is None:
        raise cannot(spot.document, what, "the key has no `:` beside it", line=step.entry.key.line)
    return colon.end()


def _trimmed(text: str, start: int, end: int) -> int:
    """Behind the anchor and tag that ``start`` to ``end`` holds, before the blanks and comments that follow them."""
    match = re.match(r"(?:[&!][^\s]*[ \t]*)+", text[start:end])
    return start + len(match.group().rstrip(" \t")) if match else end


def put_rows(spot: Spot, rows: list[str], what: str) -> Splice:
    """A splice that makes lines in block style the value of the entry or item that ``spot`` leads to."""
    old, step = spot.node, spot.last
    if old is None or step is None:
        return at_root(spot, rows)
    document, lines = spot.document, spot.document.lines
    layout = layout_of(document, step.holder)
    parent = lines.column(step.holder.body)
    is_list = rows[0].startswith("- ")
    if step.entry is None:
        return _item_rows(spot, old, rows, what)
    column = parent + (layout.dash if is_list else layout.step)
    start = _beside(spot, step, old, what)
    if isinstance(old, (Mapping, Sequence)) and not old.flow:
        if isinstance(old, Sequence) == is_list:
            column = lines.column(old.body)
        if _content(spot, old, what) == old.body and lines.opens(old.body):
            start = lines.ends[lines.index(old.body) - 1]
        return Splice(start, extent(spot, old)[1], indented(rows, column, layout.newline))
    if isinstance(old, Scalar) and old.missing:
        end = tail(lines, start, parent + 1, spot.limit)
        return Splice(end, end, indented(rows, column, layout.newline))
    comment = lines.comment_after(old.end)
    if isinstance(old, Scalar) and old.style in {"|", ">"}:
        header = _HEADER_COMMENT.match(document.text, old.body)
        comment, end = (header.start("comment"), header.end()) if header else (None, 0)
    else:
        end = lines.end(old.end)
    kept = document.text[comment:end].lstrip(" \t") if comment is not None else ""
    return Splice(start, max(old.end, end), (f" {kept}" if kept else "") + indented(rows, column, layout.newline))


def _item_rows(spot: Spot, old: Node, rows: list[str], what: str) -> Splice:
    """Lines as the item of a list: the first one stands behind the dash."""
    lines, text = spot.document.lines, spot.document.text
    if not (isinstance(old, (Mapping, Sequence)) and not old.flow) and lines.comment_after(old.end) is not None:
        raise cannot(spot.document, what, "a comment stands behind the old value", line=old.line)
    start = _content(spot, old, what)
    lead = "" if text[start - 1] in " \t" else " "
    newline = layout_of(spot.document).newline
    return Splice(
        start, old.end, lead + indented(rows, lines.column(start) + len(lead), newline).lstrip(" \r\n\x85\u2028\u2029")
    )


def at_root(spot: Spot, rows: list[str]) -> Splice:
    """Lines as the content of a document that has none, or an empty one (``{}``)."""
    document, text = spot.document, spot.document.text
    newline = layout_of(document).newline
    if spot.node is not None and spot.node.body < spot.node.end:
        lead = "" if document.lines.opens(spot.node.start) else newline
        return Splice(spot.node.start, spot.node.end, lead + newline.join(rows))
    start = spot.root.start if spot.root else document.lines.starts[0]
    region = text[start : spot.limit]
    end = start + len(region.rstrip(" \t\n\r\x85\u2028\u2029"))
    if end == start and not document.lines.opens(start):  # only the marker: `---`
        end = document.lines.end(start)
    if not text[document.lines.starts[0] : end].strip():
        return Splice(end, end, newline.join(rows) + newline)
    gap = newline if document.lines.line(document.lines.index(max(end - 1, 0))).lstrip().startswith("#") else ""
    finish = newline if end == len(text) or not text.startswith(("\n", "\r"), end) else ""
    return Splice(end, end, gap + indented(rows, 0, newline) + finish)


def add_entry(spot: Spot, name: str, value: Value, what: str) -> Splice:
    """A splice that adds a key at the end of the mapping that ``spot`` leads to."""
    node = spot.node
    layout = layout_of(spot.document, node)
    style = style_of(node, layout)
    if not isinstance(node, Mapping) or not node.entries:
        if spot.last is None:
            return at_root(spot, render.entry_rows(name, value, layout, style))
        return replace(spot, {name: value}, what)
    if node.flow:
        return into_flow(spot, node, f"{render.key_of(name, style, flow=True)}: {render.flow(value, style)}", what)
    return add_rows(spot, node, render.entry_rows(name, value, layout, style))


def add_rows(spot: Spot, node: Mapping, rows: list[str]) -> Splice:
    lines = spot.document.lines
    column = lines.column(node.body)
    end = tail(lines, node.entries[-1].end, column, spot.limit)
    return Splice(end, end, indented(rows, column, layout_of(spot.document).newline))


def add_item(spot: Spot, node: Sequence, value: Value, what: str) -> Splice:
    """A splice that adds an item at the end of a list that is not empty."""
    document, lines = spot.document, spot.document.lines
    layout = layout_of(document, node)
    style = style_of(node, layout)
    if node.flow:
        return into_flow(spot, node, render.flow(value, style), what)
    column, last = lines.column(node.body), node.items[-1]
    parent = lines.column(spot.last.holder.body) if spot.last else 0
    end = tail(lines, last.end, column if column > parent else column + 1, spot.limit)
    before = document.text[lines.start(last.start) : last.start]
    gap = before[column + 1 :] if before[column : column + 1] == "-" and not before[column + 1 :].strip(" ") else ""
    inner = (
        render.rows(value, layout, style)
        if isinstance(value, (list, dict)) and value
        else [render.inline(value, style)]
    )
    gap = gap or " "
    rows = [f"-{gap}{inner[0]}", *(" " * (1 + len(gap)) + row for row in inner[1:])]
    return Splice(end, end, indented(rows, column, layout.newline))


def into_flow(spot: Spot, node: Mapping | Sequence, piece: str, what: str) -> Splice:
    """A splice that adds ``piece`` at the end of a bracketed list or mapping that is not empty."""
    document, lines, text = spot.document, spot.document.lines, spot.document.text
    if text[node.body] not in "{[":
        raise cannot(document, what, "a pair without braces stands there", line=node.line)
    last: Entry | Node = node.entries[-1] if isinstance(node, Mapping) else node.items[-1]
    end = last.end
    first = last.key.start if isinstance(last, Entry) else last.start
    comma = _COMMA.match(text, end)
    behind = comma.end() if comma else end
    eol = lines.end(behind)
    if not lines.opens(first) or (text[behind:eol].strip() and lines.comment_after(behind) is None):
        return Splice(end, end, f", {piece}")
    indent = text[lines.start(first) : first]
    newline = layout_of(document).newline
    if comma:
        return Splice(eol, eol, f"{newline}{indent}{piece},")
    return Splice(end, eol, f",{text[end:eol]}{newline}{indent}{piece}")
