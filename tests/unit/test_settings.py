"""Who decides on the engine."""

from __future__ import annotations

import pytest

from kobako.errors import UsageError
from kobako.settings import Setting, engine_name


@pytest.mark.parametrize(
    ("flag", "env", "hint", "value", "origin"),
    [
        ("docker", {"KOBAKO_ENGINE": "other"}, "third", "docker", "--engine"),
        (None, {"KOBAKO_ENGINE": "docker"}, "other", "docker", "KOBAKO_ENGINE"),
        (None, {}, "docker", "docker", "x-kobako.engine"),
        (None, {"KOBAKO_ENGINE": ""}, "docker", "docker", "x-kobako.engine"),
        (None, {"KOBAKO_ENGINE": "local"}, "docker", "local", "KOBAKO_ENGINE"),
        (None, {}, "local", "local", "x-kobako.engine"),
        (None, {}, None, None, "default"),
    ],
)
def test_the_first_that_says_something_decides(
    flag: str | None, env: dict[str, str], hint: str | None, value: str | None, origin: str
) -> None:
    assert engine_name(flag, env, hint) == Setting(value, origin)


@pytest.mark.parametrize(
    ("flag", "env", "hint", "origin"),
    [
        ("dokcer", {}, None, "--engine"),
        (None, {"KOBAKO_ENGINE": "dokcer"}, "docker", "KOBAKO_ENGINE"),
        (None, {}, "dokcer", "x-kobako.engine"),
    ],
)
def test_an_unknown_engine_is_told_with_who_said_it(
    flag: str | None, env: dict[str, str], hint: str | None, origin: str
) -> None:
    with pytest.raises(UsageError, match=r"^there is no engine named dokcer$") as caught:
        engine_name(flag, env, hint)
    assert (caught.value.code, caught.value.why) == ("unknown-engine", f"{origin} says so")
    assert caught.value.fix == "one of: docker, local"
