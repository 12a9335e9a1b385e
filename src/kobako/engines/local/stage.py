"""An environment while it is made: its folders, what it holds, and what the sandbox is to see of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from kobako import floor
from kobako.engines.local.interpreters import Interpreter
from kobako.engines.local.place import ENV, LOCAL, ROOT
from kobako.engines.local.sandbox import ENV_INSIDE, SHIMS_INSIDE, Tools, View

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Means(NamedTuple):
    """What this machine has to make environments with. ``tools`` is None without a working bubblewrap."""

    uv: str
    tools: Tools | None
    without: str
    gpu: bool
    env: Mapping[str, str]


@dataclass(frozen=True)
class Stage:
    """A folder with env/, root/ and local/, on the way to become an image, or a working copy of one."""

    folder: Path
    interpreter: Interpreter

    @property
    def env(self) -> Path:
        return self.folder / ENV

    @property
    def root(self) -> Path:
        return self.folder / ROOT

    @property
    def python(self) -> str:
        return str(self.env / "bin/python")

    def packages(self) -> dict[str, str]:
        """Versions by normalised name, of all that is installed."""
        found: dict[str, str] = {}
        for name in _names(self.site):
            match = re.fullmatch(r"(.+?)-([^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info", name)
            if match:
                found[floor.normalised(match[1])] = match[2]
        return found

    @property
    def site(self) -> Path:
        return self.env / f"lib/python{self.interpreter.short}/site-packages"

    def view(self, read_only: tuple[str, ...] = ()) -> View:
        """What the sandbox sees while it is made: itself, its interpreter, and what else is said."""
        folders = (self.interpreter.prefix, *read_only)
        return View(self.root, self.env, self.folder / LOCAL, folders, name="build")


def variables(environment: Mapping[str, str], env: str = ENV_INSIDE) -> dict[str, str]:
    """The variables of a command inside: the image's own, with the environment's programs first on PATH."""
    path = environment.get("PATH", PATH)
    shims = (SHIMS_INSIDE,) if env == ENV_INSIDE else ()
    made = {"HOME": "/root", **environment, "PATH": ":".join([f"{env}/bin", *shims, path]), "VIRTUAL_ENV": env}
    # they say that the image's own Python is meant, and how to write into an image: here both are the environment's
    for name in ("UV_SYSTEM_PYTHON", "UV_BREAK_SYSTEM_PACKAGES", "UV_LINK_MODE"):
        made.pop(name, None)
    return made


def _names(folder: Path) -> Iterator[str]:
    try:
        yield from os.listdir(folder)
    except OSError:
        return
