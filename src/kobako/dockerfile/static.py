"""What a shell word stands for, where that can be told without a shell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

_BRACES = re.compile(r"\{[^{}]*(,|\.\.)[^{}]*\}")
_VARIABLE = re.compile(r"\$[A-Za-z0-9_({@*#?!$-]")


def static_value(node: Node, source: Callable[[Node], str]) -> str | None:
    """The word with its quotes and escapes taken off, or None. ``source`` gives a node's text."""
    if node.type == "command_name":
        return static_value(node.children[0], source) if node.children else None
    if not node.is_named:
        return source(node)
    read = _READERS.get(node.type)
    return read(node, source) if read else None


def _bare(node: Node, source: Callable[[Node], str]) -> str | None:
    text = source(node)
    return None if _BRACES.search(text) else _unescaped(text)


def _unescaped(text: str) -> str | None:
    out: list[str] = []
    chars = iter(enumerate(text))
    for at, char in chars:
        if char == "`" or (char == "$" and _VARIABLE.match(text, at)):
            return None
        if char == "\\":
            char = next(chars, (0, ""))[1]  # noqa: PLW2901 - the escaped one stands for both
            char = "" if char == "\n" else char  # noqa: PLW2901
        out.append(char)
    return "".join(out)


def _raw(node: Node, source: Callable[[Node], str]) -> str | None:
    return source(node)[1:-1]


def _quoted(node: Node, source: Callable[[Node], str]) -> str | None:
    if any(child.type != "string_content" for child in node.named_children):
        return None
    # The grammar's string_content leaves out some white space: take all between the quotes.
    return re.sub(r'\\([$`"\\\n])', lambda found: "" if found[1] == "\n" else found[1], source(node)[1:-1])


def _concatenation(node: Node, source: Callable[[Node], str]) -> str | None:
    bare = "".join(source(child) if child.type in ("word", "number") else "''" for child in node.children)
    if _BRACES.search(bare):
        return None
    values = []
    for child in node.children:
        value = _unescaped(source(child)) if child.type == "word" else static_value(child, source)
        if value is None:
            return None
        values.append(value)
    return "".join(values)


def _assignment(node: Node, source: Callable[[Node], str]) -> str | None:
    name, *rest = node.named_children
    if not rest:
        return source(node)
    value = static_value(rest[-1], source)
    join = source(node)[len(source(name)) :].partition("=")[0]
    return None if value is None or len(rest) > 1 else f"{source(name)}{join}={value}"


_READERS: dict[str, Callable[[Node, Callable[[Node], str]], str | None]] = {
    "word": _bare,
    "number": _bare,
    "variable_name": lambda node, source: source(node),
    "raw_string": _raw,
    "string": _quoted,
    "concatenation": _concatenation,
    "variable_assignment": _assignment,
}
