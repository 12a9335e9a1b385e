"""What an expression in code says of a version: of Python, of CUDA, of a package that is imported, or a number."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

PYTHON, CUDA = "python", "torch.version.cuda"

_MAX_DEPTH = 12
_LARGEST = 10**8
"""No part of a version is larger, but for what only looks like one (0xFFFF...)."""
_NUMBER = re.compile(r"v?(\d+(?:\.\d+)*(?:\.?(?:a|b|rc|dev|post)\d*)*)(?:\+[\w.]*)?")
_WRAPPERS = re.compile(r"(?:.*_)?(?:version|parse)(?:_.*)?|.*[vV]ersion|V|tuple|list|map|int|float|str|digit_version")
_TORCH_NAME = re.compile(r"_?(?:PY)?TORCH_VERSION")
_ASKS = re.compile(r"is_(?:_?)(\w+?)_(?:version|greater_or_equal(?:_than)?|available_and_at_least)")


class Version(NamedTuple):
    """The version of something that is imported: of ``of``, a module's or (``named``) a distribution's name.

    ``parts`` is how many components of it are compared (None: all); ``only`` which one, when it is one alone.
    """

    of: str
    named: bool = False
    parts: int | None = None
    only: int | None = None


class Literal(NamedTuple):
    """A version that is written down."""

    text: str


class Names:
    """What the names of a module stand for: imports, and values where a name is bound to an expression."""

    def __init__(self) -> None:
        self.modules: dict[str, str] = {}
        self.members: dict[str, tuple[str, str]] = {}
        self.values: dict[str, ast.expr] = {}

    @classmethod
    def of(cls, body: list[ast.stmt]) -> Names:
        """Of a module: imports from anywhere in it, values from outside its functions."""
        found = cls()
        for statement in statements(body, functions=True):
            found._imported(statement)
        found.bind(body)
        return found

    def inside(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Names:
        """The same seen from inside a function."""
        found = Names()
        found.modules, found.members, found.values = self.modules, self.members, dict(self.values)
        found.bind(function.body)
        return found

    def bind(self, body: list[ast.stmt]) -> None:
        for statement in statements(body, functions=False):
            if isinstance(statement, ast.Assign):
                self.values.update((one.id, statement.value) for one in statement.targets if isinstance(one, ast.Name))
            elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
                self.values[statement.target.id] = statement.value

    def _imported(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Import):
            for one in statement.names:
                root = one.name.partition(".")[0]
                self.modules[one.asname or root] = one.name if one.asname else root
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            for one in statement.names:
                self.members[one.asname or one.name] = (statement.module, one.name)

    def dotted(self, node: ast.expr) -> str:
        """The full name behind an expression such as ``np.random``; "" when it is not imported."""
        if isinstance(node, ast.Attribute):
            before = self.dotted(node.value)
            return f"{before}.{node.attr}" if before else ""
        if not isinstance(node, ast.Name):
            return ""
        if node.id in self.members:
            return ".".join(self.members[node.id])
        return self.modules.get(node.id, "")


def statements(body: list[ast.stmt], *, functions: bool) -> Iterator[ast.stmt]:
    """All statements in a body and in the blocks within it; those inside functions and classes on request only."""
    stack = [iter(body)]
    while stack:
        statement = next(stack[-1], None)
        if statement is None:
            stack.pop()
            continue
        yield statement
        if not functions and isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        handlers = [handler.body for handler in getattr(statement, "handlers", ())]
        blocks = [getattr(statement, "body", None), *handlers]
        blocks += [getattr(statement, "orelse", None), getattr(statement, "finalbody", None)]
        stack += [iter(block) for block in reversed(blocks) if block]


def value(node: ast.expr, names: Names, depth: int = 0) -> Version | Literal | None:
    """The version that an expression stands for, or None."""
    if depth > _MAX_DEPTH:
        return None
    depth += 1
    if isinstance(node, ast.Constant):
        return _constant(node)
    if isinstance(node, ast.Tuple | ast.List):
        return _sequence(node.elts, names, depth)
    if isinstance(node, ast.Name):
        return _name(node, names, depth)
    if isinstance(node, ast.Attribute):
        return _attribute(node, names, depth)
    if isinstance(node, ast.Subscript):
        return _subscript(node, names, depth)
    if isinstance(node, ast.ListComp | ast.GeneratorExp):
        return value(node.generators[0].iter, names, depth)
    if isinstance(node, ast.Call):
        return _call(node, names, depth)
    return None


def is_number(text: str) -> bool:
    """Whether a text is a version and nothing else."""
    return len(text) < 40 and _NUMBER.fullmatch(text.strip()) is not None


def _constant(node: ast.Constant) -> Literal | None:
    given = node.value
    if isinstance(given, str) and len(given) < 40 and (match := _NUMBER.fullmatch(given.strip())):
        return Literal(match[1])
    if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) < _LARGEST:
        return None
    return Literal(str(given))


def _sequence(elements: list[ast.expr], names: Names, depth: int) -> Version | Literal | None:
    found = [value(one, names, depth) for one in elements[:6]]
    texts = [one.text for one in found if isinstance(one, Literal) and one.text.isdigit()]
    if texts and len(texts) == len(elements):
        return Literal(".".join(texts))
    first = found[0] if found else None
    if isinstance(first, Version) and first.only == 0:  # (sys.version_info.major, sys.version_info.minor)
        return first._replace(only=None, parts=len(elements))
    return None


def _name(node: ast.Name, names: Names, depth: int) -> Version | Literal | None:
    if node.id in names.values:
        return value(names.values[node.id], names, depth)
    module, member = names.members.get(node.id, ("", ""))
    if member == "__version__":
        return Version(module.partition(".")[0])
    if (module, member) == ("sys", "version_info"):
        return Version(PYTHON)
    return Version("torch") if _TORCH_NAME.fullmatch(member) else None


def _attribute(node: ast.Attribute, names: Names, depth: int) -> Version | Literal | None:
    dotted = names.dotted(node)
    if dotted in {"sys.version_info", "torch.version.cuda"}:
        return Version(PYTHON if dotted.startswith("sys") else CUDA)
    if node.attr in {"__version__", "VERSION"} and "." in dotted:
        return Version(dotted.partition(".")[0])
    if node.attr == "version" and isinstance(node.value, ast.Call):
        return _distribution(node.value, names)  # pkg_resources.get_distribution("x").version
    inner = value(node.value, names, depth)
    if node.attr in {"release", "base_version", "public", "version"}:
        return inner
    index = ("major", "minor").index(node.attr) if node.attr in {"major", "minor"} else None
    return inner._replace(only=index) if isinstance(inner, Version) and index is not None else None


def _subscript(node: ast.Subscript, names: Names, depth: int) -> Version | Literal | None:
    inner = value(node.value, names, depth)
    if not isinstance(inner, Version):
        return inner
    if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
        if _splits(node.value, "+", "a", "rc"):
            return inner
        return inner._replace(only=node.slice.value) if 0 <= node.slice.value <= 1 else None
    upper = node.slice.upper if isinstance(node.slice, ast.Slice) else None
    if not (isinstance(upper, ast.Constant) and isinstance(upper.value, int)) or upper.value < 1:
        return None
    of_text = inner.of != PYTHON and isinstance(node.value, ast.Attribute) and node.value.attr == "__version__"
    return inner._replace(parts=(upper.value + 1) // 2 if of_text else upper.value)


def _splits(node: ast.expr, *marks: str) -> bool:
    """Whether it is ``text.split(mark)``, which cuts off what is no number."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"split", "partition", "rsplit"}
        and bool(node.args)
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value in marks
    )


def _call(node: ast.Call, names: Names, depth: int) -> Version | Literal | None:
    known = _distribution(node, names)
    if known is not None:
        return known
    if names.dotted(node.func) in {"platform.python_version", "platform.python_version_tuple"}:
        return Version(PYTHON, parts=3)
    called = called_name(node)
    if isinstance(node.func, ast.Attribute) and called in {"split", "partition", "rsplit", "strip", "replace"}:
        return value(node.func.value, names, depth)
    if node.args and _WRAPPERS.fullmatch(called):
        return value(node.args[-1] if called == "map" else node.args[0], names, depth)
    return None


def _distribution(node: ast.Call, names: Names) -> Version | None:
    """``importlib.metadata.version("x")`` and its like."""
    dotted = names.dotted(node.func)
    wanted = {"importlib.metadata.version", "importlib_metadata.version", "pkg_resources.get_distribution"}
    if dotted in wanted and node.args and isinstance(node.args[0], ast.Constant):
        text = node.args[0].value
        return Version(text, named=True) if isinstance(text, str) else None
    return None


def called_name(node: ast.Call) -> str:
    """The last part of the name that is called."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def asked_version(node: ast.Call) -> tuple[Version, str, Literal] | None:
    """``is_torch_version(">=", "1.8")``, ``is_torch_greater_or_equal("2.0")``."""
    match = _ASKS.fullmatch(called_name(node))
    texts = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    if match is None or not texts or len(texts) != len(node.args) or not _NUMBER.fullmatch(texts[-1]):
        return None
    operator = texts[0] if len(texts) == 2 else ">="
    return (Version(match[1]), operator, Literal(texts[-1])) if operator in {">=", ">", "<=", "<", "==", "!="} else None


def specifier(version: Version, operator: str, number: str) -> str:
    """The PEP 440 specifier that a comparison stands for; "" when it is none.

    A comparison of the first components only (``version_info[:2] > (3, 6)``) reaches over all releases below them;
    and ``sys.version_info`` has five components, so it is always greater than a shorter tuple that it begins with.
    """
    given = number.count(".") + 1
    parts = version.parts if version.only is None else version.only + 1
    if operator in {">=", "<"}:
        return f"{operator}{number}"
    if version.of == PYTHON and (parts is None or parts > given):
        return {">": f">={number}", "<=": f"<{number}"}.get(operator, "")
    if parts is None:
        return f"{operator}{number}"
    if parts > given:
        return {">": f">={number}", "<=": f"<{number}"}.get(operator, f"{operator}{number}.*")
    if operator in {"==", "!="}:
        return f"{operator}{number}.*"
    head, dot, last = number.rpartition(".")
    if not last.isdigit():
        return ""
    return f"{'>=' if operator == '>' else '<'}{head}{dot}{int(last) + 1}"


FLIPPED: Mapping[str, str] = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "==", "!=": "!="}
DENIED: Mapping[str, str] = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "==": "!=", "!=": "=="}
OPERATORS: Mapping[type[ast.cmpop], str] = {
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
