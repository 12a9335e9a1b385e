"""pyproject.toml: the standard's tables, and those of Flit, PDM, Hatch, setuptools and uv."""

from __future__ import annotations

from pathlib import Path

import pytest
from unearth import PackageFinder

from kobako.scan.declaring import pyproject
from kobako.scan.declaring.declared import Declared
from kobako.scan.tree import Tree


def read(root: Path, text: str, **files: str) -> Declared | None:
    for name, content in {"pyproject.toml": text, **files}.items():
        (root / name).write_text(content)
    return pyproject.read(Tree(root))


def known(found: Declared | None) -> Declared:
    assert found is not None
    return found


def shown(found: Declared | None) -> list[str]:
    return [f"{one} <- {one.findings[0]}" for one in known(found).requirements]


WHOLE = """\
[build-system]
requires = ["setuptools>=61", "wheel", "torch>=1.8", "ninja"]
build-backend = "setuptools.build_meta"

[project]
name = "x"
description = "it needs numpy>=1.20"
requires-python = ">=3.8"
classifiers = [
    "Programming Language :: Python :: 3",
    "Programming Language :: Python :: 3.8",
    "Programming Language :: Python :: 3.10",
]
dependencies = [
    # "commented",
    "numpy>=1.20",
    "torch",  # the base's
    "importlib-metadata; python_version < '3.8'",
]

[project.optional-dependencies]
dev = ["pytest", "numpy>=1.20"]
all = [
    "x[dev]",
]

[dependency-groups]
test = ["pytest", {include-group = "lint"}]
lint = ["ruff"]

[tool.pdm.dev-dependencies]
docs = ["mkdocs"]

[tool.hatch.envs.default]
dependencies = ["coverage"]

[tool.ruff]
line-length = 100
"""


def test_all_that_it_may_say(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE)
    assert shown(found) == [
        "numpy>=1.20 <- pyproject.toml:16",
        "torch <- pyproject.toml:17",
        'importlib-metadata; python_version < "3.8" <- pyproject.toml:18',
    ]
    assert [(one.specifier, one.firm, [each.line for each in one.findings]) for one in known(found).python] == [
        (">=3.8", True, [8]),
        (">=3.8,<3.11", False, [11, 12]),
    ]
    assert [(str(one), one.findings[0].line) for one in known(found).build] == [("torch>=1.8", 2), ("ninja", 2)]
    assert [(one.what, one.findings[0].line) for one in known(found).others] == [
        ("extra dev: pytest, numpy>=1.20", 22),
        ("extra all: x[dev]", 23),
        ("group test: pytest, group lint", 28),
        ("group lint: ruff", 29),
        ("group docs: mkdocs", 32),
    ]
    assert (known(found).questions, known(found).problems) == ([], [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('project.dependencies = ["six"]\n', ["six <- pyproject.toml:1"]),
        (
            '[project]\nname = "x"\ndependencies = ["six",\n "numpy"]\n',
            ["six <- pyproject.toml:3", "numpy <- pyproject.toml:4"],
        ),
        ('project = {name = "x", dependencies = ["six"]}\n', ["six <- pyproject.toml:1"]),
        (
            '[tool.x]\ndependencies = ["six"]\n[project]\ndependencies = ["six", "six"]\n',
            ["six <- pyproject.toml:4", "six <- pyproject.toml:4"],
        ),
        (
            '[project]\ndependencies = [\n"six",\n"six",\n]\n',
            ["six <- pyproject.toml:3", "six <- pyproject.toml:4"],
        ),
        ('[project]\ndependencies = ["s\\u0069x"]\n', ["six <- pyproject.toml:2"]),
        ("[project]\nname = '''\ndependencies = 1\n'''\ndependencies = [\n'six',\n]\n", ["six <- pyproject.toml:6"]),
    ],
)
def test_the_line_is_the_entry_s_own(text: str, expected: list[str], tmp_path: Path) -> None:
    assert shown(read(tmp_path, text)) == expected


def test_dependencies_in_files(tmp_path: Path) -> None:
    text = (
        '[project]\ndynamic = ["dependencies", "optional-dependencies"]\n[tool.setuptools.dynamic]\n'
        'dependencies = {file = ["deps.txt", "more.txt"]}\noptional-dependencies.dev = {file = "dev.txt"}\n'
    )
    found = read(tmp_path, text, **{"deps.txt": "numpy\n", "more.txt": "six\n", "dev.txt": "pytest\n"})
    assert shown(found) == ["numpy <- deps.txt:1", "six <- more.txt:1"]
    assert [one.what for one in known(found).others] == ["extra dev: dev.txt"]


def test_hatch_reads_files_through_a_hook_and_any_other_hook_is_asked_about(tmp_path: Path) -> None:
    text = (
        '[project]\ndynamic = ["dependencies"]\n[tool.hatch.metadata.hooks.requirements_txt]\n'
        'files = ["requirements.txt"]\n[tool.hatch.metadata.hooks.custom]\npath = "hook.py"\n'
    )
    found = read(tmp_path, text, **{"requirements.txt": "numpy\n", "hook.py": "raise SystemExit"})
    assert shown(found) == ["numpy <- requirements.txt:1"]
    assert [str(one) for one in known(found).questions] == [
        "pyproject.toml:5: the dependencies are made by the hook `custom` of hatch, which would have to be run"
    ]
    assert known(found).is_partial


def test_dynamic_without_a_file_leaves_the_word_to_setup_py(tmp_path: Path) -> None:
    found = read(tmp_path, '[project]\nname = "x"\nrequires-python = ">=3.7"\ndynamic = ["dependencies"]\n')
    assert shown(found) == []
    assert [one.specifier for one in known(found).python] == [">=3.7"]
    assert known(found).questions == []


def test_flit_before_the_standard(tmp_path: Path) -> None:
    text = (
        '[tool.flit.metadata]\nmodule = "x"\nrequires = ["numpy>=1", "six"]\nrequires-python = ">=3.6"\n'
        'classifiers = ["Programming Language :: Python :: 3.6"]\n'
        '[tool.flit.metadata.requires-extra]\ntest = ["pytest"]\n'
    )
    found = read(tmp_path, text)
    assert shown(found) == ["numpy>=1 <- pyproject.toml:3", "six <- pyproject.toml:3"]
    assert [one.specifier for one in known(found).python] == [">=3.6", ">=3.6,<3.7"]
    assert [one.what for one in known(found).others] == ["extra test: pytest"]


UV = """\
[project]
dependencies = ["torch>=2", "mine", "track[x]>=1", "beside", "numpy>=1", "six", "torchvision"]

[tool.uv]
constraint-dependencies = ["scipy<1.9"]
override-dependencies = ["numpy==1.26", "elsewhere<2"]
dev-dependencies = ["pytest"]

[tool.uv.sources]
torch = [
    {index = "cpu", marker = "sys_platform == 'darwin'"},
    {index = "cu118", marker = "sys_platform == 'linux'"},
]
torchvision = {index = "cu118"}
mine = {workspace = true}
track = {git = "https://example.org/track.git", rev = "v1"}
beside = {path = "../beside", editable = true}
six = {index = "private"}

[[tool.uv.index]]
name = "cu118"
url = "https://download.pytorch.org/whl/cu118"
explicit = true

[[tool.uv.index]]
name = "private"
url = "https://u:secret@example.org/simple"
explicit = true

[[tool.uv.index]]
name = "cpu"
url = "https://download.pytorch.org/whl/cpu"
explicit = true
"""


def test_what_uv_changes(tmp_path: Path) -> None:
    found = known(read(tmp_path, UV))
    assert [(str(one), [each.line for each in one.findings]) for one in found.requirements] == [
        ("torch>=2", [2]),
        ("track[x] @ git+https://example.org/track.git@v1", [2, 16]),
        ("numpy==1.26", [2, 6]),
        ("six", [2]),
        ("torchvision", [2]),
    ]
    assert {name: [str(one) for one in each] for name, each in found.bounds.items()} == {"scipy": ["scipy<1.9"]}
    assert {(one.specifier, one.firm) for one in found.cuda} == {("==11.8.*", False)}
    assert [(one.what, one.why) for one in found.others] == [
        ("group dev: pytest", "a group for development, which an installation leaves out"),
        ("mine", "a part of this repository"),
        ("elsewhere<2", "overrides a package that is not named itself"),
    ]
    assert [one.what for one in found.questions] == [
        "`beside` comes from the path `../beside`: install it by hand if it is needed",
        "the index `https://example.org/simple` is not taken over: say whether packages should come from there",
    ]
    assert "secret" not in repr(found)
    assert found.problems == []


def test_other_indexes_are_asked_about(tmp_path: Path) -> None:
    found = known(
        read(
            tmp_path,
            '[[tool.uv.index]]\nurl = "https://example.org/simple"\n[[tool.pdm.source]]\nurl = "https://example.org/pdm"\n'
            f'name = "p"\n[[tool.uv.index]]\nurl = "{PackageFinder().sources[0]["url"]}"\n',
        )
    )
    assert sorted(one.what.split("`")[1] for one in found.questions) == [
        "https://example.org/pdm",
        "https://example.org/simple",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[tool.black]\nline-length = 100\n",
        '[build-system]\nrequires = ["setuptools", "wheel"]\nbuild-backend = "setuptools.build_meta"\n',
        '[project]\nname = "x"\nversion = "1"\n',
    ],
)
def test_it_says_nothing_of_the_kind(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text) is None


@pytest.mark.parametrize(
    "text",
    [
        "project = 3\n",
        "[project]\ndependencies = [1, 2, [3]]\n",
        "[project]\nrequires-python = 3.8\nclassifiers = 1\noptional-dependencies = []\n",
        "[project.optional-dependencies]\ndev = 5\n[tool.poetry]\ndependencies = 3\n[tool]\n[tool.uv]\nsources = 1\nindex = 2\n",
        "tool = []\n",
        "[tool]\nuv = 1\nflit = 2\npdm = 3\nhatch = 4\n",
        "[dependency-groups]\ndev = 3\n",
        "[build-system]\nrequires = 1\n",
    ],
)
def test_other_types_than_expected(text: str, tmp_path: Path) -> None:
    found = read(tmp_path, text)
    assert found is None or (found.requirements, found.python, found.problems) == ([], [], [])


def test_dependencies_as_a_table_are_asked_about(tmp_path: Path) -> None:
    found = known(read(tmp_path, '[project]\nname = "x"\n[project.dependencies]\nnumpy = ">=1"\n'))
    assert [str(one) for one in found.questions] == [
        "pyproject.toml:3: `dependencies` of [project] is not a list, which the standard demands: it is not read"
    ]


def test_bad_entries_stop_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, '[project]\nrequires-python = "three"\ndependencies = [\n  "foo @@ bar",\n  "six",\n]\n')
    assert shown(found) == ["six <- pyproject.toml:5"]
    assert [str(one.where) for one in known(found).problems] == ["pyproject.toml:4", "pyproject.toml:2"]


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "text",
    [
        "[project\n",
        "a = " + "[" * 200_000,
        "a = " + "{a = " * 20_000,
        ".".join("a" * 200_000) + " = 1",
        "a = " + "9" * 900_000,
        "x = '''\n" + '\\"' * 300_000 + "\n'''\n[project]\ndependencies = [\"foo @@ bar\"]",
        "[project]\ndependencies = [" + "".join(f'"\\u0061{at}",\n' for at in range(40_000)) + "]",
    ],
    ids=["broken", "lists", "tables", "dots", "digits", "quotes", "escapes"],
)
def test_hostile_files_end(text: str, tmp_path: Path) -> None:
    found = known(read(tmp_path, text))
    assert len(found.requirements) <= 2000
    assert found.questions or found.problems or found.requirements


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    assert read(tmp_path, "[project]\ndependencies = ['six']\n#" + "x" * 2**21) is None
