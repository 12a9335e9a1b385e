"""Which names are the repository's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobako.scan.code import modules as code
from kobako.scan.code.first_party import FirstParty, is_vendored
from kobako.scan.tree import Tree

KNOWN = {"datasets", "evaluate", "wandb", "apex", "pyannote.core", "transformers"}
"""What the tests take for known distributions' modules."""


def made(root: Path, files: dict[str, str]) -> FirstParty:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    tree = Tree(root)
    own = FirstParty(tree)
    for module in code.modules(tree, code.Unread()):
        own.look(module)
    return own


def asked(own: FirstParty, module: str, importer: str, *taken: str) -> bool:
    known = next((name for name in KNOWN if f"{module}.".startswith(f"{name}.")), "")
    return bool(own.owned(module, importer, known=known, taken=taken))


@pytest.mark.parametrize(
    ("files", "module", "importer", "is_own"),
    [
        # at the root and in src
        (["utils.py", "train.py"], "utils", "train.py", True),
        (["lib/net.py", "train.py"], "lib.net", "train.py", True),
        (["src/model/__init__.py", "tools/train.py"], "model.head", "tools/train.py", True),
        (["train.py"], "utils", "train.py", False),
        (["assets/utils/logo.png", "train.py"], "utils", "train.py", False),
        # beside the importing file, and above it
        (["exp/a/run.py", "exp/a/common.py"], "common", "exp/a/run.py", True),
        (["exp/a/b/run.py", "exp/helpers/io.py"], "helpers", "exp/a/b/run.py", True),
        (["exp/a/run.py", "exp/b/common.py"], "common", "exp/a/run.py", False),
        # a distribution has a module of the same name
        (["datasets/__init__.py", "train.py"], "datasets", "train.py", True),
        (["datasets.py", "train.py"], "datasets", "train.py", True),
        (["datasets/coco.py", "train.py"], "datasets.coco", "train.py", True),
        (["datasets/coco.py", "train.py"], "datasets", "train.py", False),
        (["evaluate.py"], "evaluate", "evaluate.py", False),
        (
            ["pkg/__init__.py", "pkg/loggers/__init__.py", "pkg/loggers/wandb.py"],
            "wandb",
            "pkg/loggers/wandb.py",
            False,
        ),
        (["pkg/__init__.py", "pkg/wandb.py", "pkg/run.py"], "wandb", "pkg/run.py", False),
        # a namespace shared with a distribution
        (["pyannote/__init__.py", "pyannote/audio/__init__.py"], "pyannote.core", "pyannote/audio/__init__.py", False),
        (["pyannote/__init__.py", "pyannote/audio/__init__.py"], "pyannote.audio", "pyannote/audio/__init__.py", True),
        # other people's code that is carried along
        (["third_party/SparseConv/sparse/__init__.py", "train.py"], "sparse.ops", "train.py", True),
        (["externals/tool/src/tool_core/__init__.py", "train.py"], "tool_core", "train.py", True),
        (["src/pkg/vendor/six_like.py", "src/pkg/a.py"], "six_like", "src/pkg/a.py", True),
        # compiled in place
        (["ops/_C.cpython-310-x86_64-linux-gnu.so", "ops/x.py", "train.py"], "ops._C", "train.py", True),
        (["ext/fast.pyx", "ext/run.py"], "fast", "ext/run.py", True),
    ],
)
def test_where_modules_lie(tmp_path: Path, files: list[str], module: str, importer: str, is_own: bool) -> None:
    assert asked(made(tmp_path, dict.fromkeys(files, "")), module, importer) is is_own


def test_what_is_taken_from_a_plain_folder_decides(tmp_path: Path) -> None:
    own = made(tmp_path, {"datasets/kitti.py": "", "train.py": ""})
    assert asked(own, "datasets", "train.py", "kitti")
    assert not asked(own, "datasets", "train.py", "load_dataset")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("train.py", "import sys\nsys.path.insert(0, 'code/core')\n"),
        ("train.py", "import sys\nsys.path += []\nsys.path.append('./code/core/')\n"),
        ("tools/train.py", "import sys\nsys.path.append('../code/core')\n"),
        ("tools/_init_paths.py", "import os.path as osp, sys\nadd(osp.join(here, '..', 'code', 'core'))\nsys.path\n"),
        ("run.sh", "export PYTHONPATH=$PYTHONPATH:`pwd`/code/core\npython train.py\n"),
        ("tools/dist.sh", 'PYTHONPATH="$(dirname $0)/../code/core":$PYTHONPATH python -m torch.distributed.run "$@"\n'),
        ("setup.py", "from setuptools import setup\nsetup(package_dir={'': 'code/core'})\n"),
        ("setup.cfg", "[options]\npackage_dir =\n    = code/core\n"),
        ("pyproject.toml", '[project]\nname = "x"\n[tool.setuptools.packages.find]\nwhere = ["code/core"]\n'),
    ],
)
def test_folders_that_are_put_on_the_path(tmp_path: Path, file: str, text: str) -> None:
    files = {"code/core/nets.py": "", "scripts/eval.py": ""}
    assert not asked(made(tmp_path / "without", files), "nets", "scripts/eval.py")
    assert asked(made(tmp_path / "with", {**files, file: text}), "nets", "scripts/eval.py")


def test_submodules_of_an_archive_are_empty(tmp_path: Path) -> None:
    own = made(tmp_path, {".gitmodules": '[submodule "x"]\n\tpath = libs/Fast-Kernels\n\turl = ../x\n', "train.py": ""})
    assert asked(own, "fast_kernels.ops", "train.py")
    assert not asked(own, "libs", "train.py")


def test_what_a_setup_compiles_is_not_to_be_installed(tmp_path: Path) -> None:
    setup = """
        from setuptools import setup, Extension
        from torch.utils.cpp_extension import CUDAExtension
        setup(name="x", ext_modules=[
            CUDAExtension("DeformAttention", ["a.cu"]),
            Extension(name="pkg._fast", sources=["b.c"]),
            make_cuda_ext(name="roi_ops", module="x"),
            CUDAExtension(name, []),
        ])
    """
    own = made(tmp_path, {"models/ops/setup.py": setup.replace("\n        ", "\n"), "train.py": ""})
    assert {name: finding.line for name, finding in own.compiled.items()} == {
        "DeformAttention": 5,
        "pkg._fast": 6,
        "roi_ops": 7,
    }
    assert asked(own, "DeformAttention", "train.py")
    assert asked(own, "pkg._fast", "train.py")
    assert not asked(own, "pkg", "train.py")


@pytest.mark.parametrize(
    ("files", "projects"),
    [
        ({"setup.py": "setup()"}, ("",)),
        ({"setup.py": "print()", "setup.cfg": "[flake8]\n", "pyproject.toml": "[tool.black]\n"}, ()),
        ({"setup.cfg": "[metadata]\nname = x\n"}, ("",)),
        ({"pyproject.toml": '[tool.poetry]\nname = "x"\n'}, ("",)),
        (
            {"a/setup.py": "setup()", "b/c/pyproject.toml": "[project]\n", "third_party/d/setup.py": "setup()"},
            ("a", "b/c"),
        ),
    ],
)
def test_what_can_be_installed(tmp_path: Path, files: dict[str, str], projects: tuple[str, ...]) -> None:
    assert made(tmp_path, files).projects == projects


def test_hostile_paths_lead_nowhere(tmp_path: Path) -> None:
    text = "import sys\nsys.path.insert(0, '../../../etc')\nsys.path.append('/usr/lib')\nsys.path.insert(0, '\\0')\n"
    own = made(
        tmp_path, {"train.py": text, "run.sh": "PYTHONPATH=" + "$(" * 3000 + "\n", ".gitmodules": "path=" * 9000}
    )
    assert not asked(own, "numpy", "train.py")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("third_party/x/a.py", True), ("src/pkg/_vendor/a.py", True), ("External/a.py", True), ("third_party.py", False)],
)
def test_vendored(name: str, expected: bool) -> None:
    assert is_vendored(name) is expected
