"""Arguments that are a function's parameters or a class's fields: typer, fire, tyro, jsonargparse, dataclasses."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from kobako.model.requirement import Argument, Takes
from kobako.scan.code.arguments import takes
from kobako.scan.code.arguments.parsed import Parsed, keywords, shortened, shown, text_of, told
from kobako.scan.code.arguments.sources import Definition, Scope

_OF_CLASSES = {
    "HfArgumentParser": "transformers' HfArgumentParser",
    "TrlParser": "trl's TrlParser",
    "H4ArgumentParser": "a parser of dataclasses",
    "add_arguments": "simple_parsing",
    "tyro.cli": "tyro",
    "jsonargparse.CLI": "jsonargparse",
    "jsonargparse.auto_cli": "jsonargparse",
    "simple_parsing.parse": "simple_parsing",
    "pyrallis.parse": "pyrallis",
    "draccus.parse": "draccus",
    "fire.Fire": "fire",
    "fire.core.Fire": "fire",
    "typer.run": "typer",
}
_BOOLS: dict[str, Takes] = {
    **dict.fromkeys(("tyro", "typer"), "switch"),
    **dict.fromkeys(("fire", "simple_parsing"), "maybe"),
    **dict.fromkeys(("transformers' HfArgumentParser", "trl's TrlParser", "a parser of dataclasses"), "maybe"),
}
"""How each library takes a bool; the others want ``true`` or ``false`` behind it."""
_LISTED = frozenset({"tyro", "simple_parsing", "tap", *list(_BOOLS)[-3:]})
"""Libraries that take the items of a list one after the other, behind one flag."""
_WRAPPERS = {"pyrallis.wrap": "pyrallis", "draccus.wrap": "draccus"}
_MAX_FIELDS = 300


def read(scope: Scope, nodes: list[ast.AST]) -> Parsed:
    found = Parsed()
    for part in _parts(scope, nodes):
        found = found.plus(part)
    return found


def _parts(scope: Scope, nodes: list[ast.AST]) -> Iterator[Parsed]:
    commands = []
    for node in nodes:
        if isinstance(node, ast.Call):
            yield from _call(scope, node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                kind = _decorates(scope, decorator)
                if kind == "typer":
                    commands.append(node.name.replace("_", "-"))
                    yield Parsed(tuple(_parameters(node, "typer")), ("typer",))
                elif kind:
                    yield from _annotated(scope, node, kind)
        elif isinstance(node, ast.ClassDef) and any(scope.dotted(base) == "tap.Tap" for base in node.bases):
            yield Parsed(tuple(_fields(scope, node, "tap")), ("tap",))
    if commands[1:]:
        note = f"commands: {', '.join(commands)} (the arguments of all of them are listed)"
        yield Parsed(notes=(note,), commands=tuple(commands))


def _call(scope: Scope, call: ast.Call) -> Iterator[Parsed]:
    dotted = scope.dotted(call.func)
    kind = _OF_CLASSES.get(dotted) or _OF_CLASSES.get(dotted.rpartition(".")[2], "")
    if kind == "simple_parsing" and "simple_parsing" not in scope.module.text:
        return  # other libraries have an add_arguments too
    if not kind or (kind in {"tyro", "typer", "fire", "jsonargparse"} and dotted not in _OF_CLASSES):
        return
    if not call.args and not call.keywords:
        if kind == "fire":
            yield Parsed(kinds=(kind,), notes=("commands: every function of the file",), more=True)
        return
    for target in _targets(call):
        yield _target(scope, target, kind)


def _targets(call: ast.Call) -> Iterator[ast.expr]:
    given = keywords(call)
    for node in (
        *call.args[:1],
        *(given[one] for one in ("dataclass_types", "config_class", "component") if one in given),
    ):
        for one in node.elts if isinstance(node, ast.Tuple | ast.List) else (node,):
            yield one.value if isinstance(one, ast.Subscript) else one


def _target(scope: Scope, target: ast.expr, kind: str) -> Parsed:
    if isinstance(target, ast.Dict):
        names = [one for key in target.keys if key is not None and (one := text_of(key))]
        return Parsed(kinds=(kind,), notes=(f"commands: {', '.join(names)}",), more=True, commands=tuple(names))
    found = scope.resolve(target)
    if found is None:
        name = scope.dotted(target).rpartition(".")[2]
        return Parsed(kinds=(kind,), notes=(f"and the fields of {name}",) if name else (), more=True)
    inner, definition = found
    if not isinstance(definition, ast.ClassDef):
        return Parsed(tuple(_parameters(definition, kind)), (kind,), more=definition.args.kwarg is not None)
    if kind == "fire":
        methods = [one.name for one in definition.body if isinstance(one, ast.FunctionDef) and one.name[0] != "_"]
        notes = (f"commands: {', '.join(methods)}",) if methods else ()
        return Parsed(kinds=(kind,), notes=notes, more=True, commands=tuple(methods))
    outside = [scope.dotted(base) for base in definition.bases if inner.resolve(base) is None]
    more = tuple(f"and the fields of {one.rpartition('.')[2]}" for one in outside if one not in {"", "object", "ABC"})
    fields = [_hyphened(one) if kind == "tyro" else one for one in _fields(inner, definition, kind)]
    return Parsed(tuple(fields), (kind,), more, more=bool(more))


def _hyphened(one: Argument) -> Argument:
    return replace(one, flags=tuple(flag.replace("_", "-") for flag in one.flags))


def _decorates(scope: Scope, decorator: ast.expr) -> str:
    """The library whose command a decorator makes of a function; "" when it makes none."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    if scope.dotted(called) in _WRAPPERS:
        return _WRAPPERS[scope.dotted(called)]
    uses_typer = any(module == "typer" for module, _, _ in scope.imported.values())
    return "typer" if uses_typer and isinstance(called, ast.Attribute) and called.attr == "command" else ""


def _annotated(scope: Scope, function: Definition, kind: str) -> Iterator[Parsed]:
    """``@pyrallis.wrap()``: the fields of the class that the first parameter is annotated with."""
    if not isinstance(function, ast.ClassDef) and function.args.args and function.args.args[0].annotation:
        yield _target(scope, function.args.args[0].annotation, kind)


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef, kind: str) -> Iterator[Argument]:
    listed = [*function.args.posonlyargs, *function.args.args]
    missing: list[ast.expr | None] = [None] * (len(listed) - len(function.args.defaults))
    pairs = [*zip(listed, [*missing, *function.args.defaults], strict=True)]
    pairs += zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    for parameter, default in pairs:
        if parameter.arg not in {"self", "cls", "ctx"}:
            yield _parameter(parameter, default, kind)


def _parameter(parameter: ast.arg, default: ast.expr | None, kind: str) -> Argument:
    name = parameter.arg.replace("_", "-") if kind in {"typer", "tyro"} else parameter.arg
    marked = _marked(parameter.annotation) or (default if _is_marker(default) else None)
    behind = _behind(kind, parameter.annotation, default)
    if not isinstance(marked, ast.Call):
        if default is None and kind == "typer":
            return Argument((parameter.arg,), required=True, line=parameter.lineno)
        return Argument((f"--{name}",), default is None, shown(default), line=parameter.lineno, takes=behind)
    given, texts = keywords(marked), [one for node in marked.args if (one := text_of(node))]
    if marked is default:
        default = marked.args[0] if marked.args else given.get("default")
        required = default is None or (isinstance(default, ast.Constant) and default.value is ...)
    else:
        required = default is None
    written: tuple[str, ...] = tuple(part for one in texts if one.startswith("-") for part in one.split("/"))
    if written and behind == "switch" and not any("/" in one for one in texts):
        behind = "flag"  # whoever names the flag gets no second one that says no
    if _name_of(marked.func) == "Argument":
        written, behind = (parameter.arg,), "value"
    flags = written or (f"--{name}",)
    return Argument(flags, required, shown(default), told(given.get("help")), parameter.lineno, behind)


def _behind(kind: str, annotation: ast.expr | None, default: ast.expr | None) -> Takes:
    shape = takes.of_annotation(annotation, default)
    if shape == "bool" and kind == "tap":
        return "off" if isinstance(default, ast.Constant) and default.value is True else "flag"
    if shape == "bool":
        return _BOOLS.get(kind, "value")
    return "values" if shape == "several" and kind in _LISTED else "value"


def _marked(annotation: ast.expr | None) -> ast.expr | None:
    """``Annotated[int, typer.Option(...)]``"""
    if isinstance(annotation, ast.Subscript) and isinstance(annotation.slice, ast.Tuple):
        return next((one for one in annotation.slice.elts[1:] if _is_marker(one)), None)
    return None


def _is_marker(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Call) and _name_of(node.func) in {"Option", "Argument"}


def _name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _fields(scope: Scope, definition: ast.ClassDef, kind: str, depth: int = 0) -> Iterator[Argument]:
    """The fields of a dataclass, those of its bases first."""
    for base in definition.bases if depth < 4 else ():
        found = scope.resolve(base)
        if found is not None and isinstance(found[1], ast.ClassDef):
            yield from _fields(found[0], found[1], kind, depth + 1)
    for at, node in enumerate(definition.body[:_MAX_FIELDS]):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and not _is_class_variable(node):
            after = definition.body[at + 1] if at + 1 < len(definition.body) else None
            one = _field(node, node.target.id, after)
            yield replace(one, takes=_behind(kind, node.annotation, _plain_default(node.value)))


def _field(node: ast.AnnAssign, name: str, after: ast.stmt | None) -> Argument:
    default, text, required = node.value, "", node.value is None
    if isinstance(default, ast.Call) and _name_of(default.func) in {"field", "HfArg", "Field", "arg", "mutable_field"}:
        given = keywords(default)
        metadata = given.get("metadata")
        text = told(given.get("help")) or (_help_in(metadata) if isinstance(metadata, ast.Dict) else "")
        default = given.get("default", given.get("default_factory"))
        required = default is None
        if isinstance(default, ast.Lambda):
            default = default.body
    if not text and isinstance(after, ast.Expr):  # a docstring below the field
        text = shortened(text_of(after.value) or "")
    return Argument((f"--{name}",), required, shown(default), text, node.lineno)


def _plain_default(value: ast.expr | None) -> ast.expr | None:
    """The default itself, also where it stands in ``field(default=...)``."""
    return keywords(value).get("default") if isinstance(value, ast.Call) else value


def _help_in(metadata: ast.Dict) -> str:
    pairs = zip(metadata.keys, metadata.values, strict=True)
    return next((told(value) for key, value in pairs if key is not None and text_of(key) == "help"), "")


def _is_class_variable(node: ast.AnnAssign) -> bool:
    annotation = node.annotation.value if isinstance(node.annotation, ast.Subscript) else node.annotation
    return _name_of(annotation) == "ClassVar"
