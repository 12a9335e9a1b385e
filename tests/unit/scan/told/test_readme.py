"""READMEs and pages on installing, after the manner of real ones."""

from __future__ import annotations

import pytest

from kobako.scan.declaring.declared import Declared
from kobako.scan.told import readme
from kobako.scan.tree import Tree
from unit.scan.told.conftest import Plant


def read(tree: Tree) -> Declared:
    found = readme.read(tree)
    assert found is not None
    assert not found.problems
    return found


def needed(found: Declared) -> list[str]:
    return [str(one) for one in found.requirements if not one.optional]


def optional(found: Declared) -> list[str]:
    return [str(one) for one in found.requirements if one.optional]


def specifiers(found: Declared) -> dict[str, list[str]]:
    every = {"python": found.python, "torch": found.torch, "cuda": found.cuda}
    return {name: [one.specifier for one in bounds] for name, bounds in every.items() if bounds}


DETECTOR = """\
# SpamDet: detection in an afternoon

![](https://img.shields.io/badge/license-MIT-blue)

## News
- 2021.7: works with PyTorch 1.9

## Quick Start

<details>
<summary>Installation</summary>

Step 1. Install SpamDet.
```shell
git clone git@github.com:eggs/SpamDet.git
cd SpamDet
pip3 install -U pip && pip3 install -r requirements.txt
pip3 install -v -e .  # or  python3 setup.py develop
```
Step 2. Install the COCO tools.
```shell
pip3 install cython; pip3 install 'git+https://github.com/cocodataset/cocoapi.git#subdirectory=PythonAPI'
```
Step 3. Install [apex](https://github.com/NVIDIA/apex).
```shell
# skip this step if you do not train
git clone https://github.com/NVIDIA/apex
cd apex
pip3 install -v --global-option="--cpp_ext" ./
```
</details>

<details>
<summary>Demo</summary>

```shell
pip install gradio
```
</details>

## Deployment
```shell
pip install onnx==1.8.1 onnx-simplifier==0.3.5
```
"""


def test_a_detector_s_readme(plant: Plant) -> None:
    found = read(plant({"README.md": DETECTOR}, "SpamDet"))
    assert needed(found) == ["cython", "pycocotools", "apex @ git+https://github.com/NVIDIA/apex"]
    assert optional(found) == []
    assert specifiers(found) == {}
    assert [(one.what, one.why.partition(":")[0]) for one in found.others] == [
        ("pip", "a tool that installs"),
        ("requirements.txt", "a file that is named; it speaks for itself"),
        (
            "pip3 install -v -e . # or python3 setup.py develop",
            "the repository itself, which is mounted into the container",
        ),
        ("pip install gradio", "told for a demo"),
        ("pip install onnx==1.8.1 onnx-simplifier==0.3.5", "told for deployment"),
    ]


PAGE = """\
# Prerequisites

SpamLab works on Linux and macOS. It requires Python 3.7+, CUDA 9.2+ and PyTorch 1.6+.

```shell
conda create --name spamlab python=3.8 -y
conda activate spamlab
```

On GPU platforms:

```shell
conda install pytorch torchvision -c pytorch
```

On CPU platforms:

```shell
conda install pytorch torchvision cpuonly -c pytorch
```

# Installation

```shell
pip install -U openmim
mim install "mmcv>=2.0.0"
```

Case a: from source

```shell
git clone https://github.com/eggs/spamlab.git
cd spamlab
pip install -v -e .
# "-v" means more output
```

Case b: with pip

```shell
pip install "spamlab>=1.0"
```

### Without mim

For example:

```shell
pip install "mmcv==2.0.1" -f https://example.org/mmcv/dist/cu116/torch1.13/index.html
```

### On Google Colab

```shell
!pip3 install onlycolab
```

### With Docker

```shell
docker build -t spamlab docker/
```
"""


def test_a_page_on_getting_started(plant: Plant) -> None:
    found = read(
        plant(
            {"docs/en/get_started.md": PAGE, "setup.py": "setup(name='spamlab')", "spamlab/__init__.py": ""}, "checkout"
        )
    )
    assert needed(found) == ["torch", "torchvision", "mmcv>=2.0.0", "mmcv==2.0.1"]
    assert specifiers(found) == {
        "python": [">=3.7", "==3.8.*"],
        "torch": [">=1.6", "==1.13.*"],
        "cuda": [">=9.2", "==11.6.*"],
    }
    assert [str(one.findings[0]) for one in found.requirements] == [
        f"docs/en/get_started.md:{line}" for line in (13, 13, 26, 49)
    ]


def test_alternatives_for_several_versions_are_spread(plant: Plant) -> None:
    text = """\
    # Spam
    ## Installation
    CUDA 11.3
    ```
    pip install spam -f https://example.org/spam/wheels/cu113/torch1.10/index.html
    ```
    CUDA 10.2
    ```
    pip install spam -f https://example.org/spam/wheels/cu102/torch1.8/index.html
    ```
    """
    found = read(plant({"README.md": text}, "spam"))
    assert specifiers(found) == {"torch": [">=1.8,<1.11"], "cuda": [">=10.2,<11.4"] * 2}
    assert [[one.line for one in bound.findings] for bound in found.cuda] == [[3, 7], [5, 9]]


def test_a_readme_alone_with_a_list_of_packages(plant: Plant) -> None:
    text = """\
    # Tiny radiance fields

    ## Requirements
    - Linux, CUDA 10.1
    - Python 3.7
    - PyTorch 1.4
    - matplotlib
    - numpy >= 1.16
    - [OpenCV](https://example.org) 4.5.3
    * scikit-learn, tqdm and Pillow
    - `yacs==0.1.8`
    - tensorboardX (optional)
    - GCC 5+
    - unheardofpackage 1.2
    - A GPU with 8 GB

    ## Results
    - numpy 1.0
    """
    found = read(plant({"README.md": text}))
    assert needed(found) == [
        *("torch==1.4.*", "matplotlib", "numpy>=1.16", "opencv-python==4.5.*", "scikit-learn", "tqdm", "pillow"),
        "yacs==0.1.8",
    ]
    assert specifiers(found) == {"python": ["==3.7.*"], "torch": ["==1.4.*"], "cuda": ["==10.1.*"]}
    assert [str(one) for one in found.questions] == [
        "README.md:14: `unheardofpackage` is listed among what is needed; no table tells which package that is"
    ]


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        *(
            (one, "needed")
            for one in ("Installation", "Setup", "Requirements", "Getting Started", "安装", "環境構築", "インストール")
        ),
        *((one, "optional") for one in ("Evaluation", "Training tips", "Optional dependencies", "Prepare datasets")),
        *(
            (one, "other")
            for one in ("Development", "Contributing", "Testing", "Documentation", "Docker", "Install on Windows")
        ),
        *((one, "other") for one in ("macOS", "Deployment", "Export to ONNX", "TensorRT", "Demo", "CPU only", "部署")),
    ],
)
def test_the_heading_decides(plant: Plant, heading: str, kind: str) -> None:
    text = f"# Spam\n\n## How to install\n\nSee below.\n\n## {heading}\n\n```\npip install bacon\n```\n"
    found = read(plant({"README.md": text}))
    told = {"needed": needed(found), "optional": optional(found), "other": [one.what for one in found.others]}
    assert told == {
        name: [] if name != kind else ["pip install bacon" if kind == "other" else "bacon"] for name in told
    }


def test_the_title_is_no_heading(plant: Plant) -> None:
    text = "# Docker demo deployment\n\n```\npip install bacon\n```\n\nIt runs with Python 3.8+.\n"
    found = read(plant({"README.md": text}))
    assert (needed(found), specifiers(found)) == (["bacon"], {"python": [">=3.8"]})


@pytest.mark.parametrize(
    ("lead", "kind"),
    [
        ("Install these:", "needed"),
        ("If you want to log to the cloud, install this as well:", "optional"),
        ("Optionally:", "optional"),
        ("On Windows, use", "other"),
        ("For development:", "other"),
        (
            "We also support bacon. If necessary follow its [guide](https://example.org/x#install) or use `pip`:",
            "optional",
        ),
        ("We ship for Windows and Linux. Install it:", "needed"),
    ],
)
def test_the_sentence_above_decides(plant: Plant, lead: str, kind: str) -> None:
    found = read(plant({"README.md": f"# Spam\n\n## Install\n\n{lead}\n\n```\npip install bacon\n```\n"}))
    assert kind == ("needed" if needed(found) else "optional" if optional(found) else "other")


@pytest.mark.parametrize(
    ("name", "is_read"),
    [
        *(
            (one, True)
            for one in ("README.md", "readme.md", "README.rst", "README.txt", "README", "INSTALL.md", "INSTALL")
        ),
        *(
            (one, True)
            for one in (
                "docs/install.md",
                "docs/en/get_started.md",
                "docs/source/installation.rst",
                "docs/INSTALL_cn.md",
            )
        ),
        *(
            (one, True)
            for one in ("docs/zh_cn/安装.md", "get_started.md", "docs/tutorials/GETTING_STARTED.md", "README_ja.md")
        ),
        *(
            (one, False)
            for one in ("requirements.txt", "install", "setup", "CHANGELOG.md", "docs/changelog.md", "src/README.md")
        ),
        *((one, False) for one in ("tests/install.md", "docs/model_zoo.md", "requirements-dev.txt", "setup.py")),
    ],
)
def test_which_files_are_read(plant: Plant, name: str, is_read: bool) -> None:
    found = readme.read(plant({name: "`pip install bacon`\n"}))
    assert (found is not None and [one.name for one in found.requirements] == ["bacon"]) is is_read


def test_a_command_that_is_an_example_in_a_sentence(plant: Plant) -> None:
    text = (
        "# Spam\n\n## Install\n\nFor example, with CUDA 10.2 use `pip install bacon-cu102`. Then `pip install eggs`.\n"
    )
    found = read(plant({"README.md": text}))
    assert (needed(found), optional(found)) == ([], ["bacon-cu102", "eggs"])


def test_a_translation_repeats_and_does_not_count(plant: Plant) -> None:
    tree = plant({"README.md": "`pip install bacon`\n", "README_zh-CN.md": "`pip install older`\n"})
    assert needed(read(tree)) == ["bacon"]
    alone = plant({"README_zh-CN.md": "`pip install older`\n"}, "Other")
    assert needed(read(alone)) == ["older"]


def test_nothing_to_read(plant: Plant) -> None:
    assert readme.read(plant({"x.py": ""})) is None


def test_credentials_are_left_out(plant: Plant) -> None:
    found = read(plant({"README.md": "```\npip install git+https://me:secret@example.org/a/bacon.git\n```\n"}))
    assert needed(found) == ["bacon @ git+https://example.org/a/bacon.git"]
    assert "secret" not in repr((found.requirements[0].url, found.questions[0].what, found.others))
