"""Whole repositories, small and written for this test after the manner of known ones: what `scan` says of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobako.model.requirement import Scan
from kobako.scan import scan

MMDETECTION = {
    "setup.py": '''\
import os
from setuptools import setup, find_packages
import torch
from torch.utils.cpp_extension import BuildExtension


def parse_requirements(fname, with_version=True):
    """Reads one file, follows its includes, drops versions on request."""
    import re
    packages = []
    if not os.path.exists(fname):
        return packages
    with open(fname) as handle:
        for line in handle.readlines():
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            if line.startswith("-r "):
                packages += parse_requirements(line.split(" ")[1], with_version)
                continue
            found = re.split("(==|>=|>)", line, maxsplit=1)
            packages.append("".join(found) if with_version else found[0])
    return packages


if __name__ == "__main__":
    setup(
        name="mmdet",
        packages=find_packages(exclude=("configs", "tools", "demo")),
        classifiers=[
            "Programming Language :: Python :: 3",
            "Programming Language :: Python :: 3.6",
            "Programming Language :: Python :: 3.9",
        ],
        install_requires=parse_requirements("requirements/runtime.txt"),
        extras_require={"tests": parse_requirements("requirements/tests.txt")},
        cmdclass={"build_ext": BuildExtension},
    )
''',
    "requirements.txt": "-r requirements/build.txt\n-r requirements/runtime.txt\n-r requirements/tests.txt\n",
    "requirements/build.txt": "cython\nnumpy\n",
    "requirements/runtime.txt": "matplotlib\nnumpy\npycocotools\nsix\nterminaltables\n",
    "requirements/tests.txt": "pytest\nxdoctest>=0.10.0\n",
    "requirements/mminstall.txt": "mmcv-full>=1.3.17\n",
    "mmdet/__init__.py": """\
import mmcv

mmcv_minimum_version = "1.3.17"
mmcv_maximum_version = "1.6.0"
mmcv_version = digit_version(mmcv.__version__)

assert (mmcv_version >= digit_version(mmcv_minimum_version)
        and mmcv_version <= digit_version(mmcv_maximum_version))
from .apis import train
""",
    "mmdet/apis/__init__.py": "from .train import train_detector\n",
    "mmdet/apis/train.py": "import numpy as np\nimport torch\nfrom mmcv.runner import build_runner\n",
    "configs/convnext/c.py": "custom_imports = dict(imports=['mmcls.models'], allow_failed_imports=False)\n",
    "tools/train.py": """\
import argparse
from mmdet.apis import train_detector


def parse_args():
    parser = argparse.ArgumentParser(description="Train a detector")
    parser.add_argument("config", help="train config file path")
    parser.add_argument("--work-dir", help="the dir to save logs and models")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--local_rank", type=int, default=0)
    return parser.parse_args()


def main():
    args = parse_args()
    train_detector(None, None, args)


if __name__ == "__main__":
    main()
""",
    "tools/test.py": "import argparse\nif __name__ == '__main__':\n    argparse.ArgumentParser().parse_args()\n",
    "README.md": "# MMDetection\n\nThe master branch works with **PyTorch 1.5+**.\n",
    "tests/test_a.py": "import pytest\nimport kwarray\n",
}

YOLOX = {
    "setup.py": """\
import setuptools
import torch

assert torch.__version__ >= "1.7", "YOLOX requires PyTorch >= 1.7"


def get_install_requirements():
    with open("requirements.txt", "r", encoding="utf-8") as f:
        reqs = [x.strip() for x in f.read().splitlines()]
    reqs = [x for x in reqs if not x.startswith("#")]
    return reqs


setuptools.setup(name="yolox", python_requires=">=3.6", install_requires=get_install_requirements())
""",
    "requirements.txt": "# verified\nnumpy\ntorch>=1.7\nopencv_python\nloguru\n\n# tools\npycocotools>=2.0.2\nonnx-simplifier==0.4.10\n",
    "yolox/__init__.py": "__version__ = '0.3.0'\n",
    "yolox/core/__init__.py": "from .launch import launch\n",
    "yolox/core/launch.py": "import torch\nfrom loguru import logger\n",
    "tools/train.py": """\
import argparse
from loguru import logger
from yolox.core import launch


def make_parser():
    parser = argparse.ArgumentParser("YOLOX train parser")
    parser.add_argument("-f", "--exp_file", default=None, type=str)
    parser.add_argument("-b", "--batch-size", type=int, default=64, help="batch size")
    return parser


def main(exp, args):
    trainer = exp.get_trainer(args)
    trainer.train()


if __name__ == "__main__":
    launch(main, make_parser().parse_args())
""",
}

PADDLE = {
    "requirements.txt": "numpy < 1.24\ntqdm\nvisualdl>=2.2.0\nopencv-python <= 4.6.0\nsklearn==0.0\n# for mot\nlap\n",
    "ppdet/__init__.py": "from . import core\n",
    "ppdet/core/__init__.py": "import paddle\nimport numpy as np\n",
    "tools/train.py": "import paddle\nimport argparse\nif __name__ == '__main__':\n    argparse.ArgumentParser().parse_args()\n    loss.backward()\n",
}

README_ONLY = {
    "README.md": """\
# Cool

Tested with Python 3.8, PyTorch 1.10 and CUDA 11.3.

## Installation

```bash
$ conda create -n cool python=3.8
$ pip install torch==1.10.0+cu113 -f https://download.pytorch.org/whl/cu113/torch_stable.html
$ pip install timm==0.4.12 opencv-python
$ pip install git+https://github.com/facebookresearch/detectron2.git
$ sudo apt-get install libgl1
```

## Development

```bash
pip install black
```
""",
    "train.py": "import torch\nimport timm\nimport termcolor\nimport zzz_unknown\nloss.backward()\n",
}

NOTEBOOK_ONLY = {
    "train.ipynb": '{"cells": [{"cell_type": "code", "source": ["!pip install -q transformers==4.30\\n", "import torch\\n",\n'
    '"from sklearn.svm import SVC\\n"]}, {"cell_type": "code", "source": ["%matplotlib inline\\n", "model.fit(x)\\n"]}],\n'
    '"metadata": {"language_info": {"version": "3.9.7"}}, "nbformat": 4, "nbformat_minor": 4}',
}

MONOREPO = {
    "packages/a/pyproject.toml": "[project]\nname = 'a'\nrequires-python = '>=3.9'\ndependencies = ['numpy', 'b>=1']\n",
    "packages/a/src/a/__init__.py": "import numpy\nimport b\n",
    "packages/b/setup.py": "from setuptools import setup\nsetup(name='b', install_requires=['torch>=2', 'einops'])\n",
    "packages/b/b/__init__.py": "import torch\nimport einops\n",
    "README.md": "# Mono\n",
}

POETRY = {
    "pyproject.toml": """\
[tool.poetry]
name = "net"

[tool.poetry.dependencies]
python = "^3.8"
torch = "^1.12"
pytorch-lightning = { version = "~1.7", extras = ["extra"] }
wandb = { version = "*", optional = true }

[tool.poetry.group.dev.dependencies]
pytest = "^7"
""",
    "net/__init__.py": "import torch\n",
}


@pytest.fixture
def scanned(tmp_path: Path, request: pytest.FixtureRequest) -> Scan:
    for name, text in request.param.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return scan(tmp_path)


def requirements(found: Scan) -> list[tuple[str, str, str]]:
    return [(str(one), one.origin, str(one.findings[0])) for one in found.requirements]


@pytest.mark.parametrize("scanned", [MMDETECTION], indirect=True)
def test_mmdetection(scanned: Scan) -> None:
    assert requirements(scanned) == [
        ("mmcv-full>=1.3.17,<=1.6.0", "platform", "requirements/mminstall.txt:1"),
        ("matplotlib", "declared", "requirements/runtime.txt:1"),
        ("numpy", "declared", "requirements/runtime.txt:2"),
        ("pycocotools", "declared", "requirements/runtime.txt:3"),
        ("six", "declared", "requirements/runtime.txt:4"),
        ("terminaltables", "declared", "requirements/runtime.txt:5"),
        ("torch", "platform", "mmdet/apis/train.py:2"),
        ("mmcls", "platform", "configs/convnext/c.py:1"),
    ]
    assert str(scanned.requirements[0].findings[-1]).startswith("mmdet/__init__.py:")
    assert scanned.python is not None
    assert (scanned.python.specifier, scanned.python.firm) == (">=3.6,<3.10", False)
    assert [str(one) for one in scanned.python.findings] == ["setup.py:32", "setup.py:33"]
    assert scanned.torch is not None
    assert (scanned.torch.specifier, scanned.torch.firm, str(scanned.torch.findings[0])) == (
        ">=1.5",
        False,
        "README.md:3",
    )
    assert [one.file for one in scanned.entry_points] == ["tools/train.py"]
    assert [one.flags for one in scanned.entry_points[0].arguments] == [
        ("config",),
        ("--work-dir",),
        ("--seed",),
        ("--local_rank",),
    ]
    assert "torch" in {one.name for one in scanned.build}
    assert "kwarray" not in {one.name for one in scanned.requirements}


SDIST = {
    name.replace("configs/", "mmdet/.mim/configs/").replace("tools/", "mmdet/.mim/tools/"): text
    for name, text in MMDETECTION.items()
}
"""As it is published: mim's part of it lies inside the package."""


@pytest.mark.parametrize("scanned", [SDIST], indirect=True)
def test_mmdetection_from_the_index(scanned: Scan) -> None:
    assert ("mmcls", "platform", "mmdet/.mim/configs/convnext/c.py:1") in requirements(scanned)
    assert [one.file for one in scanned.entry_points] == ["mmdet/.mim/tools/train.py"]


@pytest.mark.parametrize("scanned", [YOLOX], indirect=True)
def test_yolox(scanned: Scan) -> None:
    assert requirements(scanned) == [
        ("numpy", "declared", "requirements.txt:2"),
        ("torch>=1.7", "declared", "requirements.txt:3"),
        ("opencv-python", "declared", "requirements.txt:4"),
        ("loguru", "declared", "requirements.txt:5"),
        ("pycocotools>=2.0.2", "declared", "requirements.txt:8"),
        ("onnx-simplifier==0.4.10", "declared", "requirements.txt:9"),
    ]
    assert scanned.python is not None
    assert (scanned.python.specifier, scanned.python.firm) == (">=3.6", True)
    assert scanned.torch is not None
    assert scanned.torch.specifier == ">=1.7"
    (entry,) = scanned.entry_points
    assert entry.file == "tools/train.py"
    assert [one.flags[-1] for one in entry.arguments] == ["--exp_file", "--batch-size"]


@pytest.mark.parametrize("scanned", [PADDLE], indirect=True)
def test_paddle_detection(scanned: Scan) -> None:
    assert [(text, origin) for text, origin, _ in requirements(scanned)] == [
        ("numpy<1.24", "declared"),
        ("tqdm", "declared"),
        ("visualdl>=2.2.0", "declared"),
        ("opencv-python<=4.6.0", "declared"),
        ("sklearn==0.0", "declared"),
        ("lap", "declared"),
        ("paddlepaddle-gpu", "platform"),
    ]
    assert [one.file for one in scanned.entry_points] == ["tools/train.py"]


@pytest.mark.parametrize("scanned", [README_ONLY], indirect=True)
def test_a_readme_alone(scanned: Scan) -> None:
    assert requirements(scanned) == [
        ("torch==1.10.0", "readme", "README.md:9"),
        ("timm==0.4.12", "readme", "README.md:10"),
        ("opencv-python", "readme", "README.md:10"),
        ("detectron2 @ git+https://github.com/facebookresearch/detectron2.git", "readme", "README.md:11"),
        ("termcolor", "imported", "train.py:3"),
    ]
    assert scanned.cuda is not None
    assert scanned.cuda.specifier == "==11.3.*"
    assert scanned.python is not None
    assert (scanned.python.specifier, scanned.python.firm) == ("==3.8.*", False)
    assert [one.name for one in scanned.system] == ["libgl1"]
    assert [str(one.finding) for one in scanned.questions] == ["train.py:4"]
    assert any("black" in one.what for one in scanned.others)


@pytest.mark.parametrize("scanned", [NOTEBOOK_ONLY], indirect=True)
def test_a_notebook_alone(scanned: Scan) -> None:
    assert [(text, origin) for text, origin, _ in requirements(scanned)] == [
        ("transformers==4.30", "readme"),
        ("scikit-learn", "imported"),
        ("torch", "imported"),
    ]
    assert scanned.python is not None
    assert scanned.python.specifier == "==3.9.*"
    assert [one.file for one in scanned.entry_points] == ["train.ipynb"]


@pytest.mark.parametrize("scanned", [MONOREPO], indirect=True)
def test_several_packages(scanned: Scan) -> None:
    assert requirements(scanned) == [
        ("numpy", "declared", "packages/a/pyproject.toml:4"),
        ("torch>=2", "declared", "packages/b/setup.py:2"),
        ("einops", "declared", "packages/b/setup.py:2"),
    ]
    assert scanned.python is not None
    assert str(scanned.python.findings[0]) == "packages/a/pyproject.toml:3"
    assert ("b>=1", "a package of the repository itself") in {(one.what, one.why) for one in scanned.others}


@pytest.mark.parametrize("scanned", [POETRY], indirect=True)
def test_poetry(scanned: Scan) -> None:
    assert requirements(scanned) == [
        ("torch>=1.12,<2.0", "declared", "pyproject.toml:6"),
        ("pytorch-lightning[extra]>=1.7,<1.8", "declared", "pyproject.toml:7"),
    ]
    assert scanned.python is not None
    assert scanned.python.specifier == ">=3.8,<4.0"
    assert any("wandb" in one.what for one in scanned.others)


@pytest.mark.parametrize("scanned", [{"x.c": "int main() {}", "README": "hello"}], indirect=True)
def test_no_python(scanned: Scan) -> None:
    assert not scanned.has_python
    assert (scanned.requirements, scanned.questions, scanned.entry_points) == ((), (), ())


@pytest.mark.parametrize(
    "scanned",
    [
        {
            "pyproject.toml": "[project]\nname = 'x'\nrequires-python = '>=3.9'\n",
            "setup.cfg": "[options]\npython_requires = <3.8\n",
        }
    ],
    indirect=True,
)
def test_contradictions(scanned: Scan) -> None:
    assert [one.what for one in scanned.problems] == [
        "the repository asks for Python >=3.9 (pyproject.toml:3) and for Python <3.8 (setup.cfg:2)"
    ]
    assert scanned.python is not None
    assert scanned.python.specifier == ">=3.9"
