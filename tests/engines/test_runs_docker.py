"""Records of runs on Docker: by ``docker compose exec`` alone, by ``exec`` and by ``train``, the same."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from engines import boxes, runbox
from engines.boxes import Box
from infra.engine import Engine
from infra.fixtures import Kobako, MakeWorkspace, StandIn
from infra.run import run
from infra.user import Someone

pytestmark = pytest.mark.docker


@pytest.fixture
def theirs(
    docker_engine: Engine, stand_in: StandIn, docker_workspace: MakeWorkspace, kobako: Kobako, someone: Someone
) -> Box:
    stand_in(boxes.BASE)
    files = boxes.files() | {
        "Box/tools/clearml_train.py": runbox.entry(),
        "Box/tools/train.py": runbox.TRAIN,
        "configs/a.py": "lr = 0.1\n",
    }
    files["docker-compose.yaml"] = boxes.COMPOSE.replace(
        "    command", '      - "./configs:/workspace/configs"\n    command'
    )
    return boxes.make(docker_workspace, kobako, docker_engine, contents=files, user=someone)


def records(box: Box) -> list[dict[str, Any]]:
    found = sorted((box.folder / ".kobako" / "runs").glob("*/record.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in found]


def test_the_same_record_by_every_way(theirs: Box, docker_engine: Engine) -> None:
    training = ("python3", *runbox.TRAINING[1:])
    trained = theirs.ok("train", "box", "--config=configs/a.py", "--work_dir=Box/work_dirs/1")
    assert "step 4 of 4" in trained.stdout
    theirs.ok("exec", "box", *training, "--work_dir=Box/work_dirs/2")
    (made, inside) = records(theirs)
    assert [made["started_by"], inside["started_by"]] == ["train", "exec"]
    assert made.keys() == inside.keys()
    for name in ("status", "exit_code", "metrics", "source", "recipe", "packages", "config", "data", "engine"):
        assert made[name] == inside[name], name
    argv = ["docker", "compose", "exec", "-T", "box", *training, "--work_dir=Box/work_dirs/3"]
    done = run(argv, cwd=theirs.folder, env=docker_engine.environment("v2"))
    assert done.code == 0, str(done)
    listed = theirs.ok("runs", "--json").json["data"]["runs"]
    assert (listed[0]["started_by"], listed[0]["status"], listed[0]["engine"]) == ("outside", "done", "docker")
    assert listed[0]["checkpoint"] == "Box/work_dirs/3/epoch_1.pth"
    assert listed[0]["metrics"]["train/loss"] == 1.25
    ours = {path.lstat().st_uid for path in (theirs.folder / ".kobako" / "runs").rglob("*")}
    assert theirs.user is not None
    assert ours == {theirs.user.uid}
    theirs.ok("exec", "box", "chown", "-R", f"{os.stat(theirs.folder).st_uid}", "Box/work_dirs")
    theirs.ok("runs", "rm", "last")
    assert len(theirs.ok("runs", "--json").json["data"]["runs"]) == 2
