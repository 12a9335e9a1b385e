"""The base as a floor: what Kobako writes keeps the base's torch; what moves it is an error that names the step."""

from __future__ import annotations

import pytest

from engines import boxes
from engines.boxes import Box
from infra.engine import Engine
from infra.fixtures import Kobako, MakeWorkspace, StandIn
from infra.wheels import write_wheel
from infra.workspaces import write_override

pytestmark = [pytest.mark.docker, pytest.mark.network]

IMAGE = "nvcr.io/nvidia/pytorch:25.04-py3"
VERSIONS = "import importlib.metadata as m; print(m.version('torch'), m.version('six'))"


def test_what_kobako_writes_keeps_the_bases_torch(
    docker_engine: Engine, stand_in: StandIn, docker_workspace: MakeWorkspace, kobako: Kobako
) -> None:
    stand_in(IMAGE, kind="ngc")
    folder = docker_workspace(name="workspace")
    source = docker_workspace({"requirements.txt": "torch>=2.7\ntorchmetrics\nsix\n"}, name="Trainer")
    box = Box(folder, kobako, docker_engine.environment("v2"))
    box.ok("init")
    box.ok("add", str(source), "--base", IMAGE)
    write_override(folder)
    torch = docker_engine.docker(
        "run", "--rm", IMAGE, "python3", "-c", VERSIONS.replace(", m.version('six')", "")
    ).stdout
    built = box.ok("build", "--json", "Trainer").json["data"]
    assert "torch" not in {one["name"] for one in built["moved"]}
    inside = box.ok("exec", "trainer", "python3", "-c", VERSIONS + "; print(m.version('torchmetrics'))").stdout
    assert inside.split()[0] == torch.strip()
    assert "a0+" in torch


def test_a_step_that_replaces_it_is_named(
    docker_engine: Engine, stand_in: StandIn, docker_workspace: MakeWorkspace, kobako: Kobako
) -> None:
    stand_in(IMAGE, kind="ngc")
    recipe = (
        f"FROM {IMAGE}\nRUN true\n\n# this one\nRUN pip install --no-index --no-deps \\\n    /workspace/Box/*.whl\n"
    )
    recipe = recipe.replace("RUN true", "COPY Box /workspace/Box")
    box = boxes.make(docker_workspace, kobako, docker_engine, contents=boxes.files(recipe=recipe))
    write_wheel(box.folder / "Box", "torch", "2.99.0")
    failed = box("build", "box")
    assert failed.code == 5
    assert "replaced the base image's torch" in failed.stderr
    assert "docker/Box:5" in failed.stderr
    said = recipe.replace("/workspace/Box/*.whl", "--find-links /workspace/Box torch==2.99.0")
    (box.folder / "docker" / "Box").write_text(said, encoding="utf-8")
    moved = box.ok("build", "--json", "box").json["data"]["moved"]
    assert [one["after"] for one in moved if one["name"] == "torch"] == ["2.99.0"]
