"""click's decorators and absl's (and TensorFlow's) flags."""

from __future__ import annotations

import ast

from kobako.model.requirement import Argument, Takes
from kobako.scan.code.arguments import takes
from kobako.scan.code.arguments.parsed import Parsed, is_true, keywords, shown, text_of, told
from kobako.scan.code.arguments.sources import Scope

_CLICK = ("click", "rich_click", "cloup", "asyncclick")


def read(scope: Scope, nodes: list[ast.AST]) -> Parsed:
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    calls.sort(key=lambda one: (one.lineno, one.col_offset))
    return _click(scope, calls, nodes).plus(_flags(calls))


def _click(scope: Scope, calls: list[ast.Call], nodes: list[ast.AST]) -> Parsed:
    if not any(module.partition(".")[0] in _CLICK for module, _, _ in scope.imported.values()):
        return Parsed()
    found = []
    for call in calls:
        root, _, kind = scope.dotted(call.func).rpartition(".")
        if root in _CLICK and kind in {"option", "argument"}:
            found += [_option(call, is_argument=kind == "argument")]
    commands = [name for node in nodes if isinstance(node, ast.FunctionDef) and (name := _command(scope, node))]
    note = f"commands: {', '.join(commands)} (the arguments of all of them are listed)"
    kinds = ("click",) if commands or found else ()
    if not commands[1:]:
        return Parsed(tuple(filter(None, found)), kinds)
    return Parsed(tuple(filter(None, found)), kinds, (note,), commands=tuple(commands))


def _command(scope: Scope, function: ast.FunctionDef) -> str:
    """The name of the command that a function is; "" when it is none."""
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(called, ast.Attribute) and called.attr == "command":
            first = decorator.args[0] if isinstance(decorator, ast.Call) and decorator.args else None
            return text_of(first) or function.name.replace("_", "-")
        if scope.dotted(called) in {f"{one}.command" for one in _CLICK}:
            return function.name.replace("_", "-")
    return ""


def _option(call: ast.Call, *, is_argument: bool) -> Argument | None:
    texts = [one for node in call.args if (one := text_of(node))]
    given = keywords(call)
    if is_argument:
        flags = tuple(texts[:1])
        free = "default" in given or _is_false(given.get("required")) or _is_many(given.get("nargs"))
        required = not free
    else:
        flags = tuple(part.strip() for one in texts if one.startswith("-") for part in one.split("/") if part.strip())
        required = is_true(given.get("required")) and not _comes_otherwise(given)
    default = shown(given.get("default"))
    if default is None and is_true(given.get("is_flag")):
        default = "False"
    if not flags:
        return None
    behind = takes.of_click(texts, given, positional=is_argument)
    dest = next((one for one in texts if one.isidentifier()), "")
    choices = takes.choices_of(given.get("type"))
    return Argument(flags, required, default, told(given.get("help")), call.lineno, behind, choices, dest)


def _comes_otherwise(given: dict[str, ast.expr]) -> bool:
    """Whether click has somewhere else to take the value of a required option from."""
    said = {name for name, node in given.items() if not (isinstance(node, ast.Constant) and node.value is None)}
    return bool(said & {"default", "envvar"}) or ("prompt" in said and not _is_false(given["prompt"]))


def _is_false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _is_many(node: ast.expr | None) -> bool:
    return isinstance(node, ast.UnaryOp)  # nargs=-1


def _flags(calls: list[ast.Call]) -> Parsed:
    """``flags.DEFINE_string("name", default, "help")``."""
    required = {text_of(one.args[0]) for one in calls if _named(one) == "mark_flag_as_required" and one.args}
    for call in calls:
        if _named(call) == "mark_flags_as_required" and call.args and isinstance(call.args[0], ast.List):
            required |= {text_of(one) for one in call.args[0].elts}
    found = []
    for call in calls:
        given = keywords(call)
        first = call.args[0] if call.args else given.get("name")
        name = text_of(first) if _named(call).startswith("DEFINE_") else None
        if name:
            default, told_at = _placed(call)
            is_required = name in required or is_true(given.get("required"))
            behind: Takes = "switch" if _named(call) in {"DEFINE_bool", "DEFINE_boolean"} else "value"
            choices = takes.choices_of(call.args[2]) if "enum" in _named(call) and call.args[2:] else ()
            found.append(
                Argument((f"--{name}",), is_required, shown(default), told(told_at), call.lineno, behind, choices)
            )
    return Parsed(tuple(found), ("absl flags",) if found else ())


def _placed(call: ast.Call) -> tuple[ast.expr | None, ast.expr | None]:
    """The default and the help text of a flag, by position or by name."""
    given, rest = keywords(call), call.args[1:]
    if "config_file" in _named(call):
        return given.get("default", rest[0] if rest else None), given.get("help_string", rest[1] if rest[1:] else None)
    help_at = 2 if _named(call) in {"DEFINE_enum", "DEFINE_multi_enum", "DEFINE_enum_class"} else 1
    return (
        given.get("default", rest[0] if rest else None),
        given.get("help", rest[help_at] if len(rest) > help_at else None),
    )


def _named(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""
