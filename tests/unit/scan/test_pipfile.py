"""Pipfiles."""

from __future__ import annotations

from pathlib import Path

import pytest
from unearth import PackageFinder

from kobako.scan.declaring import pipfile
from kobako.scan.declaring.declared import Declared
from kobako.scan.tree import Tree

SAY = "say whether packages should come from there"


def read(root: Path, text: str) -> Declared:
    usual = PackageFinder().sources[0]["url"]
    (root / "Pipfile").write_text(text.replace("USUAL", usual))
    found = pipfile.read(Tree(root))
    assert found is not None
    return found


WHOLE = """\
[[source]]
url = "USUAL"
verify_ssl = true
name = "pypi"

[[source]]
url = "https://me:secret@example.org/whl/cu113"
name = "private"

[packages]
numpy = "*"
torch = {version = "==1.10.0+cu113", index = "private"}
"ruamel.yaml" = ">=0.17"
requests = {extras = ["socks", "security"], version = ">=2.20"}
pywin = {version = "*", sys_platform = "== 'win32'"}
old = {version = "*", markers = "python_version < '3.8'"}
track = {git = "https://example.org/track.git", ref = "v1", subdirectory = "lib"}
ssh = {git = "git@example.org:a/b.git", editable = true}
wheel-of = {file = "https://example.org/wheel_of-1.0-py3-none-any.whl"}
mine = {path = ".", editable = true}
beside = {path = "libs/beside"}

[dev-packages]
pytest = "*"
numpy = "*"

[requires]
python_version = "3.8"
"""


def test_all_that_it_may_say(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE)
    assert [f"{one} <- {one.findings[0].line}" for one in found.requirements] == [
        "numpy <- 11",
        "torch==1.10.0 <- 12",
        "ruamel-yaml>=0.17 <- 13",
        "requests[security,socks]>=2.20 <- 14",
        'pywin; sys_platform == "win32" <- 15',
        'old; python_version < "3.8" <- 16',
        "track @ git+https://example.org/track.git@v1#subdirectory=lib <- 17",
        "ssh @ git+ssh://git@example.org/a/b.git <- 18",
        "wheel-of @ https://example.org/wheel_of-1.0-py3-none-any.whl <- 19",
    ]
    assert [(one.specifier, one.firm, str(one.findings[0])) for one in found.python] == [
        ("==3.8.*", False, "Pipfile:28")
    ]
    assert [str(one) for one in found.questions] == [
        "Pipfile:21: `./libs/beside` is a path: install it by hand if it is needed",
        "Pipfile:7: the index `https://example.org/whl/cu113` is not taken over: " + SAY,
    ]
    assert [one.what for one in found.others] == [".", "group dev-packages: pytest, numpy"]
    assert {one.specifier for one in found.cuda} == {"==11.3.*"}
    assert "secret" not in repr(found)
    assert found.problems == []


@pytest.mark.parametrize(
    "text",
    [
        "[packages]\nnumpy = 3\n",
        "packages = 5\n",
        "[packages]\nx = {version = 5}\n",
        "[requires]\npython_version = 3.8\n",
        "",
    ],
)
def test_other_types_than_expected(text: str, tmp_path: Path) -> None:
    found = read(tmp_path, text)
    assert [str(one) for one in found.requirements] in ([], ["x"])
    assert found.python == []


def test_bad_lines_stop_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, '[packages]\n"a b" = "*"\nnumpy = "~1"\nsix = "*"\n')
    assert [str(one) for one in found.requirements] == ["six"]
    assert [str(one.where) for one in found.problems] == ["Pipfile:2", "Pipfile:3"]


def test_no_toml(tmp_path: Path) -> None:
    found = read(tmp_path, "[packages\n")
    assert [one.what.partition(":")[0] for one in found.questions] == ["it is not valid TOML"]


def test_without_the_file(tmp_path: Path) -> None:
    assert pipfile.read(Tree(tmp_path)) is None
