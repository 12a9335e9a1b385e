"""Whole steps: in and out."""

from __future__ import annotations

import pytest

from kobako.dockerfile.edit import Place, add_step, remove_step
from kobako.dockerfile.recipe import read_recipe
from kobako.errors import UsageError
from unit.dockerfile.samples import MISSION

TEXT = "# syntax=a\n# base\nFROM x\n\n# why\nRUN a\n\nRUN b\n"


@pytest.mark.parametrize(
    ("text", "place", "new"),
    [
        (TEXT, Place("after", 3), TEXT.replace("FROM x\n", "FROM x\n\n# c\nRUN n\n")),
        (TEXT, Place("before", 3), TEXT.replace("# base\n", "# c\nRUN n\n# base\n")),
        (TEXT, Place("before", 6), TEXT.replace("# why", "# c\nRUN n\n\n# why")),
        (TEXT, Place("after", 6), TEXT.replace("RUN a\n", "RUN a\n\n# c\nRUN n\n")),
        (TEXT, Place("end"), TEXT + "\n# c\nRUN n\n"),
        ("FROM x\nRUN a\n", Place("end"), "FROM x\nRUN a\n# c\nRUN n\n"),
        ("FROM x\nRUN a", Place("end"), "FROM x\nRUN a\n# c\nRUN n"),
        ("FROM x\n\nRUN a", Place("end"), "FROM x\n\nRUN a\n\n# c\nRUN n"),
        ("FROM x\r\nRUN a\r\n", Place("after", 1), "FROM x\r\n# c\r\nRUN n\r\nRUN a\r\n"),
        ("FROM x AS a\nRUN a\nFROM y\n", Place("end", "A"), "FROM x AS a\nRUN a\n# c\nRUN n\nFROM y\n"),
        ("FROM x AS a\nRUN a\nFROM y\n", Place("end", 0), "FROM x AS a\nRUN a\n# c\nRUN n\nFROM y\n"),
        ("FROM x\nRUN <<EOF\na\nEOF\nRUN b\n", Place("after", 3), "FROM x\nRUN <<EOF\na\nEOF\n# c\nRUN n\nRUN b\n"),
    ],
)
def test_add(text: str, place: Place, new: str) -> None:
    instruction = "ARG n" if place == Place("before", 3) else "RUN n"
    assert add_step(text, instruction, place, comment="c") == new.replace("RUN n", instruction)


def test_add_to_the_mission() -> None:
    recipe = read_recipe(MISSION)
    block = "\n追跡\n"
    new = add_step(MISSION, "RUN a \\\n    b\n", Place("before", recipe.steps[3]), comment=block)
    assert new == MISSION.replace("#\n# プロ", "#\n# 追跡\n#\nRUN a \\\n    b\n\n#\n# プロ")
    assert remove_step(new, 22, with_comment=True) == MISSION


def test_new_lines_take_the_files_escape_character() -> None:
    text = "# escape=`\r\nFROM x\r\n"
    new = add_step(text, "RUN a \\\n  b <<EOF\nc \\\nEOF", Place("end"))
    assert new == text + "RUN a `\r\n  b <<EOF\r\nc \\\r\nEOF\r\n"


@pytest.mark.parametrize(
    ("text", "instruction", "place", "why"),
    [
        ("FROM x\n", "RUN a\nRUN b", Place("end"), "it holds 2 instructions, or comments around them"),
        ("FROM x\n", "# c\nRUN b", Place("end"), "it holds 1 instructions, or comments around them"),
        ("FROM x\n", "", Place("end"), "it holds 0 instructions, or comments around them"),
        ("FROM x\n", "RUN <<E\n", Place("end"), "the heredoc E has no end"),
        ("FROM x\n", "NO b", Place("end"), "the result would not be a Dockerfile: unknown instruction: NO"),
        (
            "FROM x\n",
            "RUN b",
            Place("before", 1),
            "the result would not be a Dockerfile: RUN stands before the first FROM",
        ),
        ("FROM x\n", "RUN b", Place("after", 9), "there is nothing there to edit"),
        ("FROM x\n", "RUN b", Place("end", "y"), "the Dockerfile has no such stage"),
        ("FROM x\n", "RUN b", Place("after", "y"), "a step is named by one of its lines"),
        ("FROM x\nRUN a \\\n", "RUN b", Place("end"), None),
    ],
)
def test_what_cannot_be_added(text: str, instruction: str, place: Place, why: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        add_step(text, instruction, place)
    assert caught.value.code == "cannot-edit"
    assert why is None or caught.value.why == why


def test_a_comment_cannot_become_a_directive() -> None:
    with pytest.raises(UsageError) as caught:
        add_step("FROM x\n", "ARG a", Place("before", 1), comment="escape=`")
    assert caught.value.why == "the directives at the top would change"


@pytest.mark.parametrize(
    ("line", "with_comment", "new"),
    [
        (6, False, "# syntax=a\n# base\nFROM x\n\n# why\n\nRUN b\n"),
        (6, True, "# syntax=a\n# base\nFROM x\n\nRUN b\n"),
        (8, True, "# syntax=a\n# base\nFROM x\n\n# why\nRUN a\n"),
    ],
)
def test_remove(line: int, with_comment: bool, new: str) -> None:
    assert remove_step(TEXT, line, with_comment=with_comment) == new


@pytest.mark.parametrize(
    ("text", "line", "new"),
    [
        ("FROM x\nRUN a", 2, "FROM x"),
        ("FROM x\r\nRUN a\r\nRUN b", 3, "FROM x\r\nRUN a"),
        ("ARG a\n\nFROM x\n", 1, "FROM x\n"),
        ("FROM x\nRUN a \\\n  b\nRUN <<E\nc\nE\nRUN d\n", 5, "FROM x\nRUN a \\\n  b\nRUN d\n"),
    ],
)
def test_remove_at_the_edges(text: str, line: int, new: str) -> None:
    assert remove_step(text, line) == new


def test_from_stays() -> None:
    with pytest.raises(UsageError) as caught:
        remove_step(TEXT, 3)
    assert str(caught.value.where) == "Dockerfile:3"
