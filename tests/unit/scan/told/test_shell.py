"""Commands as people show them: what each asks for, and what it does not."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from kobako.dockerfile.script import commands_of
from kobako.scan.declaring.declared import Declared
from kobako.scan.told.lines import prepared, shown_lines
from kobako.scan.told.own import Own
from kobako.scan.told.shell import Shell, Voice, below
from kobako.scan.tree import Tree
from unit.scan.told.conftest import Plant

OWN = Own(frozenset({"spamnet", "spam"}), frozenset({"eggs/spamnet"}))
ITSELF = "the repository itself, which is mounted into the container"


class Heard(NamedTuple):
    requirements: list[str]
    others: list[str]
    bounds: list[str]
    system: list[str]


def heard(tree: Tree, *texts: str) -> Declared:
    shell = Shell(tree, OWN)
    for text in texts:
        shell.read(shown_lines(text), Voice("README.md", below(10)))
    return shell.finish()


def summary(found: Declared) -> Heard:
    bounds = {"python": found.python, "torch": found.torch, "cuda": found.cuda}
    assert not found.problems
    return Heard(
        [str(one) for one in found.requirements],
        [one.what for one in found.others],
        [f"{name}{bound.specifier}" for name, group in bounds.items() for bound in group],
        [one.name for one in found.system],
    )


@pytest.mark.parametrize(
    ("text", "requirements"),
    [
        ("pip install numpy", ["numpy"]),
        ("pip3 install -U --no-cache-dir numpy scipy==1.7", ["numpy", "scipy==1.7"]),
        ("python -m pip install 'timm>=0.4,<0.6' \"kornia[x]\"", ["timm>=0.4,<0.6", "kornia[x]"]),
        ("python3.8 -m pip install yacs", ["yacs"]),
        ("uv pip install einops", ["einops"]),
        ("mim install mmcv-full", ["mmcv-full"]),
        ('mim install "mmcv>=2.0.0rc4"', ["mmcv>=2.0.0rc4"]),
        ("sudo pip install tqdm", ["tqdm"]),
        ("$ pip install numpy", ["numpy"]),
        ("(base) user@host:~/work$ pip install numpy", ["numpy"]),
        ("!pip install -q numpy", ["numpy"]),
        ("%pip install numpy", ["numpy"]),
        ("!{sys.executable} -m pip install numpy", ["numpy"]),
        ("> pip install numpy", ["numpy"]),
        ("pip install numpy>=1.19 torchmetrics<0.8", ["numpy>=1.19", "torchmetrics<0.8"]),
        ("pip install numpy \\\n    scipy \\\n    tqdm", ["numpy", "scipy", "tqdm"]),
        ("CUDA_HOME=/x FORCE_CUDA=1 pip install spconv", ["spconv"]),
        ("pip install numpy, scipy", ["scipy", "numpy"]),
        ("pip install numpy and then run the script", ["numpy"]),
        ("pip install cython; pip install lap", ["cython", "lap"]),
        ("# pip install numpy", []),
        ("pip uninstall numpy", []),
        ("pip download numpy", []),
        ("Just pip it", []),
        (
            "pip install 'git+https://example.org/a/track.git@v2#egg=track'",
            ["track @ git+https://example.org/a/track.git@v2"],
        ),
        ("pip install git+https://github.com/cocodataset/cocoapi.git#subdirectory=PythonAPI", ["pycocotools"]),
        ("pip install torch==1.8.1+cu111 -f https://example.org/whl/torch_stable.html", ["torch==1.8.1"]),
        ("pip install https://example.org/cu90/torch-1.1.0-cp36-cp36m-linux_x86_64.whl", ["torch==1.1.0"]),
        ("conda install pytorch==1.10.0 torchvision -c pytorch", ["torch==1.10.0", "torchvision"]),
        ("conda create -n spam python=3.8 numpy -y", ["numpy"]),
    ],
)
def test_what_is_installed(plant: Plant, text: str, requirements: list[str]) -> None:
    found = heard(plant({}), text)
    assert [str(one) for one in found.requirements] == requirements
    assert all(one.origin == "readme" and not one.optional for one in found.requirements)


@pytest.mark.parametrize(
    ("text", "others", "why"),
    [
        ("pip install -e .", "pip install -e .", ITSELF),
        ("pip3 install -v -e .  # or python setup.py develop", "pip3 install -v -e . # or python setup.py develop", ITSELF),
        ("pip install spamnet[all]", "spamnet[all]", ITSELF),
        ("pip install spam", "spam", ITSELF),
        ("pip install git+https://github.com/eggs/SpamNet.git", "git+https://github.com/eggs/SpamNet.git", ITSELF),
        ("python setup.py build develop", "python setup.py build develop", ITSELF),
        ("git clone https://github.com/eggs/SpamNet && cd SpamNet && pip install .", "git clone https://github.com/eggs/SpamNet && cd SpamNet && pip install .", ITSELF),
        ("pip install -U pip", "pip", "a tool that installs"),
        ("pip install openmim", "openmim", "a tool that installs"),
        ("pip install pytest", "pytest", "for tests"),
        ("pip install -r requirements.txt", "requirements.txt", "a file that is named; it speaks for itself"),
        ("pip install -r https://example.org/r.txt", "https://example.org/r.txt", "on another machine: not read"),
        ("pip install ${PACKAGE}", "${PACKAGE}", "a placeholder, which only the reader of the text can fill"),
        ("pip install spconv-cuXXX", "spconv-cuXXX", "a placeholder, which only the reader of the text can fill"),
        ("pip install <package>", "$_", "a placeholder, which only the reader of the text can fill"),
        ("pip install https://example.org/simple/", "https://example.org/simple/", "an address that names no package"),
        ("pip install ./dist/x-1-py3-none-any.whl", "./dist/x-1-py3-none-any.whl", "a file that the text expects to be there"),
        ("cd models/ops\npython setup.py install", "python setup.py install", "built from the repository's folder models/ops: run it in the container"),
        ("cd ops\nmake", "make", "run by make: look at the Makefile, and run it in the container if it is needed"),
        ("export TORCH_CUDA_ARCH_LIST='7.5'", "TORCH_CUDA_ARCH_LIST=7.5", "a setting for building extensions; Kobako sets its own for the GPUs at hand"),
        ("sudo apt-get install python3-pip", "python3-pip", "the base image has a Python; the rest is for people"),
        ("apt install nvidia-driver-470", "nvidia-driver-470", "for the host, not for the container"),
        ("git clone https://example.org/a/data", "https://example.org/a/data", "cloned beside the repository, and not installed by a command that is told"),
        ("pip install gradio  # for the demo", "pip install gradio # for the demo", "told for a demo: `for the demo`"),
        ("# on Windows\npip install winlib", "pip install winlib", "told for another system: `on Windows`"),
    ],
)  # fmt: skip
def test_what_is_not_proposed_and_why(plant: Plant, text: str, others: str, why: str) -> None:
    found = heard(plant({}), text)
    assert [(one.what, one.why) for one in found.others] == [(others, why)]
    assert not found.requirements


def test_a_script_of_the_repository_is_named(plant: Plant) -> None:
    found = heard(plant({"tools/build.sh": "pip install x"}), "bash tools/build.sh\nsh elsewhere.sh")
    assert [(one.what, one.why) for one in found.others] == [
        ("bash tools/build.sh", "a script of the repository: read it, and run it in the container if it is needed")
    ]


@pytest.mark.parametrize(
    ("text", "requirement"),
    [
        (
            "git clone https://github.com/NVIDIA/apex\ncd apex\npip install -v --global-option='--cpp_ext' ./",
            "apex @ git+https://github.com/NVIDIA/apex",
        ),
        (
            "git clone -b v0.6 git@example.org:a/Det.git --recursive\ncd Det && python setup.py build develop",
            "det @ git+https://example.org/a/Det.git@v0.6",
        ),
        (
            "git clone https://example.org/a/det.git\ncd det\ngit checkout 0f3c2a1\npip install -e .\ncd ..",
            "det @ git+https://example.org/a/det.git@0f3c2a1",
        ),
        (
            "git clone https://example.org/a/det.git\npython -m pip install -e det",
            "det @ git+https://example.org/a/det.git",
        ),
        (
            "git clone https://example.org/a/det.git third/det\ncd third/det/python; python setup.py install",
            "det @ git+https://example.org/a/det.git#subdirectory=python",
        ),
        ("git clone https://github.com/cocodataset/cocoapi\ncd cocoapi/PythonAPI\nmake", "pycocotools"),
    ],
)
def test_another_repository_that_is_cloned_and_installed(plant: Plant, text: str, requirement: str) -> None:
    found = heard(plant({}), text)
    assert [str(one) for one in found.requirements] == [requirement]
    assert not [one for one in found.others if "cloned" in one.why]


def test_the_folder_stays_from_one_block_to_the_next(plant: Plant) -> None:
    found = heard(plant({}), "git clone https://example.org/a/det", "cd det", "pip install .")
    assert [str(one) for one in found.requirements] == ["det @ git+https://example.org/a/det"]


def test_the_way_back_from_a_clone_leads_home(plant: Plant) -> None:
    text = "git clone https://example.org/a/det\ncd det/sub\npip install .\ncd ../..\npip install -e ."
    found = summary(heard(plant({}), text))
    assert found.requirements == ["det @ git+https://example.org/a/det#subdirectory=sub"]
    assert found.others == ["pip install -e ."]


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("git clone https://github.com/eggs/SpamNet\ncd SpamNet\ncd spamnet/ops\nmake install", "spamnet/ops"),
        ("git clone https://github.com/eggs/SpamNet sn\ncd sn/ops", "ops"),
        ("cd SpamNet/ops", "ops"),
        ("cd $HOME/work/ops", ""),
        ("cd ${SPAM_ROOT}/lib/ops", "lib/ops"),
        ("cd /opt/SpamNet/ops", "ops"),
        ("cd ~/SpamNet", ""),
        ("cd /opt/elsewhere/ops", ""),
        ("cd <somewhere>", ""),
        ("cd ops\ncd ..", ""),
        ("cd ..", ""),
    ],
)
def test_folders_of_the_repository(plant: Plant, text: str, folder: str) -> None:
    shell = Shell(plant({}), OWN)
    shell.read(shown_lines(text), Voice("README.md", below(1)))
    assert shell.walk.at == (None, folder)


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("conda create -n spam python=3.8 -y", ["python==3.8.*"]),
        ("conda install pytorch=1.10 cudatoolkit=11.3 -c pytorch", ["torch==1.10.*", "cuda==11.3.*"]),
        ("export CUDA_HOME=/usr/local/cuda-11.1", ["cuda==11.1.*"]),
        ("export PATH=/usr/local/cuda-10.2/bin:$PATH", ["cuda==10.2.*"]),
        ("apt-get install cuda-toolkit-11-3", ["cuda==11.3.*"]),
        ("pip install torch==1.8.1+cu111", ["torch==1.8.1", "torch==1.8.1", "cuda==11.1.*"]),
        ("pip install 'torch>=1.7'", ["torch>=1.7"]),
        (
            "pip install mmcv-full -f https://example.org/mmcv/dist/cu113/torch1.10/index.html",
            ["torch==1.10.*", "cuda==11.3.*"],
        ),
        ("pip install torch --index-url https://example.org/whl/cu118", ["cuda==11.8.*"]),
        ("pip install mmcv -f https://example.org/dist/{cu_version}/{torch_version}/index.html", []),
        ("pip install mmcv -f https://example.org/dist/cu$CUDA/torch${TORCH}/index.html", []),
        ("pip install mmcv -f https://example.org/dist/<cu>/index.html", []),
    ],
)
def test_bounds(plant: Plant, text: str, bounds: list[str]) -> None:
    found = heard(plant({}), text)
    assert summary(found).bounds == bounds
    assert not any(one.firm for group in (found.torch, found.cuda) for one in group)


def test_a_placeholder_leaves_the_name(plant: Plant) -> None:
    found = summary(heard(plant({}), "pip install mmcv-full=={mmcv_version} torch==$TORCH numpy==<version>"))
    assert found.requirements == ["mmcv-full", "torch", "numpy"]
    assert [one.partition("==")[0] for one in found.others] == ["mmcv-full", "torch", "numpy"]
    assert found.bounds == []


def test_debian_packages(plant: Plant) -> None:
    found = heard(plant({}), "sudo apt-get update && sudo apt-get install -y libgl1 ffmpeg git libglib2.0-0=2.64")
    assert [(one.name, one.why, one.findings[0].line) for one in found.system] == [
        (name, "README.md installs it", 10) for name in ("libgl1", "ffmpeg", "libglib2.0-0")
    ]


def test_only_the_lines_with_a_prompt_count_where_there_is_one(plant: Plant) -> None:
    text = "$ pip install numpy\npip install said-by-the-output\nSuccessfully installed numpy-1.2\n$ pip install scipy"
    found = heard(plant({}), text)
    assert [(str(one), one.findings[0].line) for one in found.requirements] == [("numpy", 10), ("scipy", 13)]


def test_the_evidence_is_what_stands_there(plant: Plant) -> None:
    found = heard(plant({}), "\n  mim install mmcv>=1.3  \\\n   mmcls")
    assert [(one.name, str(one.findings[0]), one.findings[0].text) for one in found.requirements] == [
        ("mmcv", "README.md:11", "mim install mmcv>=1.3"),
        ("mmcls", "README.md:11", "mim install mmcv>=1.3"),
    ]


@pytest.mark.parametrize("remark", ["(optional)", "[Option]", "if you want to evaluate LVIS", "可选", "オプション"])
def test_a_remark_makes_it_optional(plant: Plant, remark: str) -> None:
    beside = heard(plant({}), f"pip install lvis  # {remark}\npip install yacs").requirements
    above = heard(plant({}), f"# {remark}\npip install lvis\n\npip install yacs").requirements
    assert [one.optional for one in beside] == [one.optional for one in above] == [True, False]


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("pip install a>=1 'b>=2' c", "pip install 'a>=1' 'b>=2' c"),
        ("pip install a >= 1.0,<2", "pip install 'a>= 1.0,<2'"),
        ("cmd a>=1", "cmd a>=1"),
        ("mim install mmcv", "pip install mmcv"),
        ("python -m mim install mmcv", "pip install mmcv"),
        ("mamba create -n x", "mamba install -n x"),
        ("run --x ${{ matrix.torch }} <path/to>", "run --x $_ $_"),
    ],
)
def test_lines_are_prepared_for_the_grammar(line: str, made: str) -> None:
    assert prepared(line) == made


@pytest.mark.parametrize(
    "text",
    [
        "pip install 'never closed",
        "if then $( fi\npip install a",
        "\x00\x01 pip install",
        "{ " * 3000,
        "pip install " + "a" * 100_000,
    ],
)
def test_no_text_is_too_odd(plant: Plant, text: str) -> None:
    heard(plant({}), text)


def test_commands_of_a_text() -> None:
    commands = commands_of("cd a &&\n  pip install b\n# no\nmake")
    assert [(one.line, one.kind, one.argv) for one in commands] == [
        (1, "other", ("cd", "a")),
        (2, "pip-install", ("pip", "install", "b")),
        (4, "other", ("make",)),
    ]
