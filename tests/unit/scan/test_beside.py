"""What stands beside a package's own declaration, seen in repositories that people train with."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from kobako.model.requirement import Scan
from kobako.scan import scan

SETUP = "from setuptools import setup\nsetup(name='ldm', install_requires=['torch', 'tqdm'])\n"
TRAIN = "if __name__ == '__main__':\n    trainer.fit(model)\n"


def scanned(root: Path, files: dict[str, str]) -> Scan:
    for name, text in files.items():
        path = root / "repo" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    return scan(root / "repo")


def names(found: Scan) -> list[str]:
    return [str(one) for one in found.requirements]


def test_an_environment_beside_a_setup_file(tmp_path: Path) -> None:
    """A setup.py for ``pip install -e .`` alone; what the code needs stands in the environment."""
    environment = """\
        dependencies:
          - python=3.8.5
          - cudatoolkit=11.3
          - pytorch=1.11.0
          - pip:
            - omegaconf==2.1.1
            - streamlit>=0.73.1
            - -e git+https://github.com/CompVis/taming-transformers.git@master#egg=taming-transformers
            - -e .
        """
    code = "import omegaconf\nfrom taming.modules import vqvae\n" + TRAIN
    found = scanned(tmp_path, {"setup.py": SETUP, "environment.yaml": environment, "main.py": code})
    assert names(found) == [
        "torch",
        "tqdm",
        "omegaconf==2.1.1",
        "taming-transformers @ git+https://github.com/CompVis/taming-transformers.git@master",
    ], "what the code imports; not streamlit"
    assert [str(one.findings[0]) for one in found.requirements[2:]] == ["environment.yaml:6", "environment.yaml:8"]
    assert found.torch is not None
    assert (found.torch.specifier, found.torch.firm) == ("==1.11.*", False)
    assert found.questions == ()


def test_two_lists_beside_a_setup_file(tmp_path: Path) -> None:
    files = {
        "setup.py": SETUP,
        "requirements.txt": "rich>=10\n",
        "environment.yaml": "dependencies:\n- rich=13.*\n- pyyaml=5.*\n",
        "train.py": "import rich, yaml\n" + TRAIN,
    }
    assert names(scanned(tmp_path, files)) == ["torch", "tqdm", "rich>=10", "pyyaml==5.*"], "the first list stands"


@pytest.mark.parametrize(
    ("requirement", "module"),
    [
        ("panopticapi @ git+https://github.com/cocodataset/panopticapi.git", "panopticapi"),
        ("acvl_spam_utils>=0.2", "acvl_spam_utils"),
        ("spamming-transformers", "spamming"),
    ],
)
def test_a_module_that_only_the_declaration_knows(requirement: str, module: str, tmp_path: Path) -> None:
    files = {"requirements.txt": f"{requirement}\n", "train.py": f"import {module}\n{TRAIN}"}
    found = scanned(tmp_path, files)
    assert found.questions == ()
    assert [str(one) for one in found.requirements[0].imports] == ["train.py:1"]


@pytest.mark.parametrize("module", ["spam", "eggs_spamming"])
def test_a_module_that_nothing_knows(module: str, tmp_path: Path) -> None:
    files = {"requirements.txt": "spam-a\nspam-b\n", "train.py": f"import {module}\n{TRAIN}"}
    assert [one.what for one in scanned(tmp_path, files).questions] == [
        f"`import {module}`: no package is known for certain to hold it"
    ], "two packages are no answer"


def test_what_is_no_question(tmp_path: Path) -> None:
    """A hosted notebook's own module, and what a demonstration installs for itself."""
    cell = '{"cells": [{"cell_type": "code", "source": "!pip install pillow==7.0.0"}]}'
    files = {
        "requirements.txt": "torch\n",
        "train.py": "import google.colab\nimport PIL\n" + TRAIN,
        "demo/tutorial.ipynb": cell,
    }
    assert scanned(tmp_path, files).questions == ()
    files = {"README.md": "# Spam\n## Installation\n```\npip install pillow\n```\n"}
    assert [one.what for one in scanned(tmp_path, files).questions] == [
        "`pillow` is told to a person and imported (train.py:2), but not declared: is it needed?"
    ]


def test_a_torch_that_is_told_is_a_wish(tmp_path: Path) -> None:
    files = {
        "README.md": "# Spam\n## Installation\n```\npip install torch==1.8.0\n```\n",
        "train.py": "import torch\n" + TRAIN,
    }
    found = scanned(tmp_path, files)
    assert [(str(one), one.origin) for one in found.requirements] == [("torch==1.8.0", "readme")]
    assert found.torch is not None
    assert not found.torch.firm


def test_limits_that_others_make_needless(tmp_path: Path) -> None:
    files = {"requirements.txt": "mmdet>=3.0.0,>=3.0.0rc5,<3.3.0,<3.4.0,!=3.1\nsix<2\n", "train.py": TRAIN}
    assert names(scanned(tmp_path, files)) == ["mmdet>=3.0.0,!=3.1,<3.3.0", "six<2"]


@pytest.mark.parametrize(("extra", "asked"), [("training", True), ("train", True), ("fine-tune", True), ("trt", False)])
def test_an_extra_for_training(extra: str, asked: bool, tmp_path: Path) -> None:
    project = f'[project]\nname = "a"\ndependencies = ["six"]\n[project.optional-dependencies]\n{extra} = ["wandb"]\n'
    found = scanned(tmp_path, {"pyproject.toml": project, "train.py": TRAIN})
    assert [str(one) for one in found.questions] == (
        [f"pyproject.toml:5: the extra `{extra}` is named for training: is what it holds needed?"] if asked else []
    )
    assert names(found) == ["six"]


def test_files_that_are_not_read(tmp_path: Path) -> None:
    found = scanned(tmp_path, {"a.py": "print 'x'\n", "b.py": "print 'y'\n", "train.py": TRAIN})
    assert [(one.what, one.where and one.where.file) for one in found.problems] == [("2 files were not read", "a.py")]
