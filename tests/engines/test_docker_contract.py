"""The contract suite against a real Docker Engine, with Compose v2 and with docker-compose v1."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.suite import EngineContract, run
from infra.client import Compose
from infra.engine import Engine as RealEngine
from infra.fixtures import MakeWorkspace, StandIn
from kobako.compose import files, project
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


@pytest.mark.parametrize("compose", ["v2", "v1"], scope="class")
class TestDockerEngine(EngineContract):
    @pytest.fixture
    def folder(
        self,
        docker_engine: RealEngine,
        stand_in: StandIn,
        docker_workspace: MakeWorkspace,
        compose: Compose,
        monkeypatch: pytest.MonkeyPatch,
    ) -> Path:
        base = stand_in("kobako-test/base:1")
        for name, value in docker_engine.environment(compose).items():
            monkeypatch.setenv(name, value)
        # the time makes every test's layers its own: what one test built is not another one's cache
        recipe = f"FROM {base}\nRUN echo {os.urandom(6).hex()} >/made\n"
        return docker_workspace({"docker-compose.yaml": COMPOSE, "docker/Box": recipe}, name="contract")

    @pytest.fixture
    def recipe(self, folder: Path) -> Path:
        return folder / "docker" / "Box"

    @pytest.fixture
    def project(self, folder: Path) -> Project:
        return project.load(files.find(folder, dict(os.environ)))[0]

    @pytest.fixture
    def engine(self, project: Project, folder: Path) -> Iterator[DockerEngine]:
        engine = DockerEngine(project, Console({}, verbosity=-2), folder / ".kobako")
        yield engine
        for service in project.services.values():
            engine.remove(service)

    @pytest.fixture
    def service(self, project: Project) -> Service:
        return project.services["box"]

    @pytest.fixture
    def ending(self, project: Project) -> Service:
        return project.services["ending"]

    @pytest.fixture
    def running(self, engine: DockerEngine, service: Service) -> Service:
        engine.build(service)
        engine.up(service)
        return service

    def leftovers(self, engine: Engine, service: Service) -> int:
        listed = run(engine, service, Command(("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"))).out
        return listed.count(b"sleep 60")
