"""Edits of a compose file's text: each one splices a few characters, proves that nothing else changed, or is refused.

Every function takes the whole text and gives the whole new text. What cannot be done without touching something else
raises ``UsageError`` with the code ``cannot-edit`` and its line. Where a file holds several YAML documents, the first
one that leads furthest along the path is edited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kobako.compose import render
from kobako.compose.document import Document, Path, Value, find, find_below, load, plain
from kobako.compose.indent import relaid
from kobako.compose.layout import layout_of
from kobako.compose.nodes import Alias, Mapping, Node, Scalar, Sequence, is_null, walk
from kobako.compose.place import Spot, check_anchors, locate
from kobako.compose.proof import Intent, Splice, cannot, difference, name_of, prove, with_value
from kobako.compose.put import add_entry, add_item, add_rows, at_root, extent, put_rows, replace
from kobako.compose.take import take
from kobako.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


def add_service(text: str, name: str, block: str, *, file: str = "") -> str:
    """Adds a service behind the last one, in the file's own indentation and line ends.

    ``block`` holds the service's own lines, written for two spaces with no indentation in front. A blank line goes
    before it where the file separates its services so.
    """
    what = f"cannot add the service `{name}`"
    document = load(text, file)
    for root in document.roots:
        there = find_below(root.node, ("services", name)) if root.node is not None else None
        if there is not None:
            raise cannot(document, what, "it exists", line=there.line, fix="choose another name")
    body = load(block, file)
    value = plain(body.root)
    if not isinstance(value, dict) or not value:
        raise cannot(document, what, "its lines are not a mapping")
    spot = locate(document, ("services", name), what)
    node = spot.node
    if isinstance(node, Mapping) and node.flow and node.entries:
        nested: Value = value if len(spot.rest) == 1 else {name: value}
        splice = add_entry(spot, str(spot.rest[0]), nested, what)
    else:
        splice = _service_lines(spot, name, body)
        splice = Splice(splice.start, splice.end, splice.text + _line_end(document, splice, body))
    return prove(document, splice, Intent(what, "set", ("services", name), value, spot.number))


def _line_end(document: Document, splice: Splice, body: Document) -> str:
    """A block of text as the last thing in a file needs the line end that the file does without."""
    last = list(walk(body.root))[-1] if body.root is not None else None
    if splice.end < len(document.text) or not isinstance(last, Scalar) or last.style not in {"|", ">"}:
        return ""
    newline = layout_of(document).newline
    return "" if splice.text.endswith(newline) else newline


def _service_lines(spot: Spot, name: str, body: Document) -> Splice:
    what = f"cannot add the service `{name}`"
    near = find(spot.document, ("services",))
    layout = layout_of(spot.document, near if isinstance(near, Mapping) else None)
    head = render.key_of(name, render.Style(need=layout.quote))
    rows = [f"{head}:", *_deeper(relaid(body, layout), layout.step)]
    if len(spot.rest) > 1:
        rows = ["services:", *_deeper(rows, layout.step)]
    node = spot.node
    if isinstance(node, Mapping) and node.entries:
        gap = [""] if _separated(spot, node, top=len(spot.rest) > 1) else []
        return add_rows(spot, node, gap + rows)
    return put_rows(spot, rows, what) if spot.steps else at_root(spot, rows)


def _deeper(rows: list[str], step: int) -> list[str]:
    return [" " * step + row if row else "" for row in rows]


def _separated(spot: Spot, node: Mapping, *, top: bool) -> bool:
    """Whether blank lines stand between the entries of a mapping; with a single one, between those at the top."""
    gaps = list(_gaps(spot.document, node))
    root = spot.root.node if spot.root else None
    if not gaps and isinstance(root, Mapping):
        gaps = list(_gaps(spot.document, root)) or [top]
    return sum(gaps) * 2 >= len(gaps)


def _gaps(document: Document, node: Mapping) -> Iterator[bool]:
    lines = document.lines
    for above, below in zip(node.entries, node.entries[1:], strict=False):
        between = range(lines.index(above.end) + 1, lines.index(below.key.start))
        yield any(not lines.line(number).strip() for number in between)


def set_key(text: str, path: Path, value: Value, *, file: str = "") -> str:
    """Makes ``value`` the value at ``path``, in place where there is one, else as a new last key of its mapping;
    missing mappings on the way are made. A value that is there already leaves the text as it is.

    Of a list or mapping that exists, only the members that differ are touched where that is possible. A key that comes
    through a merge key alone is written into the mapping itself: what an anchor holds is never edited through its use.
    """
    what = f"cannot set `{name_of(path)}`"
    document = load(text, file)
    if not path or not _writable(value):
        raise cannot(document, what, "the value cannot be written in YAML" if path else "the path is empty")
    spot = locate(document, path, what)
    if _is_there(spot, path, value):
        return text
    if not spot.rest and spot.node is not None:
        parted = _in_parts(text, spot.node, path, value, file)
        if parted is not None:
            return parted
        check_anchors(spot, spot.node.body, spot.node.end, what)
        splice, old = replace(spot, value, what), extent(spot, spot.node)
    else:
        name, nested = _nested(document, spot, value, what)
        splice, old = add_entry(spot, name, nested, what), (0, 0)
    return prove(document, splice, Intent(what, "set", path, value, spot.number, old))


def _writable(value: Value) -> bool:
    if isinstance(value, dict):
        return all(render.representable(name) and _writable(item) for name, item in value.items())
    if isinstance(value, list):
        return all(_writable(item) for item in value)
    return not isinstance(value, str) or render.representable(value)


def _is_there(spot: Spot, path: Path, value: Value) -> bool:
    root = spot.root.node if spot.root else None
    there = find_below(root, path) if root is not None else None
    return there is not None and there.tag != "!reset" and difference(plain(there), value) is None


def _nested(document: Document, spot: Spot, value: Value, what: str) -> tuple[str, Value]:
    """The one key to add, with the mappings that are missing below it."""
    for step in spot.rest:
        if isinstance(step, int):
            raise cannot(document, what, f"there is no item {step}", line=spot.node.line if spot.node else None)
    return str(spot.rest[0]), with_value(None, spot.rest[1:], value)


def _in_parts(text: str, old: Node, path: Path, value: Value, file: str) -> str | None:
    """Sets the members that differ, one by one; ``None`` where the value has to be replaced as a whole."""
    if isinstance(old, Alias) or old.tag is not None or not value:
        return None
    try:
        if isinstance(old, Mapping) and old.entries and isinstance(value, dict):
            return _set_keys(text, old, path, value, file)
        if isinstance(old, Sequence) and old.items and isinstance(value, list):
            return _set_items(text, old, path, value, file)
    except UsageError:
        return None
    return None


def _set_keys(text: str, old: Mapping, path: Path, value: dict[str, Value], file: str) -> str | None:
    if not set(old.table) & set(value) or not set(old.table) <= {*value, *old.own}:
        return None
    for name, item in value.items():
        text = set_key(text, (*path, name), item, file=file)
    for name in old.own:
        if name not in value and name in old.table:
            text = remove_key(text, (*path, name), file=file)
    return text


def _set_items(text: str, old: Sequence, path: Path, value: list[Value], file: str) -> str:
    for number, item in enumerate(value):
        if number < len(old.items):
            text = set_key(text, (*path, number), item, file=file)
        else:
            text = append_item(text, path, item, file=file)
    for number in reversed(range(len(value), len(old.items))):
        text = remove_key(text, (*path, number), file=file)
    return text


def append_item(text: str, path: Path, value: Value, *, file: str = "") -> str:
    """Adds an item at the end of the list at ``path``; a missing or empty list is made."""
    what = f"cannot add to `{name_of(path)}`"
    document = load(text, file)
    spot = locate(document, path, what)
    if not _writable(value):
        raise cannot(document, what, "the value cannot be written in YAML")
    node = spot.node
    if spot.rest and isinstance(node, Mapping) and str(spot.rest[0]) in node.table:
        raise cannot(document, what, "the list comes through a merge key", line=node.line)
    if spot.rest or node is None or is_null(node) or (isinstance(node, Sequence) and not node.items):
        return set_key(text, path, [value], file=file)
    if not isinstance(node, Sequence):
        kind = f"it is the alias `*{node.name}`" if isinstance(node, Alias) else "it is not a list"
        raise cannot(document, what, kind, line=node.line)
    splice = add_item(spot, node, value, what)
    return prove(document, splice, Intent(what, "set", (*path, len(node.items)), value, spot.number))


def remove_key(text: str, path: Path, *, with_comment: bool = False, file: str = "") -> str:
    """Removes a key with its value and the comment on its line, or an item of a list.

    Whole lines go where it stood on lines of its own, one blank line with them where two gaps would meet. Comments
    above it stay unless ``with_comment``. A mapping or list that loses its last member stays as ``{}`` or ``[]``: to
    drop the key above it could mean something else. Refused where an anchor inside is used elsewhere.
    """
    what = f"cannot remove `{name_of(path)}`"
    document = load(text, file)
    spot = locate(document, path, what)
    if spot.rest or not path:
        merged = find(document, path) is not None
        raise cannot(document, what, "it comes through a merge key" if merged and path else "it is not there")
    taken = take(spot, what, with_comment=with_comment)
    return prove(document, taken.splice, Intent(what, "remove", path, None, spot.number, taken.old))


__all__ = ["add_service", "append_item", "remove_key", "set_key"]
