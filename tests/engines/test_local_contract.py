"""The contract suite against the local engine, with bubblewrap and without."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.suite import EngineContract, run
from infra.client import path_without
from infra.need import need
from infra.wheels import write_wheel
from infra.workspaces import write_files
from kobako.compose import files
from kobako.compose.project import load
from kobako.console import Console
from kobako.engines.local import sandbox
from kobako.engines.local.engine import LocalEngine
from kobako.engines.local.place import Place
from kobako.engines.local.state import MARK, state_of
from kobako.errors import BuildError, EngineError
from kobako.model.service import Project, Service
from kobako.protocols import Command, Engine

# an environment's pip comes from the package index
pytestmark = pytest.mark.network

BASE = "FROM python:3.11-slim\n"
COMPOSE = """\
services:
  box:
    container_name: kobako-contract-box
    build:
      context: .
      dockerfile: ./docker/Box
    command: /bin/sh -c "echo started; while sleep 1000; do :; done"
  ending:
    build:
      context: .
      dockerfile: ./docker/Box
    command: "true"
"""


@pytest.fixture(scope="class")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kobako-contract-", dir="/tmp") as name:
        write_files(Path(name), {"compose.yaml": COMPOSE, "docker/Box": BASE, ".dockerignore": ".kobako\n"})
        yield Path(name)


@pytest.fixture(scope="class")
def project(folder: Path) -> Project:
    return load(files.find(folder, dict(os.environ)))[0]


@pytest.fixture(scope="class")
def engine(project: Project, folder: Path) -> Iterator[LocalEngine]:
    engine = LocalEngine(project, Console({}, verbosity=-2), folder / ".kobako")
    yield engine
    for service in project.services.values():
        engine.remove(service)


@pytest.fixture(scope="class")
def with_bubblewrap() -> None:
    tools, why = sandbox.find()
    need("bubblewrap that works", tools, f"apt-get install bubblewrap util-linux ({why})")


@pytest.fixture(scope="class")
def without_bubblewrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", path_without(["bwrap"], os.environ["PATH"], tmp_path_factory.mktemp("programs")))
        assert shutil.which("bwrap") is None
        yield


class LocalContract(EngineContract):
    """One workspace for each way of running; a test that needs a running service takes the one that is there."""

    @pytest.fixture
    def recipe(self, folder: Path) -> Path:
        return folder / "docker" / "Box"

    @pytest.fixture
    def service(self, engine: LocalEngine, project: Project, folder: Path) -> Service:
        """Nothing of it is there yet, nor what its recipe would make."""
        for service in project.services.values():
            engine.remove(service)
            Place(folder / ".kobako").built(service.name).unlink(missing_ok=True)
        self.write_recipe(folder)
        return project.services["box"]

    @pytest.fixture
    def ending(self, service: Service, project: Project) -> Service:
        return project.services["ending"]

    @pytest.fixture
    def running(self, engine: LocalEngine, project: Project, folder: Path) -> Service:
        service = project.services["box"]
        if engine.states([service])["box"] != "running":
            self.write_recipe(folder)
            engine.build(service)
            engine.up(service)
        return service

    def write_recipe(self, folder: Path) -> None:
        """A recipe of which nothing was built before."""
        raise NotImplementedError


@pytest.mark.usefixtures("with_bubblewrap")
class TestInASandbox(LocalContract):
    """Root inside is the caller outside, so that everything holds as in a container."""

    def write_recipe(self, folder: Path) -> None:
        (folder / "docker" / "Box").write_text(f"{BASE}RUN echo {os.urandom(6).hex()} >/made\n", encoding="utf-8")

    def leftovers(self, engine: Engine, service: Service) -> int:
        listed = run(engine, service, Command(("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"))).out
        return listed.count(b"sleep 60")


@pytest.mark.usefixtures("without_bubblewrap")
class TestWithoutASandbox(LocalContract):
    """No bubblewrap on the PATH: installs only, and nobody but the caller."""

    def write_recipe(self, folder: Path) -> None:
        version = f"1.{int.from_bytes(os.urandom(4), 'big')}"
        write_wheel(folder / "wheels", "tiny", version)
        text = f"{BASE}COPY wheels /wheels\nRUN pip install --no-index --find-links /wheels tiny=={version}\n"
        (folder / "docker" / "Box").write_text(text, encoding="utf-8")

    def leftovers(self, engine: Engine, service: Service) -> int:
        """This machine's processes, less all that are not of this service."""
        wanted = state_of(Place(Path(service.build.context or "") / ".kobako"), service.name) if service.build else None
        assert wanted is not None
        return sum(_is_sleep_of(entry, f"{MARK}={wanted.mark}".encode()) for entry in Path("/proc").glob("[0-9]*"))

    def test_a_failing_build_says_where_and_keeps_what_was_there(
        self, engine: Engine, service: Service, recipe: Path
    ) -> None:
        """It does not come to a failure: no command of a Dockerfile runs here."""
        engine.build(service)
        recipe.write_text(recipe.read_text(encoding="utf-8") + "RUN false\n", encoding="utf-8")
        with pytest.raises(BuildError) as caught:
            engine.build(service)
        assert caught.value.code == "needs-sandbox"
        assert caught.value.exit_code == 5
        assert "RUN false" in caught.value.what
        assert caught.value.where is not None
        assert (caught.value.where.file, caught.value.where.line) == (str(recipe), 4)
        assert "bwrap is not installed" in caught.value.why
        assert engine.states([service])[service.name] == "built"

    def test_environment_folder_and_user(self, engine: Engine, running: Service) -> None:
        """Everything runs as the caller, and as nobody else."""
        greeting = "こんにちは $HOME 'x'"
        said = run(engine, running, Command(("sh", "-c", 'echo "$GREETING"'), {"GREETING": greeting})).out
        assert said.decode() == f"{greeting}\n"
        assert run(engine, running, Command(("pwd",), workdir="/tmp")).out == b"/tmp\n"
        assert run(engine, running, Command(("id", "-u"))).out.decode() == f"{os.getuid()}\n"
        with pytest.raises(EngineError) as caught:
            run(engine, running, Command(("id", "-u"), user="1234:1234"))
        assert caught.value.code == "needs-sandbox"
        assert "--user" in caught.value.fix


def _is_sleep_of(entry: Path, mark: bytes) -> bool:
    try:
        asleep = (entry / "cmdline").read_bytes() == b"sleep\00060\0"
        return asleep and mark in (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
