"""An environment while it is made: its folders, what it holds, and what the sandbox is to see of it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from kobako import floor
from kobako.engines.local.interpreters import Interpreter
from kobako.engines.local.paths import Bind
from kobako.engines.local.place import ENV, LOCAL, ROOT
from kobako.engines.local.sandbox import ENV_INSIDE, SHIMS_INSIDE, Tools, View
from kobako.engines.local.standin import PATH
from kobako.errors import BuildError, Where

CONFIG = "pyvenv.cfg"
"""In an image's folder: env/pyvenv.cfg as it was made. What it says decides which code Python starts with."""


class Means(NamedTuple):
    """What this machine has to make environments with.

    ``tools`` is None without a working bubblewrap. ``seen`` is what the compose files see: ``env`` and ``.env``.
    """

    uv: str
    tools: Tools | None
    without: str
    gpu: bool
    env: Mapping[str, str]
    seen: Mapping[str, str]


@dataclass
class Stage:
    """A folder with env/, root/ and local/, on the way to become an image.

    ``touched`` says that somebody's code has run in it. From then on nothing in it is believed from outside: not its
    Python, not its folders, which may be links.
    """

    folder: Path
    interpreter: Interpreter
    touched: bool = False
    asked: bool = False

    @property
    def env(self) -> Path:
        return self.folder / ENV

    @property
    def local(self) -> Path:
        return self.folder / LOCAL

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

    def view(self, read_only: tuple[str, ...] = (), extra: tuple[Bind, ...] = ()) -> View:
        """What the sandbox sees while it is made: itself, its interpreter, and what else is said."""
        folders = (self.interpreter.prefix, *read_only)
        return View(self.root, self.env, self.folder / LOCAL, folders, name="build", extra=extra)

    @contextlib.contextmanager
    def trusted(self, where: Where) -> Iterator[None]:
        """The environment's own Python may be started from outside: nothing in it runs but the interpreter's own.

        A wheel runs nothing when it is unpacked, but it may bring what every start of Python reads: ``*.pth``,
        ``sitecustomize``. Those are put aside meanwhile. Raises ``BuildError`` where one has replaced Python itself.
        """
        if not self._is_itself():
            raise BuildError("build-failed", "a package has replaced the environment's own Python", where=where)
        aside = self.folder / "aside"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        hidden = [name for name in _names(self.site) if name.endswith(".pth") or _EARLY.match(name)]
        before = self.packages()
        for name in hidden:
            os.rename(self.site / name, aside / name)
        try:
            yield
        finally:
            same = self.packages() == before
            for name in hidden:
                # one whose package went meanwhile goes with it
                if not os.path.lexists(self.site / name) and (same or self._records(name)):
                    os.rename(aside / name, self.site / name)

    @contextlib.contextmanager
    def emptied(self) -> Iterator[None]:
        """The environment without any of its packages."""
        if not self.site.is_dir():
            yield
            return
        aside = self.folder / "packages"
        os.rename(self.site, aside)
        os.mkdir(self.site)
        try:
            yield
        finally:
            shutil.rmtree(self.site, ignore_errors=True)
            os.rename(aside, self.site)

    def _records(self, name: str) -> bool:
        """Whether an installed package says that the file is its own."""
        wanted = re.compile(rf"^{re.escape(name)}(?:/[^,]*)?,", re.MULTILINE)
        files = (path for path in self.site.glob("*.dist-info/RECORD") if not path.is_symlink())
        return any(wanted.search(path.read_text(encoding="utf-8", errors="replace")) for path in files)

    def _is_itself(self) -> bool:
        if not self.env.exists():
            return True
        real = os.path.realpath(self.interpreter.path)
        links = [self.env / "bin" / name for name in ("python", "python3")]
        folders = [self.env, self.env / "bin", self.env / "lib", self.site.parent, self.site]
        return (
            all(os.path.islink(link) and os.path.realpath(link) == real for link in links)
            and not any(os.path.islink(folder) for folder in folders)
            and not os.path.islink(self.env / "pyvenv.cfg")
            and (self.folder / CONFIG).is_file()
            and _bytes(self.env / "pyvenv.cfg") == _bytes(self.folder / CONFIG)
        )


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


_EARLY = re.compile(r"(?:sitecustomize|usercustomize|_distutils_hack)(?:\.|$)")


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
