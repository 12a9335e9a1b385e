"""Whole Dockerfiles and services, compared byte for byte. ``--update-golden`` writes them anew."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from kobako import plan
from kobako.choose import choose
from kobako.model.host import HostFacts
from kobako.model.resolved import Resolved
from kobako.plan import Facts, Plan
from kobako.scan import scan

FOLDER = Path(__file__).parent / "plan"
GIB = 1024**3

MMDETECTION = {
    "setup.py": "setup(install_requires=parse_requirements('requirements/runtime.txt'))\n",
    "requirements/runtime.txt": (
        "matplotlib\nnumpy\npycocotools\nsix\nterminaltables\nmmcls>=0.20.1\npackaging\nprettytable\n"
    ),
    "requirements/mminstall.txt": "mmcv-full>=1.3.17\n",
}

MODERN = {
    "pyproject.toml": (
        "[project]\nname = 'modern'\nrequires-python = '>=3.10'\n"
        "dependencies = ['torch>=2.2', 'torchvision', 'transformers[sentencepiece]>=4.40,<5', 'numpy<2', "
        "'flash-attn', 'einops', 'tqdm; python_version >= \"3.8\"', "
        "'segment @ git+https://example.org/a/segment.git@v1.2']\n"
    )
}

EXTENSION = {
    "requirements.txt": "torch>=1.8\nnumpy\n",
    "setup.py": (
        "import torch\nfrom setuptools import setup\nfrom Cython.Build import cythonize\n"
        "from torch.utils.cpp_extension import BuildExtension, CUDAExtension\n"
        "setup(ext_modules=[CUDAExtension('ops._C', ['ops/a.cu']), *cythonize('ops/b.pyx')],\n"
        "      cmdclass={'build_ext': BuildExtension})\n"
    ),
    "ops/a.cu": "",
    "ops/b.pyx": "",
    "train.py": "import ops\n",
}

SMALL = {
    "requirements.txt": "torch==2.2.*\ntorchvision\nopencv-python>=4.5\nPyYAML\n--extra-index-url https://example.org/s\n"
}

OLD = {**MMDETECTION, "requirements/mminstall.txt": "mmcv-full>=1.3.17\n"}

PINS = {
    "boto3": "1.23.10",
    "botocore": "1.26.10",
    "clearml": "1.18.0",
    "clearml-agent": "1.9.3",
    "cycler": "0.11.0",
    "matplotlib": "3.3.4",
    "mmcls": "0.25.0",
    "numpy": "1.19.5",
    "packaging": "21.3",
    "prettytable": "2.5.0",
    "six": "1.17.0",
    "terminaltables": "3.1.10",
}


class Case(NamedTuple):
    name: str
    files: dict[str, str]
    base: str | None
    host: HostFacts = HostFacts("Asia/Tokyo", 64 * GIB)
    resolved: Resolved | None = None
    as_of: date | None = None
    architectures: tuple[str, ...] = ()


TOKYO = HostFacts("Asia/Tokyo", 64 * GIB)
CASES = {
    "mmdetection-ngc-22.02": Case("mmdetection", MMDETECTION, "nvcr.io/nvidia/pytorch:22.02-py3"),
    "mmdetection-of-2022": Case(
        "mmdetection", MMDETECTION, None, TOKYO, as_of=date(2022, 3, 1), architectures=("7.0", "8.6")
    ),
    "modern-ngc-25.04": Case("Modern-Repo", MODERN, "nvcr.io/nvidia/pytorch:25.04-py3"),
    "extension-ngc-22.02": Case("ops", EXTENSION, "nvcr.io/nvidia/pytorch:22.02-py3"),
    "modern-newest": Case("Modern-Repo", MODERN, None),
    "small-python-slim": Case("small", SMALL, "python:3.11-slim", HostFacts("", 3 * GIB)),
    "mmdetection-python-slim": Case("mmdetection", MMDETECTION, "python:3.8-slim"),
    "old-ngc-20.11": Case(
        "mmdetection", OLD, "nvcr.io/nvidia/pytorch:20.11-py3", TOKYO, Resolved(PINS, frozenset({"pycocotools"}))
    ),
    "old-ngc-20.11-unresolved": Case("mmdetection", OLD, "nvcr.io/nvidia/pytorch:20.11-py3"),
    "small-cuda": Case("small", SMALL, "nvidia/cuda:12.1.1-cudnn8-devel-ubuntu22.04", HostFacts("Europe/Paris", GIB)),
    "small-unknown": Case("small", SMALL, "registry.example:5000/team/base:7"),
}

SOURCE: dict[str, str | bool] = {
    "git": "https://example.org/a/x.git",
    "commit": "01234567890123456789e0123456789012345678",
    "ref": "v2.24.1",
}


def planned(case: Case, root: Path) -> Plan:
    for name, text in case.files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    found = scan(root)
    base = choose(case.base, found, as_of=case.as_of)
    dated = {"as_of": case.as_of, "architectures": case.architectures}
    return plan.plan(Facts(case.name, base, found, case.host, case.resolved, SOURCE, **dated))  # type: ignore[arg-type]


def compare(path: Path, text: str, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden", default=False):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"{path} is missing; --update-golden writes it"
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    found = planned(CASES[name], tmp_path)
    compare(FOLDER / f"{name}.Dockerfile", found.dockerfile, request)
    asked = "".join(f"# open question: {question}\n" for question in found.questions)
    compare(FOLDER / f"{name}.yaml", f"{found.service}{asked}", request)


def test_every_golden_has_its_case() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_the_same_facts_give_the_same_bytes(name: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert planned(CASES[name], tmp_path / "a") == planned(CASES[name], tmp_path / "b")
