"""What a script takes besides what it declares itself: said in words, by the library that parses it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from kobako.model.requirement import Argument
from kobako.scan.code.arguments.parsed import Parsed, keywords, shortened, shown, text_of
from kobako.scan.code.arguments.sources import Scope
from kobako.scan.tree import joined

_NOTES = {
    "OmegaConf.from_cli": ("OmegaConf", "key=value overrides"),
    "LightningCLI": ("LightningCLI", "a command (fit), --config FILE, --trainer.*, --model.* and --data.*"),
    "Trainer.add_argparse_args": ("", "and the arguments of Lightning's Trainer"),
    "Trainer.from_argparse_args": ("", "and the arguments of Lightning's Trainer"),
    "deepspeed.add_config_arguments": ("", "and DeepSpeed's (--deepspeed, --deepspeed_config)"),
    "detectron2.engine.default_argument_parser": (
        "detectron2's default_argument_parser",
        # detectron2/engine/defaults.py, default_argument_parser
        "--config-file, --resume, --eval-only, --num-gpus, --num-machines, --machine-rank, --dist-url, KEY VALUE pairs",
    ),
    "basicsr.train.train_pipeline": (
        "basicsr's train_pipeline",
        # basicsr/utils/options.py, parse_options
        "-opt FILE, --launcher, --auto_resume, --debug, --local_rank, --force_yml",
    ),
    "absl.app.run": ("absl", ""),
}
_OPTION = r"--?[^\s,=]+(?:[ =]<?[\w-]+>?)?"
_DOCOPT = re.compile(rf"^[ \t]+({_OPTION}(?:,? +{_OPTION})?)(?:  +(.*))?$", re.MULTILINE)

_DEFAULT = re.compile(r"\[default: ([^\]]*)\]")
_EXEC = re.compile(r"\bexec\(open\(\s*['\"]([\w./-]+\.py)['\"]")


def reads_argv(text: str) -> bool:
    return "sys.argv[" in text


def read(scope: Scope, nodes: list[ast.AST]) -> Parsed:
    found = Parsed()
    for part in _parts(scope, nodes):
        found = found.plus(part)
    return found


def _parts(scope: Scope, nodes: list[ast.AST]) -> Iterator[Parsed]:
    for node in nodes:
        if isinstance(node, ast.Call):
            yield from _call(scope, node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _decorated(scope, node)
    yield _configurator(scope)


def _call(scope: Scope, call: ast.Call) -> Iterator[Parsed]:
    dotted = scope.dotted(call.func)
    short = ".".join(dotted.split(".")[-2:])
    last = short.rpartition(".")[2]
    if last == "docopt":
        yield _docopt(scope)
    kind, note = _NOTES.get(dotted) or _NOTES.get(short) or (_NOTES[last] if last == "LightningCLI" else ("", ""))
    if kind or note:
        yield Parsed(kinds=(kind,) if kind else (), notes=(note,) if note else (), more=bool(note))
    elif last == "default_argument_parser" and dotted.startswith("detectron2"):
        kind, note = _NOTES["detectron2.engine.default_argument_parser"]
        yield Parsed(kinds=(kind,), notes=(note,), more=True)


def _decorated(scope: Scope, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Parsed]:
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        dotted = scope.dotted(called)
        if dotted in {"hydra.main", "hydra.main.main"} or dotted.endswith("hydra_runner"):
            yield _hydra(scope, decorator)
        elif isinstance(called, ast.Attribute) and called.attr == "automain":
            yield Parsed(kinds=("sacred",), notes=("overrides: with key=value",), more=True)


def _hydra(scope: Scope, decorator: ast.expr) -> Parsed:
    given = keywords(decorator) if isinstance(decorator, ast.Call) else {}
    rest = decorator.args if isinstance(decorator, ast.Call) else []
    path = text_of(given.get("config_path", rest[0] if rest else None))
    name = text_of(given.get("config_name", rest[1] if rest[1:] else None))
    note = "key=value overrides"
    if name:
        folder = scope.module.name.rpartition("/")[0]
        file = joined(folder, f"{path or '.'}/{name.removesuffix('.yaml')}.yaml")
        known = bool(file) and scope.sources.tree.is_file(file)
        note += f" of {file}" if known else f" of the configuration {name}"
    return Parsed(kinds=("hydra",), notes=(note,), more=True)


def _docopt(scope: Scope) -> Parsed:
    """The options of a usage text."""
    text = ast.get_docstring(scope.module.syntax, clean=False) or ""
    found = []
    for match in _DOCOPT.finditer(text[:20_000]):
        flags = tuple(re.findall(r"(?<![\w-])--?[\w-]+", match[1]))
        default = _DEFAULT.search(match[2] or "")
        line = text.count("\n", 0, match.start()) + 1
        found.append(
            Argument(
                flags,
                default=default[1] if default else None,
                help=shortened(match[2] or ""),
                line=line,
                takes="value" if re.search(r"[ =]<?\w", re.sub(r",? +-", ",-", match[1])) else "flag",
            )
        )
    return Parsed(tuple(one for one in found if one.flags), ("docopt",))


def _configurator(scope: Scope) -> Parsed:
    """``exec(open("configurator.py").read())``: what stands above it can be overridden, when that file reads argv."""
    match = _EXEC.search(scope.module.text)
    if match is None:
        return Parsed()
    folder = scope.module.name.rpartition("/")[0]
    text = next((text for one in (folder, "") if (text := scope.sources.tree.read(joined(one, match[1])))), "")
    if "sys.argv" not in text:
        return Parsed()
    line = scope.module.text.count("\n", 0, match.start()) + 1
    found = []
    for node in scope.module.syntax.body:
        if isinstance(node, ast.Assign) and node.lineno < line and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if isinstance(node.value, ast.Constant | ast.UnaryOp) and not name.startswith("_"):
                found.append(Argument((f"--{name}",), default=shown(node.value), line=node.lineno))
    return Parsed(tuple(found), (match[1],), ("--name=value, and files with such assignments",))
