"""setup.cfg as setuptools reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobako.scan.declaring import setup_cfg
from kobako.scan.declaring.declared import Declared
from kobako.scan.tree import Tree


def read(root: Path, text: str, **files: str) -> Declared | None:
    for name, content in {"setup.cfg": text, **files}.items():
        (root / name).write_text(content)
    return setup_cfg.read(Tree(root))


def shown(found: Declared | None) -> list[str]:
    assert found is not None
    return [f"{one} <- {one.findings[0]}" for one in found.requirements]


WHOLE = """\
[metadata]
name = x
description = needs numpy>=1.20
classifiers =
    License :: OSI Approved
    Programming Language :: Python :: 3.7
    Programming Language :: Python :: 3.9

[options]
python_requires = >=3.6.*
setup_requires =
    setuptools>=40
    pybind11>=2.6
install_requires =
    numpy>=1.20
    # a comment
    six  # y
    importlib-metadata; python_version<"3.8"

[options.extras_require]
dev =
    pytest
    numpy>=1.20
all = torch; torchvision

[flake8]
ignore = E501
"""


def test_all_that_it_may_say(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE)
    assert shown(found) == [
        "numpy>=1.20 <- setup.cfg:15",
        "six <- setup.cfg:17",
        'importlib-metadata; python_version < "3.8" <- setup.cfg:18',
    ]
    assert found is not None
    assert [(one.specifier, one.firm, [each.line for each in one.findings]) for one in found.python] == [
        (">=3.6", True, [10]),
        (">=3.7,<3.10", False, [6, 7]),
    ]
    assert [(str(one), one.findings[0].line) for one in found.build] == [("pybind11>=2.6", 13)]
    assert [(one.what, one.findings[0].line) for one in found.others] == [
        ("extra dev: pytest, numpy>=1.20", 21),
        ("extra all: torch, torchvision", 24),
    ]
    assert (found.questions, found.problems) == ([], [])


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("numpy, six", ["numpy", "six"]),
        ("numpy; six", ["numpy", "six"]),
        ("numpy>=1,<2; six", ["numpy>=1,<2", "six"]),
        ("numpy>=1,<2", ["numpy>=1,<2"]),
        ("six; python_version < '3.8'", ['six; python_version < "3.8"']),
        ("\n  numpy>=1,\n  six", ["numpy>=1", "six"]),
        ("", []),
    ],
)
def test_ways_to_write_a_list(value: str, names: list[str], tmp_path: Path) -> None:
    found = read(tmp_path, f"[options]\ninstall_requires = {value}\n")
    assert found is not None
    assert [str(one) for one in found.requirements] == names
    assert found.problems == []


def test_files(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "[options]\ninstall_requires = file: a.txt, b.txt\n[options.extras_require]\ndev = file: dev.txt\n",
        **{"a.txt": "six\n", "b.txt": "numpy\n", "dev.txt": "pytest\n"},
    )
    assert shown(found) == ["six <- a.txt:1", "numpy <- b.txt:1"]
    assert found is not None
    assert [one.what for one in found.others] == ["extra dev: dev.txt"]


def test_dashes_are_taken_for_underscores(tmp_path: Path) -> None:
    assert shown(read(tmp_path, "[options]\ninstall-requires =\n    six\n")) == ["six <- setup.cfg:3"]


def test_a_bad_line_stops_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, "[options]\ninstall_requires =\n    foo @@ bar\n    six\npython_requires = three\n")
    assert shown(found) == ["six <- setup.cfg:4"]
    assert found is not None
    assert [str(one.where) for one in found.problems] == ["setup.cfg:3", "setup.cfg:5"]


@pytest.mark.parametrize(
    "text", ["", "[flake8]\nignore = E501\n", "[metadata]\nname = x\n", "[egg_info]\ntag_build=\n"]
)
def test_it_says_nothing_of_the_kind(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text) is None


@pytest.mark.parametrize(("text", "line"), [("name = x\n", 1), ("[options]\nwhat is this\n", 2)])
def test_bad_input_is_asked_about(text: str, line: int, tmp_path: Path) -> None:
    found = read(tmp_path, text)
    assert found is not None
    assert [str(one) for one in found.questions] == [
        f"setup.cfg:{line}: it is not an INI file that can be read: this line is not understood"
    ]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        "[options]\ninstall_requires = a" + " " * 400_000 + "b\n",
        "[options]\n" + ("a" + " " * 900 + "b\n") * 400,
        "[options]\n" + "\xa0 " * 100_000 + "x\n",
        "[options]\ninstall_requires =\n" + "    a\n" * 60_000,
        "[options]\npython_requires =\n" + "=\n" * 200_000,
        "[options]\n" + " \\\n" * 150_000,
    ],
)
def test_hostile_files_end(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text) is not None


def test_it_is_not_expanded(tmp_path: Path) -> None:
    found = read(tmp_path, "[options]\nx = six\ninstall_requires =\n    %(x)s\n    numpy\n")
    assert shown(found) == ["numpy <- setup.cfg:5"]
