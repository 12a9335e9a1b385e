"""What steps mean: installs, time zone, cleaning; stages and base images."""

from __future__ import annotations

import pytest

from kobako.dockerfile.recipe import base, read_recipe
from kobako.errors import UsageError
from kobako.model.recipe import Command
from unit.dockerfile.samples import MISSION


def command_of(run: str) -> Command:
    return read_recipe(f"FROM x\nRUN {run}\n").steps[1].commands[0]


def test_the_mission() -> None:
    recipe = read_recipe(MISSION)
    commands = [command for step in recipe.steps for command in step.commands]
    assert [(one.line, one.kind, [package.text for package in one.packages]) for one in commands] == [
        (11, "apt-update", []),
        (11, "apt-install", ["libgl1-mesa-dev", "tzdata"]),
        (13, "timezone", []),
        (14, "clean", []),
        (15, "clean", []),
        (22, "pip-install", ["mmcv-full"]),
        (
            28,
            "pip-install",
            [
                "matplotlib",
                "numpy",
                "pycocotools",
                "six",
                "terminaltables",
                "mmcls>=0.20.1",
                "packaging",
                "prettytable",
            ],
        ),
        (41, "pip-install", ["clearml-agent", "boto3"]),
    ]
    assert commands[2].zone == "Asia/Tokyo"
    assert [word.value for word in commands[5].assignments] == ["MMCV_WITH_OPS=1", "FORCE_CUDA=1"]
    assert [word.value for word in commands[6].options] == ["--no-cache-dir", "--use-deprecated=legacy-resolver"]
    assert recipe.steps[2].pairs == (("TZ", "Asia/Tokyo"),)
    assert base(recipe) == "nvcr.io/nvidia/pytorch:22.02-py3"


@pytest.mark.parametrize(
    ("run", "manager", "packages", "sources", "dynamic"),
    [
        ("pip install a", "pip", ["a"], [], []),
        ("/opt/conda/bin/pip3.8 --no-cache-dir --timeout 5 install a", "pip", ["a"], [], []),
        ("$VENV/bin/pip install a", "pip", ["a"], [], []),
        ("python3 -u -m pip install -U pip", "pip", ["pip"], [], []),
        ("${PYTHON} -m pip install a", "pip", ["a"], [], []),
        ("sudo -H -u me pip install a", "pip", ["a"], [], []),
        ("env -u X A=1 pip install a", "pip", ["a"], [], []),
        ("uv pip install --system --torch-backend cpu a", "uv", ["a"], [], []),
        ("uv --no-cache pip install -r r.txt a", "uv", ["a"], ["r.txt"], []),
        ("pip install -i https://x/ --extra-index-url https://y -f https://z -c c.txt a", "pip", ["a"], [], []),
        ("pip install -r a.txt -e . -Ur b.txt --requirement=c.txt", "pip", [], ["a.txt", ".", "b.txt"], []),
        ("pip install ./x git+https://a/b.git x.whl https://a/b.zip", "pip", [], 4, []),
        ("pip install 'git+https://a/b.git#egg=My.Pkg' 'c @ https://d/e.whl'", "pip", ["my-pkg", "c"], [], []),
        ("pip install Foo_Bar[x,y]~=1.0 'b; python_version<\"3\"'", "pip", ["foo-bar", "b"], [], []),
        ('pip install torch==${V} $MORE "x$Y"', "pip", ["torch"], [], ["$MORE", '"x$Y"']),
        ("pip install --use-dep=legacy-resolver --trusted h a -- -b", "pip", ["a"], ["-b"], []),
        ("apt-get install -yq --no-install-recommends a=1.* g++ B", "apt", ["a", "g++"], ["B"], []),
        ("apt-get -o Dpkg::x=y -y install -t stable libc6:i386", "apt", ["libc6"], [], []),
        ("apt install -oA=b ./x.deb a- c", "apt", ["c"], ["./x.deb", "a-"], []),
        ("conda install -y -c pytorch -n e pytorch=1.1 'a>=1' conda-forge::b", "conda", ["pytorch", "a", "b"], [], []),
        ("mamba install --yes --file r.txt a", "conda", ["a"], ["r.txt"], []),
        ("micromamba install -f e.yml a", "conda", ["a"], [], []),
    ],
)
def test_installs(run: str, manager: str, packages: list[str], sources: list[str] | int, dynamic: list[str]) -> None:
    command = command_of(run)
    assert (command.manager, [one.name for one in command.packages]) == (manager, packages)
    assert [one.text for one in command.dynamic] == dynamic
    found = [one.value for one in command.sources if not (one.value or "").startswith("--requirement=")]
    assert len(found) == sources if isinstance(sources, int) else found == sources


@pytest.mark.parametrize(
    "run",
    [
        "pip download a",
        "pip config install",
        "python install.py -m pip install a",
        "echo pip install a",
        "uv add a",
        "uv tool install a",
        "apt-get remove a",
        "conda create -n e a",
        "make install",
        "bash -c 'pip install a'",
        "$(which pip) install a",
        "npm install -g x",
    ],
)
def test_what_is_no_install(run: str) -> None:
    assert command_of(run).kind == "other"


@pytest.mark.parametrize(
    ("run", "kind", "zone"),
    [
        ("ln -snf /usr/share/zoneinfo/Europe/Rome /etc/localtime", "timezone", "Europe/Rome"),
        ("ln -s -f /usr/share/zoneinfo/$TZ /etc/localtime", "timezone", ""),
        ("ln /usr/share/zoneinfo/UTC /etc/localtime", "other", ""),
        ("ln -sf /usr/bin/python3 /usr/bin/python", "other", ""),
        ("apt-get -qq update", "apt-update", ""),
        ("rm -rf /var/lib/apt/lists/* /tmp/*", "clean", ""),
        ("rm -rf /var/lib/apt/lists/../../x", "other", ""),
        ("rm -rf /var/lib/apt/lists $X", "other", ""),
        ("rm -rf /home", "other", ""),
        ("conda clean -afy", "clean", ""),
        ("pip cache purge", "clean", ""),
        ("apt-get autoremove -y", "other", ""),
        ("X=1", "assignment", ""),
    ],
)
def test_other_kinds(run: str, kind: str, zone: str) -> None:
    command = command_of(run)
    assert (command.kind, command.zone) == (kind, zone)


MULTI = (
    "ARG TAG=1\nARG IMAGE=a/b:${TAG}\nARG NONE\nFROM --platform=linux/amd64 $IMAGE AS One\nFROM scratch AS two\n"
    "ARG TAG=9\nFROM ONE\nFROM ${NONE:-c}:${TAG:+d} AS four\n"
)


@pytest.mark.parametrize(
    ("arguments", "target", "image"),
    [
        ({}, 0, "a/b:1"),
        ({"TAG": "2"}, "one", "a/b:2"),
        ({"IMAGE": "z"}, 2, "z"),
        ({}, "two", "scratch"),
        ({}, -1, "c:d"),
        ({"NONE": "n", "TAG": ""}, "FOUR", "n:"),
    ],
)
def test_base(arguments: dict[str, str], target: int | str, image: str) -> None:
    assert base(read_recipe(MULTI), arguments, target=target) == image


def test_stages_know_their_platform_and_steps() -> None:
    recipe = read_recipe(MULTI)
    assert [(stage.name, stage.platform) for stage in recipe.stages] == [
        ("one", "linux/amd64"),
        ("two", ""),
        ("", ""),
        ("four", ""),
    ]
    assert [step.kind for step in recipe.steps_of(1)] == ["from", "arg"]


@pytest.mark.parametrize(
    ("text", "target", "line"), [("ARG A\nFROM $A\n", -1, 2), ("FROM ${A:?no}\n", -1, 1), ("FROM x\n", "y", None)]
)
def test_no_base(text: str, target: int | str, line: int | None) -> None:
    with pytest.raises(UsageError) as caught:
        base(read_recipe(text), target=target)
    assert caught.value.code == "invalid-dockerfile"
    assert caught.value.where is not None
    assert caught.value.where.line == line


def test_pairs() -> None:
    recipe = read_recipe("ARG A=1 B\nFROM x\nENV C='d e' F=$G\nENV H i j\nLABEL k=\"l m\"\n")
    assert [step.pairs for step in recipe.steps] == [
        (("A", "1"), ("B", None)),
        (),
        (("C", "'d e'"), ("F", "$G")),
        (("H", "i j"),),
        (("k", '"l m"'),),
    ]
