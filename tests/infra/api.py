"""The Engine API over its Unix socket, as far as the tests need it: some milliseconds a call, no client program."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("docker", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Api:
    """Requests to one Engine. A status of 400 or more raises RuntimeError with the Engine's own message."""

    def __init__(self, path: Path, timeout: float = 120) -> None:
        self._path = path
        self._timeout = timeout

    def call(self, method: str, path: str, **query: str) -> Any:
        connection = _UnixConnection(self._path, self._timeout)
        try:
            connection.request(method, path + (f"?{urlencode(query)}" if query else ""))
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {body.decode(errors='replace').strip()}")
        is_json = answer.getheader("Content-Type", "").startswith("application/json")
        return json.loads(body) if is_json and body else body

    def answers(self) -> bool:
        try:
            self.call("GET", "/_ping")
        except OSError:
            return False
        return True

    def get(self, path: str, **query: str) -> Any:
        return self.call("GET", path, **query)

    def containers(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/containers/json", all="1")
        return found

    def images(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/images/json")
        return found

    def volumes(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] | None = self.get("/volumes")["Volumes"]
        return found or []

    def networks(self) -> list[dict[str, Any]]:
        """The networks that somebody made: the built-in ones are left out."""
        found: list[dict[str, Any]] = self.get("/networks")
        return [network for network in found if network["Name"] not in {"host", "none", "bridge"}]

    def remove(self, kind: str, name: str) -> None:
        """Remove, by force, one of ``containers``, ``images``, ``volumes``, ``networks``."""
        force = {} if kind == "networks" else {"force": "1"}
        volumes = {"v": "1"} if kind == "containers" else {}
        self.call("DELETE", f"/{kind}/{quote(name, safe='/:')}", **force, **volumes)
