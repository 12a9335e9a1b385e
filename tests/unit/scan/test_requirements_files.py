"""Which of several requirements files is for running."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobako.scan.declaring.requirement_files import is_runtime, left_out, runtime_files
from kobako.scan.tree import Tree


def repository(root: Path, names: list[str]) -> Tree:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("six\n")
    return Tree(root)


CASES: list[tuple[list[str], list[str]]] = [
    (["requirements.txt"], ["requirements.txt"]),
    (["Requirements.txt"], ["Requirements.txt"]),
    (["requirement.txt"], ["requirement.txt"]),
    (["reqs.txt"], ["reqs.txt"]),
    (["requirements.in"], ["requirements.in"]),
    (["requirements.in", "requirements.txt"], ["requirements.txt"]),
    (["requirements.txt", "requirements-gpu.txt", "requirements/runtime.txt"], ["requirements.txt"]),
    (["requirements/runtime.txt", "requirements/tests.txt"], ["requirements/runtime.txt"]),
    (["requirements/base.txt", "requirements/dev.txt", "requirements/prod.txt"], ["requirements/base.txt"]),
    (["requirements/requirements.txt", "requirements/base.txt"], ["requirements/requirements.txt"]),
    (["requirements-dev.txt", "requirements-gpu.txt"], ["requirements-gpu.txt"]),
    (["requirements_cpu.txt", "requirements_gpu.txt"], ["requirements_gpu.txt"]),
    (["requirements-cpu.txt"], ["requirements-cpu.txt"]),
    (["requirements_linux.txt", "requirements_windows.txt"], ["requirements_linux.txt"]),
    (["requirements-py37.txt", "requirements-py310.txt"], ["requirements-py310.txt"]),
    (["requirements_train.txt", "requirements_inference.txt"], ["requirements_train.txt"]),
    (["requirements-demo.txt", "requirements-domain.txt"], ["requirements-domain.txt"]),
    (["requirementsdev.txt", "requirementsrun.txt"], ["requirementsrun.txt"]),
    (["pip-requirements.txt", "dev-requirements.txt"], ["pip-requirements.txt"]),
    (["requirements_test.txt", "requirements_all_the_rest.txt"], []),
    (["requirements/docs.txt"], []),
    (["requirements/mminstall.txt", "requirements/optional.txt"], []),
    (["requirements/whatever.txt", "requirements/test.txt"], ["requirements/whatever.txt"]),
    (["requirements-tf.txt", "requirements-jax.txt"], []),  # alternatives: nobody can tell
    (["notes.txt", "README.txt", "packages.txt"], []),
    # one level below, where the top says nothing
    (["model/requirements.txt", "model/train.py"], ["model/requirements.txt"]),
    (["a/requirements.txt", "a/x.py", "b/requirements.txt", "b/x.py"], ["a/requirements.txt", "b/requirements.txt"]),
    (["docs/requirements.txt", "docs/conf.py", "code/requirements.txt", "code/x.py"], ["code/requirements.txt"]),
    (["docker/requirements.txt", "x.py"], ["docker/requirements.txt"]),
    (["docs/requirements.txt", "x.py"], []),
    (["a/b/requirements.txt", "a/b/x.py"], []),
    (["x.egg-info/requires.txt", "x.py"], []),
    (["requirements.txt", "model/requirements.txt", "model/train.py"], ["requirements.txt"]),
    ([], []),
]


@pytest.mark.parametrize(("names", "expected"), CASES)
def test_which_file_is_for_running(names: list[str], expected: list[str], tmp_path: Path) -> None:
    assert runtime_files(repository(tmp_path, names)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("requirements.txt", True),
        ("requirements/runtime.txt", True),
        ("requirements/tests.txt", False),
        ("requirements-dev.txt", False),
        ("dev_requirements.txt", False),
        ("requirements.docs.txt", False),
        ("test-requirements.txt", False),
        ("requirements-domain.txt", True),
        ("tests/requirements.txt", True),  # the folder is the caller's business
        ("environment-dev.yml", False),
        ("environment.yml", True),
    ],
)
def test_what_a_name_says(name: str, expected: bool) -> None:
    assert is_runtime(name) is expected


def test_the_others_are_listed_with_a_reason(tmp_path: Path) -> None:
    tree = repository(tmp_path, ["requirements.txt", "requirements-train.txt", "requirements/docs.txt"])
    assert [(one.what, one.why) for one in left_out(tree, ["requirements.txt"])] == [
        ("requirements-train.txt", "another set of requirements; requirements.txt is the one for running"),
        ("requirements/docs.txt", "not for running: tests, documents, development or options"),
    ]


def test_where_nothing_is_clear_all_are_listed(tmp_path: Path) -> None:
    tree = repository(tmp_path, ["requirements-tf.txt", "requirements-jax.txt", "requirements/mminstall.txt"])
    assert [(one.what, one.why) for one in left_out(tree, [])] == [
        ("requirements-jax.txt", "one of several sets of requirements, none of which is clearly the one for running"),
        ("requirements-tf.txt", "one of several sets of requirements, none of which is clearly the one for running"),
    ]
