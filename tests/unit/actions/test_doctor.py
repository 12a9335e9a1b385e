"""What doctor makes of a machine's answers. The answers are recorded; no program runs."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kobako.actions import doctor
from kobako.actions.context import Context
from kobako.console import Console
from kobako.engines import EngineChecks, checks
from kobako.engines.docker import endpoint
from kobako.engines.docker.checks import NEEDED, DockerChecks
from kobako.errors import EngineError, UsageError
from kobako.model.check import Check, CheckStatus
from kobako.model.result import Result
from kobako.probe import GIB, Disk, size
from kobako.process import Outcome
from kobako.settings import ENGINES, Setting, engine_name

SMI = " ".join(doctor._QUERY)

# Debian 12 with the Docker packages of its testing release
PROGRAMS = {
    "docker --version": (0, "Docker version 28.5.2+dfsg4, build 9cc6dea35e9a963f281434761c656fba4ac43aed\n", ""),
    "docker compose version --short": (0, "2.40.3-3\n", ""),
    "docker buildx version": (0, "github.com/docker/buildx 0.29.1+ds1 0.29.1+ds1-4\n", ""),
}
NO_PLUGIN = (1, "", "docker: 'compose' is not a docker command.\nSee 'docker --help'\n")
V1 = {
    "docker --version": (0, "Docker version 20.10.24+dfsg1, build 297e128\n", ""),
    "docker compose version --short": NO_PLUGIN,
    "docker-compose version --short": (0, "1.29.2\n", ""),
    "docker buildx version": (1, "", "docker: 'buildx' is not a docker command.\nSee 'docker --help'\n"),
}
TWO_CARDS = "NVIDIA A100-SXM4-80GB, 535.183.01, 81920 MiB\nNVIDIA A100-SXM4-80GB, 535.183.01, 81920 MiB\n"
DRIVER_GONE = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. "
    "Make sure that the latest NVIDIA driver is installed and running.\n"
)
MISMATCH = "Failed to initialize NVML: Driver/library version mismatch\n"

INFO = {
    "DockerRootDir": "/var/lib/docker",
    "Driver": "overlay2",
    "DriverStatus": [["Backing Filesystem", "extfs"]],
    "OperatingSystem": "Debian GNU/Linux 12 (bookworm)",
    "Runtimes": {"io.containerd.runc.v2": {"path": "runc"}, "runc": {"path": "runc"}},
}
VERSION = {"Version": "28.5.2+dfsg4", "ApiVersion": "1.51", "MinAPIVersion": "1.24"}


@dataclass
class Recorded:
    """A machine whose answers are known. What is not recorded is not there."""

    programs: Mapping[str, tuple[int, str, str]] = field(default_factory=lambda: PROGRAMS)
    env: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=lambda: {"/proc/meminfo": "MemTotal:       65536000 kB\n"})
    folders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    there: frozenset[str] = frozenset()
    free: int = 500 * GIB
    shm: int = 32 * GIB
    closed: frozenset[str] = frozenset()
    devices: Mapping[str, int] = field(default_factory=lambda: {"/": 1})
    read_only: frozenset[str] = frozenset()

    def which(self, program: str) -> str | None:
        known = {line.split()[0] for line in self.programs} | self.there
        return f"/usr/bin/{program}" if program in known else None

    def run(self, *argv: str) -> Outcome:
        code, out, err = self.programs[" ".join(argv)]
        return Outcome(argv, code, out, err, 0.1)

    def text(self, path: str) -> str | None:
        return self.texts.get(path)

    def names(self, folder: str) -> tuple[str, ...]:
        return self.folders.get(folder, ())

    def disk(self, path: str) -> Disk:
        if path in self.closed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return Disk(self.shm, self.shm) if path == "/dev/shm" else Disk(1000 * GIB, self.free)

    def device(self, path: str) -> int | None:
        return self.devices.get(path)

    def writable(self, path: str) -> bool:
        return path not in self.read_only


@dataclass
class Daemon:
    """A daemon's answers, or the error that every call ends with."""

    version: Mapping[str, Any] = field(default_factory=lambda: VERSION)
    info: Mapping[str, Any] = field(default_factory=lambda: INFO)
    error: EngineError | None = None

    def ask(self, path: str) -> Any:
        if self.error is not None:
            raise self.error
        return {"/version": self.version, "/info": self.info}[path]


NOBODY = Setting(None, "default")


def docker(machine: Recorded, daemon: Daemon | None = None) -> EngineChecks:
    found = DockerChecks(machine, endpoint.find(machine.env), (daemon or Daemon()).ask).all()
    return EngineChecks("docker", NEEDED, tuple(found))


def other(status: CheckStatus) -> EngineChecks:
    """A second engine, which needs one thing."""
    return EngineChecks("local", frozenset({"tool"}), (Check("tool", status, "a tool", "it is used", "get tool"),))


def see(machine: Recorded, daemon: Daemon | None = None) -> Result:
    """A machine that has the docker engine or none."""
    return doctor.result([docker(machine, daemon)], doctor.look(machine, Path("/")), NOBODY)


def closing(result: Result) -> str:
    return result.text.rsplit("\n\n", 1)[1]


def check(name: str, machine: Recorded, daemon: Daemon | None = None) -> Check:
    (found,) = (Check(**one) for one in see(machine, daemon).data["checks"] if one["name"] == name)
    return found


def test_a_machine_without_a_gpu_is_fit_for_work() -> None:
    result = see(Recorded())
    assert (result.status, result.exit_code, result.problems) == ("ok", 0, ())
    bad = {one["name"]: one["status"] for one in result.data["checks"] if one["status"] != "ok"}
    assert bad == {"nvidia-toolkit": "missing", "nvidia-driver": "missing", "gpu": "unchecked"}


def test_the_table_is_readable_at_80_columns() -> None:
    text = see(Recorded()).text
    assert text.splitlines()[:3] == [
        "docker engine",
        "  ok         docker             28.5.2",
        "  ok         docker-daemon      unix:///var/run/docker.sock (default)",
    ]
    assert (
        "\n\nthis machine\n"
        "  missing    nvidia-driver      there is no nvidia-smi on the PATH\n"
        "             means: containers use the host's driver; without it there is no\n"
        "                    GPU to use\n"
        "             fix:   https://www.nvidia.com/drivers\n"
    ) in text
    assert max(len(line) for line in text.splitlines()) < 87  # a fix is not broken, so that it can be copied
    assert all(len(line) < 80 for line in text.splitlines() if "fix:" not in line)


def test_every_check_says_what_it_means() -> None:
    for machine in (Recorded(), Recorded(programs={}), Recorded(programs=V1)):
        for one in see(machine).data["checks"]:
            assert set(one) == {"name", "status", "found", "means", "fix"}
            assert one["found"]
            assert one["means"]


def test_no_docker_program() -> None:
    result = see(Recorded(programs={}))
    assert (result.status, result.exit_code) == ("failed", 4)
    assert result.problems[0].code == "no-engine"
    assert result.problems[0].what == "no engine is usable on this machine"
    assert result.problems[0].why == "docker: there is no docker on the PATH"
    assert result.problems[0].fix == "https://docs.docker.com/engine/install/"


def test_podman_in_docker_s_place() -> None:
    said = (0, "podman version 4.3.1\n", "Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet.\n")
    found = check("docker", Recorded(programs={**PROGRAMS, "docker --version": said}))
    assert (found.status, found.found) == ("broken", "it is Podman's stand-in, which Kobako does not know")


@pytest.mark.parametrize(
    ("env", "fix"),
    [
        ({}, "sudo systemctl start docker"),
        ({"DOCKER_HOST": "unix:///nonexistent"}, "unset DOCKER_HOST"),
        ({"DOCKER_CONTEXT": "work", "DOCKER_CONFIG": "/nonexistent"}, "docker context use default"),
    ],
)
def test_a_daemon_that_does_not_answer(env: dict[str, str], fix: str) -> None:
    error = endpoint.unreachable(endpoint.find(env), FileNotFoundError(errno.ENOENT, "No such file or directory"))
    result = see(Recorded(env=env), Daemon(error=error))
    assert result.exit_code == 4
    assert result.problems[0].fix == fix
    statuses = {one["name"]: one["status"] for one in result.data["checks"]}
    assert statuses["docker-daemon"] == "broken"
    assert statuses["docker-permission"] == statuses["docker-version"] == statuses["disk-docker"] == "unchecked"
    assert statuses["nvidia-toolkit"] == statuses["buildkit"] == "unchecked"


def test_a_daemon_that_is_closed_to_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "hanako")
    error = endpoint.unreachable(endpoint.find({}), PermissionError(errno.EACCES, "Permission denied"))
    result = see(Recorded(), Daemon(error=error))
    assert result.exit_code == 4
    assert result.problems[0].why == (
        "docker-permission: hanako may not talk to the Docker daemon at unix:///var/run/docker.sock"
    )
    assert check("docker-daemon", Recorded(), Daemon(error=error)).status == "unchecked"


def test_a_remote_daemon_s_failure_is_told_in_docker_s_words() -> None:
    env = {"DOCKER_HOST": "ssh://me@box"}
    asked = "docker version --format {{.Server.Version}}"
    programs = {**PROGRAMS, asked: (1, "", "ssh: connect to host box port 22: Connection refused\n")}
    error = EngineError("docker-daemon", "the Docker daemon went away", why="it closed the connection")
    found = check("docker-daemon", Recorded(programs, env), Daemon(error=error))
    assert found.found == "ssh://me@box (DOCKER_HOST): ssh: connect to host box port 22: Connection refused"


def test_a_remote_daemon_without_the_docker_program_is_not_asked() -> None:
    error = AssertionError("asked")

    class Unasked(Daemon):
        def ask(self, path: str) -> Any:
            raise error

    result = see(Recorded(programs={}, env={"DOCKER_HOST": "tcp://box:2376"}), Unasked())
    assert {one["name"]: one["status"] for one in result.data["checks"]}["docker-daemon"] == "unchecked"
    assert result.problems[0].why == "docker: there is no docker on the PATH"


def test_what_a_remote_machine_has_is_not_looked_for_here() -> None:
    machine = Recorded(env={"DOCKER_HOST": "ssh://me@box"}, there=frozenset({"nvidia-container-runtime-hook"}))
    assert check("disk-docker", machine).found == "the daemon's disk is another machine's"
    assert check("nvidia-toolkit", machine).status == "missing"
    desktop = Daemon(info={**INFO, "OperatingSystem": "Docker Desktop"})
    assert check("disk-docker", Recorded(), desktop).status == "unchecked"


def test_an_engine_that_is_too_old() -> None:
    old = Daemon(version={"Version": "19.03.15", "ApiVersion": "1.40"})
    found = check("docker-version", Recorded(), old)
    assert (found.status, found.found) == ("broken", "Docker Engine 19.03.15")
    assert see(Recorded(), old).exit_code == 4


def test_compose_v1_works() -> None:
    machine = Recorded(programs=V1)
    daemon = Daemon(version={"Version": "20.10.24+dfsg1", "ApiVersion": "1.41"})
    assert check("compose", machine, daemon) == Check(
        "compose", "ok", "docker-compose 1.29.2", "Compose builds and starts the services"
    )
    buildkit = check("buildkit", machine, daemon)
    assert buildkit.status == "missing"
    assert buildkit.found == "docker-compose v1 does not use it unasked; kobako build asks"
    assert buildkit.fix == "export DOCKER_BUILDKIT=1 COMPOSE_DOCKER_CLI_BUILD=1"
    assert check("buildx", machine, daemon).found == "not there, and docker 20.10.24 does not need it"
    assert see(machine, daemon).exit_code == 0


def test_compose_that_is_too_old_or_missing() -> None:
    old = {**V1, "docker-compose version --short": (0, "1.25.0\n", "")}
    assert check("compose", Recorded(programs=old)).found == "docker-compose 1.25.0 is older than 1.28"
    none = {**PROGRAMS, "docker compose version --short": NO_PLUGIN}
    found = check("compose", Recorded(programs=none))
    assert (found.status, found.found) == ("missing", "neither docker compose nor docker-compose answers")
    assert see(Recorded(programs=none)).exit_code == 4


def test_docker_before_23_needs_the_variables() -> None:
    daemon = Daemon(version={"Version": "20.10.24", "ApiVersion": "1.41"})
    found = check("buildkit", Recorded(), daemon)
    assert found.found == "Docker Engine 20.10.24 does not use it unasked; kobako build asks"
    half = Recorded(env={"DOCKER_BUILDKIT": "1"})
    assert check("buildkit", half, daemon).fix == "export COMPOSE_DOCKER_CLI_BUILD=1"
    both = Recorded(env={"DOCKER_BUILDKIT": "1", "COMPOSE_DOCKER_CLI_BUILD": "1"})
    assert check("buildkit", both, daemon).status == "ok"


@pytest.mark.parametrize("value", ["0", "false", "FALSE"])
def test_buildkit_switched_off(value: str) -> None:
    found = check("buildkit", Recorded(env={"DOCKER_BUILDKIT": value}))
    assert (found.status, found.fix) == ("broken", "unset DOCKER_BUILDKIT")


def test_no_buildx() -> None:
    programs = {**PROGRAMS, "docker buildx version": (1, "", "docker: unknown command: docker buildx\n")}
    assert check("buildx", Recorded(programs=programs)).status == "missing"


@pytest.mark.parametrize(
    ("machine", "info", "found"),
    [
        (Recorded(), {"Runtimes": {"nvidia": {"path": "nvidia-container-runtime"}}}, "the daemon's runtime nvidia"),
        (Recorded(), {"DiscoveredDevices": [{"Source": "cdi", "ID": "nvidia.com/gpu=0"}]}, "CDI devices"),
        (Recorded(folders={"/etc/cdi": ("nvidia.yaml", "x.json")}), {}, "/etc/cdi/nvidia.yaml"),
        (
            Recorded(folders={"/opt/cdi": ("nvidia.json",)}, there=frozenset({"nvidia-container-runtime-hook"})),
            {"CDISpecDirs": ["/opt/cdi"]},
            "/opt/cdi/nvidia.json, nvidia-container-runtime-hook",
        ),
    ],
)
def test_signs_of_the_container_toolkit(machine: Recorded, info: dict[str, Any], found: str) -> None:
    told = check("nvidia-toolkit", machine, Daemon(info={**INFO, **info}))
    assert (told.status, told.found) == ("ok", found)


def test_a_toolkit_that_docker_does_not_know() -> None:
    found = check("nvidia-toolkit", Recorded(there=frozenset({"nvidia-ctk"})))
    assert found.status == "broken"
    assert found.fix == "sudo nvidia-ctk runtime configure && sudo systemctl restart docker"


@pytest.mark.parametrize(
    ("answer", "driver", "gpu"),
    [
        ((0, TWO_CARDS, ""), ("ok", "535.183.01"), ("ok", "2 x NVIDIA A100-SXM4-80GB (80 GiB)")),
        (
            (0, "NVIDIA GeForce RTX 3060, 470.1, 12288 MiB\nNVIDIA T4, 470.1, [N/A]\n", ""),
            ("ok", "470.1"),
            ("ok", "NVIDIA GeForce RTX 3060 (12 GiB), NVIDIA T4 ([N/A])"),
        ),
        ((6, "No devices were found\n", ""), ("ok", "it answers"), ("missing", "the driver finds no GPU")),
        (
            (9, DRIVER_GONE, ""),
            ("broken", f"nvidia-smi says: {DRIVER_GONE.strip()}"),
            ("unchecked", "the driver lists the GPUs"),
        ),
        (
            (18, MISMATCH, ""),
            ("broken", f"nvidia-smi says: {MISMATCH.strip()}"),
            ("unchecked", "the driver lists the GPUs"),
        ),
    ],
)
def test_driver_and_gpus(answer: tuple[int, str, str], driver: tuple[str, str], gpu: tuple[str, str]) -> None:
    machine = Recorded(programs={**PROGRAMS, SMI: answer})
    told = check("nvidia-driver", machine)
    assert (told.status, told.found) == driver
    told = check("gpu", machine)
    assert (told.status, told.found) == gpu


def test_a_driver_without_its_tools() -> None:
    machine = Recorded(texts={"/proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module"})
    assert check("nvidia-driver", machine).status == "broken"
    assert check("memory", machine).status == "unchecked"


def test_room() -> None:
    full = Recorded(free=3 * GIB, shm=64 * 1024**2, texts={"/proc/meminfo": "MemTotal:        4000000 kB\n"})
    assert check("disk-docker", full).found == "3.0 GiB free in /var/lib/docker"
    assert check("disk-docker", full).fix == "docker builder prune"
    assert check("disk-workspace", full).status == "missing"
    assert check("shm", full).found == "/dev/shm holds 64 MiB"
    assert check("memory", full)[1:3] == ("missing", "3.8 GiB")
    assert see(full).exit_code == 0


def test_images_in_containerd_s_own_folder() -> None:
    store = {**INFO, "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]}
    assert check("disk-docker", Recorded(), Daemon(info=store)).found == "500 GiB free in /var/lib/containerd"


def test_a_folder_that_cannot_be_looked_at_is_unchecked() -> None:
    machine = Recorded(closed=frozenset({"/var/lib/docker", "/dev/shm", "/"}))
    assert check("disk-docker", machine)[1:3] == ("unchecked", "/var/lib/docker: Permission denied")
    assert check("shm", machine).status == check("disk-workspace", machine).status == "unchecked"


def test_the_needed_checks_are_among_the_checks() -> None:
    assert {one["name"] for one in see(Recorded()).data["checks"]} > NEEDED


@pytest.mark.parametrize(
    ("programs", "status", "flag", "line", "code"),
    [
        (PROGRAMS, "ok", None, "engine: docker, the first that is usable", 0),
        (PROGRAMS, "missing", None, "engine: docker, the first that is usable", 0),
        ({}, "ok", None, "engine: local, the first that is usable (docker is not: docker)", 0),
        (PROGRAMS, "ok", "local", "engine: local, because --engine says so", 0),
        ({}, "missing", None, "engine: none is usable", 4),
        ({}, "ok", "docker", "engine: none; --engine says docker, which is not usable, while local is", 4),
        ({}, "missing", "docker", "engine: none is usable", 4),
    ],
)
def test_which_engine_would_be_used(
    programs: dict[str, Any], status: CheckStatus, flag: str | None, line: str, code: int
) -> None:
    result = doctor.result([docker(Recorded(programs)), other(status)], (), engine_name(flag, {}, None))
    assert (closing(result), result.exit_code) == (line, code)
    assert result.data["engine"] == (None if code else line.split()[1].rstrip(","))
    assert [(one["name"], one["usable"]) for one in result.data["engines"]] == [
        ("docker", bool(programs)),
        ("local", status == "ok"),
    ]


def test_with_no_engine_each_says_why() -> None:
    result = doctor.result([docker(Recorded({})), other("broken")], (), NOBODY)
    (problem,) = result.problems
    assert problem.why == "docker: there is no docker on the PATH; tool: a tool"
    assert problem.fix == "get tool"


def test_the_engine_that_was_asked_for_is_the_one_that_is_told_of() -> None:
    seen = [docker(Recorded({})), other("ok")]
    (problem,) = doctor.result(seen, (), engine_name(None, {"KOBAKO_ENGINE": "docker"}, None)).problems
    assert problem.what == "the docker engine is not usable on this machine, and KOBAKO_ENGINE asks for it"
    assert problem.why == "docker: there is no docker on the PATH"
    assert problem.fix == "https://docs.docker.com/engine/install/"


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_has_checks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"kobako.engines.{name}.checks.look", lambda *_: [Check("x", "ok", "x", "x")])
    seen = checks(name, Recorded(), Path("/"))
    assert (seen.engine, [one.name for one in seen.checks], seen.usable) == (name, ["x"], True)


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        doctor.doctor(Context(Path("/"), {}, Console({}), "podman"))
    assert caught.value.code == "unknown-engine"


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 MiB"), (64 * 1024**2, "64 MiB"), (GIB, "1.0 GiB"), (int(24.2 * GIB), "24 GiB")]
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text
