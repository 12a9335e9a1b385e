"""The NVIDIA reservation: honoured where the runtime is, dropped with a message where it is not."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest

from engines import boxes
from infra.client import Compose
from infra.engine import Engine
from infra.fixtures import Kobako, MakeWorkspace, StandIn

pytestmark = pytest.mark.docker


def container(env: Mapping[str, str]) -> dict[str, Any]:
    argv = ["docker", "inspect", "Box"]
    found: list[dict[str, Any]] = json.loads(subprocess.run(argv, env=env, capture_output=True, check=True).stdout)
    return found[0]


@pytest.mark.parametrize("compose", ["v2", "v1"])
def test_dropped_where_there_is_no_runtime(
    docker_engine: Engine, stand_in: StandIn, docker_workspace: MakeWorkspace, kobako: Kobako, compose: Compose
) -> None:
    stand_in(boxes.BASE)
    box = boxes.make(docker_workspace, kobako, docker_engine, contents=boxes.files(boxes.RESERVED))
    box.env = docker_engine.environment(compose)
    before = (box.folder / "docker-compose.yaml").read_bytes()
    up = box.ok("up", "box")
    assert "starts without a GPU" in up.stderr
    first = container(box.env)
    assert first["State"]["Running"]
    assert not first["HostConfig"]["DeviceRequests"]
    again = box.ok("up", "box")
    assert "already" in again.stdout
    assert container(box.env)["Id"] == first["Id"], "a second `up` leaves the container and what is in it"
    box.ok("exec", "box", "touch", "/by-hand")
    box.ok("stop", "box")
    box.ok("exec", "box", "test", "-e", "/by-hand")
    assert (box.folder / "docker-compose.yaml").read_bytes() == before


@pytest.mark.parametrize("compose", ["v2", "v1"])
def test_honoured_where_there_is_one(
    nvidia_engine: Engine, stand_in: StandIn, docker_workspace: MakeWorkspace, kobako: Kobako, compose: Compose
) -> None:
    stand_in(boxes.BASE, engine=nvidia_engine)
    box = boxes.make(docker_workspace, kobako, nvidia_engine, contents=boxes.files(boxes.RESERVED))
    box.env = nvidia_engine.environment(compose)
    up = box.ok("up", "box")
    assert "GPU" not in up.stderr
    requests = container(box.env)["HostConfig"]["DeviceRequests"]
    assert [request["Driver"] for request in requests] == ["nvidia"]
    assert requests[0]["Capabilities"] == [["gpu"]]
