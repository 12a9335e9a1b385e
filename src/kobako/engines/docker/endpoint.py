"""Where the Docker daemon listens, found as the docker program finds it, and a connection to it.

A unix socket is opened directly. Everything else (ssh, TCP with TLS) goes through ``docker system dial-stdio``, which
knows how to reach it: one API client serves them all.
"""

from __future__ import annotations

import errno
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from kobako.errors import EngineError

START = "sudo systemctl start docker"
DEFAULT = "unix:///var/run/docker.sock"


class Endpoint(NamedTuple):
    """``host`` is what DOCKER_HOST would say; ``origin`` says where that was written."""

    host: str
    origin: str

    @property
    def path(self) -> str | None:
        """The socket's path, or None where the daemon is not reached through a unix socket."""
        return self.host.removeprefix("unix://") if self.host.startswith("unix://") else None


def find(env: Mapping[str, str]) -> Endpoint:
    """DOCKER_HOST, else DOCKER_CONTEXT, else the current context of docker's configuration, else the default."""
    if host := env.get("DOCKER_HOST"):
        return Endpoint(host, "DOCKER_HOST")
    folder = Path(env.get("DOCKER_CONFIG") or Path(env.get("HOME") or "~").expanduser() / ".docker")
    name = env.get("DOCKER_CONTEXT") or str(_json(folder / "config.json").get("currentContext") or "default")
    if name == "default":
        return Endpoint(DEFAULT, "default")
    import hashlib  # noqa: PLC0415 - few have contexts

    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = _json(folder / "contexts" / "meta" / digest / "meta.json")
    host = meta.get("Endpoints", {}).get("docker", {}).get("Host", "")
    return Endpoint(host or DEFAULT, f"context {name}")


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}  # docker itself starts with defaults then, and says so
    return found if isinstance(found, dict) else {}


class Connection:
    """A two-way byte stream to the daemon."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._helper = None
        if endpoint.path is not None:
            self.socket = _connect(endpoint)
            return
        ours, theirs = socket.socketpair()
        with theirs:
            from kobako import process  # noqa: PLC0415 - a unix socket needs no program

            try:
                self._helper = process.spawn(
                    ["docker", "system", "dial-stdio"], stdin=theirs.fileno(), stdout=theirs.fileno()
                )
            except OSError as error:
                ours.close()
                raise EngineError(
                    "docker-missing",
                    f"the docker program is needed to reach {endpoint.host}",
                    why=f"it cannot be started: {error.strerror}",
                    fix="install it: https://docs.docker.com/engine/install/",
                ) from error
        self.socket = ours

    def close(self) -> None:
        self.socket.close()
        if self._helper is not None:
            from kobako import process  # noqa: PLC0415

            process.end(self._helper)

    def __enter__(self) -> Connection:  # noqa: PYI034 - Self is not in Python 3.10
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _connect(endpoint: Endpoint) -> socket.socket:
    path = endpoint.path or ""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
    except OSError as error:
        connection.close()
        raise unreachable(endpoint, error) from error
    return connection


def unreachable(endpoint: Endpoint, error: OSError) -> EngineError:
    """One message per cause: no permission, nobody listening, no socket."""
    if error.errno in {errno.EACCES, errno.EPERM}:
        user = os.environ.get("USER") or f"uid {os.getuid()}"
        return EngineError(
            "docker-permission",
            f"{user} may not talk to the Docker daemon at {endpoint.host}",
            why="the socket is closed to this user",
            fix="sudo usermod -aG docker $USER, then log in again",
        )
    nobody = error.errno == errno.ECONNREFUSED
    return EngineError(
        "docker-daemon",
        f"the Docker daemon does not answer at {endpoint.host} ({endpoint.origin})",
        why="nobody listens on the socket" if nobody else (error.strerror or str(error)),
        fix="unset DOCKER_HOST, or start the daemon there" if endpoint.origin == "DOCKER_HOST" else START,
    )
