"""nbdev's settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobako.scan.declaring import settings_ini
from kobako.scan.declaring.declared import Declared
from kobako.scan.tree import Tree


def read(root: Path, text: str) -> Declared | None:
    (root / "settings.ini").write_text(text)
    return settings_ini.read(Tree(root))


SETTINGS = """\
[DEFAULT]
lib_name = box
# requirements = commented>=1
min_python = 3.7
requirements = fastcore>=1.5.29,<1.6 torchvision>=0.11 matplotlib
    pandas
pip_requirements = torch>=1.10,<2.3 box-tools @ git+https://example.org/b.git
conda_requirements = pytorch>=1.10,<2.3
dev_requirements = nbdev>2 ipykernel
console_scripts = a=b:c
"""


def test_what_nbdev_installs(tmp_path: Path) -> None:
    found = read(tmp_path, SETTINGS)
    assert found is not None
    assert [f"{one} <- {one.findings[0]}" for one in found.requirements] == [
        "fastcore>=1.5.29,<1.6 <- settings.ini:5",
        "torchvision>=0.11 <- settings.ini:5",
        "matplotlib <- settings.ini:5",
        "pandas <- settings.ini:6",
        "torch>=1.10,<2.3 <- settings.ini:7",
        "box-tools @ git+https://example.org/b.git <- settings.ini:7",
    ]
    assert [(one.specifier, one.firm, str(one.findings[0])) for one in found.python] == [
        (">=3.7", True, "settings.ini:4")
    ]
    assert [(one.what, str(one.findings[0])) for one in found.others] == [
        ("extra dev: nbdev>2, ipykernel", "settings.ini:9")
    ]
    assert (found.questions, found.problems) == ([], [])


def test_requirements_for_conda_alone_are_asked_about(tmp_path: Path) -> None:
    found = read(tmp_path, "[DEFAULT]\nlib_name=x\nconda_requirements = pytorch>=1.10\n")
    assert found is not None
    assert [str(one) for one in found.questions] == [
        "settings.ini:3: conda_requirements (pytorch>=1.10) is for conda only and is not read"
    ]


@pytest.mark.parametrize("text", ["[DEFAULT]\nrequirements = six\n", "[server]\nlib_name = x\n", "[DEFAULT]\n"])
def test_settings_of_something_else(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text) is None


@pytest.mark.parametrize("text", ["lib_name = x\n", "[DEFAULT]\nlib_name = x\nwhat is this\n"])
def test_bad_input_is_asked_about(text: str, tmp_path: Path) -> None:
    found = read(tmp_path, text)
    assert found is not None
    assert len(found.questions) == 1
    assert "not an INI file" in found.questions[0].what


def test_without_the_file(tmp_path: Path) -> None:
    assert settings_ini.read(Tree(tmp_path)) is None
