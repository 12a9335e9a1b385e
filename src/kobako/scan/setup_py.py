"""``setup.py`` by its syntax tree. Nothing of it is ever run."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

from kobako.model.finding import Finding
from kobako.model.requirement import Bound, Question
from kobako.scan import requirements_txt
from kobako.scan.declared import Declared
from kobako.scan.tree import Tree, joined

NAME = "setup.py"
_PASS_THROUGH = frozenset({"list", "sorted", "set", "tuple"})
MAX_DEPTH = 12


@dataclass
class _Script:
    """The names that a setup.py binds: values (module level first) and functions."""

    values: dict[str, list[ast.expr]] = field(default_factory=dict)
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)


def read(tree: Tree) -> Declared | None:
    """What ``setup(...)`` is called with; None when there is no setup.py or it calls no setup."""
    text = tree.read(NAME)
    if text is None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in a stranger's strings
            module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        found = Declared()
        line = getattr(error, "lineno", None) or 1
        found.questions.append(Question("it is not Python that can be read", Finding(NAME, line)))
        return found
    script = _script(module)
    call = next((node for node in ast.walk(module) if _is_setup(node)), None)
    return _Reader(tree, script).read(call) if isinstance(call, ast.Call) else None


def _is_setup(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    return (isinstance(called, ast.Name) and called.id == "setup") or (
        isinstance(called, ast.Attribute) and called.attr == "setup"
    )


def _script(module: ast.Module) -> _Script:
    script = _Script()
    nested: dict[str, list[ast.expr]] = {}
    top = {id(node) for node in module.body}
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef):
            script.functions.setdefault(node.name, node)
        table = script.values if id(node) in top else nested
        for name, value, adds in _bound(node):
            if adds:
                table.setdefault(name, []).append(value)
            else:
                table[name] = [value]
    for name, values in nested.items():
        script.values.setdefault(name, values)
    return script


def _bound(node: ast.AST) -> Iterator[tuple[str, ast.expr, bool]]:
    """The names that a statement binds or adds to: the name, the value, and whether it is added."""
    if isinstance(node, ast.Assign):
        yield from ((target.id, node.value, False) for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        yield node.target.id, node.value, False
    elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and isinstance(node.op, ast.Add):
        yield node.target.id, node.value, True
    elif isinstance(node, ast.With):
        for item in node.items:
            if isinstance(item.optional_vars, ast.Name):
                yield item.optional_vars.id, item.context_expr, False


class _Reader:
    def __init__(self, tree: Tree, script: _Script) -> None:
        self._tree = tree
        self._script = script
        self._found = Declared()

    def read(self, call: ast.Call) -> Declared:
        keywords = self._keywords(call)
        wanted = keywords.get("install_requires")
        if wanted is not None:
            self._take(wanted, {}, 0)
        python = keywords.get("python_requires")
        specifier = self._string(python, {}) if python is not None else None
        if python is not None and specifier:
            self._found.requires_python = Bound(specifier, (Finding(NAME, python.lineno, specifier),))
        return self._found

    def _keywords(self, call: ast.Call) -> dict[str, ast.expr]:
        found: dict[str, ast.expr] = {}
        for keyword in call.keywords:
            if keyword.arg is not None:
                found[keyword.arg] = keyword.value
                continue
            for value in self._lookup(keyword.value):
                found.update(_entries(value))
        return found

    def _lookup(self, node: ast.expr) -> list[ast.expr]:
        return self._script.values.get(node.id, []) if isinstance(node, ast.Name) else [node]

    def _take(self, node: ast.expr, env: dict[str, str], depth: int) -> None:
        """Add what an expression stands for: a list of requirements, written down or read from a file."""
        if depth > MAX_DEPTH:
            return self._ask(node)
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            for element in node.elts:
                self._take_one(element, env, depth)
            return None
        if isinstance(node, ast.Constant):
            return self._take_text(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            self._take(node.left, env, depth + 1)
            return self._take(node.right, env, depth + 1)
        if isinstance(node, ast.Name) and node.id in self._script.values:
            for value in self._script.values[node.id]:
                self._take(value, env, depth + 1)
            return None
        if isinstance(node, ast.Subscript):
            return self._take_entry(node, env, depth)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in _PASS_THROUGH
            and node.args
        ):
            return self._take(node.args[0], env, depth + 1)
        return self._take_files(node, env)

    def _take_one(self, element: ast.expr, env: dict[str, str], depth: int) -> None:
        text = self._string(element, env)
        if text is not None:
            self._found.add(text, Finding(NAME, element.lineno, text))
        elif isinstance(element, ast.Starred):
            self._take(element.value, env, depth + 1)
        elif isinstance(element, ast.Subscript):
            self._take_entry(element, env, depth)
        else:
            self._ask(element)

    def _take_text(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            for offset, line in requirements_txt.logical_lines(node.value):
                self._found.add(line, Finding(NAME, node.lineno + offset - 1, line))

    def _take_entry(self, node: ast.Subscript, env: dict[str, str], depth: int) -> None:
        key = self._string(node.slice, env)
        for value in self._lookup(node.value):
            entry = _entries(value).get(key or "")
            if entry is not None:
                return self._take(entry, env, depth + 1)
        return self._ask(node)

    def _take_files(self, node: ast.expr, env: dict[str, str]) -> None:
        """An expression that reads a file, itself or through a function of this script."""
        names = self._files(node, env)
        called = node.func if isinstance(node, ast.Call) else None
        if not names and isinstance(called, ast.Name) and called.id in self._script.functions:
            function = self._script.functions[called.id]
            bound = self._arguments(function, node)
            for statement in function.body:
                names += [name for name in self._files(statement, bound) if name not in names]
        if not names:
            inner = [value for part in ast.walk(node) if isinstance(part, ast.Name) for value in self._lookup(part)]
            names = [name for value in inner for name in self._files(value, env)]
        if not names:
            return self._ask(node)
        for name in names:
            self._found.merge(requirements_txt.read(self._tree, name))
        return None

    def _arguments(self, function: ast.FunctionDef, call: ast.expr) -> dict[str, str]:
        names = [argument.arg for argument in function.args.args]
        defaults = function.args.defaults
        pairs = list(zip(names[len(names) - len(defaults) :], defaults, strict=True))
        if isinstance(call, ast.Call):
            pairs += zip(names, call.args, strict=False)
            pairs += [(keyword.arg, keyword.value) for keyword in call.keywords if keyword.arg]
        bound = {name: self._string(value, {}) for name, value in pairs}
        return {name: text for name, text in bound.items() if text is not None}

    def _files(self, node: ast.AST, env: dict[str, str]) -> list[str]:
        """Requirements files of the repository that strings below this node name."""
        found: list[str] = []
        for part in ast.walk(node):
            text = self._string(part, env) if isinstance(part, ast.expr) else None
            name = joined("", text.strip()) if text and len(text) < 256 and not text.startswith("/") else ""
            if name and name not in found and _may_declare(name) and self._tree.is_file(name):
                found.append(name)
        return found

    def _string(self, node: ast.expr, env: dict[str, str], depth: int = 0) -> str | None:
        """The text that an expression stands for, as far as it can be told without running it."""
        if depth > MAX_DEPTH:
            return None
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            if node.id in env:
                return env[node.id]
            values = self._script.values.get(node.id, [])
            return self._string(values[0], env, depth + 1) if len(values) == 1 else None
        if isinstance(node, ast.JoinedStr):
            parts = [self._string(_inner(value), env, depth + 1) for value in node.values]
            return None if None in parts else "".join(part or "" for part in parts)
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Div)):
            left, right = self._string(node.left, env, depth + 1), self._string(node.right, env, depth + 1)
            if isinstance(node.op, ast.Div):  # a path: what stands on the left is often __file__'s folder
                return right if left is None else f"{left}/{right}" if right else None
            return None if left is None or right is None else left + right
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"join", "joinpath"}
        ):
            parts = [self._string(argument, env, depth + 1) for argument in node.args]
            return "/".join(part for part in parts if part) or None
        return None

    def _ask(self, node: ast.expr) -> None:
        what = "install_requires is computed in a way that cannot be read without running it"
        self._found.questions.append(Question(what, Finding(NAME, node.lineno)))


def _inner(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.FormattedValue) else node


def _entries(node: ast.expr) -> dict[str, ast.expr]:
    """The entries of a dictionary that is written down, as a display or as dict(...)."""
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {
            key.value: value for key, value in pairs if isinstance(key, ast.Constant) and isinstance(key.value, str)
        }
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
        return {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    return {}


def _may_declare(name: str) -> bool:
    return name.endswith((".txt", ".in", ".pip")) or "require" in name
