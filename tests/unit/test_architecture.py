"""The arrows and the doors: who imports whom, who starts programs, writes to the streams, ends the process."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "kobako"

RANKS = (
    ("errors", "masking"),
    ("model",),
    ("protocols",),
    ("process", "data", "demo"),
    (
        *(
            "catalogue",
            "clearmlconf",
            "compiled",
            "compose",
            "dockerfile",
            "floor",
            "host",
            "mounts",
            "pipconfig",
            "probe",
        ),
        *("settings", "terminal", "uv", "workspace"),
    ),
    (
        *("scan", "choose", "plan", "sources", "capture", "engines", "train", "launch"),
        *("report", "console", "resolving", "transaction"),
    ),
    ("actions",),
    ("cli",),
    ("__main__",),
)
"""From the ground up. A part imports what is below it, never its own row."""

WITHIN_A_ROW = {("compose", "workspace"), ("uv", "pipconfig")}

NEVER = {("actions", "report"), ("actions", "console")}
"""Actions give back a result; the command line tells it."""

BACKENDS = ("engines", "launch")
"""Packages whose subpackages are alternatives: they do not know of each other."""

STARTERS = (
    *("subprocess", "multiprocessing", "pty", "os.system", "os.popen", "os.fork", "os.forkpty"),
    *("os.posix_spawn", "os.posix_spawnp", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"),
    *(f"os.{kind}{tail}" for kind in ("exec", "spawn") for tail in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
)
STREAMS = ("print", "sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__")
EXITS = ("sys.exit", "os._exit", "exit", "quit", "SystemExit")
DYNAMIC = ("importlib.import_module", "__import__", "exec", "eval")

MAY_START = {"process.py"}
# main.py: `--version` and the overview answer without loading a console, and entry() flushes before it leaves
MAY_WRITE = {"console.py", "cli/main.py"}
MAY_IMPORT_BY_NAME = {"cli/main.py"}

LONGEST_FILE = 400
LONGEST_FUNCTION = 50


def rank(part: str) -> int:
    return next(number for number, row in enumerate(RANKS) if part in row)


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything of Kobako's own that is imported, in functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, one.name) for one in node.names if one.name.split(".")[0] == "kobako")
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield node.lineno, "." * node.level + (node.module or "")
            elif node.module == "kobako":
                yield from ((node.lineno, f"kobako.{one.name}") for one in node.names)
            elif node.module is not None and node.module.startswith("kobako."):
                # the name may be a module of the package
                yield from ((node.lineno, f"{node.module}.{one.name}") for one in node.names)


def wrong_arrows(file: str, text: str) -> list[str]:
    """``file`` is relative to the package."""
    here = file.removesuffix(".py").removesuffix("/__init__").split("/")
    found = []
    for line, name in imports(ast.parse(text)):
        if name.startswith("."):
            found.append(f"{file}:{line}: {name} is a relative import")
            continue
        there = name.split(".")[1:]
        if there[0] == "__version__" or not _wrong(here, there):
            continue
        found.append(f"{file}:{line}: {here[0]} -> {'.'.join(there)}")
    return found


def _wrong(here: list[str], there: list[str]) -> bool:
    if here[0] == there[0]:
        return here[0] in BACKENDS and len(here) > 1 and len(there) > 1 and here[1] != there[1]
    if (here[0], there[0]) in NEVER:
        return True
    return rank(there[0]) >= rank(here[0]) and (here[0], there[0]) not in WITHIN_A_ROW


def uses(text: str, wanted: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Line and name of each use of one of the wanted names, under whatever name it was imported."""
    tree = ast.parse(text)
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                known[one.asname or one.name.split(".")[0]] = one.name if one.asname else one.name.split(".")[0]
                yield from _matching(node.lineno, one.name, wanted)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for one in node.names:
                known[one.asname or one.name] = f"{node.module}.{one.name}"
                yield from _matching(node.lineno, f"{node.module}.{one.name}", wanted)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            yield from _matching(node.lineno, _dotted(node, known), wanted)


def _dotted(node: ast.expr, known: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return known.get(node.id, node.id)
    return f"{_dotted(node.value, known)}.{node.attr}" if isinstance(node, ast.Attribute) else "?"


def _matching(line: int, name: str, wanted: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    yield from ((line, one) for one in wanted if name == one or name.startswith(f"{one}."))


def forbidden(file: str, text: str) -> list[str]:
    """What the file does and may not."""
    doors = [
        (STARTERS, file in MAY_START, "starts programs: process.py does that"),
        (STREAMS, file in MAY_WRITE, "writes to the streams: console.py does that"),
        (EXITS, file.startswith("cli/"), "ends the process: cli does that"),
        (DYNAMIC, file in MAY_IMPORT_BY_NAME, "hides an arrow from this test"),
    ]
    return [
        f"{file}:{line}: {name} {why}"
        for wanted, allowed, why in doors
        if not allowed
        for line, name in sorted(set(uses(text, wanted)))
    ]


def oversized(file: str, text: str) -> list[str]:
    lines = text.count("\n")
    found = [f"{file}: {lines} lines"] if lines >= LONGEST_FILE else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length >= LONGEST_FUNCTION:
                found.append(f"{file}:{node.lineno}: {node.name} has {length} lines")
    return found


def files() -> list[tuple[str, str]]:
    found = [(path.relative_to(SOURCE).as_posix(), path.read_text(encoding="utf-8")) for path in SOURCE.rglob("*.py")]
    # the demo's files are a repository of their own, which is copied as it is; so is the entry script of every repository
    return sorted(one for one in found if not one[0].startswith(("demo/files/", "train/entry/template/")))


def test_imports_go_downward() -> None:
    found = [line for file, text in files() if file != "__init__.py" for line in wrong_arrows(file, text)]
    assert not found, "wrong arrows:\n  " + "\n  ".join(found)


def test_every_part_has_its_row() -> None:
    parts = {file.split("/")[0].removesuffix(".py") for file, _ in files()} - {"__init__"}
    assert parts <= {part for row in RANKS for part in row}


def test_the_package_itself_imports_nothing() -> None:
    assert list(imports(ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8")))) == []


def test_each_door_is_one_module() -> None:
    found = [line for file, text in files() for line in forbidden(file, text)]
    assert not found, "not theirs to do:\n  " + "\n  ".join(found)


def test_files_and_functions_stay_small() -> None:
    found = [line for file, text in files() for line in oversized(file, text)]
    assert not found, "too long:\n  " + "\n  ".join(found)


@pytest.mark.parametrize(
    ("file", "text", "arrows"),
    [
        ("model/x.py", "from kobako.errors import Where", []),
        ("model/x.py", "from kobako import errors, process", ["model -> process"]),
        ("plan/x.py", "def f():\n    import kobako.scan.tree", ["plan -> scan.tree"]),
        ("actions/x.py", "from kobako.cli.run import split", ["actions -> cli.run.split"]),
        ("actions/x.py", "from kobako.console import Console", ["actions -> console.Console"]),
        ("actions/x.py", "from kobako.report.machine import SCHEMA", ["actions -> report.machine.SCHEMA"]),
        ("actions/x.py", "from kobako.actions import build\nfrom kobako import choose", []),
        ("compose/x.py", "from kobako import __version__, workspace", []),
        ("workspace.py", "from kobako import compose", ["workspace -> compose"]),
        ("dockerfile/x.py", "from kobako.workspace import STATE", ["dockerfile -> workspace.STATE"]),
        ("engines/local/x.py", "from kobako.engines.docker.api import Api", ["engines -> engines.docker.api.Api"]),
        ("engines/docker/x.py", "from kobako.engines.docker.api import Api", []),
        ("engines/__init__.py", "from kobako.engines.docker.engine import DockerEngine", []),
        ("scan/x.py", "from . import tree", [". is a relative import"]),
        ("scan/x.py", "from ..model import names", ["..model is a relative import"]),
    ],
)
def test_the_walk_sees_arrows(file: str, text: str, arrows: list[str]) -> None:
    found = wrong_arrows(file, text)
    assert [line.split(": ", 1)[1] for line in found] == arrows
    assert all(line.startswith(f"{file}:{text.count(chr(10)) + 1}: ") for line in found)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import os\nos.path.join('a')\nos.execute = 1", []),
        ("import subprocess", ["subprocess"]),
        ("def f():\n    from subprocess import run as r\n    r()", ["subprocess"]),
        ("from os import execvp as x\nx('a', [])", ["os.execvp"]),
        ("import os as o\no.posix_spawnp('a')", ["os.posix_spawnp"]),
        ("import os\nos.system('x')", ["os.system"]),
        ("import sys as s\ns.stderr.write('')", ["sys.stderr"]),
        ("from sys import stdout", ["sys.stdout"]),
        ("print('')", ["print"]),
        ("fingerprint('')\nself.print('')", []),
        ("raise SystemExit(1)", ["SystemExit"]),
        ("import sys\nsys.exit()", ["sys.exit"]),
        ("import os\nos._exit(0)", ["os._exit"]),
        ("from importlib import import_module\nimport_module('x')", ["importlib.import_module"]),
    ],
)
def test_the_walk_sees_doors(text: str, names: list[str]) -> None:
    wanted = (*STARTERS, *STREAMS, *EXITS, *DYNAMIC)
    assert sorted({name for _, name in uses(text, wanted)}) == names


def test_the_walk_sees_what_is_too_long() -> None:
    body = "    pass\n" * (LONGEST_FUNCTION - 1)
    assert oversized("x.py", f"def f():\n{body}") == [f"x.py:1: f has {LONGEST_FUNCTION} lines"]
    assert oversized("x.py", "#\n" * LONGEST_FILE) == [f"x.py: {LONGEST_FILE} lines"]
    assert oversized("x.py", "#\n" * (LONGEST_FILE - 1)) == []
