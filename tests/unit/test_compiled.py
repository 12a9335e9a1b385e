"""Which commands of a Dockerfile only say where compiled wheels are kept."""

from __future__ import annotations

import pytest

from kobako import compiled
from kobako.dockerfile.recipe import read_recipe

STEP = "\n".join(
    (
        f"RUN {compiled.MOUNT} \\",
        f"    built={compiled.PLACE[0]}",
        f"    {compiled.PLACE[1]} \\",
        *(f"&&  {one} \\" for one in compiled.BEFORE),
        f"&&  FORCE_CUDA=1 {compiled.VARIABLES} uv pip install mmcv \\",
        *(f"&&  {one} \\" for one in compiled.AFTER[:-1]),
        f"&&  {compiled.AFTER[-1]}",
    )
)


def commands(step: str) -> list[bool]:
    return [compiled.belongs(command) for command in read_recipe(f"FROM x\n{step}\n").steps[1].commands]


def test_all_but_the_install_belongs_to_it() -> None:
    assert commands(STEP) == [True, True, True, False, True, True]


@pytest.mark.parametrize(
    "step",
    [
        "RUN built=/somewhere/else",
        "RUN mkdir -p $other",
        "RUN A=1 mkdir -p $built",
        "RUN find /root/.cache/built/uv/sdists-* -name '*.whl' -exec rm {} +",
    ],
)
def test_others_do_not(step: str) -> None:
    assert commands(step) == [False]


@pytest.mark.parametrize(
    ("assignment", "place"),
    [
        ("UV_CACHE_DIR=/root/.cache/built/uv", True),
        ("UV_FIND_LINKS=$built", True),
        ("PIP_CACHE_DIR=/cache", True),
        ("UV_FIND_LINKS=/wheels", False),
        ("FORCE_CUDA=1", False),
    ],
)
def test_variables(assignment: str, place: bool) -> None:
    assert compiled.is_place(assignment) is place
