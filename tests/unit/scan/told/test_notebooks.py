"""Notebooks: installs in cells, the kernel's Python, and their code for those who read imports."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest

from kobako.scan.told import notebooks
from unit.scan.told.conftest import Plant


def notebook(*cells: str | list[str], version: str = "3.8.5", **metadata: Any) -> str:
    """As Jupyter writes it: one line of the file for each line of source."""
    made = [
        {
            "cell_type": "code",
            "source": (one if isinstance(one, list) else one.splitlines(keepends=True)),
            "outputs": [],
        }
        for one in cells
    ]
    return json.dumps(
        {
            "cells": made,
            "metadata": {"language_info": {"name": "python", "version": version}, **metadata},
            "nbformat": 4,
        },
        indent=1,
    )


def test_installs_in_cells(plant: Plant) -> None:
    text = notebook(
        "import torch\n!pip install -q kornia>=0.6 \\\n   lpips\n",
        "%pip install einops\n%matplotlib inline\n",
        "%%bash\npip install bacon\napt install ffmpeg\n",
        "!apt-get install -y libgl1\n!ls\nx = 1  # pip install no\n",
        "%conda install pytorch=1.10\n",
        "pip = 'pip install no'\nprint('!pip install no')\n",
    )
    found = notebooks.read(plant({"a/play.ipynb": text}))
    assert found is not None
    lines = text.split("\n")

    def line(part: str) -> str:
        return f"a/play.ipynb:{next(number for number, one in enumerate(lines, 1) if part in one)}"

    assert [(str(one), str(one.findings[0])) for one in found.requirements] == [
        ("kornia>=0.6", line("kornia")),
        ("lpips", line("kornia")),
        ("einops", line("einops")),
        ("bacon", line("bacon")),
        ("torch==1.10.*", line("pytorch=1.10")),
    ]
    assert not any(one.optional for one in found.requirements)  # there is no other code
    assert [(one.name, str(one.findings[0])) for one in found.system] == [
        ("ffmpeg", line("ffmpeg")),
        ("libgl1", line("libgl1")),
    ]
    assert [(one.specifier, one.firm, str(one.findings[0])) for one in found.python] == [
        ("==3.8.*", False, line('"3.8.5"'))
    ]
    assert [one.specifier for one in found.torch] == ["==1.10.*"]


def test_beside_a_package_they_are_weak(plant: Plant) -> None:
    found = notebooks.read(plant({"x.ipynb": notebook("!pip install bacon"), "spam/net.py": ""}))
    assert found is not None
    assert [(one.name, one.optional) for one in found.requirements] == [("bacon", True)]


def test_kernels_are_one_range_and_colab_s_is_none(plant: Plant) -> None:
    files = {
        "a.ipynb": notebook("x"),
        "b.ipynb": notebook("x", version="3.10.1"),
        "c.ipynb": notebook("x", version="3.12.0", colab={"name": "c"}),
        "d.ipynb": notebook("x", version="2.7.1"),
    }
    found = notebooks.read(plant(files))
    assert found is not None
    assert [one.specifier for one in found.python] == [">=3.8,<3.11"]


CELLS = (
    "import torch\n!pip install x \\\n   y\nfor name in names:\n    !echo {name}\n",
    "%%bash\nimport nothing\n",
    "%%time\nfiles = !ls *.jpg\nimport numpy as np\n",
    "torch.nn?\n?np\n# is this a question?\nfrom PIL import (\n    Image,\n)\n",
)


def test_code_is_python_and_leads_back_to_its_lines(plant: Plant) -> None:
    text = notebook(*CELLS)
    (code,) = notebooks.code(plant({"a.ipynb": text}))
    lines = text.split("\n")
    found = {}
    for node in ast.walk(ast.parse(code.text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found[ast.unparse(node)] = lines[code.line_of(node.lineno) - 1].strip().strip(",")
    assert code.name == "a.ipynb"
    assert found == {
        "import torch": '"import torch\\n"',
        "import numpy as np": '"import numpy as np\\n"',
        "from PIL import Image": '"from PIL import (\\n"',
    }


@pytest.mark.parametrize(
    "text",
    ["", "[", "[" * 100_000, "1", "{}", '{"cells": 3}', '{"cells": [1, {"cell_type": "code"}, {"cell_type": "code", "source": [1, null]}]}', '{"cells": [], "metadata": []}', '{"metadata": {"language_info": {"version": 3}}}'],
)  # fmt: skip
def test_what_is_no_notebook(plant: Plant, text: str) -> None:
    tree = plant({"a.ipynb": text})
    found = notebooks.read(tree)
    assert found is None or not (found.requirements or found.python)
    assert all(not one.text.strip() for one in notebooks.code(tree))


def test_other_ways_to_write_a_notebook(plant: Plant) -> None:
    whole = json.dumps({"cells": [{"cell_type": "code", "source": "!pip install bacon\nx"}]})
    older = json.dumps({"worksheets": [{"cells": [{"cell_type": "code", "input": ["!pip install eggs"]}]}]}, indent=1)
    escaped = notebook("!pip install ham").replace("pip", "\\u0070ip")
    found = notebooks.read(plant({"a.ipynb": whole, "b.ipynb": older, "c.ipynb": escaped}))
    assert found is not None
    assert [(one.name, str(one.findings[0])) for one in found.requirements] == [
        ("bacon", "a.ipynb:1"),
        ("eggs", "b.ipynb:8"),
        ("ham", "c.ipynb:1"),
    ]


def test_bounds_on_size_and_number(plant: Plant) -> None:
    large = notebook("!pip install bacon") + " " * notebooks.LARGEST
    assert notebooks.read(plant({"a.ipynb": large})) is None
    many = plant({f"{number:03}.ipynb": notebook("x = 1") for number in range(notebooks.MOST_FILES + 5)}, "many")
    assert len(list(notebooks.code(many))) == notebooks.MOST_FILES
