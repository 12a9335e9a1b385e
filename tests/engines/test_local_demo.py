"""``kobako demo`` for real: a workspace that builds, trains a network and is verified, as root and as anybody else."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engines.localbox import SHORT, environment, ordinary
from infra import images, leaks
from infra.client import path_without
from infra.engine import Engine
from infra.fixtures import Kobako, MakeWorkspace, StandIn
from infra.need import need
from infra.run import Outcome, kobako_argv, run
from infra.user import Someone
from infra.workspaces import write_override

pytestmark = [pytest.mark.network, pytest.mark.timeout(600)]

RESULTS = "digits/work_dirs/demo"


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
