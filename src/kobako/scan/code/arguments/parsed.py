"""What was read of a script's arguments, and how expressions are shown."""

from __future__ import annotations

import ast
from typing import NamedTuple

from kobako.model.requirement import Argument

_LONGEST_DEFAULT = 100
_LONGEST_HELP = 300


class Parsed(NamedTuple):
    """``kinds`` names what parses ("argparse"), ``notes`` says what else the script takes.

    ``more``: it takes arguments that are not listed. ``commands`` are the words of which one has to come first.
    """

    arguments: tuple[Argument, ...] = ()
    kinds: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    more: bool = False
    commands: tuple[str, ...] = ()

    def plus(self, other: Parsed) -> Parsed:
        """Both; an argument of the same flags counts once."""
        known = {one.flags for one in self.arguments}
        new = [one for one in other.arguments if one.flags not in known]
        return Parsed(
            (*self.arguments, *new),
            tuple(dict.fromkeys((*self.kinds, *other.kinds))),
            tuple(dict.fromkeys((*self.notes, *other.notes))),
            self.more or other.more,
            tuple(dict.fromkeys((*self.commands, *other.commands))),
        )

    def bounded(self, most: int) -> Parsed:
        unique = tuple({one.flags: one for one in reversed(self.arguments)}.values())[::-1]
        if len(unique) <= most:
            return self._replace(arguments=unique)
        notes = (*self.notes, f"and {len(unique) - most} more arguments")
        return self._replace(arguments=unique[:most], notes=notes, more=True)


def text_of(node: ast.expr | None) -> str | None:
    """A string that is written down, also one that is put together of such; None when it is none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        parts = [text_of(one) if isinstance(one, ast.Constant) else "..." for one in node.values]
        return "".join(part or "" for part in parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = text_of(node.left), text_of(node.right)
        return None if left is None and right is None else (left or "...") + (right or "...")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return text_of(node.left)
    if isinstance(node, ast.Call):  # "...".format(...), textwrap.dedent("...")
        inner = node.func.value if isinstance(node.func, ast.Attribute) else None
        return text_of(inner) or (text_of(node.args[0]) if len(node.args) == 1 else None)
    return None


def shown(node: ast.expr | None) -> str | None:
    """A default as a person writes it; None for None and for what is not given."""
    if node is None or (isinstance(node, ast.Constant) and node.value in {None, ...}):
        return None
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
    else:
        try:
            text = ast.unparse(node)
        except (RecursionError, ValueError):
            return "..."
        if text.endswith("SUPPRESS"):
            return None
    return text if len(text) <= _LONGEST_DEFAULT else f"{text[:_LONGEST_DEFAULT]}..."


def told(node: ast.expr | None) -> str:
    """A help text in one line."""
    return shortened(text_of(node) or "")


def shortened(text: str) -> str:
    line = " ".join(text[: 4 * _LONGEST_HELP].split())
    return "" if line.endswith("SUPPRESS==") else line if len(line) <= _LONGEST_HELP else f"{line[:_LONGEST_HELP]}..."


def is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def keywords(call: ast.Call) -> dict[str, ast.expr]:
    return {one.arg: one.value for one in call.keywords if one.arg}
