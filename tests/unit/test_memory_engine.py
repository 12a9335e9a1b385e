"""The contract suite against the in-memory engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.memory import SUITE_PROGRAMS, MemoryEngine
from contract.suite import EngineContract
from kobako.model.service import Build, Service
from kobako.protocols import Engine

KEEP_ALIVE = '/bin/sh -c "echo started; while sleep 1000; do :; done"'


class TestMemoryEngine(EngineContract):
    @pytest.fixture
    def engine(self) -> MemoryEngine:
        return MemoryEngine(programs=dict(SUITE_PROGRAMS))

    @pytest.fixture
    def recipe(self, tmp_path: Path) -> Path:
        path = tmp_path / "Dockerfile"
        path.write_text("FROM scratch\nRUN true\n", encoding="utf-8")
        return path

    @pytest.fixture
    def service(self, tmp_path: Path, recipe: Path) -> Service:
        return Service("box", "Box", build=Build(str(tmp_path), str(recipe)), command=KEEP_ALIVE)

    @pytest.fixture
    def ending(self, service: Service) -> Service:
        return service._replace(name="ending", container_name="ending", command="true")

    @pytest.fixture
    def running(self, engine: MemoryEngine, service: Service) -> Service:
        engine.up(service)
        return service

    def leftovers(self, engine: Engine, service: Service) -> int:
        assert isinstance(engine, MemoryEngine)
        return len(engine.sessions)
