"""What stands behind an argument: nothing, one value, several, or all that is left."""

from __future__ import annotations

import ast

from kobako.model.requirement import Takes
from kobako.scan.code.arguments.parsed import is_true, text_of

_ACTIONS: dict[str, Takes] = {
    **dict.fromkeys(("store_true", "store_const", "append_const", "count", "help", "version"), "flag"),
    "store_false": "off",
}
_REST, _MANY = frozenset({"REMAINDER", "PARSER"}), frozenset({"ZERO_OR_MORE", "ONE_OR_MORE"})
_SEVERAL = frozenset({"List", "list", "Tuple", "tuple", "Sequence", "Set", "set", "Iterable", "frozenset"})
_TYPING = frozenset({"Optional", "Annotated", "Final", "Union"})


def of_argparse(given: dict[str, ast.expr], *, positional: bool) -> Takes:
    """By the ``action`` and ``nargs`` of an ``add_argument``."""
    action = given.get("action")
    named = text_of(action) or (action.attr if isinstance(action, ast.Attribute) else _name(action))
    if named == "BooleanOptionalAction":
        return "switch"
    if named in _ACTIONS and not positional:
        return _ACTIONS[named]
    return _by_number(given.get("nargs"), positional=positional)


def _by_number(nargs: ast.expr | None, *, positional: bool) -> Takes:
    number = nargs.value if isinstance(nargs, ast.Constant) else None
    word = nargs.attr if isinstance(nargs, ast.Attribute) else _name(nargs)
    if number == "..." or word in _REST:
        return "rest"
    if number in {"*", "+"} or word in _MANY:
        return "rest" if positional else "values"
    if number == "?" or word == "OPTIONAL":
        return "value" if positional else "maybe"
    if isinstance(number, int):
        return "values" if number > 1 else "value" if number or positional else "flag"
    return "value"


def of_click(texts: list[str], given: dict[str, ast.expr], *, positional: bool) -> Takes:
    """By the names and keywords of a ``click.option`` or ``click.argument``."""
    nargs = given.get("nargs")
    if positional:
        return "rest" if isinstance(nargs, ast.UnaryOp) or _number(nargs) > 1 else "value"
    if any("/" in one.lstrip("/") for one in texts if one.startswith(("-", "/"))):
        return "switch"
    is_flag = given.get("is_flag")
    if "flag_value" in given and isinstance(is_flag, ast.Constant) and not is_flag.value:
        return "maybe"
    if is_true(is_flag) or is_true(given.get("count")) or "flag_value" in given:
        return "flag"
    return "values" if _number(nargs) > 1 else "value"


def of_annotation(node: ast.expr | None, default: ast.expr | None = None) -> str:
    """``"bool"``, ``"several"`` or ``""``, by a type's annotation, else by the default."""
    name = _outer(node)
    if name == "bool" or (node is None and isinstance(default, ast.Constant) and isinstance(default.value, bool)):
        return "bool"
    return "several" if name in _SEVERAL else ""


def _outer(node: ast.expr | None) -> str:
    """The type's name, below ``Optional``, ``Annotated`` and ``X | None``."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.partition("[")[0].rpartition(".")[2]
    if isinstance(node, ast.BinOp):
        sides = [one for one in (node.left, node.right) if not (isinstance(one, ast.Constant) and one.value is None)]
        return _outer(sides[0]) if len(sides) == 1 else ""
    if isinstance(node, ast.Subscript):
        name = _name(node.value)
        if name not in _TYPING:
            return name
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        inner = [one for one in inner if not (isinstance(one, ast.Constant) and one.value is None)]
        return _outer(inner[0]) if inner and (len(inner) == 1 or name == "Annotated") else ""
    return _name(node)


def choices_of(node: ast.expr | None) -> tuple[str, ...]:
    """Those that are written down one by one."""
    if isinstance(node, ast.Call) and _name(node.func) == "Choice" and node.args:
        node = node.args[0]
    if not isinstance(node, ast.List | ast.Tuple | ast.Set):
        return ()
    values = [one.value for one in node.elts if isinstance(one, ast.Constant)]
    return tuple(map(str, values)) if len(values) == len(node.elts) else ()


def _number(node: ast.expr | None) -> int:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int) else 1


def _name(node: ast.expr | None) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
