"""Bad input on a real engine: a clear error or simply working, the right exit code, nothing of the user's changed."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines import boxes
from engines.boxes import Box
from infra.engine import Engine
from infra.fixtures import Kobako, MakeWorkspace, StandIn
from infra.run import kobako_argv, kobako_environment, start
from infra.user import Someone
from infra.workspaces import write_override

pytestmark = pytest.mark.docker


@pytest.fixture
def box(docker_engine: Engine, stand_in: StandIn, docker_workspace: MakeWorkspace, kobako: Kobako) -> Box:
    stand_in(boxes.BASE)
    return boxes.make(docker_workspace, kobako, docker_engine)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and ".kobako" not in path.parts}


def fails(box: Box, code: int, *words: str) -> str:
    """The error of a command that must fail; the user's files are as they were."""
    before = contents(box.folder)
    done = box(*words)
    assert done.code == code, str(done)
    assert done.out == b""
    assert "error: " in done.stderr
    assert contents(box.folder) == before
    return done.stderr


def compose(box: Box, text: str) -> None:
    (box.folder / "docker-compose.yaml").write_text(text, encoding="utf-8")


def test_names(box: Box) -> None:
    assert "did you mean box?" in fails(box, 2, "up", "bux")
    assert "did you mean build?" in fails(box, 2, "biuld", "box")
    compose(box, boxes.COMPOSE.replace("container_name: Box", 'container_name: "a b; touch /tmp/kobako-pwned"'))
    assert "no container can be named" in fails(box, 2, "up", "box")
    assert not Path("/tmp/kobako-pwned").exists()


def test_compose_files(box: Box) -> None:
    compose(box, boxes.COMPOSE.replace("    build:", "\tbuild:"))
    assert "docker-compose.yaml:4:1" in fails(box, 2, "up", "box")
    compose(box, boxes.COMPOSE + "  other:\n    container_name: x\n")
    assert "neither build nor image (docker-compose.yaml:12:5)" in fails(box, 2, "build", "other")
    compose(box, boxes.COMPOSE.replace("./docker/Box", "./docker/Nope"))
    assert "does not exist: docker/Nope (docker-compose.yaml:6:19)" in fails(box, 2, "build", "box")
    compose(box, boxes.COMPOSE + "    nonsense: 1\n")
    assert "nonsense" in fails(box, 2, "up", "box")
    (box.folder / "docker-compose.yaml").unlink()
    (box.folder / "docker-compose.override.yaml").unlink()
    assert "kobako init" in fails(box, 2, "up", "box")


def test_mounts(box: Box, docker_workspace: MakeWorkspace) -> None:
    compose(box, boxes.COMPOSE.replace("./data:", "/no/such/folder:"))
    assert "/no/such/folder, which does not exist (docker-compose.yaml:9:9)" in fails(box, 2, "up", "box")
    compose(box, boxes.COMPOSE.replace("./data:/workspace/data", "./settings.yaml:/settings.yaml"))
    assert "settings.yaml" in fails(box, 2, "up", "box")
    other = docker_workspace({"here": "x"}, name="other")
    compose(box, boxes.COMPOSE.replace("./data:", f"../../{other.parent.name}/other:"))
    assert box.ok("exec", "box", "cat", "/workspace/data/here").stdout == "x"


def test_a_container_of_that_name_is_somebody_elses(box: Box, docker_workspace: MakeWorkspace, kobako: Kobako) -> None:
    box.ok("up", "box")
    folder = docker_workspace(boxes.files(), name="another")
    write_override(folder)
    another = Box(folder, kobako, box.env)
    another.ok("build", "box")
    told = fails(another, 2, "up", "box")
    assert "a container named Box is there already" in told
    assert "Compose project box" in told
    assert box.ok("ps", "--json").json["data"]["services"][0]["state"] == "running"


def test_a_folder_named_in_japanese(
    docker_engine: Engine, stand_in: StandIn, docker_workspace: MakeWorkspace, kobako: Kobako
) -> None:
    stand_in(boxes.BASE)
    folder = docker_workspace(boxes.files(), name="機械学習")
    write_override(folder)
    box = Box(folder, kobako, docker_engine.environment("v2"))
    assert box.ok("exec", "box", "echo", "はい").stdout == "はい\n"
    box.ok("rm", "-f", "box")
    subprocess.run(["docker", "rmi", "default-box"], env=box.env, check=True, capture_output=True)


def test_no_docker_no_daemon_no_permission_no_compose(box: Box, someone: Someone, docker_engine: Engine) -> None:
    env = dict(box.env)
    box.env = {**env, "DOCKER_HOST": "unix:///no/such/docker.sock"}
    assert "the Docker daemon does not answer" in fails(box, 4, "--engine=docker", "up", "box")
    box.env = {**env, "PATH": "/no/such/bin"}
    assert "the docker program is not on the PATH" in fails(box, 4, "--engine=docker", "up", "box")
    box.env = docker_engine.environment("none")
    assert "Docker Compose is not installed" in fails(box, 4, "--engine=docker", "up", "box")
    outsider = someone.outsider()
    box.user, box.env = outsider, docker_engine.environment("v2", user=outsider)
    outsider.own(box.folder)
    assert "may not talk to the Docker daemon" in fails(box, 4, "--engine=docker", "up", "box")


@pytest.fixture
def small_engine(docker_engine: Engine, tmp_path: Path) -> Iterator[Engine]:
    """An engine whose data lies on a disk of 700 MB."""
    slot = tmp_path / "slot"
    slot.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700m", "kobako-test", str(slot)], check=True)
    try:
        with (tmp_path / "lock").open("w") as lock:
            engine = Engine(slot, lock, nvidia=False)
            engine.start()
            try:
                yield engine
            finally:
                engine.stop()
    finally:
        subprocess.run(["umount", "-l", str(slot)], check=True)


def test_a_full_disk_during_build(
    small_engine: Engine, stand_in: StandIn, docker_workspace: MakeWorkspace, kobako: Kobako
) -> None:
    stand_in(boxes.BASE, engine=small_engine)
    box = boxes.make(docker_workspace, kobako, small_engine)
    box.ok("build", "box")
    recipe = box.folder / "docker" / "Box"
    good = recipe.read_text(encoding="utf-8")
    recipe.write_text(f"{good}RUN head -c 900M /dev/zero > /zeros\n", encoding="utf-8")
    told = fails(box, 5, "build", "box")
    assert "no space is left" in told
    assert "docker/Box:3" in told
    assert box.ok("ps", "--json").json["data"]["services"][0]["state"] == "built"
    recipe.write_text(good, encoding="utf-8")
    box.ok("exec", "box", "true")


def test_a_daemon_that_dies(
    stand_in: StandIn, docker_workspace: MakeWorkspace, kobako: Kobako, docker_engine: Engine
) -> None:
    """Killed while it builds, killed under a running command; the next one works when it is back."""
    stand_in(boxes.BASE)
    recipe = f"FROM {boxes.BASE}\nRUN echo building; sleep 60\n"
    box = boxes.make(docker_workspace, kobako, docker_engine, contents=boxes.files(recipe=recipe))
    env = kobako_environment(box.env)
    argv = [*kobako_argv(), "up", "box"]
    running = start(argv, cwd=box.folder, env=env)
    time.sleep(4)
    docker_engine.kill()
    _, err = running.communicate(timeout=60)
    assert running.returncode == 4, err
    assert b"the Docker daemon" in err
    docker_engine.restart()
    (box.folder / "docker" / "Box").write_text(f"FROM {boxes.BASE}\n", encoding="utf-8")
    assert box.ok("exec", "box", "echo", "back").stdout == "back\n"


def test_two_workspaces_with_one_project_name(box: Box, docker_workspace: MakeWorkspace, kobako: Kobako) -> None:
    box.ok("up", "box")
    folder = docker_workspace(boxes.files(), name="elsewhere/box")
    write_override(folder)
    other = Box(folder, kobako, box.env)
    for verb in (["ps"], ["up", "box"], ["exec", "box", "true"], ["rm", "-f", "box"]):
        assert "another workspace has the same Compose project name, box" in fails(other, 2, *verb)
    (folder / ".env").write_text("COMPOSE_PROJECT_NAME=box-elsewhere\n", encoding="utf-8")
    assert "box" in other.ok("ps").stdout
    assert box.ok("ps", "--json").json["data"]["services"][0]["state"] == "running"


def test_a_dockerfile_that_is_not_understood(box: Box) -> None:
    recipe = box.folder / "docker" / "Box"
    recipe.write_text(f"FROM {boxes.BASE}\nRUNN true\n", encoding="utf-8")
    told = fails(box, 5, "build", "box")
    assert "docker/Box:2" in told
    assert "RUNN" in told
