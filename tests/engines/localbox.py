"""A workspace on the local engine, users and package indexes for it, and what is left of its processes."""

from __future__ import annotations

import contextlib
import functools
import http.server
import io
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from infra.client import clean_environment
from infra.need import need
from infra.run import Outcome, kobako_argv, kobako_environment, run, start
from infra.user import Someone
from kobako import uv

SHORT = f"{sys.version_info.major}.{sys.version_info.minor}"

SETUP = """\
import glob, os, subprocess
said = []
for path in [*{paths!r}, *glob.glob("/proc/[0-9]*/cmdline"), *glob.glob("/proc/[0-9]*/environ")]:
    try:
        said.append(open(path, errors="replace").read())
    except OSError as error:
        said.append(str(error))
said.append(subprocess.run(["sh", "-c", {script!r}], capture_output=True, text=True).stdout)
from setuptools import setup
os.makedirs("evilpkg", exist_ok=True)
open("evilpkg/__init__.py", "w").write("SAID = " + repr("\\n".join(said)))
setup(name="evilpkg", version="1.0", packages=["evilpkg"])
"""


class Box:
    """A workspace on the local engine, and the command line run in it."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.env = env

    def __call__(
        self, *words: str, stdin: bytes | str | None = None, timeout: float = 60, env: Mapping[str, str] | None = None
    ) -> Outcome:
        return run(
            [*kobako_argv(), *words], cwd=self.folder, env={**self.env, **(env or {})}, stdin=stdin, timeout=timeout
        )

    def ok(self, *words: str, stdin: bytes | str | None = None, env: Mapping[str, str] | None = None) -> Outcome:
        done = self(*words, stdin=stdin, env=env)
        assert done.code == 0, str(done)
        return done

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        return start([*kobako_argv(), *words], cwd=self.folder, env=self.env)

    def inside(self, script: str, *, service: str = "box") -> str:
        return self.ok("exec", service, "sh", "-c", script).stdout

    @property
    def local(self) -> Path:
        return self.folder / ".kobako" / "local"


def sleeping(*numbers: int) -> list[int]:
    """Which of these sleeps are running, anywhere."""
    found = set()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdecimal() else []
            found |= {number for number in numbers if words[:2] == [b"sleep", str(number).encode()]}
    return sorted(found)


def begun(number: int, within: float = 10) -> bool:
    """Whether that sleep is running, soon."""
    deadline = time.monotonic() + within
    while not sleeping(number):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def gone(*numbers: int, within: float = 3) -> bool:
    deadline = time.monotonic() + within
    while sleeping(*numbers):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        return


@contextlib.contextmanager
def index(folder: Path, password: str) -> Iterator[str]:
    """A package index that asks for no password, so that one in pip's configuration can be looked for inside."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://joe:{password}@127.0.0.1:{server.server_port}/simple/"
        server.shutdown()
        thread.join()


def sdist(paths: list[str], script: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, text in (
            ("setup.py", SETUP.format(paths=paths, script=script)),
            ("PKG-INFO", "Metadata-Version: 1.0\nName: evilpkg\nVersion: 1.0\n"),
        ):
            info = tarfile.TarInfo(f"evilpkg-1.0/{name}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return made.getvalue()


def ordinary(user: Someone, home: Path) -> Someone:
    """The user with that home, and a Python that works in a sandbox too: their copied one looks for its library."""
    if not user.variables.get("LD_LIBRARY_PATH"):
        return replace(user, home=home)
    python = f"/usr/bin/python{SHORT}"
    need(f"a system's Python {SHORT}", os.path.exists(python), f"apt-get install python{SHORT}")
    copy = Path(user.python).parents[1]
    path = f"{copy / 'src'}:{copy / 'lib' / f'python{SHORT}' / 'site-packages'}"
    return replace(user, home=home, python=python, variables={"PYTHONPATH": path})


def environment(place: Path, user: Someone | None) -> dict[str, str]:
    """The local engine, with a home of its own, and uv where this user can reach it."""
    program = uv.program()
    need("uv", program, "pip install uv")
    (place / "bin").mkdir()
    shutil.copy2(str(program), place / "bin" / "uv")
    env = clean_environment() | {"HOME": str(place / "home"), "KOBAKO_ENGINE": "local"}
    env["PATH"] = f"{place / 'bin'}:{env['PATH']}"
    return kobako_environment(env, user)
