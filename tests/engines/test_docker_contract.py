"""The contract suite against a real Docker Engine, with Compose v2 and with docker-compose v1."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.suite import EngineContract, run
from infra import leaks
from infra.client import Compose
from infra.engine import Engine as RealEngine
from infra.fixtures import StandIn
from infra.workspaces import write_files
from kobako.compose import files
from kobako.compose.project import load
from kobako.console import Console
from kobako.engines.docker.engine import DockerEngine
from kobako.model.service import Project, Service
from kobako.protocols import Command, Engine

pytestmark = pytest.mark.docker

COMPOSE = """\
services:
  box:
    container_name: kobako-contract-box
    build:
      context: .
      dockerfile: ./docker/Box
      network: host
    network_mode: host
    command: /bin/sh -c "echo started; while sleep 1000; do :; done"
  ending:
    build:
      context: .
      dockerfile: ./docker/Box
      network: host
    network_mode: host
    command: "true"
"""


@pytest.fixture(scope="class")
def folder(docker_engine: RealEngine, stand_in: StandIn, compose: Compose) -> Iterator[Path]:
    base = stand_in("kobako-test/base:1")
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="kobako-contract-") as name:
        for variable, value in docker_engine.environment(compose).items():
            patch.setenv(variable, value)
        write_files(Path(name), {"compose.yaml": COMPOSE, ".env": "COMPOSE_PROJECT_NAME=contract\n", "base": base})
        (Path(name) / "docker").mkdir()
        yield Path(name)
        leaks.remove_projects(docker_engine, Path(name))


@pytest.fixture(scope="class")
def project(folder: Path) -> Project:
    write_recipe(folder)
    return load(files.find(folder, dict(os.environ)))[0]


@pytest.fixture(scope="class")
def engine(project: Project, folder: Path) -> DockerEngine:
    return DockerEngine(project, Console({}, verbosity=-2), folder / ".kobako")


@pytest.mark.parametrize("compose", ["v2", "v1"], scope="class")
class TestDockerEngine(EngineContract):
    """One workspace for each Compose; a test that needs a running service takes the one that is there."""

    @pytest.fixture
    def recipe(self, folder: Path) -> Path:
        return folder / "docker" / "Box"

    @pytest.fixture
    def service(self, engine: DockerEngine, project: Project, folder: Path) -> Service:
        """Nothing of it is there yet, and no layer of its recipe either."""
        for service in project.services.values():
            engine.remove(service)
        for image in ("contract-box", "contract_box", "contract-ending", "contract_ending"):
            subprocess.run(["docker", "rmi", "-f", image], capture_output=True, check=False)
        write_recipe(folder)
        return project.services["box"]

    @pytest.fixture
    def ending(self, service: Service, project: Project) -> Service:
        return project.services["ending"]

    @pytest.fixture
    def running(self, engine: DockerEngine, project: Project) -> Service:
        service = project.services["box"]
        if engine.states([service])["box"] != "running":
            engine.build(service)
            engine.up(service)
        return service

    def leftovers(self, engine: Engine, service: Service) -> int:
        listed = run(engine, service, Command(("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"))).out
        return listed.count(b"sleep 60")


def write_recipe(folder: Path) -> None:
    base = (folder / "base").read_text(encoding="utf-8")
    text = f"FROM {base}\nRUN echo {os.urandom(6).hex()} >/made\n"
    (folder / "docker" / "Box").write_text(text, encoding="utf-8")
