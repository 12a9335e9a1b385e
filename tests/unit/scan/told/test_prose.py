"""Sentences, bullets, tables and badges, in three languages: the version that they ask for, or nothing."""

from __future__ import annotations

import pytest

from kobako.scan.told.blocks import blocks_of
from kobako.scan.told.prose import bounds_of


def told(text: str) -> dict[str, str]:
    found = bounds_of("README.md", blocks_of(text))
    every = {"python": found.python, "torch": found.torch, "cuda": found.cuda}
    assert all(len(bounds) <= 1 for bounds in every.values())
    assert all(not bound.firm for bounds in every.values() for bound in bounds)
    return {name: bounds[0].specifier for name, bounds in every.items() if bounds}


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("Python 3.6+", {"python": ">=3.6"}),
        ("- Python >= 3.7 (we suggest Anaconda)", {"python": ">=3.7"}),
        ("* Python ≥ 3.6 on Linux", {"python": ">=3.6"}),
        ("- **python** &gt;= 3.8", {"python": ">=3.8"}),
        ("SpamNet needs `python>=3.6,<3.10`.", {"python": ">=3.6,<3.10"}),
        ("Python version 3.7 or above is required", {"python": ">=3.7"}),
        ("requires Python 3.6.1 or later", {"python": ">=3.6.1"}),
        ("For CUDA 10.2 run the other command", {}),
        ("Requirements: Python at least 3.9", {"python": ">=3.9"}),
        ("The code was tested on Python 3.6, 3.7 and 3.8.", {"python": ">=3.6,<3.9"}),
        ("We support Python 3.6-3.8", {"python": ">=3.6,<3.9"}),
        ("requires Python 3.6 to 3.9.", {"python": ">=3.6,<3.10"}),
        ("Requires Python (3.7, 3.8 or 3.9)", {"python": ">=3.7,<3.10"}),
        ("supports Python 2.7 and 3.6", {"python": "==3.6.*"}),
        ("Python 3", {}),
        ("Python 2 is not supported", {}),
        ("Python 3.12 is not yet supported", {}),
        ("It asks for **Python 3.7+**. Python 3.12 is not supported, as PyTorch lacks it.", {"python": ">=3.7"}),
        ("We drop support for Python 3.6", {}),
        ("fixed a crash with Python 3.10 and PyTorch 1.12", {}),
        ("see ubuntu/python3.10/pip for the log", {}),
        ("- [PyTorch >= 1.7](https://pytorch.org/)", {"torch": ">=1.7"}),
        ("- [PyTorch](https://pytorch.org) 1.3+", {"torch": ">=1.3"}),
        ("- PyTorch ≥ 1.8 and [torchvision](https://example.org/v0.9/) that matches", {"torch": ">=1.8"}),
        ("pytorch (>=1.8.1), torchvision (>=0.9.1)", {"torch": ">=1.8.1"}),
        ("the main branch works with **PyTorch 1.5+**.", {"torch": ">=1.5"}),
        ("We use torch 1.10.1 for all experiments", {"torch": "==1.10.*"}),
        ("PyTorch 1.10", {"torch": "==1.10.*"}),
        ("the PyTorch 1.10 tutorial inspired this page", {}),
        ("torchvision 0.9 is needed", {}),
        ("CUDA 9.2+", {"cuda": ">=9.2"}),
        ("CUDA 10.2 or later is needed", {"cuda": ">=10.2"}),
        ("needs the CUDA toolkit 11.3", {"cuda": "==11.3.*"}),
        ("CUDA 11 is required", {"cuda": "==11.*"}),
        ("CUDA cores: 8192", {}),
        ("Tested with PyTorch 1.7.1 and CUDA 11.0 on Ubuntu", {"torch": "==1.7.*", "cuda": "==11.0.*"}),
        (
            "We test with ```python=3.7.3,pytorch=1.9.0,cuda=11.1```, others may work.",
            {"python": "==3.7.*", "torch": "==1.9.*", "cuda": "==11.1.*"},
        ),
        ("Linux, Python 3.6+, CUDA>=9.2, GCC>=5.4", {"python": ">=3.6", "cuda": ">=9.2"}),
        ("Python 3.8以上、PyTorch 1.7 以降、CUDA 10.1及以上", {"python": ">=3.8", "torch": ">=1.7", "cuda": ">=10.1"}),
        ("- Python 3(3.6.2+/3.7/3.8)，64位版本", {"python": ">=3.6.2"}),
        ("動作確認環境: Python 3.9、PyTorch 1.12.1", {"python": "==3.9.*", "torch": "==1.12.*"}),
        ("测试环境为 Python 3.7 和 CUDA 10.2", {"python": "==3.7.*", "cuda": "==10.2.*"}),
        ("不支持 Python 3.6", {}),
        ("| Python | 3.7 |", {"python": "==3.7.*"}),
        ("| PyTorch | >= 1.8 |", {"torch": ">=1.8"}),
        ("![](https://img.shields.io/badge/python-3.7+-blue.svg)", {"python": ">=3.7"}),
        ("![](https://img.shields.io/badge/Python-3.7%20%7C%203.8%20|%203.9-blue)", {"python": ">=3.7,<3.10"}),
        ("<img src='https://img.shields.io/badge/PyTorch-%3E%3D1.8-ee4c2c?logo=x'>", {"torch": ">=1.8"}),
        ("![](https://img.shields.io/badge/pytorch-1.6~2.1-yellow)", {"torch": ">=1.6,<2.2"}),
        ("![](https://img.shields.io/static/v1?label=python&message=3.8%2B&color=blue)", {"python": ">=3.8"}),
        ("![](https://img.shields.io/badge/license-Apache--2.0-blue)", {}),
    ],
)
def test_what_a_line_asks_for(text: str, bounds: dict[str, str]) -> None:
    assert told(text) == bounds


@pytest.mark.parametrize(
    "heading",
    [
        "Change log",
        "What's New",
        "News",
        "Citation",
        "Model Zoo",
        "Results on COCO",
        "FAQ",
        "更新日志",
        "Acknowledgement",
        "Docker",
    ],
)
def test_news_results_and_citations_tell_no_versions(heading: str) -> None:
    assert told(f"# SpamNet\n\n## {heading}\n\n- it requires PyTorch 1.9 and Python 3.8+\n") == {}


def test_the_place_where_requirements_are_told_wins_and_ranges_win_over_releases() -> None:
    text = """
# SpamNet
We run PyTorch 1.4 in our experiments, and it works with PyTorch 1.2+.

## Installation
- it was developed with PyTorch 1.6
- PyTorch 1.5 or higher is needed
- CUDA 10.1 was used
"""
    assert told(text) == {"torch": ">=1.5", "cuda": "==10.1.*"}


def test_the_evidence_is_the_line() -> None:
    (bound,) = bounds_of("docs/install.md", blocks_of("# A\n\ntext\n\nPython 3.6+ is needed\n")).python
    assert [(one.file, one.line, one.text) for one in bound.findings] == [
        ("docs/install.md", 5, "Python 3.6+ is needed")
    ]
