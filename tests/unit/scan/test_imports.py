"""What a repository imports, and which of it is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobako.scan.code import modules as code
from kobako.scan.code.imports import FEW_FILES, MANY_FILES, Imported, Imports, is_aside, reason
from kobako.scan.tree import Tree

PACKAGE = {
    "setup.py": "from setuptools import setup\nsetup(name='pkg')\n",
    "pkg/__init__.py": "from pkg.core import Net\nfrom . import ops\n",
    "pkg/core.py": "import torch\nfrom .layers.block import Block\nfrom pkg.lazy import *\n",
    "pkg/lazy.py": "def f():\n    import pkg.plots\n",
    "pkg/plots.py": "import seaborn\n",
    "pkg/ops/__init__.py": "from . import nms\n",
    "pkg/ops/nms.py": "import numba\n",
    "pkg/layers/__init__.py": "import einops\n",
    "pkg/layers/block.py": "import timm\nfrom ..ops.roi import roi\n",
    "pkg/ops/roi.py": "import shapely\n",
    "pkg/corner/convert.py": "import onnx\n",
    "tools/train.py": "import fire\nif __name__ == '__main__':\n    fire.Fire()\n",
    "tools/convert.py": "import paddle\n",
    "tests/test_core.py": "import pytest\nimport torch\n",
}
"""Enough of a package, with files that its ``__init__`` does not reach."""

FILLERS = {f"pkg/ops/f{number}.py": "" for number in range(FEW_FILES)}
"""As many as it takes for a repository that is not small."""


def imported(root: Path, files: dict[str, str]) -> dict[str, Imported]:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    tree = Tree(root)
    imports = Imports(tree)
    for module in code.modules(tree, code.Unread()):
        imports.look(module)
    return {one.distribution or one.module: one for one in imports.found()}


def needed(root: Path, files: dict[str, str]) -> set[str]:
    return {name for name, one in imported(root, files).items() if one.is_needed}


def test_what_is_reached_from_a_package_and_from_its_training_is_needed(tmp_path: Path) -> None:
    expected = {"torch", "numba", "einops", "timm", "shapely", "fire"}
    assert needed(tmp_path, {**PACKAGE, **FILLERS}) == expected


def test_in_a_small_repository_every_file_counts(tmp_path: Path) -> None:
    assert needed(tmp_path, PACKAGE) == {
        *("torch", "numba", "einops", "timm", "shapely", "fire", "seaborn", "onnx", "paddlepaddle"),
    }


def test_where_nothing_is_installed_every_program_counts(tmp_path: Path) -> None:
    files = {name: text for name, text in {**PACKAGE, **FILLERS}.items() if name != "setup.py"}
    files["pyproject.toml"] = "[tool.black]\nline-length = 100\n"
    files["third_party/other/a.py"] = "import scipy\n"
    assert needed(tmp_path, files) == {
        *("torch", "numba", "einops", "timm", "shapely", "fire", "seaborn", "onnx", "paddlepaddle"),
    }


def test_vendored_code_counts_when_it_is_used(tmp_path: Path) -> None:
    files = {**PACKAGE, **FILLERS, "third_party/other/a.py": "import scipy\n"}
    assert "scipy" not in needed(tmp_path / "unused", files)
    files["pkg/ops/nms.py"] = "import other.a\n"
    assert "scipy" in needed(tmp_path / "used", files)


def test_several_packages_in_one_repository(tmp_path: Path) -> None:
    files = {
        **{f"a/src/first/f{number}.py": "" for number in range(FEW_FILES)},
        "a/pyproject.toml": '[project]\nname = "first"\n',
        "a/src/first/__init__.py": "import numpy\n",
        "b/setup.py": "setup()\n",
        "b/second/__init__.py": "import first\nimport pandas\n",
        "b/second/leaf.py": "import onnx\n",
        "benchmark.py": "import tqdm\n",
    }
    assert needed(tmp_path, files) == {"numpy", "pandas", "tqdm"}


def test_what_many_files_import_is_needed_though_none_is_reached(tmp_path: Path) -> None:
    files = {**PACKAGE, **FILLERS}
    files.update({f"pkg/datasets/d{number}.py": "import cv2\n" for number in range(MANY_FILES)})
    files.update({f"pkg/readers/r{number}.py": "import h5py\n" for number in range(MANY_FILES - 1)})
    found = imported(tmp_path, files)
    assert reason(found["opencv-python"]) == ""
    assert reason(found["h5py"]) == "imported in 4 files that the rest of the repository does not import"


@pytest.mark.parametrize(
    ("files", "name", "why"),
    [
        ({"pkg/x.py": "def f():\n    import wandb\n"}, "wandb", "only in functions, under conditions"),
        ({"pkg/x.py": "try:\n    import wandb\nexcept ImportError:\n    wandb = None\n"}, "wandb", "only in functions"),
        ({"tests/test_x.py": "import pytest\n"}, "pytest", "only in tests, documents, examples"),
        ({"docs/conf.py": "import sphinx_rtd_theme\n"}, "sphinx-rtd-theme", "only in tests, documents, examples"),
        ({**FILLERS, **PACKAGE}, "onnx", "in one file that the rest of the repository does not import"),
    ],
)
def test_why_something_is_left_out(tmp_path: Path, files: dict[str, str], name: str, why: str) -> None:
    assert why in reason(imported(tmp_path, files)[name])


def test_counts_and_the_best_evidence_first(tmp_path: Path) -> None:
    files = {
        "docs/conf.py": "import torch\n",
        "a.py": "def f():\n    import torch\n",
        "b.py": "import os\n\nimport torch.nn as nn\n",
        "c.py": "from torch import cuda\nimport torch\n",
        "d.py": "import torchx_unknown.x\nimport apex\n",
    }
    found = imported(tmp_path, files)
    one = found["torch"]
    assert (one.module, one.reached, one.firm, one.guarded, one.aside) == ("torch", 2, 2, 1, 1)
    assert [str(finding) for finding in one.findings] == ["b.py:3", "c.py:1", "c.py:2"]
    assert one.findings[0].text == "import torch.nn as nn"
    assert (found["torchx_unknown"].distribution, found["torchx_unknown"].hint) == ("", "")
    assert "NVIDIA" in found["apex"].hint
    assert set(found) == {"torch", "torchx_unknown", "apex"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from google.cloud import storage, bigquery\n", {"google-cloud-storage", "google-cloud-bigquery"}),
        ("from google import protobuf\n", {"protobuf"}),
        ("import google.protobuf.json_format\n", {"protobuf"}),
        ("from ruamel import yaml\n", {"ruamel-yaml"}),
        ("from google.cloud import no_such_thing\n", {"google.cloud.no_such_thing"}),
        ("from google import *\n", {"google"}),
        ("import functorch\nimport torch\nimport torch.fx\n", {"torch"}),
        ("from . import x\nfrom .. import numpy\nimport os, urllib2, distutils\n", set()),
    ],
)
def test_namespaces_and_what_comes_with_python(tmp_path: Path, text: str, expected: set[str]) -> None:
    assert set(imported(tmp_path, {"x.py": text})) == expected


def test_a_distribution_is_shown_by_the_module_that_is_imported_most(tmp_path: Path) -> None:
    found = imported(tmp_path, {"x.py": "import functorch\nimport torch\nimport torch.fx\n"})
    assert found["torch"].module == "torch"


def test_modules_that_import_each_other_come_to_an_end(tmp_path: Path) -> None:
    files = {**FILLERS, "setup.py": "setup()", "pkg/__init__.py": "from . import a\n"}
    files["pkg/a.py"] = "from . import b\nfrom pkg import a\nimport pkg.a\nimport numpy\n"
    files["pkg/b.py"] = "from .a import x\nfrom ...... import far\nfrom .......far import y\nimport pandas\n"
    assert needed(tmp_path, files) == {"numpy", "pandas"}


def test_extensions_that_it_builds_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("setup(ext_modules=[CUDAExtension('my_ops', [])])\n")
    (tmp_path / "a.py").write_text("import my_ops\n")
    tree = Tree(tmp_path)
    imports = Imports(tree)
    for module in code.modules(tree, code.Unread()):
        imports.look(module)
    assert imports.found() == ()
    assert [(one.what, str(one.findings[0])) for one in imports.others()] == [("my_ops", "setup.py:1")]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("train.py", False),
        ("tools/train.py", False),
        ("pkg/testing_loop.py", False),
        ("pkg/export/onnx.py", False),
        ("setup.py", True),
        ("conftest.py", True),
        ("pkg/tests/a.py", True),
        ("Docs/conf.py", True),
        (".github/check.py", True),
        ("pkg/test_model.py", True),
        ("pkg/model_test.py", True),
        ("tools/deployment/to_onnx.py", True),
        ("tools/dataset_converters/ade.py", True),
        ("examples/x/train.py", True),
    ],
)
def test_files_that_are_aside(file: str, expected: bool) -> None:
    assert is_aside(file) is expected
