"""Versions that the code itself insists on: assertions, errors and warnings about what is installed.

Only what is reached whenever the code runs counts: a check inside a function speaks for one feature, and a branch that
picks between an old and a new interface says nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from kobako.model.finding import Finding
from kobako.model.requirement import Bound, Other, Requirement
from kobako.scan.aside import is_aside
from kobako.scan.code import versions
from kobako.scan.code.modules import Module
from kobako.scan.code.versions import CUDA, DENIED, FLIPPED, OPERATORS, PYTHON, Literal, Names, Version, called_name
from kobako.scan.declaring.declared import Declared, normalised, ordered

_MARKS = (
    "__version__",
    "version_info",
    "imum_version",
    "VERSION",
    "_MIN",
    "_version(",
    "metadata",
    "pkg_resources",
    "version.cuda",
)
_LIMIT = re.compile(r"_?(\w+?)_(min|max)(?:imum)?(?:_version)?", re.IGNORECASE)
_EXITS = frozenset({"exit", "quit", "_exit", "abort", "fail"})
_TELLS = frozenset({"warn", "warning", "error", "print", "critical", "warn_once", "warning_once"})
_NEVER = frozenset({"setuptools", "pip", "wheel", "distutils"})
"""What a setup.py asks of the installer itself."""
_OLDEST_PYTHON = (3, 5)
"""A check against Python 2 says nothing any more."""
_MOST_FUNCTIONS = 50
_MOST_CLAIMS = 100
"""Of one module. Nobody writes more by hand."""


class _Claim(NamedTuple):
    """``version`` has to satisfy ``operator text``."""

    version: Version
    operator: str
    text: str


class _Said(NamedTuple):
    of: str
    named: bool
    specifier: str
    firm: bool
    finding: Finding


@dataclass
class Assertions:
    """Looks at the modules one after the other."""

    _said: dict[_Said, None] = field(default_factory=dict)
    _own: set[str] = field(default_factory=set)

    def look(self, module: Module) -> None:
        if module.name.endswith("__init__.py"):
            self._own.add(module.name.rpartition("/")[0].rpartition("/")[2])
        if not any(mark in module.text for mark in _MARKS) or is_aside(module.name):
            return
        try:
            every = list(islice(_Reading(module).read(), _MOST_CLAIMS))
        except RecursionError:  # expressions nested deeper than a person writes
            return
        self._said.update(dict.fromkeys(every))

    def found(self) -> Declared:
        """Bounds: on packages by distribution name, on Python, torch and CUDA."""
        found = Declared()
        for one in self._said:
            self._tell(one, found)
        return found

    def _tell(self, one: _Said, found: Declared) -> None:
        lists = {PYTHON: found.python, "torch": found.torch, CUDA: found.cuda}
        if one.of in lists:
            _add(lists[one.of], Bound(one.specifier, (one.finding,), one.firm))
            return
        name = normalised(one.of) if one.named else _distribution(one.of)
        if not name or one.of in self._own or name in _NEVER:
            return
        if not one.firm:
            what = f"{name}{one.specifier}"
            found.others.append(Other(what, "the code only warns when it is another version", (one.finding,)))
            return
        bound = Requirement(name, ordered(one.specifier), findings=(one.finding,))
        found.bounds.setdefault(name, []).append(bound)


def _distribution(module: str) -> str:
    """The package behind an import name; one that is not known is asked about elsewhere, if it is needed at all."""
    from kobako.scan.code import names  # noqa: PLC0415 - its tables are read for this

    known = names.distribution_of(module)
    return normalised(known.distribution if known.certain else module)


def _add(bounds: list[Bound], new: Bound) -> None:
    """Several files that say the same are one bound with several findings."""
    for at, old in enumerate(bounds):
        if (old.specifier, old.firm) == (new.specifier, new.firm):
            bounds[at] = Bound(old.specifier, (*old.findings, *new.findings), old.firm)
            return
    bounds.append(new)


class _Reading:
    """One module."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._names = Names.of(module.syntax.body)
        self._functions = {
            one.name: one for one in module.syntax.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        self._called: list[str] = []

    def read(self) -> Iterator[_Said]:
        yield from self._body(self._module.syntax.body, self._names)
        for name in self._called:  # grows while it is read
            function = self._functions[name]
            yield from self._body(function.body, self._names.inside(function))

    def _body(self, body: list[ast.stmt], names: Names) -> Iterator[_Said]:
        """What the statements claim that are reached in any case."""
        for statement in body:
            if isinstance(statement, ast.Assert):
                yield from self._claimed(_claims(statement.test, names, holds=True), statement, firm=True)
                yield from self._limits(statement.test, statement, names)
            elif isinstance(statement, ast.If):
                yield from self._branch(statement, names)
            elif isinstance(statement, ast.Try):
                if all(_stops(handler.body) for handler in statement.handlers):
                    yield from self._body(statement.body, names)
                yield from self._body(statement.finalbody, names)
            elif isinstance(statement, ast.With):
                yield from self._body(statement.body, names)
            elif isinstance(statement, ast.Expr | ast.Assign | ast.Return) and statement.value is not None:
                yield from self._calls(statement.value, statement, names)

    def _branch(self, statement: ast.If, names: Names) -> Iterator[_Said]:
        if _is_main_guard(statement.test):
            yield from self._body(statement.body, names)
            return
        stops, tells = _stops(statement.body), _tells(statement.body)
        if stops or tells:
            yield from self._claimed(_claims(statement.test, names, holds=False), statement, firm=stops)
            if stops:
                yield from self._limits(statement.test, statement, names)
        elif statement.orelse and not isinstance(statement.orelse[0], ast.If) and _stops(statement.orelse):
            yield from self._claimed(_claims(statement.test, names, holds=True), statement, firm=True)

    def _calls(self, node: ast.expr, statement: ast.stmt, names: Names) -> Iterator[_Said]:
        for call in ast.walk(node):
            if not isinstance(call, ast.Call):
                continue
            name = called_name(call)
            if isinstance(call.func, ast.Name) and name in self._functions and name not in self._called:
                if len(self._called) < _MOST_FUNCTIONS:
                    self._called.append(name)
            elif name in {"require_version", "require_version_core", "check_min_version", "require"}:
                yield from self._required(call, name, statement, names)

    def _required(self, call: ast.Call, name: str, statement: ast.stmt, names: Names) -> Iterator[_Said]:
        """``require_version("transformers>=4.20")``, ``check_min_version("0.28.0")``, ``pkg_resources.require``."""
        from packaging.requirements import InvalidRequirement  # noqa: PLC0415 - heavy
        from packaging.requirements import Requirement as Grammar  # noqa: PLC0415

        dotted = names.dotted(call.func)
        texts = _strings(call.args[0]) if call.args else []
        if name == "check_min_version":
            root = dotted.partition(".")[0]
            claims = [_Claim(Version(root), ">=", text) for text in texts if root and versions.is_number(text)]
            yield from self._claimed(claims, statement, firm=True)
            return
        if name == "require" and dotted != "pkg_resources.require":
            return
        for text in texts:
            try:
                parsed = Grammar(text)
            except InvalidRequirement:
                continue
            if parsed.specifier and parsed.marker is None and not parsed.url:
                of = PYTHON if parsed.name == "python" else "torch" if parsed.name == "torch" else parsed.name
                yield _Said(
                    of, named=True, specifier=ordered(str(parsed.specifier)), firm=True, finding=self._at(statement)
                )

    def _limits(self, test: ast.expr, statement: ast.stmt, names: Names) -> Iterator[_Said]:
        """``NAME_minimum_version`` and ``NAME_maximum_version``, handed to a check that cannot be read."""
        if not any(isinstance(node, ast.Call) and len(node.args) > 1 for node in ast.walk(test)):
            return
        for node in ast.walk(test):
            match = _LIMIT.fullmatch(node.id) if isinstance(node, ast.Name) else None
            known = versions.value(node, names) if match and isinstance(node, ast.Name) else None
            if match and isinstance(known, Literal):
                claim = _Claim(Version(match[1].lower()), ">=" if match[2].lower() == "min" else "<=", known.text)
                yield from self._claimed([claim], statement, firm=True)

    def _claimed(self, claims: list[_Claim], statement: ast.stmt, *, firm: bool) -> Iterator[_Said]:
        by_what: dict[tuple[str, bool], list[str]] = {}
        for claim in _whole(claims):
            specifier = versions.specifier(claim.version, claim.operator, claim.text)
            if specifier and not _is_trivial(claim):
                by_what.setdefault((claim.version.of, claim.version.named), []).append(specifier)
        for (of, named), specifiers in by_what.items():
            text = ordered(",".join(dict.fromkeys(specifiers)))
            yield _Said(of, named, text, firm, self._at(statement))

    def _at(self, statement: ast.stmt) -> Finding:
        text = self._lines[statement.lineno - 1] if statement.lineno <= len(self._lines) else ""
        return Finding(self._module.name, statement.lineno, text.strip()[:160])

    @cached_property
    def _lines(self) -> list[str]:
        return self._module.text.split("\n")


def _claims(node: ast.expr, names: Names, *, holds: bool) -> list[_Claim]:
    """What must be so for the expression to be true (or, not ``holds``, to be false)."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return _claims(node.operand, names, holds=not holds)
    if isinstance(node, ast.BoolOp):
        if isinstance(node.op, ast.And) is not holds:  # one of several would do: nothing is certain
            return []
        return [claim for part in node.values for claim in _claims(part, names, holds=holds)]
    if isinstance(node, ast.Compare):
        return _compared(node, names, holds=holds)
    if isinstance(node, ast.Call):
        return _asked(node, names, holds=holds)
    return []


def _compared(node: ast.Compare, names: Names, *, holds: bool) -> list[_Claim]:
    if not holds and len(node.ops) > 1:
        return []
    found: list[_Claim] = []
    left = versions.value(node.left, names)
    for operation, expression in zip(node.ops, node.comparators, strict=True):
        right = versions.value(expression, names)
        operator = OPERATORS.get(type(operation), "")
        if operator and isinstance(left, Literal) and isinstance(right, Version):
            found.append(_Claim(right, FLIPPED[operator], left.text))
        elif operator and isinstance(left, Version) and isinstance(right, Literal):
            found.append(_Claim(left, operator, right.text))
        left = right
    return found if holds else [claim._replace(operator=DENIED[claim.operator]) for claim in found]


def _asked(node: ast.Call, names: Names, *, holds: bool) -> list[_Claim]:
    asked = versions.asked_version(node)
    if asked is not None:
        version, operator, number = asked
        return [_Claim(version, operator if holds else DENIED[operator], number.text)]
    if isinstance(node.func, ast.Attribute) and node.func.attr == "startswith" and node.args and holds:
        begun, text = versions.value(node.func.value, names), versions.value(node.args[0], names)
        if isinstance(begun, Version) and isinstance(text, Literal):
            return [_Claim(begun._replace(parts=text.text.count(".") + 1), "==", text.text)]
    return []


def _whole(claims: list[_Claim]) -> list[_Claim]:
    """Major and minor, where they are compared apart, put together; what is left of such pairs says nothing."""
    major = {claim.version.of: claim for claim in claims if claim.version.only == 0}
    found = []
    for claim in claims:
        first = major.get(claim.version.of)
        if claim.version.only == 1 and first is not None and first.operator in {"==", ">="}:
            version = claim.version._replace(only=None, parts=2)
            found.append(claim._replace(version=version, text=f"{first.text}.{claim.text}"))
        elif claim.version.only is None or (claim.version.only == 0 and claim is first and claim.operator != "=="):
            found.append(claim)
    paired = {claim.version.of for claim in claims if claim.version.only == 1}
    return [claim for claim in found if not (claim.version.only == 0 and claim.version.of in paired)]


def _is_trivial(claim: _Claim) -> bool:
    if claim.version.of != PYTHON or claim.operator not in {">=", ">", "!="}:
        return False
    numbers = tuple(int(part) for part in re.findall(r"\d+", claim.text)[:2])
    return numbers <= _OLDEST_PYTHON


def _strings(node: ast.expr) -> list[str]:
    nodes = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    return [one.value for one in nodes if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def _is_main_guard(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _stops(body: list[ast.stmt]) -> bool:
    """Whether the block ends the program, whatever else it does."""
    return any(isinstance(one, ast.Raise) or _called(one) in _EXITS for one in body)


def _tells(body: list[ast.stmt]) -> bool:
    return bool(body) and all(_called(one) in _TELLS for one in body)


def _called(statement: ast.stmt) -> str:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return called_name(value) if isinstance(value, ast.Call) else ""
