"""The test infrastructure itself: Engines, Composes, stand-in images, users, terminals, and the leak check."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from infra import cache, debian, engine, images, leaks, processes
from infra.client import Compose, path_without
from infra.engine import Engine
from infra.run import Outcome, run
from infra.terminal import Terminal, Tmux
from infra.user import Someone
from infra.wheels import write_wheel
from infra.workspaces import write_override

BASE = "kobako-infra/base:1"
PROGRAMS = {"v1": ["docker-compose"], "v2": ["docker", "compose"]}
BUILDKIT = {"DOCKER_BUILDKIT": "1", "COMPOSE_DOCKER_CLI_BUILD": "1"}
RESERVED = """\
services:
  box:
    container_name: infra-box
    build:
      context: .
      dockerfile: ./docker/box
    command: /bin/sh -c "while sleep 1000; do :; done"
    volumes:
      - "./out:/workspace/out"
    deploy:
      resources:
        reservations:
          devices:
            - driver: nvidia
              capabilities: [gpu]
"""
TESTS = str(Path(__file__).parents[1])
PLAIN = RESERVED.partition("    deploy:")[0]
REFUSED = 'could not select device driver "nvidia" with capabilities: [[gpu]]'

Make = Callable[..., Path]


def files(compose: str, recipe: str = f"FROM {BASE}\nRUN touch /made\n") -> dict[str, str]:
    return {"docker-compose.yaml": compose, "docker/box": recipe, "out/.keep": ""}


class TestSources:
    def test_deb822(self) -> None:
        text = textwrap.dedent("""\
            # a comment
            Types: deb deb-src
            URIs: http://one.example/debian
            Suites: bookworm
             bookworm-updates
            Components: main contrib

            Types: deb-src
            URIs: http://two.example/debian
            Suites: bookworm
            Components: main

            Types: deb
            Enabled: no
            URIs: http://three.example/debian
            Suites: bookworm
            Components: main
            """)
        one = "http://one.example/debian"
        assert debian.parse_deb822(text) == [
            debian.Source(one, "bookworm", ("main", "contrib")),
            debian.Source(one, "bookworm-updates", ("main", "contrib")),
        ]

    def test_classic(self) -> None:
        text = (
            "# no\ndeb [ arch=amd64 trusted=yes ] http://a.example/debian/ bookworm main # x\ndeb-src http://b c main\n"
        )
        assert debian.parse_classic(text) == [debian.Source("http://a.example/debian/", "bookworm", ("main",))]

    def test_other_vendors_are_left_out_and_the_mirror_serves_any_release(self, tmp_path: Path) -> None:
        (tmp_path / "sources.list.d").mkdir()
        (tmp_path / "sources.list").write_text("deb http://a.example/debian trixie main\n")
        (tmp_path / "sources.list.d/v.list").write_text("deb https://v.example/apt bookworm main\n")
        known = debian.sources(tmp_path)
        assert [source.uri for source in known] == ["http://a.example/debian"]
        assert debian.lines_for("bookworm", known) == [
            f"deb [signed-by={debian.KEYRING}] http://a.example/debian bookworm main"
        ]


def test_a_lock_keeps_a_second_run_out(tmp_path: Path) -> None:
    first = cache.try_lock(tmp_path / "lock")
    assert first is not None
    assert cache.try_lock(tmp_path / "lock") is None
    first.close()
    second = cache.try_lock(tmp_path / "lock")
    assert second is not None
    second.close()


def test_programs_can_be_hidden(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("seen", "unseen"):
        (tmp_path / "bin" / name).touch()
    path = path_without(["unseen"], f"/nowhere:{tmp_path / 'bin'}", tmp_path / "farm")
    first, second = path.split(":")
    assert first == "/nowhere"
    assert [path.name for path in Path(second).iterdir()] == ["seen"]


def test_wheels_install(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, "my-thing", "1.0+x", requires=["six"])
    again = write_wheel(tmp_path / "again", "my-thing", "1.0+x", requires=["six"])
    assert wheel.read_bytes() == again.read_bytes()
    target = tmp_path / "target"
    argv = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--target",
        str(target),
        str(wheel),
    ]
    done = run(argv)
    assert done.code == 0, done
    assert (target / "my_thing/__init__.py").read_text() == '__version__ = "1.0+x"\n'


@pytest.mark.parametrize(
    "attempt",
    [
        "subprocess.run(['true'])",
        "os.system('true')",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/true', ['true'])",
        "os.fork()",
        "socket.create_connection(('127.0.0.1', 9))",
        "socket.getaddrinfo('localhost', 9)",
    ],
)
def test_the_guard_stops_programs_and_network(attempt: str) -> None:
    code = (
        "import os, socket, subprocess\nfrom infra import guard\nwith guard.closed():\n    try:\n"
        f"        {attempt}\n    except guard.ForbiddenInUnitTestError:\n        print('stopped')\n"
        "os.system('echo open again')\n"
    )
    done = run([sys.executable, "-c", code], env={"PYTHONPATH": TESTS, "PATH": "/usr/bin:/bin"})
    assert sorted(done.stdout.splitlines()) == ["open again", "stopped"], done


def test_terminal(terminal: Callable[..., Terminal]) -> None:
    shell = terminal(["sh", "-c", 'test -t 0 && stty size; trap "echo got it; exit 7" INT; echo ready; sleep 30'])
    shell.expect("30 120")
    shell.expect("ready")
    shell.send("\x03")
    shell.expect("got it")
    assert shell.wait() == 7


def test_tmux(tmux: Callable[..., Tmux], tmp_path: Path) -> None:
    shell = tmux(["sh", "-i"], cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "PS1": "> "})
    shell.wait_for(r"(?m)^>")
    shell.keys("echo $((6*7))", "Enter")
    shell.wait_for(r"(?m)^42$")


def test_someone_runs_kobakos_python(someone: Someone, tmp_path: Path) -> None:
    code = "import os, kobako, yaml; print(os.getuid(), kobako.__version__); open('mine', 'w').close()"
    done = run(
        [someone.python, "-c", code], cwd=someone.home, env={"PATH": "/usr/bin", **someone.variables}, user=someone
    )
    assert done.code == 0, done
    assert done.stdout.startswith(f"{someone.uid} 0.")
    assert (someone.home / "mine").stat().st_uid == someone.uid
    assert run(someone.argv(["id", "-u"])).stdout == f"{someone.uid}\n"


@pytest.mark.docker
class TestEngine:
    def test_versions(self, docker_engine: Engine) -> None:
        version = docker_engine.api.get("/version")["Version"]
        assert int(version.partition(".")[0]) >= 28
        assert docker_engine.docker("version", "--format", "{{.Client.Version}}").stdout.strip() == version

    @pytest.mark.parametrize("compose", ["both", "v1", "v2", "none"])
    def test_each_compose_is_there_or_not(self, docker_engine: Engine, compose: Compose) -> None:
        env = docker_engine.environment(compose)
        v1 = run(["sh", "-c", "docker-compose version --short"], env=env)
        v2 = run(["docker", "compose", "version", "--short"], env=env)
        assert (v1.stdout.strip() == "1.29.2") == (compose in {"both", "v1"}), v1
        assert (v2.code == 0) == (compose in {"both", "v2"}), v2
        if v2.code == 0:
            assert tuple(map(int, v2.stdout.strip().split("-")[0].split(".")[:2])) >= (2, 40)
        assert run(["docker", "buildx", "version"], env=env).code == 0

    def test_only_members_of_the_group_may_talk_to_it(self, docker_engine: Engine, someone: Someone) -> None:
        env = docker_engine.environment(user=someone)
        assert run(["docker", "version"], env=env, user=someone).code == 0
        refused = run(["docker", "version"], env=env, user=someone.outsider())
        assert refused.code == 1
        assert "permission denied" in refused.stderr

    def test_it_listens_on_loopback_only(self, docker_engine: Engine) -> None:
        tables = run(["cat", "/proc/net/tcp", "/proc/net/tcp6"]).stdout.splitlines()
        rows = [line.split() for line in tables]
        loopback = ("0100007F:", "00000000000000000000000001000000:")
        public = {row[9] for row in rows if row[3] == "0A" and not row[1].startswith(loopback)}
        links = [
            link.readlink().name
            for pid in processes.of_folder(docker_engine.run_folder)
            for link in Path(f"/proc/{pid}/fd").iterdir()
        ]
        held = {name[8:-1] for name in links if name.startswith("socket:[")}
        assert held
        assert not public & held

    def test_base_image(self, docker_engine: Engine, stand_in: Callable[..., str]) -> None:
        image = stand_in(BASE)
        script = (
            "python -c 'import sys; print(sys.version_info[:2])' && ps -e >/dev/null && apt-get -qq update && "
            "pip install -q --root-user-action ignore six uv && uv pip install -q --system tqdm && "
            "python -c 'import six, tqdm'"
        )
        done = docker_engine.docker("run", "--rm", "--network=host", image, "sh", "-c", script)
        assert done.stdout.splitlines()[0] == "(3, 11)"

    def test_torch_image_trains(self, docker_engine: Engine, stand_in: Callable[..., str]) -> None:
        image = stand_in("kobako-infra/torch:1", "torch")
        script = (
            "import torch, numpy, sklearn, torch.utils.tensorboard; a = torch.ones(3, requires_grad=True); "
            "(a * a).sum().backward(); print(torch.__version__, a.grad.tolist())"
        )
        done = docker_engine.docker("run", "--rm", "--network=host", image, "python", "-c", script)
        assert done.stdout.startswith(f"{images.TORCH}")
        assert done.stdout.endswith("[2.0, 2.0, 2.0]\n")

    @pytest.mark.parametrize("release", sorted(images.RELEASES))
    def test_ngc_stand_in(self, docker_engine: Engine, stand_in: Callable[..., str], release: str) -> None:
        image = stand_in(f"nvcr.io/nvidia/pytorch:{release}-py3", "ngc")
        script = "pip list --format=freeze | grep -e torch; cat $PIP_CONSTRAINT </dev/null"
        done = docker_engine.docker("run", "--rm", "--network=host", image, "sh", "-c", script)
        facts = images.RELEASES[release]
        assert f"torch=={facts.torch}\ntorchvision=={facts.torchvision}\n" in done.stdout
        assert ("tqdm==" in done.stdout) == facts.constrained

    def test_a_daemon_that_was_killed_comes_back(self, docker_engine: Engine, stand_in: Callable[..., str]) -> None:
        image = stand_in(BASE)
        docker_engine.docker("run", "-d", "--name=infra-orphan", "--network=host", image, "sleep", "1000")
        docker_engine.kill()
        assert not docker_engine.api.answers()
        assert not processes.of_folder(docker_engine.run_folder)
        docker_engine.restart()
        assert [container["State"] for container in docker_engine.api.containers()] == ["exited"]
        docker_engine.api.remove("containers", "infra-orphan")

    def test_what_a_killed_run_left_is_ended(self, tmp_path: Path) -> None:
        """A second run at once takes a slot of its own; killed, it leaves nothing behind but that slot."""
        code = (
            "import sys, time\nfrom infra import engine\n"
            "with engine.running() as e:\n    print(e.run_folder, e.slot, flush=True)\n    time.sleep(1000)\n"
        )
        env = {**os.environ, "PYTHONPATH": TESTS}
        with subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdout is not None
            folder, slot = map(Path, other.stdout.readline().split())
            assert processes.of_folder(folder)
            other.kill()
        until = time.monotonic() + 20
        while processes.of_folder(folder) and time.monotonic() < until:
            time.sleep(0.1)
        assert not processes.of_folder(folder)
        assert (slot / "run").exists()
        with engine.running() as next_one:
            assert next_one.slot == slot
            assert not folder.exists()


@pytest.mark.docker
class TestProjects:
    @pytest.fixture
    def make(self, stand_in: Callable[..., str], docker_workspace: Make) -> Callable[..., Path]:
        def workspace(engine: Engine, compose: str, owner: Someone | None = None) -> Path:
            stand_in(BASE, engine=engine)
            folder = docker_workspace(files(compose), owner=owner)
            write_override(folder)
            return folder

        return workspace

    # v2 always builds with BuildKit
    @pytest.mark.parametrize(
        ("compose", "variables"),
        [("v2", {}), ("v1", BUILDKIT), ("v1", {"DOCKER_BUILDKIT": "0"})],
        ids=["v2", "v1-buildkit", "v1-classic"],
    )
    def test_a_project_runs_and_ends(
        self, docker_engine: Engine, make: Make, someone: Someone, compose: Compose, variables: dict[str, str]
    ) -> None:
        folder = make(docker_engine, PLAIN, someone)
        before = (folder / "docker-compose.yaml").read_bytes()
        env = {**docker_engine.environment(compose, user=someone), **variables}

        def call(*words: str) -> Outcome:
            done = run([*PROGRAMS[compose], *words], cwd=folder, env=env, user=someone)
            assert done.code == 0, done
            return done

        call("build")
        call("up", "-d")
        assert call("exec", "-T", "box", "sh", "-c", "ls /made; echo done >out/file").stdout == "/made\n"
        assert (folder / "out/file").read_text() == "done\n"
        assert (folder / "docker-compose.yaml").read_bytes() == before
        leaks.remove_projects(docker_engine, folder)
        assert leaks.leftovers(docker_engine) == []

    @pytest.mark.parametrize("compose", ["v1", "v2"])
    def test_a_reservation_is_refused(self, docker_engine: Engine, make: Make, compose: Compose) -> None:
        env = {**docker_engine.environment(compose), **BUILDKIT}
        done = run([*PROGRAMS[compose], "up", "-d"], cwd=make(docker_engine, RESERVED), env=env)
        assert done.code == 1, done
        assert REFUSED in done.stderr.replace("\\", "")

    @pytest.mark.parametrize("compose", ["v1", "v2"])
    def test_a_reservation_is_honoured(self, nvidia_engine: Engine, make: Make, compose: Compose) -> None:
        env = {**nvidia_engine.environment(compose), **BUILDKIT}
        done = run([*PROGRAMS[compose], "up", "-d"], cwd=make(nvidia_engine, RESERVED), env=env)
        assert done.code == 0, done
        (container,) = nvidia_engine.api.containers()
        facts = nvidia_engine.api.get(f"/containers/{container['Id']}/json")
        assert facts["State"]["Running"] is True
        assert facts["HostConfig"]["DeviceRequests"][0]["Capabilities"] == [["gpu"]]

    def test_leftovers_are_named_and_removed(self, docker_engine: Engine, stand_in: Callable[..., str]) -> None:
        image = stand_in(BASE)
        docker_engine.docker("tag", image, "infra-leak:1")
        docker_engine.docker("create", "--name=infra-leak", "--network=none", image, "true")
        docker_engine.docker("volume", "create", "infra-leak")
        assert leaks.leftovers(docker_engine) == [
            f"container infra-leak (created) of {image}",
            "volume infra-leak",
            "image infra-leak:1",
        ]
        leaks.clean(docker_engine)
        assert leaks.leftovers(docker_engine) == []
        assert image in docker_engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}").stdout
