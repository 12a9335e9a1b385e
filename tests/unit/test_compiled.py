"""The step that writes ``keep-wheels`` is known again, and an install after it is an install."""

from __future__ import annotations

import pytest

from kobako import compiled
from kobako.dockerfile.recipe import read_recipe
from kobako.model.recipe import Step


def step(text: str) -> Step:
    return read_recipe(f"FROM x\n{text}\n").steps[1]


@pytest.mark.parametrize("script", [compiled.UV, compiled.PIP])
def test_the_step_is_known_again(script: tuple[str, ...]) -> None:
    assert compiled.written(step("\n".join(compiled.writing(script)))) == script


@pytest.mark.parametrize(
    ("old", "new"), [("sha256sum", "md5sum"), ("'\"$@\"' \\\n", ""), ("/opt/kobako/keep-wheels &&", "/opt/other &&")]
)
def test_what_a_person_changed_is_not_it(old: str, new: str) -> None:
    text = "\n".join(compiled.writing(compiled.UV))
    assert old in text
    assert compiled.written(step(text.replace(old, new))) is None


def test_an_install_after_it_is_one() -> None:
    text = f"RUN {compiled.MOUNT} FORCE_CUDA=1 {compiled.PROGRAM} uv pip install --no-build-isolation mmcv-full==1.5.0"
    (command,) = step(text).commands
    assert (command.kind, command.manager) == ("pip-install", "uv")
    assert [package.name for package in command.packages] == ["mmcv-full"]


def test_its_lines_can_stand_between_single_quotes() -> None:
    assert not [line for line in (*compiled.UV, *compiled.PIP) if "'" in line or "\\" in line or "%" in line]
