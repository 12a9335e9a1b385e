"""argparse and what is used like it: ``add_argument`` in the script and in the helpers that it calls."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable

from kobako.model.requirement import Argument
from kobako.scan.code.arguments import takes
from kobako.scan.code.arguments.parsed import Parsed, is_true, keywords, shown, text_of, told
from kobako.scan.code.arguments.sources import Definition, Scope

_HELPER = re.compile(r"arg|pars|opt|config|cfg|flag|cli|hparam|setup", re.IGNORECASE)
"""Names of functions and classes of other modules that may declare arguments."""
_HOLDER = re.compile(
    r"_?(?:args?|opts?|options?|parser|arg_?parser|hparams|flags?|cfg|config|conf|params?)", re.IGNORECASE
)
"""Names of parsers, or of what they gave, that a module shares."""
_DECLARES = re.compile(
    r"(?:\w*_)?(?:arg(?:ument)?_?)?parser|(?:\w+_)?(?:arg_parse|parse_(?:args|arguments|options|opts?))|get_args?",
    re.IGNORECASE,
)
"""Names of functions that surely declare arguments, wherever they are from."""
_METHODS = frozenset({"add_argument", "add_arg"})
_MAX_DEFINITIONS = 60
_OWN_READERS = frozenset({"detectron2", "transformers", "trl", "hydra", "fire", "click", "absl"})
"""Libraries whose arguments other readers know."""
_LIBRARIES = ("configargparse", "jsonargparse", "simple_parsing", "argparse", "tap")


def read(scope: Scope, nodes: list[ast.AST]) -> Parsed:
    collector = _Collector()
    collector.take(scope, nodes, is_script=True)
    kinds = () if not collector.arguments else (_kind(scope),)
    return Parsed(
        tuple(collector.arguments),
        kinds,
        tuple(collector.notes()),
        collector.more,
        tuple(dict.fromkeys(collector.commands)),
    )


def _kind(scope: Scope) -> str:
    roots = {module.partition(".")[0] for module, _, _ in scope.imported.values()}
    return next((one for one in _LIBRARIES if one in roots), "argparse")


class _Collector:
    def __init__(self) -> None:
        self.arguments: list[Argument] = []
        self.commands: list[str] = []
        self._computed = 0
        self._known_only = False
        self._elsewhere: list[str] = []
        self._seen: set[int] = set()

    @property
    def more(self) -> bool:
        """Whether there are arguments that are not listed."""
        return bool(self._computed or self._known_only or self._elsewhere)

    def notes(self) -> Iterable[str]:
        if self.commands:
            yield f"commands: {', '.join(dict.fromkeys(self.commands))} (the arguments of all of them are listed)"
        if self._computed:
            yield "some of its arguments are computed"
        for name in dict.fromkeys(self._elsewhere):
            yield f"and what {name} declares"

    def take(self, scope: Scope, nodes: Iterable[ast.AST], *, is_script: bool) -> None:
        """In the order in which they stand. Of the script everything counts, of others what is called."""
        nodes = list(nodes)
        aliases = {name for node in nodes for name in _aliases(node)}
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        for call in sorted(calls, key=lambda one: (one.lineno, one.col_offset)):
            if _declares(call, aliases):
                self._argument(call)
            elif isinstance(call.func, ast.Attribute) and call.func.attr == "add_parser" and call.args:
                self.commands += filter(None, [text_of(call.args[0])])
            else:
                self._known_only |= isinstance(call.func, ast.Attribute) and call.func.attr == "parse_known_args"
                self._follow(scope, call.func, is_script=is_script)
        if is_script:
            self._shared(scope)
            for node in nodes:
                if isinstance(node, ast.ClassDef):
                    self._bases(scope, node)

    def _argument(self, call: ast.Call) -> None:
        found = argument(call)
        if found is None:
            self._computed += 1
        else:
            self.arguments.append(found)

    def _follow(self, scope: Scope, called: ast.expr, *, is_script: bool) -> None:
        """Into a helper: one of another module with a telling name; in a helper's module any that it calls."""
        name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
        known = isinstance(called, ast.Name) and name in scope.definitions
        if is_script and (known or not _HELPER.search(name)):
            return
        if not is_script and not known and not _HELPER.search(name):
            return
        found = scope.resolve(called) or _method(scope, called)
        if found is not None and (found[0] is not scope or not is_script):
            self._define(*found)
        elif found is None and _DECLARES.fullmatch(name) and (outside := _outside(scope, called)):
            self._elsewhere.append(outside)

    def _define(self, scope: Scope, definition: Definition) -> None:
        if id(definition) in self._seen or len(self._seen) >= _MAX_DEFINITIONS:
            return
        self._seen.add(id(definition))
        if isinstance(definition, ast.ClassDef):
            self._bases(scope, definition)
        self.take(scope, ast.walk(definition), is_script=False)

    def _bases(self, scope: Scope, node: ast.ClassDef) -> None:
        for base in node.bases:
            found = scope.resolve(base)
            if found is not None and (isinstance(found[1], ast.ClassDef) and found[1] is not node):
                if found[0] is scope and scope.definitions.get(node.name) is node and id(node) not in self._seen:
                    continue  # the script itself is read as a whole
                self._define(*found)

    def _shared(self, scope: Scope) -> None:
        """A parser, or the arguments themselves, that another module made when it was imported."""
        for name in scope.imported:
            inner = scope.value_module(name) if _HOLDER.fullmatch(name) else None
            if inner is not None and "add_argument" in inner.module.text and id(inner) not in self._seen:
                self._seen.add(id(inner))
                self.take(inner, ast.walk(inner.module.syntax), is_script=False)


def _method(scope: Scope, called: ast.expr) -> tuple[Scope, Definition] | None:
    """``Model.add_model_specific_args``: the class's own method."""
    found = scope.resolve(called.value) if isinstance(called, ast.Attribute) else None
    if not isinstance(called, ast.Attribute) or found is None or not isinstance(found[1], ast.ClassDef):
        return None
    for one in found[1].body:
        if isinstance(one, ast.FunctionDef) and one.name == called.attr:
            return found[0], one
    return None


def _outside(scope: Scope, called: ast.expr) -> str:
    """The full name of a function that another package has; "" for one of the standard library or of a parser."""
    first = called
    while isinstance(first, ast.Attribute):
        first = first.value
    if not isinstance(first, ast.Name) or first.id not in scope.imported:
        return ""
    dotted = scope.dotted(called)
    root = dotted.partition(".")[0]
    return "" if root in sys.stdlib_module_names or root in _LIBRARIES or root in _OWN_READERS else dotted


def _aliases(node: ast.AST) -> list[str]:
    """``add = parser.add_argument``"""
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute) and node.value.attr in _METHODS:
        return [one.id for one in node.targets if isinstance(one, ast.Name)]
    return []


def _declares(call: ast.Call, aliases: set[str]) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id in aliases
    if not isinstance(call.func, ast.Attribute):
        return False
    if call.func.attr == "add":  # configargparse's short form
        first = text_of(call.args[0]) if call.args else None
        return first is not None and first.startswith("-")
    return call.func.attr in _METHODS


def argument(call: ast.Call) -> Argument | None:
    """What one ``add_argument`` declares; None when its name is computed."""
    flags = tuple(one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str))
    given = keywords(call)
    if not flags and (dest := text_of(given.get("dest"))) and not call.args:
        flags = (dest,)
    if not flags or len(flags) != len(call.args or flags):
        return None
    action = text_of(given.get("action")) or ""
    default = shown(given.get("default"))
    if "default" not in given:
        default = {"store_true": "False", "store_false": "True"}.get(action)
    positional = not flags[0].startswith("-")
    free = "default" in given or text_of(given.get("nargs")) in {"?", "*", "..."} or _is_rest(given.get("nargs"))
    required = not free if positional else is_true(given.get("required"))
    return Argument(
        flags,
        required,
        default,
        told(given.get("help")),
        call.lineno,
        takes.of_argparse(given, positional=positional),
        takes.choices_of(given.get("choices")),
        text_of(given.get("dest")) or "",
    )


def _is_rest(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in {"REMAINDER", "OPTIONAL", "ZERO_OR_MORE"}
