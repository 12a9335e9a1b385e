"""``kobako demo`` for real: a workspace that builds, trains a network and is verified, as root and as anybody else."""

from __future__ import annotations

import contextlib
import functools
import http.server
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from infra import images, leaks
from infra.client import clean_environment, path_without
from infra.engine import Engine
from infra.fixtures import Kobako, MakeWorkspace, StandIn
from infra.need import need
from infra.run import Outcome, kobako_argv, kobako_environment, run, start
from infra.user import Someone
from infra.workspaces import write_override
from kobako import uv

pytestmark = [pytest.mark.network, pytest.mark.timeout(600)]

SHORT = f"{sys.version_info.major}.{sys.version_info.minor}"
RESULTS = "digits/work_dirs/demo"


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


@dataclass
class Demo:
    """Somebody's home folder, and what ``kobako demo`` did in a folder of it."""

    place: Path
    user: Someone | None
    env: dict[str, str]

    @property
    def home(self) -> Path:
        return self.place / "home"

    @property
    def folder(self) -> Path:
        return self.home / "my demo"

    def __call__(self, *words: str, cwd: Path | None = None, path: str = "") -> Outcome:
        argv = [*kobako_argv(self.user), *words]
        return run(
            argv,
            cwd=cwd or self.folder,
            env={**self.env, "PATH": path or self.env["PATH"]},
            user=self.user,
            timeout=500,
        )

    def result(self) -> Any:
        return json.loads((self.folder / RESULTS / "result.json").read_bytes())

    def train(self, path: str = "") -> str:
        """Train once more; the loss, to the last bit."""
        (self.folder / RESULTS / "result.json").unlink()
        done = self("train", "digits", "--config=configs/digits/demo.json", path=path)
        assert done.code == 0, str(done)
        return str(self.result()["loss_hex"])


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


def _has_torch() -> bool:
    links = images.pip_settings().get("find-links", [])
    tag = SHORT.replace(".", "")
    return any(any(Path(link).glob(f"torch-*+cpu-cp{tag}-*.whl")) for link in links)


def _written(home: Path, *leave_out: Path) -> set[str]:
    found = set()
    for place, folders, names in os.walk(home):
        folders[:] = [name for name in folders if Path(place, name) not in leave_out]
        found |= {os.path.relpath(os.path.join(place, name), home) for name in names}
    return found


@pytest.fixture(scope="module", params=["root", "someone"])
def demo(request: pytest.FixtureRequest) -> Iterator[Demo]:
    need("bubblewrap", shutil.which("bwrap"), "apt-get install bubblewrap")
    need(f"a CPU build of torch for Python {SHORT}", _has_torch(), "name the folder that has it in PIP_FIND_LINKS")
    place = Path(tempfile.mkdtemp(prefix="kobako-demo-", dir="/tmp"))
    place.chmod(0o755)
    home = place / "home"
    home.mkdir()
    user = ordinary(request.getfixturevalue("someone"), home) if request.param == "someone" else None
    env = environment(place, user)
    if user is None:
        env["UV_CACHE_DIR"] = os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache" / "uv")
    else:
        user.own(home)
    made = Demo(place, user, env)
    try:
        yield made
    finally:
        if made.folder.exists():
            made("--engine", "local", "rm", "digits")
        shutil.rmtree(place)


def test_the_demo(demo: Demo) -> None:
    done = demo("demo", "--engine", "local", "--json", "my demo", cwd=demo.home)
    assert done.code == 0, str(done)
    data = done.json["data"]
    assert (data["engine"], data["verified"], data["service"]) == ("local", True, "digits")
    assert data["accuracy"] > 0.95
    assert demo.result()["accuracy"] == data["accuracy"]
    assert (demo.folder / RESULTS / "last.pt").stat().st_size > 10_000
    assert (demo.folder / RESULTS / "best.pt").stat().st_size > 10_000
    assert list((demo.folder / RESULTS).glob("events.out.tfevents.*"))
    owners = {path.lstat().st_uid for path in demo.folder.rglob("*")}
    assert owners == {demo.user.uid if demo.user else os.getuid()}
    assert _written(demo.home, demo.folder, demo.home / ".cache" / "uv") == set()
    assert "CUDA is taken" not in done.stderr


def test_the_same_loss_each_time_with_and_without_a_sandbox(demo: Demo) -> None:
    first = demo.result()["loss_hex"]
    assert demo.train() == first
    without = path_without(["bwrap"], demo.env["PATH"], demo.place / "path")
    assert demo("stop", "digits").code == 0
    assert demo.train(path=without) == first
    assert demo("stop", "digits").code == 0
    assert demo.train() == first


def test_a_second_demo_goes_on(demo: Demo) -> None:
    if demo.user is not None:  # once is enough: it takes a while
        return
    kept = {name: (demo.folder / name).read_bytes() for name in ("docker-compose.yaml", "docker/digits")}
    began = time.monotonic()
    done = demo("demo", "--engine", "local", str(demo.folder), cwd=demo.home)
    assert done.code == 0, str(done)
    assert "trained and verified" in done.stdout
    assert time.monotonic() - began < 90
    assert {name: (demo.folder / name).read_bytes() for name in kept} == kept


@pytest.mark.docker
def test_the_demo_on_docker(
    kobako: Kobako, docker_engine: Engine, stand_in: StandIn, docker_workspace: MakeWorkspace, someone: Someone
) -> None:
    """Here an Engine has no network of its own: the first run cannot build, and the second goes on with an override."""
    base = stand_in("kobako-test/demo-torch:1", kind="torch")
    parent = docker_workspace({}, name="parent", owner=someone)
    env = docker_engine.environment("v2", user=someone)
    words = ("demo", "--engine", "docker", "--base", base, "--json", "demo")
    first = kobako(*words, cwd=parent, env=env, user=someone, timeout=500)
    assert first.code == 5, str(first)
    write_override(parent / "demo", ["digits"])
    someone.own(parent)
    done = kobako(*words, cwd=parent, env=env, user=someone, timeout=500)
    assert done.code == 0, str(done)
    data = done.json["data"]
    assert (data["engine"], data["verified"], data["base"]) == ("docker", True, base)
    assert data["accuracy"] > 0.95
    assert {path.lstat().st_uid for path in (parent / "demo" / "digits").rglob("*")} == {someone.uid}
    kobako("--engine", "docker", "rm", "digits", cwd=parent / "demo", env=env, user=someone)
    leaks.remove_projects(docker_engine, parent / "demo")
