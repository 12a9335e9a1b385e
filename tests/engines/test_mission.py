"""The mission's own document on a real Docker Engine: its files byte for byte, its session literally.

Left as they are: the compose excerpt and every line of the Dockerfile but the base image, which is a stand-in of the
same name, and ``mmcv-full``, which compiles for ten minutes (``addict``, one of its own requirements, stands for it).
"""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path

import pytest

from infra.client import Compose
from infra.engine import Engine
from infra.fixtures import Kobako, MakeWorkspace, StandIn
from infra.run import Outcome, run, start
from infra.user import Someone
from infra.workspaces import write_override

pytestmark = [pytest.mark.docker, pytest.mark.network, pytest.mark.timeout(1200)]

HERE = Path(__file__).parent / "mission"
NAME = "mmdetection"
IMAGE = "nvcr.io/nvidia/pytorch:22.02-py3"
CONFIG = "--config=configs/mmdetection/example/faster_rcnn/faster_rcnn_r50_fpn_1x_coco.py"
SETUP = """\
from setuptools import setup

setup(name="mmdet", install_requires=["six", "terminaltables"])
"""
ENTRY = ["python", "mmdetection/tools/clearml_train.py", CONFIG]


def mission_files() -> dict[str, str]:
    """The mission's excerpt under ``services:``, its Dockerfile, and a repository with a real training script."""
    return {
        "docker-compose.yaml": "services:\n" + (HERE / "excerpt.yaml").read_text(encoding="utf-8"),
        "docker/mmdetection": (HERE / "Dockerfile").read_text(encoding="utf-8").replace("mmcv-full", "addict"),
        "mmdetection/tools/clearml_train.py": (HERE / "train.py").read_text(encoding="utf-8"),
        "configs/mmdetection/example/faster_rcnn/faster_rcnn_r50_fpn_1x_coco.py": "epochs = 2\n",
        "data/.keep": "",
        "pretrain/.keep": "",
    }


@pytest.fixture
def image(nvidia_engine: Engine, stand_in: StandIn) -> str:
    return stand_in(IMAGE, kind="torch", engine=nvidia_engine)


@pytest.fixture
def workspace(docker_workspace: MakeWorkspace, someone: Someone) -> Path:
    folder = docker_workspace(mission_files(), name="GIT-ROOT", owner=someone)
    write_override(folder, [NAME])
    return someone.own(folder)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in (folder / "docker-compose.yaml", folder / "docker" / NAME)
    }


def owners(folder: Path) -> set[int]:
    return {path.lstat().st_uid for path in folder.rglob("*") if ".kobako" not in path.parts}


def check_trained(folder: Path, uid: int) -> None:
    """A checkpoint, scalars that say the loss fell, and nothing of root's."""
    work = folder / NAME / "work_dirs" / "digits"
    assert (work / "checkpoint.pth").stat().st_size > 10_000
    assert list(work.glob("events.out.tfevents.*"))
    figures = json.loads((work / "figures.json").read_text(encoding="utf-8"))
    assert figures["losses"][-1] < figures["losses"][0] / 2
    assert figures["accuracy"] > 0.8
    assert owners(folder) == {uid}


def test_kobako_on_the_missions_own_files(
    kobako: Kobako, nvidia_engine: Engine, image: str, workspace: Path, someone: Someone
) -> None:
    env = nvidia_engine.environment("v2", user=someone)
    before = snapshot(workspace)

    def call(*args: str, stdin: bytes | None = None, timeout: float = 900) -> Outcome:
        return kobako(*args, cwd=workspace, env=env, user=someone, stdin=stdin, timeout=timeout)

    built = call("build", "--json", NAME)
    assert built.code == 0, str(built)
    assert len([step for step in built.json["data"]["steps"] if "pip3 install" in step["name"]]) == 3
    assert call("up", NAME).code == 0
    assert call("ps", "--json").json["data"]["services"][0]["state"] == "running"
    inside = call("shell", NAME, stdin=b"pwd; id -u; exit 3\n")
    assert (inside.code, inside.out) == (3, b"/workspace\n0\n")
    executed = call("exec", NAME, *ENTRY)
    assert executed.code == 0, str(executed)
    check_trained(workspace, someone.uid)
    shutil.rmtree(workspace / NAME / "work_dirs")
    trained = call("train", NAME, CONFIG)
    assert trained.code == 0, str(trained)
    assert f"uid {someone.uid}".encode() in trained.out
    check_trained(workspace, someone.uid)
    assert call("stop", NAME).code == 0
    assert call("rm", NAME).code == 0
    verified = call("verify", "--json", NAME, "--", CONFIG)
    assert verified.code == 0, str(verified)
    assert verified.json["data"]["verified"] is True
    assert [step["name"] for step in verified.json["data"]["steps"]] == ["remove", "build", "start", "run"]
    call("rm", NAME)
    assert snapshot(workspace) == before


@pytest.mark.parametrize("compose", ["v2", "v1"])
def test_the_missions_session_without_kobako(
    nvidia_engine: Engine, image: str, workspace: Path, someone: Someone, compose: Compose
) -> None:
    """Commands 1 to 5 and "from zero", as written; ``docker-compose`` is v1, ``docker compose`` v2."""
    program = ["docker-compose"] if compose == "v1" else ["docker", "compose"]
    env = dict(nvidia_engine.environment(compose, user=someone))
    if compose == "v1":
        env |= {"DOCKER_BUILDKIT": "1", "COMPOSE_DOCKER_CLI_BUILD": "1"}
    assert shutil.which("kobako", path=env["PATH"]) is None

    def call(*args: str) -> Outcome:
        return run([*program, *args], cwd=workspace, env=env, user=someone, timeout=900)

    def session() -> None:
        done = call("build", NAME)
        assert done.code == 0, str(done)
        up = start([*program, "up", NAME], cwd=workspace, env=env, user=someone)
        try:
            deadline = time.monotonic() + 60
            while call("exec", "-T", NAME, "true").code != 0:
                assert time.monotonic() < deadline
                time.sleep(0.3)
            done = call("exec", "-T", NAME, "/bin/bash", "-c", " ".join(ENTRY))
            assert done.code == 0, str(done)
            done = call("exec", "-T", NAME, *ENTRY)
            assert done.code == 0, str(done)
        finally:
            up.send_signal(signal.SIGINT)
            up.communicate(timeout=60)

    session()
    assert call("rm", "-f", NAME).code == 0
    session()
    assert (workspace / NAME / "work_dirs" / "digits" / "checkpoint.pth").exists()
    call("rm", "-fs", NAME)


@pytest.mark.parametrize("compose", ["v2", "v1"])
def test_a_workspace_that_kobako_wrote(
    kobako: Kobako,
    nvidia_engine: Engine,
    image: str,
    docker_workspace: MakeWorkspace,
    someone: Someone,
    compose: Compose,
    tmp_path: Path,
) -> None:
    """``init`` and ``add`` from a folder, then the same road, then plain Compose."""
    folder = docker_workspace({}, name="機械学習", owner=someone)
    source = docker_workspace(
        {
            "mmdetection/setup.py": SETUP,
            "mmdetection/tools/clearml_train.py": (HERE / "train.py").read_text(encoding="utf-8"),
        },
        name="upstream",
        owner=someone,
    )
    env = nvidia_engine.environment(compose, user=someone)

    def call(*args: str) -> Outcome:
        done = kobako(*args, cwd=folder, env=env, user=someone, timeout=900)
        assert done.code == 0, str(done)
        return done

    call("init")
    call("add", str(source / NAME), "--base", IMAGE)
    write_override(folder, [NAME])
    config = folder / CONFIG.removeprefix("--config=")
    config.parent.mkdir(parents=True)
    config.write_text("epochs = 2\n", encoding="utf-8")
    someone.own(folder)
    call("build", NAME)
    call("up", NAME)
    call("train", NAME, CONFIG)
    check_trained(folder, someone.uid)
    verified = call("verify", "--json", NAME, "--", CONFIG)
    assert verified.json["data"]["verified"] is True
    kept = call("exec", NAME, "python", "-c", "import torch; print(torch.__version__)")
    assert kept.out.startswith(b"2.")
    call("rm", NAME)
    program = ["docker-compose"] if compose == "v1" else ["docker", "compose"]
    extra = {"DOCKER_BUILDKIT": "1", "COMPOSE_DOCKER_CLI_BUILD": "1"}
    for words in (["build", NAME], ["up", "-d", NAME], ["exec", "-T", NAME, *ENTRY], ["rm", "-fs", NAME]):
        done = run([*program, *words], cwd=folder, env={**env, **extra}, user=someone, timeout=900)
        assert done.code == 0, str(done)
