"""Which requirements files an expression names, itself or through what it calls: for expressions that stay unknown."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import islice

from kobako.scan.tree import Tree, joined

_MAX_DEPTH = 4
_MAX_NODES = 5000
_MAX_TEXTS = 500


def keyword_of_setup(syntax: ast.Module, name: str) -> ast.expr | None:
    """The expression that ``setup`` is given under a keyword."""
    for node in ast.walk(syntax):
        if isinstance(node, ast.Call) and _name(node.func) == "setup":
            for keyword in node.keywords:
                if keyword.arg == name:
                    return keyword.value
    return None


def setup_line(syntax: ast.Module) -> int:
    """The line of the first call of ``setup``; 0 when there is none."""
    lines = [node.lineno for node in ast.walk(syntax) if isinstance(node, ast.Call) and _name(node.func) == "setup"]
    return min(lines, default=0)


def files_missed(folder: str, syntax: ast.Module, expression: ast.expr, missed: list[str]) -> list[str]:
    """Of the files that a script looked for in vain, those that the expression names, and no extra by itself."""
    extras = keyword_of_setup(syntax, "extras_require")
    others = set(_direct(extras)) - set(_direct(expression)) if extras is not None else set()
    named = {joined(folder, text) for text in _texts(syntax, expression) if 0 < len(text) < 200 and text not in others}
    return [name for name in dict.fromkeys(missed) if name in named and _may_declare(name)]


def files_named(tree: Tree, folder: str, syntax: ast.Module, expression: ast.expr) -> list[str]:
    """Files of the repository that look like requirements files, in the order in which they are met."""
    found: dict[str, None] = {}
    for text in islice(_texts(syntax, expression), _MAX_TEXTS):
        name = joined(folder, text.strip().removeprefix("./")) if 0 < len(text) < 200 and text[0] != "/" else ""
        for one in (name, joined(folder, f"requirements/{text}") if name and "/" not in text else ""):
            if one and _may_declare(one) and tree.is_file(one):
                found[one] = None
    return list(found)


def _direct(expression: ast.expr) -> Iterator[str]:
    for part in ast.walk(expression):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def _texts(syntax: ast.Module, expression: ast.expr) -> Iterator[str]:
    """The strings in an expression, and in whatever bears the names that it uses."""
    bound = _bound(syntax)
    todo: list[tuple[ast.AST, int]] = [(expression, 0)]
    seen: set[str] = set()
    left = _MAX_NODES
    while todo:
        node, depth = todo.pop(0)
        for part in ast.walk(node):
            left -= 1
            if left < 0:
                return
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value
            name = part.id if isinstance(part, ast.Name) else ""
            if name in bound and name not in seen and depth < _MAX_DEPTH:
                seen.add(name)
                todo += [(one, depth + 1) for one in bound[name]]


def _bound(syntax: ast.Module) -> dict[str, list[ast.AST]]:
    """What each name is bound to, or has added to it, anywhere."""
    found: dict[str, list[ast.AST]] = {}
    for node in ast.walk(syntax):
        for name, value in _bindings(node):
            found.setdefault(name, []).append(value)
    return found


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield node.name, node
    elif isinstance(node, ast.Assign):
        yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        yield node.target.id, node.value
    elif isinstance(node, ast.For) and isinstance(node.target, ast.Name):
        yield node.target.id, node.iter
    elif isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
        yield node.optional_vars.id, node.context_expr
    elif isinstance(node, ast.Call) and _name(node.func) in {"append", "extend", "insert", "update"}:
        owner = getattr(node.func, "value", None)
        yield from ((owner.id, argument) for argument in node.args if isinstance(owner, ast.Name))


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _may_declare(name: str) -> bool:
    return name.endswith((".txt", ".in", ".pip")) or "require" in name
