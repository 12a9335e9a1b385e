"""Changing what a stage starts from."""

from __future__ import annotations

import pytest

from kobako.dockerfile.edit import set_base
from kobako.errors import UsageError
from unit.dockerfile.samples import MISSION


def test_the_mission() -> None:
    new = set_base(MISSION, "nvcr.io/nvidia/pytorch:23.05-py3")
    assert new == MISSION.replace("22.02", "23.05")


@pytest.mark.parametrize(
    ("text", "stage", "new"),
    [
        ("FROM x", -1, "FROM y:1"),
        ("\ufefffrom\t--platform=$P  x   as  b  \r\nRUN a", -1, "\ufefffrom\t--platform=$P  y:1   as  b  \r\nRUN a"),
        ("FROM \\\n  # why\n  x \\\n AS b\n", "B", "FROM \\\n  # why\n  y:1 \\\n AS b\n"),
        ("FROM x AS a\nFROM z\n", 0, "FROM y:1 AS a\nFROM z\n"),
        ("FROM x AS a\nFROM z\n", -1, "FROM x AS a\nFROM y:1\n"),
        ("FROM x AS a\nRUN b\nFROM A AS c\nFROM c\n", -1, "FROM y:1 AS a\nRUN b\nFROM A AS c\nFROM c\n"),
        ("ARG I=x\nFROM $I\n", -1, "ARG I=y:1\nFROM $I\n"),
        ("ARG A=1 I='x' B\nFROM ${I} AS a\n", -1, "ARG A=1 I='y:1' B\nFROM ${I} AS a\n"),
        ('ARG I="x"\nFROM $I\nRUN echo $I\n', -1, 'ARG I="y:1"\nFROM $I\nRUN echo $I\n'),
        ("ARG V=1\nFROM x\n", -1, "ARG V=1\nFROM y:1\n"),
        ("ARG V=1\n\nFROM x:$V AS a\n", -1, "ARG V=1\n\nFROM y:1 AS a\n"),
        ("FROM ${V:-x}\n", -1, "FROM y:1\n"),
        ("FROM y:1\n", -1, "FROM y:1\n"),
    ],
)
def test_only_the_image_changes(text: str, stage: int | str, new: str) -> None:
    assert set_base(text, "y:1", stage=stage) == new


@pytest.mark.parametrize(
    ("text", "stage", "image", "line", "why"),
    [
        ("FROM $V\n", -1, "y", 1, "V has no default before FROM"),
        ("ARG V\nFROM $V\n", -1, "y", 2, "V has no default before FROM"),
        ("ARG V=1\nARG V=2\nFROM $V\n", -1, "y", 3, "V has more than one default before FROM"),
        ("ARG T=1\nARG V=a:$T\nFROM $V\n", -1, "y", 2, "the default of V holds a variable itself"),
        ("ARG V=1\nFROM $V AS a\nFROM $V\n", 0, "y", 3, "V is used in other places as well"),
        ("ARG V=1\nFROM $V\nARG V\n", 0, "y", 3, "V is used in other places as well"),
        ("ARG V=1\nARG W=$V\nFROM $V\n", 0, "y", 2, "V is used in other places as well"),
        ("FROM x\n", "z", "y", 1, "the Dockerfile has 1"),
        ("FROM x\n", 1, "y", 1, "the Dockerfile has 1"),
        ("FROM x\n", -1, "y z", 1, "a reference has neither white space nor variables"),
        ("FROM x\n", -1, "$Y", 1, "a reference has neither white space nor variables"),
        ("FROM x\n", -1, "", 1, "a reference has neither white space nor variables"),
        ("FROM x AS a\nFROM z\n", -1, "a", 2, "a would mean something else there"),
        ("FROM x\\\ny\n", -1, "z", 1, "its name runs over more than one line"),
    ],
)
def test_what_is_refused(text: str, stage: int | str, image: str, line: int, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        set_base(text, image, stage=stage, file="docker/d")
    assert (caught.value.code, caught.value.why) == ("cannot-edit", why)
    assert str(caught.value.where) == f"docker/d:{line}"
