"""Dockerfiles as the local engine walks them."""

from __future__ import annotations

from collections.abc import Mapping

from kobako.dockerfile import recipe as recipes
from kobako.dockerfile.parse import parse
from kobako.engines.local import standin
from kobako.engines.local.tasks import Walk
from kobako.engines.local.work import Native, Script, Task
from kobako.errors import Where

SLIM = "FROM python:3.11-slim\n"


def walk(text: str, arguments: Mapping[str, str] | None = None) -> Walk:
    """As :class:`kobako.engines.local.planning.Planner` does it, without looking for interpreters."""
    given = arguments or {}
    dockerfile = parse(text, "Dockerfile")
    recipe = recipes.understand(dockerfile)
    hints = {"python": "3.10"}
    stand_in = standin.of(recipes.base(recipe, given, target=0), hints, Where("Dockerfile", 1))
    globals_ = recipes.global_values(recipe, given)
    made = Walk(dockerfile, recipe, given, globals_, dict(stand_in.environment), stand_in.workdir)
    made.all()
    return made


def tasks(body: str, arguments: Mapping[str, str] | None = None) -> list[Task]:
    return walk(SLIM + body, arguments).tasks


def task(body: str, arguments: Mapping[str, str] | None = None) -> Task:
    """The last one."""
    return tasks(body, arguments)[-1]


def native(body: str, arguments: Mapping[str, str] | None = None) -> Native:
    does = task(body, arguments).does
    assert isinstance(does, Native), does
    return does


def script(body: str, arguments: Mapping[str, str] | None = None) -> Script:
    does = task(body, arguments).does
    assert isinstance(does, Script), does
    return does
