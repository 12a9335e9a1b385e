"""What a continuous integration tests, in the words of several systems."""

from __future__ import annotations

import pytest

from kobako.scan.declaring.declared import Declared
from kobako.scan.told import workflows
from unit.scan.told.conftest import Plant


def specifiers(found: Declared | None) -> dict[str, str]:
    assert found is not None
    assert not found.requirements
    every = {"python": found.python, "torch": found.torch, "cuda": found.cuda}
    assert all(len(bounds) <= 1 for bounds in every.values())
    assert not any(bound.firm for bounds in every.values() for bound in bounds)
    return {name: bounds[0].specifier for name, bounds in every.items() if bounds}


BUILD = """\
name: build
on:
  push:
    branches: [master]
jobs:
  build_cpu:
    runs-on: ubuntu-18.04
    strategy:
      matrix:
        python-version: [3.7]
        torch: [1.5.1, 1.6.0, 1.9.0]
        include:
          - torch: 1.10.0
            torchvision: 0.11.0
            python-version: 3.10
    steps:
      - uses: actions/setup-python@v2
        with:
          python-version: ${{ matrix.python-version }}
      - name: Install PyTorch
        run: pip install torch==${{matrix.torch}}+cpu torchvision==${{matrix.torchvision}}+cpu
  build_cuda:
    runs-on: ubuntu-18.04
    container:
      image: pytorch/pytorch:1.6.0-cuda10.1-cudnn7-devel
    strategy:
      matrix:
        python-version: ['3.6', 3.7]
        torch: [1.7.0+cu110]
    steps:
      - name: Install system packages
        run: |
          apt-get update
          apt-get install -y ffmpeg libsm6 git
  lint:
    runs-on: ubuntu-18.04
    steps:
      - uses: actions/setup-python@v2
        with:
          python-version: 3.12
  test_windows:
    runs-on: windows-2022
    strategy:
      matrix:
        python-version: [3.12]
"""


def test_a_matrix_with_pairs(plant: Plant) -> None:
    found = workflows.read(plant({".github/workflows/build.yml": BUILD}))
    assert specifiers(found) == {"python": ">=3.6,<3.11", "torch": ">=1.5,<1.11", "cuda": ">=10.1,<11.1"}
    assert found is not None
    lines = BUILD.split("\n")
    places = [
        f".github/workflows/build.yml:{number}" for number, line in enumerate(lines, 1) if "python-version: " in line
    ]
    image = f".github/workflows/build.yml:{next(n for n, line in enumerate(lines, 1) if 'image: ' in line)}"
    assert [str(one) for one in found.python[0].findings] == [places[0], places[1], image, places[3], places[3]]
    apt = f".github/workflows/build.yml:{next(n for n, line in enumerate(lines, 1) if 'install -y' in line)}"
    assert [(one.name, one.why, str(one.findings[0])) for one in found.system] == [
        (name, ".github/workflows/build.yml installs it", apt) for name in ("ffmpeg", "libsm6")
    ]


@pytest.mark.parametrize(
    ("name", "text", "bounds"),
    [
        (
            ".github/workflows/ci.yaml",
            "jobs:\n  test:\n    strategy:\n      matrix:\n        py: ['3.8', '3.9']\n        torch_version: [torch1.8, torch1.9]\n        cuda: [cu102, cu111]\n",
            {"python": ">=3.8,<3.10", "torch": ">=1.8,<1.10", "cuda": ">=10.2,<11.2"},
        ),
        (
            ".github/workflows/tests.yml",
            "env:\n  PYTORCH_VERSION: 1.13.1\njobs:\n  test:\n    container: nvcr.io/nvidia/pytorch:22.02-py3\n    steps: []\n",
            {"python": "==3.8.*", "torch": ">=1.11,<1.14", "cuda": "==11.6.*"},
        ),
        (
            ".github/workflows/tests.yml",
            "jobs:\n  a: &a\n    runs-on: x\n    steps:\n    - uses: actions/setup-python@v4\n      with: {python-version: '3.9'}\n  b: *a\n",
            {"python": "==3.9.*"},
        ),
        (
            ".github/workflows/tests.yml",
            "jobs:\n  a:\n    steps:\n    - uses: actions/setup-python@v4\n      with:\n        python-version: |\n          3.8\n          3.11\n",
            {"python": ">=3.8,<3.12"},
        ),
        (
            ".travis.yml",
            "language: python\npython:\n  - '3.6'\n  - 3.7\n  - pypy3\nenv:\n  - A=1\ninstall:\n  - pip install torch==1.4.0\n",
            {"python": ">=3.6,<3.8", "torch": "==1.4.*"},
        ),
        (
            ".gitlab-ci.yml",
            "image: nvcr.io/nvidia/pytorch:22.02-py3\ntest:\n  script:\n    - pip install .\n",
            {"python": "==3.8.*", "torch": "==1.11.*", "cuda": "==11.6.*"},
        ),
        (
            ".circleci/config.yml",
            "jobs:\n  build:\n    docker:\n      - image: python:3.9\nworkflows:\n  test:\n    jobs:\n      - build:\n          torch: 1.8.1\n          cuda: '10.2'\n",
            {"python": "==3.9.*", "torch": "==1.8.*", "cuda": "==10.2.*"},
        ),
        (
            "azure-pipelines.yml",
            "strategy:\n  matrix:\n    Py38:\n      python.version: '3.8'\nsteps:\n- script: pip install 'torch==1.9.0+cu111'\n",
            {"torch": "==1.9.*", "cuda": "==11.1.*"},
        ),
        (".github/workflows/tests.yml", "jobs:\n  a:\n    steps:\n    - with: {python-version: 3.x}\n", {}),
        (".github/workflows/tests.yml", "jobs:\n  docs:\n    steps:\n    - with: {python-version: 3.8}\n", {}),
        (".github/workflows/tests.yml", "jobs:\n  a:\n    name: Code style\n    steps:\n    - with: {python-version: 3.8}\n", {}),
    ],
)  # fmt: skip
def test_many_systems(plant: Plant, name: str, text: str, bounds: dict[str, str]) -> None:
    assert specifiers(workflows.read(plant({name: text}))) == bounds


@pytest.mark.parametrize(
    "name", ["lint.yml", "publish-to-pypi.yml", "docs.yaml", "release.yml", "stale.yml", "test_windows.yml"]
)
def test_files_for_other_purposes(plant: Plant, name: str) -> None:
    text = "jobs:\n  build:\n    steps:\n    - with: {python-version: 3.8}\n"
    assert workflows.read(plant({f".github/workflows/{name}": text})) is None


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{x}: &{x} [{','.join([f'*{y}'] * 9)}]\n" for y, x in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: [",
        "\t",
        BOMB,
        "[" * 50_000,
        "a: *missing",
        "a: !!python/object:os.system x",
        "- 1",
        "\x00",
        "jobs: {a: [1, {b: }]}",
    ],
)
def test_what_is_no_workflow(plant: Plant, text: str) -> None:
    assert specifiers(workflows.read(plant({".github/workflows/ci.yml": text}))) == {}


def test_all_of_a_repository_s_files_make_one_range(plant: Plant) -> None:
    files = {
        f".github/workflows/{number}.yml": f"jobs:\n  a:\n    steps:\n    - with: {{python-version: 3.{number}}}\n"
        for number in (7, 9, 10)
    }
    found = workflows.read(plant(files))
    assert specifiers(found) == {"python": ">=3.7,<3.11"}
    assert found is not None
    assert [str(one) for one in found.python[0].findings] == [f".github/workflows/{n}.yml:4" for n in (10, 7, 9)]
