"""What ``kobako doctor`` looks at for the docker engine: one check for each thing that can be wrong by itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kobako.engines.docker import endpoint
from kobako.engines.docker.api import Api
from kobako.engines.docker.compose import OLDEST_V1
from kobako.engines.docker.endpoint import Endpoint
from kobako.engines.docker.engine import OLDEST_API
from kobako.errors import EngineError
from kobako.model import NOTHING
from kobako.model.check import Check, CheckStatus
from kobako.probe import GIB, Probe, size

Ask = Callable[[str], Any]
"""Asks the daemon: the path of an API call -> its answer. Raises ``EngineError``."""

NEEDED = frozenset({"docker", "docker-daemon", "docker-permission", "docker-version", "compose"})
"""The checks without which the engine is of no use."""

ROOM = 20 * GIB
"""An NGC PyTorch image takes about that much."""

_MEANS = {
    "docker": "Compose, logs and remote daemons need the docker program",
    "docker-daemon": "the daemon builds images and runs containers",
    "docker-permission": "without permission every command would need sudo",
    "docker-version": "the files that Kobako writes need Docker Engine 20.10 or later",
    "compose": "Compose builds and starts the services",
    "buildkit": "its cache mounts keep downloaded packages: rebuilding is several times as fast",
    "buildx": "without it, docker build and docker-compose v1 use the old builder",
    "nvidia-toolkit": "it brings NVIDIA GPUs into containers; without it services start without a GPU",
    "disk-docker": "images and build caches are kept there; an NGC PyTorch image takes 20 GiB",
}

_INSTALL = "https://docs.docker.com/engine/install/"
_INSTALL_COMPOSE = "https://docs.docker.com/compose/install/linux/"
_INSTALL_BUILDX = "https://github.com/docker/buildx#installing"
_INSTALL_TOOLKIT = "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/"
_BUILDKIT_DEFAULT = (23,)
"""The Docker Engine whose client builds with BuildKit unasked."""

_CDI_FOLDERS = ("/etc/cdi", "/var/run/cdi")


def look(probe: Probe) -> list[Check]:
    """All checks of the daemon that this environment points to."""
    found = endpoint.find(probe.env)
    return DockerChecks(probe, found, Api(found).get).all()


class DockerChecks:
    """All checks of one daemon. ``ask`` is not called before :meth:`all` is."""

    def __init__(self, probe: Probe, endpoint: Endpoint, ask: Ask) -> None:
        self._probe = probe
        self._endpoint = endpoint
        self._ask = ask
        self._info: Mapping[str, Any] = NOTHING
        self._version: Mapping[str, Any] = NOTHING

    @property
    def local(self) -> bool:
        """Whether the daemon's files are this machine's: not through ssh or TCP, and not in Docker Desktop's VM."""
        return self._endpoint.path is not None and self._info.get("OperatingSystem") != "Docker Desktop"

    def all(self) -> list[Check]:
        program = self._program()
        daemon = self._daemon()
        compose = self._compose()
        return [program, *daemon, compose, self._buildkit(compose), self._buildx(), self._toolkit(), self._disk()]

    def _program(self) -> Check:
        if self._probe.which("docker") is None:
            return _check("docker", "missing", "there is no docker on the PATH", _INSTALL)
        outcome = self._probe.run("docker", "--version")
        said = f"{outcome.stdout}{outcome.stderr}".strip()
        if not outcome.ok:
            return _check("docker", "broken", outcome.last_lines(3) or "it cannot be started", _INSTALL)
        if "podman" in said.lower():
            return _check("docker", "broken", "it is Podman's stand-in, which Kobako does not know", _INSTALL)
        return _check("docker", "ok", _version(said) or said)

    def _daemon(self) -> list[Check]:
        """Daemon, permission and version: what is behind a closed door is not known."""
        names = ("docker-daemon", "docker-permission", "docker-version")
        if self._endpoint.path is None and self._probe.which("docker") is None:
            why = f"{self._endpoint.host} is reached through the docker program"
            return [_check(name, "unchecked", why) for name in names]
        try:
            self._version = self._ask("/version")
            self._info = self._ask("/info")
        except EngineError as error:
            closed = error.code == "docker-permission"
            why = "its socket is closed to this user" if closed else "the daemon does not answer"
            unasked = [_check(name, "unchecked", why) for name in names]
            if closed:
                unasked[1] = _check("docker-permission", "broken", error.what, error.fix)
            else:
                unasked[0] = _check("docker-daemon", "broken", self._said(error), self._fix(error))
            return unasked
        api = tuple(int(part) for part in self._version["ApiVersion"].split("."))
        recent = api >= OLDEST_API
        return [
            _check("docker-daemon", "ok", f"{self._endpoint.host} ({self._endpoint.origin})"),
            _check("docker-permission", "ok", "this user may talk to the daemon"),
            _check("docker-version", "ok" if recent else "broken", self._shown, "" if recent else _INSTALL),
        ]

    @property
    def _shown(self) -> str:
        return f"Docker Engine {self._version['Version']}"

    def _said(self, error: EngineError) -> str:
        if self._endpoint.path is None:  # the docker program made the connection, and knows why there is none
            outcome = self._probe.run("docker", "version", "--format", "{{.Server.Version}}")
            if not outcome.ok and outcome.stderr.strip():
                return f"{self._endpoint.host} ({self._endpoint.origin}): {outcome.last_lines(3)}"
        return f"{error.what}: {error.why}" if error.why else error.what

    def _fix(self, error: EngineError) -> str:
        if self._endpoint.origin == "DOCKER_HOST":
            return "unset DOCKER_HOST"
        return "docker context use default" if self._endpoint.origin.startswith("context") else error.fix

    def _compose(self) -> Check:
        for program in (("docker", "compose"), ("docker-compose",)):
            if self._probe.which(program[0]) is None:
                continue
            outcome = self._probe.run(*program, "version", "--short")
            version = _version(outcome.stdout) if outcome.ok else ""
            if not version:
                continue
            found = f"{' '.join(program)} {version}"
            if _numbers(version) < OLDEST_V1:
                return _check("compose", "broken", f"{found} is older than 1.28", _INSTALL_COMPOSE)
            return _check("compose", "ok", found)
        return _check("compose", "missing", "neither docker compose nor docker-compose answers", _INSTALL_COMPOSE)

    def _buildkit(self, compose: Check) -> Check:
        said = self._probe.env.get("DOCKER_BUILDKIT", "")
        if said.lower() in {"0", "f", "false"}:
            return _check("buildkit", "broken", f"DOCKER_BUILDKIT={said} switches it off", "unset DOCKER_BUILDKIT")
        if not self._version or compose.status != "ok":
            return _check("buildkit", "unchecked", "it depends on the daemon and on Compose")
        v1 = compose.found.startswith("docker-compose 1.")
        if not v1 and _numbers(self._version["Version"]) >= _BUILDKIT_DEFAULT:
            return _check("buildkit", "ok", "used without being asked for")
        variables = ("DOCKER_BUILDKIT", "COMPOSE_DOCKER_CLI_BUILD")
        wanted = [name for name in variables if not self._probe.env.get(name)]
        if not wanted:
            return _check("buildkit", "ok", f"switched on by {' and '.join(variables)}")
        found = f"{'docker-compose v1' if v1 else self._shown} does not use it unasked; kobako build asks"
        return _check("buildkit", "missing", found, f"export {' '.join(f'{name}=1' for name in wanted)}")

    def _buildx(self) -> Check:
        if self._probe.which("docker") is None:
            return _check("buildx", "unchecked", "it is part of the docker program")
        outcome = self._probe.run("docker", "buildx", "version")
        if outcome.ok:
            return _check("buildx", "ok", _version(outcome.stdout) or outcome.stdout.strip())
        client = _version(self._probe.run("docker", "--version").stdout)
        if client and _numbers(client) < _BUILDKIT_DEFAULT:
            return _check("buildx", "ok", f"not there, and docker {client} does not need it")
        return _check("buildx", "missing", "the docker program has no buildx plugin", _INSTALL_BUILDX)

    def _toolkit(self) -> Check:
        """Only a start tells for certain; these are the signs that one will work."""
        if not self._info:
            return _check("nvidia-toolkit", "unchecked", "the daemon does not answer")
        signs = list(self._signs())
        if signs:
            return _check("nvidia-toolkit", "ok", ", ".join(signs))
        if self.local and self._probe.which("nvidia-ctk") is not None:
            fix = "sudo nvidia-ctk runtime configure && sudo systemctl restart docker"
            return _check("nvidia-toolkit", "broken", "it is installed, but Docker does not know of it", fix)
        return _check("nvidia-toolkit", "missing", "the daemon shows no sign of it", _INSTALL_TOOLKIT)

    def _signs(self) -> Iterator[str]:
        if "nvidia" in (self._info.get("Runtimes") or {}):
            yield "the daemon's runtime nvidia"
        devices = self._info.get("DiscoveredDevices") or []
        if any(str(device.get("ID", "")).startswith("nvidia.com/gpu") for device in devices):
            yield "CDI devices"
        if not self.local:
            return
        for folder in self._info.get("CDISpecDirs") or _CDI_FOLDERS:
            yield from (f"{folder}/{name}" for name in self._probe.names(folder) if "nvidia" in name)
        if self._probe.which("nvidia-container-runtime-hook") is not None:
            yield "nvidia-container-runtime-hook"

    def _disk(self) -> Check:
        if not self._info:
            return _check("disk-docker", "unchecked", "the daemon does not answer")
        if not self.local:
            return _check("disk-docker", "unchecked", "the daemon's disk is another machine's")
        path = self._root()
        try:
            disk = self._probe.disk(path)
        except OSError as error:
            return _check("disk-docker", "unchecked", f"{path}: {error.strerror}")
        enough = disk.free >= ROOM
        found = f"{size(disk.free)} free in {path}"
        return _check("disk-docker", "ok" if enough else "missing", found, "" if enough else "docker builder prune")

    def _root(self) -> str:
        """Where images are kept: containerd's own folder where the daemon uses its image store."""
        root = str(self._info.get("DockerRootDir") or "/var/lib/docker")
        pairs = self._info.get("DriverStatus") or []
        snapshotter = any(pair[0] == "driver-type" and "snapshotter" in pair[1] for pair in pairs)
        return "/var/lib/containerd" if snapshotter and root == "/var/lib/docker" else root


def _check(name: str, status: CheckStatus, found: str, fix: str = "") -> Check:
    return Check(name, status, found, _MEANS[name], fix)


def _version(text: str) -> str:
    match = re.search(r"\d+\.\d+(?:\.\d+)?", text)
    return match[0] if match else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in _version(version).split(".") if part)
