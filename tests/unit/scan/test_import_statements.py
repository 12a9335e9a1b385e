"""Which imports a file holds, and how firmly it means them."""

from __future__ import annotations

import ast
import sys
from textwrap import dedent

import pytest

from kobako.scan.code.import_statements import seen
from kobako.scan.code.modules import Module


def kinds(text: str) -> list[tuple[str, str]]:
    text = dedent(text)
    found = seen(Module("x.py", text, ast.parse(text)))
    return sorted(("." * one.level + one.module, one.kind) for one in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("important = 'import'\n", []),
        ("import numpy as np, torch.nn as nn", [("numpy", "import"), ("torch.nn", "import")]),
        ("x = 1; import yaml", [("yaml", "import")]),
        ("from mmcv.ops import (\n    nms,\n    RoIAlign,\n)\n", [("mmcv.ops", "import")]),
        ("from \\\n    einops \\\n    import rearrange", [("einops", "import")]),
        ("from . import ops\nfrom ..core.box import iou", [(".", "import"), ("..core.box", "import")]),
        ("class Model:\n    import timm\n", [("timm", "import")]),
        ("for _ in range(2):\n    import timm\nelse:\n    import av\n", [("av", "import"), ("timm", "import")]),
        ("def plot():\n    import seaborn\n", [("seaborn", "function")]),
        ("class A:\n    async def f(self):\n        if self:\n            import aiohttp\n", [("aiohttp", "function")]),
        ("if TYPE_CHECKING:\n    import jax\n", [("jax", "condition")]),
        (
            "if find_spec('apex'):\n    import apex\nelif x:\n    import y\n",
            [("apex", "condition"), ("y", "condition")],
        ),
        ("if a:\n    pass\nelse:\n    import flax\n", [("flax", "condition")]),
        ("with suppress(ImportError):\n    import wandb\n", [("wandb", "try")]),
        ("with try_import() as found:\n    import lap\n", [("lap", "try")]),
        ("with warnings.catch_warnings():\n    import gym\n", [("gym", "import")]),
        ("match x:\n    case 1:\n        import orjson\n", [("orjson", "condition")]),
        ("import a\rimport b\rif c:\r    import d\r", [("a", "import"), ("b", "import"), ("d", "condition")]),
        ("import a\r\nif c:\r\n    import d\r\n", [("a", "import"), ("d", "condition")]),
    ],
)
def test_where_it_stands_decides(text: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(text) == expected


@pytest.mark.parametrize(
    ("handlers", "kind"),
    [
        ("except ImportError:\n    lvis = None", "try"),
        ("except (KeyError, ModuleNotFoundError):\n    lvis = None", "try"),
        ("except builtins.ImportError:\n    pass", "try"),
        ("except Exception:\n    pass", "try"),
        ("except:\n    pass", "try"),
        ("except ImportError as error:\n    print('pip install lvis')\n    raise RuntimeError from error", "import"),
        ("except ValueError:\n    pass", "import"),
        ("finally:\n    done()", "import"),
    ],
)
def test_what_happens_when_it_is_missing_decides(handlers: str, kind: str) -> None:
    assert kinds(f"try:\n    import lvis\n{handlers}\n") == [("lvis", kind)]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the grammar of Python 3.11")
def test_a_try_with_groups() -> None:
    assert kinds("try:\n    import lvis\nexcept* ImportError:\n    pass\n") == [("lvis", "try")]


def test_what_replaces_a_missing_module_is_optional_too() -> None:
    text = """
        try:
            import ujson as json
        except ImportError:
            import simplejson as json
        else:
            import orjson
        finally:
            import six
    """
    assert kinds(text) == [("orjson", "try"), ("simplejson", "try"), ("six", "import"), ("ujson", "try")]


def test_what_every_branch_imports_is_sure() -> None:
    text = """
        if in_notebook():
            from tqdm import tqdm_notebook as bar
            import ipywidgets
        else:
            from tqdm import tqdm as bar
    """
    assert kinds(text) == [("ipywidgets", "condition"), ("tqdm", "import"), ("tqdm", "import")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m = importlib.import_module('mmcls.models')", [("mmcls.models", "dynamic")]),
        ('m = __import__("horovod")', [("horovod", "dynamic")]),
        ("m = import_module(name)\nn = import_module('.x', 'y')\n__import__(1)\n__import__()\n", []),
        ("m = import_module('not a name')", []),
        (
            "custom_imports = dict(imports=['mmcls.models', 'my.ops'])",
            [("mmcls.models", "config"), ("my.ops", "config")],
        ),
        ("custom_imports = {'imports': ['projects.x'], 'allow_failed_imports': False}", [("projects.x", "config")]),
        ("if custom_imports:\n    pass\nx = custom_imports", []),
    ],
)
def test_names_in_calls_and_configurations(text: str, expected: list[tuple[str, str]]) -> None:
    found = [one for one in kinds(text) if one[0] != "allow_failed_imports"]
    assert [one for one in found if one[1] != "import"] == expected


def test_a_finding_knows_its_line_and_what_is_taken() -> None:
    text = "# comment\n\nfrom google.cloud import storage, bigquery as bq\n"
    (one,) = seen(Module("x.py", text, ast.parse(text)))
    assert (one.line, one.text, one.names) == (3, text.splitlines()[2], ("storage", "bigquery"))


def test_a_long_line_is_cut() -> None:
    text = f"import numpy  # {'x' * 5000}"
    (one,) = seen(Module("x.py", text, ast.parse(text)))
    assert one.text.startswith("import numpy")
    assert len(one.text) <= 200
