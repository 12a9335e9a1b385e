"""The floor: what a base image came with, and what of it must survive all that is installed on it. Pure.

A Dockerfile that Kobako writes has a step right after FROM that writes the base's packages down; the builders compare
with it afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from kobako import data
from kobako.model.recipe import Command, Step

FOLDER = "/opt/kobako"
BASE = f"{FOLDER}/base.txt"
KEPT = f"{FOLDER}/floor.txt"
CONSTRAINT = f"{FOLDER}/constraint.txt"
HELD = f"{FOLDER}/held.txt"
LISTING = f"uv pip list --format=freeze > {HELD}"
"""What writes down everything that is there by now, so that a later step moves nothing of it."""

Moved = tuple[tuple[str, str, str], ...]
"""(name, before, after) of packages whose version changed."""


def commands(family: str) -> tuple[str, ...]:
    """The lines of the step that writes the three files. ``family`` is a regular expression for torch's family."""
    return (
        f"RUN family='{family}'",
        f"&&  mkdir -p {FOLDER} && cd {FOLDER}",
        "&&  python3 -m pip list --format=freeze > base.txt",
        '&&  { grep -iE "^($family)==" base.txt || :; } > floor.txt',
        '&&  { grep -viE "^($family) *[^a-z0-9._ -]" /etc/pip/constraint.txt || :; } > constraint.txt 2> /dev/null',
    )


def freeing(found: str) -> str:
    """The line that takes names out of the base's constraint. ``found`` is a regular expression for them."""
    return f"RUN sed -i -E '/^({found}) *[^A-Za-z0-9._ -]/Id' {CONSTRAINT}"


def is_freeing(step: Step) -> bool:
    """Whether this is the step of :func:`freeing`."""
    return step.kind == "run" and _shape(step.value) == _shape(freeing("").removeprefix("RUN "))


def is_step(step: Step) -> bool:
    """Whether this is the step of :func:`commands`, whatever it counts to the family (that grows with the tables)."""
    return step.kind == "run" and _shape(step.value) == _SHAPE


def is_listing(command: Command) -> bool:
    """Whether this is :data:`LISTING`."""
    redirects = [" ".join(word.text.split()) for word in command.redirects]
    return " ".join([*(command.argv or ()), *redirects]) == LISTING and not command.assignments


def _shape(text: str) -> str:
    return " ".join(re.sub(r"'[^']*'", "", text, count=1).split())


_SHAPE = _shape(" ".join(commands(""))).removeprefix("RUN ")


def freeze(text: str) -> dict[str, str]:
    """Versions by normalised name, from ``pip list --format=freeze``."""
    pairs = (line.split("==", 1) for line in text.splitlines() if "==" in line)
    return {normalised(name): version.strip() for name, version in pairs}


def normalised(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def kept(base: Mapping[str, str]) -> dict[str, str]:
    """What of the base belongs to torch's family."""
    family = frozenset(data.torch_family())
    return {name: version for name, version in base.items() if name in family}


def moved(before: Mapping[str, str], now: Mapping[str, str]) -> Moved:
    """The base's packages whose version changed."""
    return tuple(
        (name, version, now[name]) for name, version in sorted(before.items()) if now.get(name, version) != version
    )


def named(steps: Iterable[Step]) -> frozenset[str]:
    """The distributions that the steps of a recipe name."""
    packages = (package for step in steps for command in step.commands for package in command.packages)
    return frozenset(package.name for package in packages)


def unwanted(changes: Moved, wanted: frozenset[str]) -> tuple[str, str, str] | None:
    """The first change in torch's family that the recipe does not ask for by name."""
    family = frozenset(data.torch_family())
    return next((change for change in changes if change[0] in family and change[0] not in wanted), None)


FIX = "keep it with --override /opt/kobako/floor.txt, or write {name}=={version} into the step if you want it"
