"""What has to be there, and to be done, before extensions of a repository work."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from kobako.scan import reading
from kobako.scan.code import build_needs
from kobako.scan.code import modules as code
from kobako.scan.code.build_needs import COMPILER
from kobako.scan.declaring.declared import Declared
from kobako.scan.tree import Tree


def tree(root: Path, files: dict[str, str]) -> Tree:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return Tree(root)


def shown(found: Declared | None) -> list[str]:
    if found is None:
        return []
    return [
        *(f"build {one.name} <- {', '.join(map(str, one.findings))}" for one in found.build),
        *(f"apt {one.name}: {one.why}" for one in found.system),
        *(f"other {one.what}: {one.why}" for one in found.others),
        *(f"ask {one}" for one in found.questions),
    ]


CUDA_SETUP = """
    from setuptools import setup
    from torch.utils.cpp_extension import BuildExtension, CUDAExtension
    setup(name='ops', ext_modules=[CUDAExtension('_ops', ['a.cu'])], cmdclass={'build_ext': BuildExtension})
"""


@pytest.mark.parametrize(
    ("files", "needs"),
    [
        pytest.param(
            {
                "models/ops/setup.py": CUDA_SETUP,
                "models/ops/src/a.cu": "",
                "models/ops/make.sh": "python setup.py build install\n",
            },
            [
                "build torch <- models/ops/setup.py:3, models/ops/setup.py:4",
                "build ninja <- models/ops/setup.py:4",
                "build setuptools <- models/ops/setup.py:4",
                "apt build-essential: models/ops/setup.py compiles CUDA code",
                f"other CUDA extension `_ops`: models/ops/setup.py compiles it: {COMPILER}",
                (
                    "ask models/ops/setup.py:4: CUDA extension `_ops` has to be compiled by hand inside the container, "
                    "once per image: `cd models/ops && python setup.py build install`"
                ),
            ],
            id="a folder of operators",
        ),
        pytest.param(
            {
                "setup.py": """
                    from setuptools import setup
                    import torch
                    from torch.utils.cpp_extension import BuildExtension, CUDAExtension
                    def make_cuda_ext(name, sources):
                        return CUDAExtension(name=name, sources=sources)
                    setup(name='mmdet', ext_modules=[], cmdclass={'build_ext': BuildExtension})
                """,
            },
            [
                "build torch <- setup.py:3",
                "build setuptools <- setup.py:7",
                (
                    "other the repository's own setup.py: it imports torch: install it after torch and without build isolation "
                    "(`--no-build-isolation`)"
                ),
            ],
            id="torch for nothing but being imported",
        ),
        pytest.param(
            {"setup.py": CUDA_SETUP, "pkg/csrc/a.cu": "", "tests/b.cu": ""},
            [
                "build torch <- setup.py:3, setup.py:4",
                "build ninja <- setup.py:4",
                "build setuptools <- setup.py:4",
                "apt build-essential: setup.py compiles CUDA code",
                f"other CUDA extension `_ops`: setup.py compiles it: {COMPILER}",
                (
                    "ask setup.py:4: CUDA extension `_ops` has to be compiled by hand inside the container, once per image: "
                    "`python -m pip install --no-build-isolation -e .`"
                ),
            ],
            id="the package itself",
        ),
        pytest.param(
            {
                "lib/setup.py": """
                    import numpy as np
                    from distutils.core import setup
                    from distutils.extension import Extension
                    from Cython.Distutils import build_ext
                    setup(ext_modules=[Extension('nms.cpu_nms', ['nms/cpu_nms.pyx'], include_dirs=[np.get_include()])])
                """,
                "lib/nms/cpu_nms.pyx": "",
                "lib/Makefile": "all:\n\tpython setup.py build_ext --inplace\n\trm -rf build\n",
            },
            [
                "build numpy <- lib/setup.py:2",
                "build cython <- lib/setup.py:5, lib/setup.py:6",
                "build setuptools <- lib/setup.py:6",
                "apt build-essential: lib/setup.py compiles Cython code",
                "other Cython extension `nms.cpu_nms`: lib/setup.py compiles it: needs a C++ compiler",
                (
                    "ask lib/setup.py:6: Cython extension `nms.cpu_nms` has to be compiled by hand inside the container, "
                    "once per image: `cd lib && python setup.py build_ext --inplace`"
                ),
            ],
            id="Cython, with a Makefile",
        ),
        pytest.param(
            {"submodules/raster/setup.py": CUDA_SETUP, "submodules/raster/a.cu": ""},
            [
                "build torch <- submodules/raster/setup.py:3, submodules/raster/setup.py:4",
                "build ninja <- submodules/raster/setup.py:4",
                "build setuptools <- submodules/raster/setup.py:4",
                "apt build-essential: submodules/raster/setup.py compiles CUDA code",
                f"other CUDA extension `_ops`: submodules/raster/setup.py compiles it: {COMPILER}",
                (
                    "ask submodules/raster/setup.py:4: CUDA extension `_ops` has to be compiled by hand inside the container, "
                    "once per image: `python -m pip install --no-build-isolation ./submodules/raster`"
                ),
            ],
            id="a submodule",
        ),
        pytest.param(
            {
                "setup.py": """
                    from setuptools import setup
                    import pybind11
                    from pybind11.setup_helpers import Pybind11Extension
                    import versioneer
                    setup(ext_modules=[Pybind11Extension('fast', ['fast.cpp'])])
                """,
                "fast.cpp": "",
                "versioneer.py": "",
            },
            [
                "build pybind11 <- setup.py:3",
                "build setuptools <- setup.py:6",
                "apt build-essential: setup.py compiles C++ code",
                "other C++ extension `fast`: setup.py compiles it: needs a C++ compiler",
                (
                    "ask setup.py:6: C++ extension `fast` has to be compiled by hand inside the container, once per image: "
                    "`python -m pip install --no-build-isolation -e .`"
                ),
            ],
            id="pybind11",
        ),
        pytest.param(
            {"ext_op/setup.py": CUDA_SETUP.replace("torch.utils", "paddle.utils"), "ext_op/a.cu": ""},
            [
                "build paddlepaddle <- ext_op/setup.py:3",
                "build setuptools <- ext_op/setup.py:4",
                "apt build-essential: ext_op/setup.py compiles CUDA code",
                f"other CUDA extension `_ops`: ext_op/setup.py compiles it: {COMPILER}",
                (
                    "ask ext_op/setup.py:4: CUDA extension `_ops` has to be compiled by hand inside the container, once per image: "
                    "`cd ext_op && python setup.py build develop`"
                ),
            ],
            id="Paddle's operators",
        ),
        pytest.param(
            {"nets/dcn/make.sh": "#!/bin/bash\ncd src/cuda\nnvcc -c -o x.o x.cu\n"},
            [
                "apt build-essential: nets/dcn/make.sh compiles code",
                f"other CUDA code in nets/dcn: nets/dcn/make.sh compiles it: {COMPILER}",
                "ask nets/dcn/make.sh:3: nets/dcn/make.sh compiles CUDA code: run `cd nets/dcn && sh make.sh` inside if it is needed",
            ],
            id="a shell script with nvcc",
        ),
        pytest.param(
            {"tools/EVALB/Makefile": "# gcc\nall: x\n\tgcc -o evalb evalb.c\n"},
            [
                "other code in tools/EVALB: tools/EVALB/Makefile compiles it with gcc; whether training needs it is not known"
            ],
            id="a Makefile with gcc",
        ),
        pytest.param(
            {"setup.py": "from setuptools import setup\nimport strangeness\nsetup()\n"},
            [
                "ask setup.py:2: `strangeness`, which is imported while the repository is built, belongs to no package that is known"
            ],
            id="an import that nobody knows",
        ),
        pytest.param(
            {
                "setup.py": "from setuptools import setup\ntry:\n    import torch\nexcept ImportError:\n    torch = None\nsetup()\n",
                "pkg/trainer/setup.py": "import torch\ndef f(): ...\n",
                "tests/ext/setup.py": CUDA_SETUP,
                "tests/ext/a.cu": "",
                "broken/setup.py": "setup(\n",
                "Makefile": "test:\n\tpytest\n",
            },
            [],
            id="nothing",
        ),
    ],
)
def test_build_scripts(files: dict[str, str], needs: list[str], tmp_path: Path) -> None:
    assert shown(build_needs.read(tree(tmp_path, files))) == needs


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        (
            "from torch.utils.cpp_extension import load\nops = load(name='x', sources=['a.cu'])\n",
            ["build ninja <- ops.py:2", "apt build-essential: ops.py compiles code"],
        ),
        (
            "import torch.utils.cpp_extension\ndef get():\n    return torch.utils.cpp_extension.load(name='x')\n",
            ["build ninja <- ops.py:3", "apt build-essential: ops.py compiles code"],
        ),
        (
            "from torch.utils import cpp_extension as ext\next.load_inline('x')\next.load('y')\n",
            ["build ninja <- ops.py:2", "apt build-essential: ops.py compiles code"],
        ),
        (
            "import pyximport\npyximport.install()\n",
            ["build cython <- ops.py:1", "apt build-essential: ops.py compiles Cython code"],
        ),
        ("import torch\ntorch.load('x')  # not cpp_extension\n", []),
    ],
)
def test_modules_that_compile_later(text: str, needs: list[str], tmp_path: Path) -> None:
    reader = build_needs.CompiledLater()
    for module in code.modules(tree(tmp_path, {"ops.py": text, "tests/ops.py": text}), code.Unread()):
        reader.look(module)
    assert [line for line in shown(reader.found()) if not line.startswith("other")] == needs
    assert bool(reader.found().others) is any("ninja" in line for line in needs)


JIT = """
def build_op():
    from torch.utils.cpp_extension import CppExtension
    return CppExtension(name="x", sources=["pkg/a.cpp"])
def jit_load():
    from torch.utils.cpp_extension import load
    return load(name="x", sources=["pkg/a.cpp"])
"""
TAKES_IT = """
from setuptools import setup
from torch.utils import cpp_extension
from pkg.ops import build_op
setup(ext_modules=[build_op()], cmdclass={"build_ext": cpp_extension.BuildExtension})
"""
OWN = TAKES_IT.replace("build_op()]", "build_op(), cpp_extension.CppExtension('y', ['y.cpp'])]")
LOADS_ANOTHER = "from torch.utils.cpp_extension import load\nload(name='z', sources=['z.cpp'])\n"


@pytest.mark.parametrize(
    ("setup", "ops", "asked"), [(TAKES_IT, JIT, False), (OWN, JIT, True), (TAKES_IT, LOADS_ANOTHER, True)]
)
def test_what_compiles_itself_is_not_asked_about(setup: str, ops: str, asked: bool, tmp_path: Path) -> None:
    found = reading.code(tree(tmp_path, {"setup.py": setup, "pkg/ops.py": ops, "pkg/a.cpp": ""})).says
    assert any("compiled by hand" in one.what for one in found.questions) is asked
    assert "ninja" in {one.name for one in found.build}
    assert "build-essential" in {one.name for one in found.system}
