"""Where the comments of a text stand: between the pieces that hold values, never inside them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kobako.compose.nodes import Mapping, Scalar, Sequence, walk

if TYPE_CHECKING:
    from kobako.compose.document import Document

_LINE = re.compile(r"#[^\n\r\x85\u2028\u2029]*")
_HEADER_COMMENT = re.compile(r"[|>][-+0-9]*[ \t]+(#[^\n\r\x85\u2028\u2029]*)")


def comments(document: Document) -> dict[int, str]:
    """Every comment, by the offset of its ``#``."""
    found: dict[int, str] = {}
    behind = 0
    for root in document.roots:
        for leaf in walk(root.node) if root.node is not None else ():
            if isinstance(leaf, (Mapping, Sequence)):
                continue
            _search(document.text, behind, leaf.body, found)
            if isinstance(leaf, Scalar) and leaf.style in {"|", ">"}:
                header = _HEADER_COMMENT.match(document.text, leaf.body)
                if header:
                    found[header.start(1)] = header[1]
            behind = max(behind, leaf.end)
    _search(document.text, behind, len(document.text), found)
    return found


def _search(text: str, start: int, end: int, found: dict[int, str]) -> None:
    offset = start
    while offset < end:
        offset = text.find("#", offset, end)
        if offset < 0:
            return
        # A comment follows a blank, or what ends a value; a `#` behind anything else belongs to a tag.
        if offset == start or text[offset - 1] in " \t\n\r\x85\u2028\u2029\ufeff,[]{}:":
            stop = _LINE.match(text, offset)
            found[offset] = stop.group() if stop else "#"
            offset += len(found[offset])
        else:
            offset += 1
