"""A small client of the Docker Engine API: the handful of calls that Kobako makes, none of them versioned.

Reference: https://docs.docker.com/reference/api/engine/ . The Docker SDK costs 100 ms of imports; the docker program
120 ms a call. HTTP itself is h11's work, which also hands over the bytes that follow an upgrade.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import h11

from kobako.engines.docker.endpoint import Connection, Endpoint
from kobako.errors import EngineError

TIMEOUT = 60.0
"""Seconds in which a daemon must have answered a call; none of those made here waits for work to be done."""


class ApiError(EngineError):
    """The daemon answered with an error: its status and its own words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__("engine-failed", f"the Docker daemon says: {message}")
        self.status = status
        self.message = message


class Api:
    """Calls to one daemon. Every call is a connection of its own; on a unix socket that costs microseconds."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    def ping(self) -> None:
        """Raises ``EngineError`` where the daemon does not answer."""
        self.call("GET", "/version")

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, query=query)

    def post(self, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        return self.call("POST", path, body=body, query=query)

    def call(
        self, method: str, path: str, *, body: Mapping[str, Any] | None = None, query: Mapping[str, Any] | None = None
    ) -> Any:
        """The decoded JSON answer (None where there is none). Raises ``ApiError`` from status 400 on."""
        with Connection(self.endpoint) as connection:
            connection.socket.settimeout(TIMEOUT)
            http = h11.Connection(h11.CLIENT)
            self._send(connection, http, (method, _target(path, query)), body)
            status, content, _ = self._receive(connection, http)
        if status >= 400:
            raise ApiError(status, _message(content))
        return json.loads(content) if content.strip() else None

    def hijack(self, path: str, body: Mapping[str, Any]) -> tuple[Connection, bytes]:
        """Start a two-way stream; gives the open connection and the bytes that came with the answer."""
        connection = Connection(self.endpoint)
        try:
            http = h11.Connection(h11.CLIENT)
            self._send(connection, http, ("POST", path), body, upgrade=True)
            status, content, trailing = self._receive(connection, http)
        except BaseException:
            connection.close()
            raise
        if status not in {101, 200}:
            connection.close()
            raise ApiError(status, _message(content))
        return connection, trailing

    def _send(
        self,
        connection: Connection,
        http: h11.Connection,
        request: tuple[str, str],
        body: Mapping[str, Any] | None,
        *,
        upgrade: bool = False,
    ) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        headers = [("Host", "docker"), ("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
        headers += [("Connection", "Upgrade"), ("Upgrade", "tcp")] if upgrade else [("Connection", "close")]
        data = http.send(h11.Request(method=request[0], target=request[1], headers=headers)) or b""
        data += http.send(h11.Data(data=content)) or b""
        data += http.send(h11.EndOfMessage()) or b""
        try:
            connection.socket.sendall(data)
        except OSError as error:
            raise self._lost(error) from error

    def _receive(self, connection: Connection, http: h11.Connection) -> tuple[int, bytes, bytes]:
        status, content = 0, b""
        while True:
            try:
                event = http.next_event()
            except h11.RemoteProtocolError as error:
                raise self._lost(None) from error
            if event is h11.NEED_DATA:
                try:
                    http.receive_data(connection.socket.recv(65536))
                except OSError as error:
                    raise self._lost(error) from error
            elif isinstance(event, h11.InformationalResponse) and event.status_code == 101:
                return 101, b"", http.trailing_data[0]
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                content += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return status, content, b""
            elif isinstance(event, h11.ConnectionClosed):
                raise self._lost(None)

    def _lost(self, error: OSError | None) -> EngineError:
        return EngineError(
            "docker-daemon",
            f"the Docker daemon at {self.endpoint.host} went away in the middle of a call",
            why=(error.strerror or str(error)) if error else "it closed the connection",
            fix="sudo systemctl status docker",
        )


def _target(path: str, query: Mapping[str, Any] | None) -> str:
    encoded = {
        key: json.dumps(value) if isinstance(value, dict | list | bool) else str(value)
        for key, value in (query or {}).items()
    }
    return quote(path) + (f"?{urlencode(encoded)}" if encoded else "")


def _message(content: bytes) -> str:
    try:
        return str(json.loads(content)["message"]).strip()
    except (ValueError, KeyError, TypeError):
        return content.decode("utf-8", "replace").strip()
