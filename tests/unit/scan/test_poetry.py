"""Poetry's tables and its constraints."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from kobako.scan.declaring import poetry, pyproject
from kobako.scan.declaring.declared import Declared
from kobako.scan.tree import Tree


def read(root: Path, text: str) -> Declared:
    (root / "pyproject.toml").write_text(text)
    found = pyproject.read(Tree(root))
    assert found is not None
    return found


CONSTRAINTS = [
    ("*", ""),
    ("", ""),
    # the documentation's own tables of carets and tildes
    ("^1.2.3", ">=1.2.3,<2.0.0"),
    ("^1.2", ">=1.2,<2.0"),
    ("^1", ">=1,<2"),
    ("^0.2.3", ">=0.2.3,<0.3.0"),
    ("^0.0.3", ">=0.0.3,<0.0.4"),
    ("^0.0", ">=0.0,<0.1"),
    ("^0", ">=0,<1"),
    ("~1.2.3", ">=1.2.3,<1.3.0"),
    ("~1.2", ">=1.2,<1.3"),
    ("~1", ">=1,<2"),
    ("1.*", "==1.*"),
    ("1.2.*", "==1.2.*"),
    ("==1.2.*", "==1.2.*"),
    # others
    ("1.2.3", "==1.2.3"),
    ("=1.2.3", "==1.2.3"),
    ("==1.2.3", "==1.2.3"),
    ("1.10.0+cu113", "==1.10.0+cu113"),
    (">=1.2,<2", ">=1.2,<2"),
    (">= 1.2, < 2.0", ">=1.2,<2.0"),
    (">=1.2 <2", ">=1.2,<2"),
    ("~=1.2", "~=1.2"),
    ("!=1.3,>=1", ">=1,!=1.3"),
    ("^1.0.0a1", ">=1.0.0a1,<2.0.0"),
    ("^3.7,<3.11", ">=3.7,<4.0,<3.11"),
    (">=3.6.*", ">=3.6"),
    # choices
    ("^2.7 || ^3.6", ">=2.7,<4.0"),
    ("~2.7|^3.5", ">=2.7,<4.0"),
    ("1.2.* || >=1.5", ">=1.2"),
    ("1.0 || 2.0", ">=1.0,<=2.0"),
    # none
    ("latest", None),
    ("^x", None),
    ("||", ""),
    ("^1 || latest", None),
    ("1." * 5000, None),
]


@pytest.mark.parametrize(("text", "expected"), CONSTRAINTS)
def test_constraints(text: str, expected: str | None) -> None:
    found = poetry.specifier_of(text)
    assert (found is None) == (expected is None)
    assert SpecifierSet(found or "") == SpecifierSet(expected or "")


PYTHON = 'python_version >= "3.7" and python_version < "4.0"'
WHOLE = """\
[tool.poetry]
name = "x"
description = "needs torch and numpy"
classifiers = [
    "Programming Language :: Python :: 3.7",
    "Programming Language :: Python :: 3.8",
]

[[tool.poetry.source]]
name = "wheels"
url = "https://example.org/whl/cu113"

[tool.poetry.dependencies]
python = "^3.7"
numpy = "^1.21"
torch = {version = "1.10.0+cu113", source = "wheels"}
"ruamel.yaml" = "~0.17"
transformers = {version = "^4.0", extras = ["vision", "torch"]}
wandb = {version = "*", optional = true}
tqdm = {version = ">=4", markers = "sys_platform == 'linux' or sys_platform == 'darwin'", python = "^3.7"}
pywin = {version = "*", platform = "win32"}
track = {git = "https://example.org/track.git", branch = "main"}
ssh = {git = "git@example.org:a/b.git", tag = "v1"}
wheel-of = {url = "https://example.org/wheel_of-1.0-py3-none-any.whl"}
beside = {path = "../beside", develop = true}
scipy = [
    {version = "<1.8", python = "<3.8"},
    {version = ">=1.8", python = ">=3.8"},
]

[tool.poetry.dependencies.pandas]
version = "^1.3"

[tool.poetry.extras]
log = ["wandb"]

[tool.poetry.dev-dependencies]
pytest = "^6"

[tool.poetry.group.docs.dependencies]
sphinx = "*"

[build-system]
requires = ["poetry-core>=1.0.0", "cython"]
"""


def test_all_that_it_may_say(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE)
    assert [f"{one} <- {one.findings[0].line}" for one in found.requirements] == [
        "numpy>=1.21,<2.0 <- 15",
        "torch==1.10.0 <- 16",
        "ruamel-yaml>=0.17,<0.18 <- 17",
        "transformers[torch,vision]>=4.0,<5.0 <- 18",
        f'tqdm>=4; (sys_platform == "linux" or sys_platform == "darwin") and {PYTHON} <- 20',
        'pywin; sys_platform == "win32" <- 21',
        "track @ git+https://example.org/track.git@main <- 22",
        "ssh @ git+ssh://git@example.org/a/b.git@v1 <- 23",
        "wheel-of @ https://example.org/wheel_of-1.0-py3-none-any.whl <- 24",
        'scipy<1.8; python_version < "3.8" <- 26',
        'scipy>=1.8; python_version >= "3.8" <- 26',
        "pandas>=1.3,<2.0 <- 31",
    ]
    assert [(one.specifier, one.firm, one.findings[0].line) for one in found.python] == [
        (">=3.7,<4.0", True, 14),
        (">=3.7,<3.9", False, 5),
    ]
    assert [one.what for one in found.questions] == [
        "the index `https://example.org/whl/cu113` is not taken over: say whether packages should come from there",
        "`../beside` is a path: install it by hand if it is needed",
    ]
    assert [(one.what, one.why, one.findings[0].line) for one in found.others] == [
        ("wandb *", "optional: for the extra log", 19),
        ("group dev: pytest", "a group for development, which an installation leaves out", 37),
        ("group docs: sphinx", "a group for development, which an installation leaves out", 40),
    ]
    assert [(str(one), one.findings[0].line) for one in found.build] == [("cython", 44)]
    assert [(one.specifier, one.firm) for one in found.torch] == [("==1.10.0", True)]
    assert found.problems == []


def test_a_choice_of_versions_is_said(tmp_path: Path) -> None:
    found = read(tmp_path, '[tool.poetry.dependencies]\npython = "^2.7 || ^3.6"\nsix = "1.0 || 2.0"\n')
    assert [str(one) for one in found.requirements] == ["six>=1.0,<=2.0"]
    assert [str(one) for one in found.questions] == [
        "pyproject.toml:3: `six 1.0 || 2.0` is a choice of versions: all between its ends are allowed here"
    ]
    assert [one.specifier for one in found.python] == [">=2.7,<4.0"]


def test_bad_entries_stop_nothing(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        '[tool.poetry.dependencies]\npython = "three"\nnumpy = "latest"\n"a b" = "*"\nx = 5\ny = [1, "2.0"]\nsix = "*"\n',
    )
    assert [str(one) for one in found.requirements] == ["y==2.0", "six"]
    assert [str(one.where) for one in found.problems] == ["pyproject.toml:2", "pyproject.toml:3", "pyproject.toml:4"]


def test_since_version_2_the_standard_s_table_speaks(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        '[project]\ndependencies = ["numpy>=1"]\n[tool.poetry.dependencies]\nnumpy = {source = "x"}\nsix = "*"\n',
    )
    assert [str(one) for one in found.requirements] == ["numpy>=1"]
    left = read(tmp_path, '[project]\nname = "x"\ndynamic = ["dependencies"]\n[tool.poetry.dependencies]\nsix = "^1"\n')
    assert [str(one) for one in left.requirements] == ["six>=1,<2"]
