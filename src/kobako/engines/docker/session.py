"""One command inside a container: its bytes, its terminal, its end.

The daemon gives a command no way to be signalled, and children may leave its process group. So each command carries
``KOBAKO_SESSION=<id>`` in its environment, and ending it means: find every process inside that carries the id, and
the descendants of those, signal them, wait, kill. The search runs inside, privileged for its own moment only: root in
a container may not read the environment of another user's process otherwise.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from kobako import terminal
from kobako.engines.docker.api import Api, ApiError
from kobako.engines.docker.endpoint import Connection
from kobako.errors import CannotStartError, EngineError, Stopped
from kobako.protocols import Command, Streams

SESSION = "KOBAKO_SESSION"
PATIENCE = 6.0
"""Seconds that a command's processes have after the first signal; the promise is that none is left within ten."""

STARTS = 2.0
"""Seconds in which the daemon has started a command, or never will."""

_NEVER_STARTED = b"OCI runtime exec failed"
_CHUNK = 65536

# $1: the session's id, $2: the signal, then PID:START of processes found before (their parents may be gone by now).
# Prints PID:START of those that live. Needs sh, grep, tr and /proc alone.
_SIGNAL_ALL = r"""
id=$1; signal=$2; shift 2
start_of() { read -r line < "/proc/$1/stat" || return; set -- ${line##*) }; state=$1; parent=$2; shift 19; start=$1; }
found=" $(grep -la "KOBAKO_SESSION=$id" /proc/[0-9]*/environ | tr -dc '0-9\n' | tr '\n' ' ')"
for known; do
  start_of "${known%%:*}" && [ "$start" = "${known##*:}" ] && found="$found${known%%:*} "
done
grown=1
while [ -n "$grown" ]; do
  grown=
  for folder in /proc/[0-9]*; do
    pid=${folder#/proc/}
    case "$found" in *" $pid "*) continue;; esac
    start_of "$pid" || continue
    case "$found" in *" $parent "*) found="$found$pid "; grown=1;; esac
  done
done
pids=
alive=
for pid in $found; do
  start_of "$pid" || continue
  case "$state" in Z|X) continue;; esac
  pids="$pids $pid"; alive="$alive $pid:$start"
done
[ -n "$pids" ] && kill "-$signal" $pids
echo $alive
"""


class Container(NamedTuple):
    """A running container, as the daemon names it."""

    id: str
    name: str


class Session:
    """Runs one command in a container. ``id`` is in the environment of every process that it starts."""

    def __init__(self, api: Api, container: Container, name: str = "") -> None:
        self.id = name or os.urandom(16).hex()
        self._api = api
        self._container = container
        self._exec = ""

    def run(self, command: Command, streams: Streams) -> int:
        """The command's exit code. ``Stopped`` passes through after every process of the command has ended."""
        try:
            connection, first = self._start(command)
            if command.begun is not None:
                command.begun()
            with connection, terminal.raw(streams.stdin, on=command.terminal) as resized:
                pump = _Pump(connection.socket, streams, tty=command.terminal)
                resized(self._resize)
                pump.feed(first)
                pump.run()
            return self._code(pump, streams)
        except Stopped as stopped:
            self.end(signal.SIGINT if stopped.signum == signal.SIGINT else signal.SIGTERM)
            raise
        except CannotStartError:
            raise
        except BaseException:
            self._end_quietly()
            raise

    def _start(self, command: Command) -> tuple[Connection, bytes]:
        body: dict[str, Any] = {
            "AttachStdin": command.stdin,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": command.terminal,
            "Cmd": list(command.argv),
            "Env": [f"{key}={value}" for key, value in {**command.env, SESSION: self.id}.items()],
        }
        if command.user is not None:
            body["User"] = command.user
        if command.workdir is not None:
            body["WorkingDir"] = command.workdir
        if command.terminal and (size := terminal.window(0)):
            body["ConsoleSize"] = list(size)
        self._exec = self._api.post(f"/containers/{self._container.id}/exec", body)["Id"]
        start = {"Detach": False, "Tty": command.terminal}
        return self._api.hijack(f"/exec/{self._exec}/start", start)

    def _resize(self, size: tuple[int, int]) -> None:
        with contextlib.suppress(ApiError):  # it may have ended already
            self._api.post(f"/exec/{self._exec}/resize", h=size[0], w=size[1])

    def _code(self, pump: _Pump, streams: Streams) -> int:
        state = self._api.get(f"/exec/{self._exec}/json")
        code = state.get("ExitCode")
        if pump.held:
            if not state.get("Pid"):
                raise self._cannot_start(pump.held.decode("utf-8", "replace").strip(), code)
            terminal.write(streams.stdout, pump.held)
        if state.get("Running") or code is None:
            raise EngineError(
                "docker-daemon",
                "the Docker daemon ended the stream of a command that still runs",
                fix="look at it with: kobako ps",
            )
        return int(code)

    def _cannot_start(self, said: str, code: int | None) -> CannotStartError:
        words = said.removeprefix("OCI runtime exec failed: exec failed: ")
        return CannotStartError(
            "cannot-start",
            f"the command cannot be started in {self._container.name}",
            why=words.removeprefix("unable to start container process: "),
            child=127 if code is None else int(code),
        )

    def end(self, signum: int) -> None:
        """Signal every process of the session, wait, kill. A second ``Stopped`` kills at once."""
        alive: tuple[str, ...] = ()
        try:
            self._settle()
            deadline = time.monotonic() + PATIENCE
            alive = self._signal(signum, ())
            while alive and time.monotonic() < deadline:
                time.sleep(0.1)
                alive = self._signal(0, alive)
        except Stopped:
            alive = self._signal(signal.SIGKILL, alive)
        for _ in range(20):  # a process may be born while the others are killed
            if not alive:
                return
            alive = self._signal(signal.SIGKILL, alive)
            time.sleep(0.05)

    def _settle(self) -> None:
        """Wait until the daemon has started what it was told to start: only then can its processes be found."""
        deadline = time.monotonic() + STARTS
        while self._exec and time.monotonic() < deadline:
            state = self._api.get(f"/exec/{self._exec}/json")
            if state.get("Pid") or state.get("ExitCode") is not None:
                return
            time.sleep(0.02)

    def _end_quietly(self) -> None:
        """After a failure of the stream: no process may stay behind, and the first error is the one to report."""
        if self._exec:
            with contextlib.suppress(EngineError):
                self.end(signal.SIGTERM)

    def _signal(self, signum: int, known: tuple[str, ...]) -> tuple[str, ...]:
        """Send a signal (0: none) to every process of the session, those known before included; gives who lives."""
        argv = ("sh", "-c", _SIGNAL_ALL, "kobako", self.id, str(int(signum)), *known)
        code, output = collect(self._api, self._container, argv, privileged=True)
        if code == 0:
            return tuple(output.decode("ascii", "replace").split())
        raise EngineError(
            "engine-failed",
            f"cannot end the processes of the command in {self._container.name}",
            why=output.decode("utf-8", "replace").strip() or f"exit code {code}",
            fix=f"docker restart {self._container.name}",
        )


def collect(api: Api, container: Container, argv: tuple[str, ...], *, privileged: bool = False) -> tuple[int, bytes]:
    """Run a short command as root and give its exit code and output (error output left out)."""
    body = {"AttachStdout": True, "AttachStderr": True, "Cmd": list(argv), "User": "0", "Privileged": privileged}
    started = api.post(f"/containers/{container.id}/exec", body)["Id"]
    connection, data = api.hijack(f"/exec/{started}/start", {"Detach": False, "Tty": False})
    with connection:
        while chunk := connection.socket.recv(_CHUNK):
            data += chunk
    output = b"".join(part for stream, part in _frames(bytearray(data)) if stream == 1)
    return int(api.get(f"/exec/{started}/json").get("ExitCode") or 0), output


def _frames(buffer: bytearray) -> Iterator[tuple[int, bytes]]:
    """Whole frames at the front of the buffer, taken out of it: (1 for output or 2 for error output, bytes).

    Format: https://docs.docker.com/reference/api/engine/ , "Attach to a container", "Stream format".
    """
    while len(buffer) >= 8:
        stream, size = buffer[0], struct.unpack_from(">I", buffer, 4)[0]
        if len(buffer) < 8 + size:
            return
        part = bytes(buffer[8 : 8 + size])
        del buffer[: 8 + size]
        yield stream, part


class _Pump:
    """Moves bytes between the caller's file descriptors and the daemon's stream until the latter ends."""

    def __init__(self, stream: socket.socket, streams: Streams, *, tty: bool) -> None:
        self._stream = stream
        self._streams = streams
        self._tty = tty
        self._buffer = bytearray()
        self._started = False
        self._input = bytearray()
        self._stdin: int | None = streams.stdin
        self._closing = False
        self.held = b""

    def run(self) -> None:
        self._stream.settimeout(0)
        if self._stdin is None:
            self._half_close()
        while True:
            readers: list[Any] = [self._stream]
            if self._stdin is not None and len(self._input) < _CHUNK:
                readers.append(self._stdin)
            readable, writable, _ = select.select(readers, [self._stream] if self._input else [], [])
            if self._stdin in readable:
                self._read_input()
            if writable:
                self._write_input()
            if self._stream in readable and not self._read_output():
                return

    def _read_input(self) -> None:
        try:
            data = os.read(self._stdin, _CHUNK) if self._stdin is not None else b""
        except OSError:  # the terminal went away, or stdin is a folder
            data = b""
        self._input += data
        if not data:
            self._stdin = None
            self._closing = True
        self._write_input()

    def _write_input(self) -> None:
        try:
            while self._input:
                del self._input[: self._stream.send(self._input)]
        except BlockingIOError:
            return
        except OSError:  # the command has closed its input; its output may still come
            self._input.clear()
            self._stdin = None
            return
        if self._closing:
            self._half_close()

    def _half_close(self) -> None:
        self._closing = False
        if not self._tty:
            with contextlib.suppress(OSError):
                self._stream.shutdown(socket.SHUT_WR)

    def _read_output(self) -> bool:
        try:
            data = self._stream.recv(_CHUNK)
        except BlockingIOError:
            return True
        except ConnectionResetError:
            return False
        self.feed(data)
        return bool(data)

    def feed(self, data: bytes) -> None:
        """Take bytes that came from the daemon."""
        self._buffer += data
        if self._tty:
            self._emit(1, bytes(self._buffer))
            self._buffer.clear()
            return
        for stream, part in _frames(self._buffer):
            self._emit(stream, part)

    def _emit(self, stream: int, part: bytes) -> None:
        if not self._started and part.startswith(_NEVER_STARTED):
            self.held = part  # the runtime's own words, or a program that says the same: known when it has ended
            return
        if part:
            if self.held:
                held, self.held = self.held, b""
                terminal.write(self._streams.stdout, held)
            self._started = True
            terminal.write(self._streams.stderr if stream == 2 else self._streams.stdout, part)
