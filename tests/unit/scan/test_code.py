"""How the Python files of a repository are read, and with what bounds."""

from __future__ import annotations

import ast
import gc
from pathlib import Path

import pytest

from kobako.scan.code import modules as code
from kobako.scan.code.modules import Unread, modules, parse
from kobako.scan.tree import Tree


def make(root: Path, files: dict[str, str]) -> Tree:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return Tree(root)


def test_each_file_once_from_the_top_down(tmp_path: Path) -> None:
    tree = make(
        tmp_path, {"a/b/c.py": "import c\n", "z.py": "import z\n", "a/b.py": "import b\n", "n.txt": "import n\n"}
    )
    unread = Unread()
    assert [one.name for one in modules(tree, unread)] == ["z.py", "a/b.py", "a/b/c.py"]
    assert unread == Unread()
    assert gc.isenabled()


def test_what_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "MAX_MODULE", 100)
    tree = make(tmp_path, {"long.py": "x = 1\n" * 50, "two.py": "print 'python 2'\n", "ok.py": "import six\n"})
    unread = Unread()
    assert [one.name for one in modules(tree, unread)] == ["ok.py"]
    assert unread == Unread(too_large=["long.py"], no_python=["two.py"])


DEEP = '''"""About it.

    import nothing
"""
import os, sys
from a.b import (c,
    d)
x = 1
def f():
    import inside
from e import f; y = 2
'''


def test_past_the_budget_only_imports_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "MAX_PARSED", 30)
    tree = make(tmp_path, {"a.py": "def f():\n    import six\n", "deep/b.py": DEEP})
    unread = Unread()
    first, second = modules(tree, unread)
    assert "import six" in first.text
    assert unread.imports_only == ["deep/b.py"]
    found = {
        (node.lineno, ast.unparse(node)) for node in second.syntax.body if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert found == {(5, "import os, sys"), (6, "from a.b import c, d"), (11, "from e import f")}


def test_past_the_last_budget_nothing_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "MAX_READ", 10)
    tree = make(tmp_path, {"a.py": "import six\n", "b.py": "import six\n"})
    unread = Unread()
    assert [one.name for one in modules(tree, unread)] == ["a.py"]
    assert unread.too_much == ["b.py"]


ATTRIBUTES = f"x = a{'.b' * 120_000}\n"
"""As many crash the parser of Python 3.10."""


@pytest.mark.parametrize(
    "code",
    [
        f"import a{'.b' * 20_000}\n",
        f"import x, a \\\n{'.b' * 20_000}\n",
        f"from a{' .b' * 20_000} import c\n",
        f"x = f'{'{a}' * 20_000}'\n",
        f'x = f"\\"{"{a}" * 20_000}"\n',
        f'x = f"\\\\", f"{"{a}" * 20_000}"\n',
        f"x = rf'''\n'{'{a}' * 20_000}'''\n",
        ATTRIBUTES,
    ],
)
def test_code_that_the_parser_would_not_survive(code: str) -> None:
    assert parse(code) is None


@pytest.mark.parametrize(
    "code",
    [
        f"x = {'{}' + ', {}' * 5_000}\n",
        "x = f'{a}'\n" * 5_000,
        "import a.b.c\n" * 2_000,
        f"x = '{'{a}' * 5_000}'\n",
        f"x = [f'a'{', {1: 2}' * 5_000}]\n",
    ],
)
def test_code_that_is_only_long(code: str) -> None:
    assert parse(code) is not None


def test_of_a_long_file_only_imports_are_read(tmp_path: Path) -> None:
    tree = make(tmp_path, {"long.py": f"import six\n{ATTRIBUTES}"})
    unread = Unread()
    (only,) = modules(tree, unread)
    assert ast.unparse(only.syntax) == "import six"
    assert unread == Unread(imports_only=["long.py"])


def test_code_that_is_all_signs_is_more_work_than_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "MAX_MARKS", 25)
    tree = make(tmp_path, {"a.py": "a;" * 20 + "\n", "b.py": "import six\na;a;a;a;a;a;a;\n"})
    unread = Unread()
    assert [one.name for one in modules(tree, unread)] == ["a.py", "b.py"]
    assert unread.imports_only == ["b.py"]


IMPORTS = """\
from a.b \\
    import c, \\
    d
from e import (  # with (remarks)
    f,  # more (of them
    g)
import h, \\
    i ; j()
import k.
from l import
"""


def test_imports_alone_over_several_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that cannot be read spoils no other."""
    monkeypatch.setattr(code, "MAX_PARSED", 0)
    (only,) = modules(make(tmp_path, {"a.py": IMPORTS}), Unread())
    found = [ast.unparse(node) for node in only.syntax.body]
    assert found == ["from a.b import c, d", "from e import f, g", "import h, i"]
