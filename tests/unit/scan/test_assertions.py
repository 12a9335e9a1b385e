"""Versions that the code itself insists on."""

from __future__ import annotations

import ast
import textwrap

import pytest

from kobako.scan.code.assertions import Assertions
from kobako.scan.code.modules import Module
from kobako.scan.declaring.declared import Declared


def read(files: dict[str, str]) -> Declared:
    reader = Assertions()
    for name, text in files.items():
        plain = textwrap.dedent(text)
        reader.look(Module(name, plain, ast.parse(plain)))
    return reader.found()


def shown(found: Declared) -> list[str]:
    lists = {"python": found.python, "torch": found.torch, "cuda": found.cuda}
    told = [f"{what} {one.specifier}{'' if one.firm else ' (wish)'}" for what, ones in lists.items() for one in ones]
    told += [str(one) for ones in found.bounds.values() for one in ones]
    return told + [f"other {one.what}" for one in found.others]


OPENMMLAB_1 = """
    import mmcv
    from .version import __version__, short_version

    def digit_version(version_str):
        digits = []
        for x in version_str.split('.'):
            digits.append(int(x))
        return digits

    mmcv_minimum_version = '1.3.17'
    mmcv_maximum_version = '1.6.0'
    mmcv_version = digit_version(mmcv.__version__)

    assert (mmcv_version >= digit_version(mmcv_minimum_version)
            and mmcv_version <= digit_version(mmcv_maximum_version)), \\
        f'MMCV=={mmcv.__version__} is used but incompatible.'
"""
OPENMMLAB_2 = """
    import mmcv
    import mmengine
    from mmengine.utils import digit_version

    MMCV_MIN = '2.0.0rc4'
    MMCV_MAX = '2.2.0'
    mmcv_min_version = digit_version(MMCV_MIN)
    mmcv_max_version = digit_version(MMCV_MAX)
    mmcv_version = digit_version(mmcv.__version__)
    assert (mmcv_min_version <= mmcv_version < mmcv_max_version)
    mmengine_minimum_version = '0.7.1'
    mmengine_maximum_version = '1.0.0'
    assert (digit_version(mmengine.__version__) >= digit_version(mmengine_minimum_version)
            and digit_version(mmengine.__version__) < digit_version(mmengine_maximum_version))
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(OPENMMLAB_1, ["mmcv>=1.3.17,<=1.6.0"], id="openmmlab, both ends included"),
        pytest.param(OPENMMLAB_2, ["mmcv>=2.0.0rc4,<2.2.0", "mmengine>=0.7.1,<1.0.0"], id="openmmlab, chained"),
        pytest.param(
            """
            import cool
            cool_minimum_version = '0.4'
            cool_maximum_version = '0.9'
            assert within(cool.__version__, cool_minimum_version, cool_maximum_version)
            """,
            ["cool>=0.4", "cool<=0.9"],
            id="limits that are handed to a check",
        ),
        pytest.param(
            "import torch\nfrom packaging import version\n"
            "assert version.parse(torch.__version__) >= version.parse('1.8'), 'too old'\n",
            ["torch >=1.8"],
            id="packaging",
        ),
        pytest.param(
            "import torch\ntorch_ver = [int(x) for x in torch.__version__.split('.')[:2]]\n"
            "assert torch_ver >= [1, 8], 'Requires PyTorch >= 1.8'\n",
            ["torch >=1.8"],
            id="a list of numbers",
        ),
        pytest.param(
            "from mmcv.utils import TORCH_VERSION\nassert TORCH_VERSION >= (1, 8)\n", ["torch >=1.8"], id="name"
        ),
        pytest.param(
            "import torch\nassert torch.__version__.startswith('1.10')\n", ["torch ==1.10.*"], id="the beginning of it"
        ),
        pytest.param("import torch\nassert torch.__version__[:3] > '1.4'\n", ["torch >=1.5"], id="a slice of it"),
        pytest.param("import torch\nassert float(torch.__version__[:3]) >= 1.4\n", ["torch >=1.4"], id="as a number"),
        pytest.param(
            "import torch\nassert torch.__version__ == '1.7.1+cu110'\n", ["torch ==1.7.1"], id="local version"
        ),
        pytest.param("import torch\nassert torch.version.cuda >= '10.2'\n", ["cuda >=10.2"], id="CUDA"),
        pytest.param(
            "import torch\nif torch.__version__ < '1.6':\n    raise RuntimeError('old')\n",
            ["torch >=1.6"],
            id="if, raise",
        ),
        pytest.param(
            "import torch, warnings\nif torch.__version__ >= '2.0':\n    warnings.warn('not tried')\n",
            ["torch <2.0 (wish)"],
            id="if, warn",
        ),
        pytest.param(
            "import scipy, warnings\nif scipy.__version__ < '1.2':\n    warnings.warn('old')\n",
            ["other scipy>=1.2"],
            id="a warning about a package",
        ),
        pytest.param(
            "import torch\nif torch.__version__ >= '1.6':\n    from torch.cuda import amp\nelse:\n    raise ImportError\n",
            ["torch >=1.6"],
            id="else, raise",
        ),
        pytest.param(
            "import torch\nif torch.__version__ >= '1.6':\n    from torch import fft\nelse:\n    from old import fft\n",
            [],
            id="old and new interface",
        ),
        pytest.param("import sys\nif sys.version_info < (3, 7):\n    sys.exit('no')\n", ["python >=3.7"], id="python"),
        pytest.param("import sys\nassert sys.version_info > (3, 6)\n", ["python >=3.6"], id="longer tuple is greater"),
        pytest.param("import sys\nassert sys.version_info[:2] > (3, 6)\n", ["python >=3.7"], id="cut to two"),
        pytest.param("import sys\nassert sys.version_info[:2] <= (3, 9)\n", ["python <3.10"], id="cut to two, below"),
        pytest.param("import sys\nassert sys.version_info[:2] == (3, 8)\n", ["python ==3.8.*"], id="cut to two, equal"),
        pytest.param(
            "import sys\nif sys.version_info[0] < 3 or sys.version_info[1] < 8:\n    raise SystemError\n",
            ["python >=3.8"],
            id="major and minor apart",
        ),
        pytest.param(
            "import sys\nassert sys.version_info.major == 3 and sys.version_info.minor >= 9\n",
            ["python >=3.9"],
            id="major and minor by name",
        ),
        pytest.param(
            "import sys\nassert (sys.version_info.major, sys.version_info.minor) >= (3, 8)\n",
            ["python >=3.8"],
            id="pair",
        ),
        pytest.param(
            "import sys\nassert sys.version_info >= (3,)\nassert sys.version_info[0] == 3\n", [], id="no Python 2"
        ),
        pytest.param("import sys\nif sys.version_info >= (3, 11):\n    from typing import Self\n", [], id="a branch"),
        pytest.param(
            "import platform\nassert platform.python_version() >= '3.8'\n", ["python >=3.8"], id="platform's text"
        ),
        pytest.param(
            "from transformers.utils.versions import require_version\n"
            "require_version('datasets>=1.8.0', 'pip install -r requirements.txt')\n"
            "require_version('torch>=1.9')\nrequire_version('python>=3.8')\n",
            ["python >=3.8", "torch >=1.9", "datasets>=1.8.0"],
            id="require_version",
        ),
        pytest.param(
            "from diffusers.utils import check_min_version\ncheck_min_version('0.28.0')\n",
            ["diffusers>=0.28.0"],
            id="check_min_version",
        ),
        pytest.param(
            "import pkg_resources as p\np.require(['a>=1', 'b'])\np.require('c==2')\n",
            ["a>=1", "c==2"],
            id="pkg_resources",
        ),
        pytest.param(
            "from importlib.metadata import version\nfrom packaging.version import Version as V\n"
            "assert V(version('pytorch-lightning')) >= V('1.6')\n",
            ["pytorch-lightning>=1.6"],
            id="metadata of a distribution",
        ),
        pytest.param(
            "import cv2\nassert cv2.__version__ >= '4'\n", ["opencv-python>=4"], id="distribution by import name"
        ),
        pytest.param(
            "from accelerate.utils import is_torch_version\nassert is_torch_version('>=', '1.10')\n",
            ["torch >=1.10"],
            id="is_torch_version",
        ),
        pytest.param("import torch\nassert torch.__version__ >= '1.6' or cpu\n", [], id="one of two would do"),
        pytest.param(
            "import torch\nassert cpu and torch.__version__ >= '1.6'\n", ["torch >=1.6"], id="both have to be"
        ),
        pytest.param("import torch\nassert not torch.__version__ < '1.6'\n", ["torch >=1.6"], id="not"),
    ],
)
def test_what_a_module_insists_on(text: str, said: list[str]) -> None:
    assert shown(read({"pkg/__init__.py": text})) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def feature():\n    assert torch.__version__ >= '2.0'\n", []),
        ("def check():\n    assert torch.__version__ >= '1.9'\ncheck()\n", ["torch >=1.9"]),
        ("def check():\n    assert torch.__version__ >= '1.9'\ndef main():\n    check()\n", []),
        (
            (
                "def check():\n    assert torch.__version__ >= '1.9'\n"
                "def main():\n    check()\nif __name__ == '__main__':\n    main()\n"
            ),
            ["torch >=1.9"],
        ),
        ("def main(args):\n    if args.amp:\n        assert torch.__version__ >= '1.6'\nmain(1)\n", []),
        ("class A:\n    def f(self):\n        assert torch.__version__ >= '2.0'\n", []),
        ("try:\n    assert torch.__version__ >= '1.6'\nexcept AssertionError:\n    amp = None\n", []),
        (
            "try:\n    assert torch.__version__ >= '1.6'\nexcept AssertionError:\n    raise SystemExit\n",
            ["torch >=1.6"],
        ),
    ],
)
def test_only_what_is_always_reached_counts(text: str, said: list[str]) -> None:
    assert shown(read({"train.py": f"import torch\n{text}"})) == said


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("train.py", True),
        ("setup.py", True),
        ("pkg/utils/check.py", True),
        ("tests/test_it.py", False),
        ("tools/deployment/pytorch2onnx.py", False),
        ("tools/export_onnx.py", False),
        ("docs/conf.py", False),
        ("examples/run_glue.py", False),
    ],
)
def test_which_files_speak_for_the_repository(name: str, *, counts: bool) -> None:
    assert bool(shown(read({name: "import torch\nassert torch.__version__ >= '1.8'\n"}))) is counts


def test_the_evidence_is_the_line() -> None:
    found = read(
        {
            "a.py": "import torch\n\nassert torch.__version__ >= '1.8', 'x'\n",
            "b.py": "import torch\nassert torch.__version__ >= '1.8'\n",
        }
    )
    (bound,) = found.torch
    assert [(one.file, one.line, one.text) for one in bound.findings] == [
        ("a.py", 3, "assert torch.__version__ >= '1.8', 'x'"),
        ("b.py", 2, "assert torch.__version__ >= '1.8'"),
    ]


def test_a_repository_does_not_bound_itself() -> None:
    text = "from diffusers.utils import check_min_version\ncheck_min_version('0.28.0.dev0')\n"
    assert shown(read({"train.py": text})) == ["diffusers>=0.28.0.dev0"]
    assert shown(read({"src/diffusers/__init__.py": "", "train.py": text})) == []


def test_code_that_nobody_writes() -> None:
    deep = "assert " + "not " * 80 + "torch.__version__ >= '1'\n"
    chain = "import torch\nassert torch" + ".a" * 900 + ".__version__ >= '1'\n"
    assert shown(
        read(
            {
                "a.py": f"import torch\n{deep}",
                "b.py": chain,
                "c.py": "import torch\nV = V\nassert V >= '1'  # __version__\n",
            }
        )
    ) == [
        "torch >=1",
    ]
