"""What a step says to its install, for uv outside and for uv inside: arguments, files, and the recipe's variables."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from kobako.engines.local import requirements
from kobako.engines.local.paths import within
from kobako.engines.local.pip import Install
from kobako.engines.local.stage import Stage
from kobako.errors import Where


class Shelf(NamedTuple):
    """An install's own cache, where what it compiles is kept for good (None: nowhere), and beside what that was
    compiled: see ``kept``.
    """

    private: Path
    kept: Path | None
    packages: Mapping[str, str]


class Call(NamedTuple):
    """One install of a step: in which environment, with which variables, in which folder inside."""

    install: Install
    environment: Mapping[str, str]
    workdir: str
    where: Where
    name: str
    service: str = ""
    shelf: Shelf | None = None


PATHS = {
    "UV_OVERRIDE": "--override",
    "UV_CONSTRAINT": "--constraint",
    "UV_BUILD_CONSTRAINT": "--build-constraint",
    "PIP_CONSTRAINT": "--constraint",
    "PIP_FIND_LINKS": "--find-links",
}
"""Variables that hold paths, several of them parted by white space: as options a path may have a space in it."""

_SWITCHES = {"PIP_NO_DEPS": "--no-deps", "PIP_PRE": "--prerelease=allow"}

_READ = requirements.LISTS | requirements.BOUNDS | requirements.OTHERS
_LONG = {"-r": "--requirements", "-c": "--constraints", "-b": "--build-constraints"}


def inside(call: Call) -> list[str]:
    """What the recipe's variables say, as options of uv inside."""
    return [f"{option}={path}" for option, path in _named(call)] + _switched(call)


def _named(call: Call) -> Iterator[tuple[str, str]]:
    said = {**call.environment, **call.install.environment}
    for name, option in PATHS.items():
        if name.startswith("UV_") or call.install.of_pip:
            yield from ((option, path) for path in said.get(name, "").split())


def _switched(call: Call) -> list[str]:
    said = {**call.environment, **call.install.environment}
    names = _SWITCHES.items() if call.install.of_pip else ()
    return [option for name, option in names if said.get(name, "0").lower() in {"1", "true", "yes", "on"}]


def files(stage: Stage, call: Call) -> list[tuple[str, requirements.Given | None]]:
    """The files that the install names, by option, as they are to be read."""
    arguments = call.install.arguments
    found = [(arguments[at - 1], arguments[at]) for at in call.install.files if at and arguments[at - 1] in _READ]
    found += [(option, path) for option, path in _named(call) if option in _READ]
    return [(option, requirements.read(stage.root, os.path.join(call.workdir, path))) for option, path in found]


def arguments(stage: Stage, call: Call) -> list[str] | None:
    """The install's arguments for uv outside. Files are Kobako's own, with what the stranger's say; None where they say
    more than is believed there.
    """
    words = list(call.install.arguments)
    read = [at for at in call.install.files if at and words[at - 1] in _READ]
    for at in call.install.files:
        if at not in read and "://" not in words[at]:
            words[at] = _there(stage, call, words[at])
    made: list[str] = []
    bounds: list[str] = []
    for number, (option, found) in enumerate(files(stage, call)):
        if found is None:
            return None
        made.append(f"{_LONG.get(option, option)}={_written(stage, f'given-{number}', found.lines)}")
        bounds += found.bounds
    made += [f"--constraint={_written(stage, 'given-bounds', bounds)}"] if bounds else []
    links = [(option, path) for option, path in _named(call) if option not in _READ]
    made += [f"{option}={path if '://' in path else _there(stage, call, path)}" for option, path in links]
    taken = {at - 1 for at in read} | set(read)
    return [*(word for at, word in enumerate(words) if at not in taken), *made, *_switched(call)]


def _written(stage: Stage, name: str, lines: Sequence[str]) -> str:
    path = stage.folder / f"{name}.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


def _there(stage: Stage, call: Call, path: str) -> str:
    """A path inside, as uv outside has to name it."""
    return str(within(stage.root, os.path.join(call.workdir, path)))
