"""An engine that keeps its containers in a dictionary: for the contract suite, and for testing actions without Docker.

It runs the few programs that the suite uses, written in Python; it is not a sandbox for anything else.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kobako.errors import BuildError, CannotStartError, EngineError, WorkError
from kobako.model.service import Service, State
from kobako.protocols import Availability, Built, Command, LogOptions, Step, Streams

Program = Callable[["Call"], int]


@dataclass
class Call:
    """One run of a program: what it was given, and where its output goes."""

    command: Command
    streams: Streams
    folder: str
    user: str

    def read(self) -> bytes:
        if self.streams.stdin is None or not self.command.stdin:
            return b""
        return b"".join(iter(lambda: os.read(self.streams.stdin or 0, 65536), b""))

    def out(self, data: bytes) -> None:
        os.write(self.streams.stdout, data)

    def err(self, data: bytes) -> None:
        os.write(self.streams.stderr, data)


@dataclass
class Container:
    running: bool = True
    printed: bytes = b""


@dataclass
class MemoryEngine:
    """``programs`` maps an argv to what it does; ``built`` and ``containers`` are by service name."""

    name: str = "memory"
    programs: dict[tuple[str, ...], Program] = field(default_factory=dict)
    built: dict[str, int] = field(default_factory=dict)
    containers: dict[str, Container] = field(default_factory=dict)
    builds: int = 0
    sessions: set[str] = field(default_factory=set)

    def available(self) -> Availability:
        return Availability(usable=True, detail="in memory")

    def states(self, services: Iterable[Service]) -> dict[str, State]:
        return {service.name: self._state(service) for service in services}

    def _state(self, service: Service) -> State:
        container = self.containers.get(service.name)
        if container is not None:
            return "running" if container.running else "exited"
        return "built" if service.name in self.built else "absent"

    def build(self, service: Service, *, fresh: bool = False) -> Built:
        recipe = service.build.dockerfile if service.build is not None else None
        text = Path(recipe).read_text(encoding="utf-8") if recipe is not None else ""
        steps = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        failing = next((line for line in steps if line.endswith(" false")), None)
        if failing is not None:
            raise BuildError("build-failed", f"cannot build {service.title} at {failing}")
        cached = service.name in self.built and not fresh
        self.builds += not cached
        self.built[service.name] = self.builds
        return Built(f"memory/{service.name}", tuple(Step(line, 0.0, cached) for line in steps))

    def built_from(self, service: Service) -> str | None:
        recipe = service.build.dockerfile if service.build is not None else None
        return Path(recipe).read_text(encoding="utf-8") if recipe is not None and service.name in self.built else None

    def up(self, service: Service) -> bool:
        if self._state(service) == "absent":
            self.build(service)
        if self._state(service) == "running":
            return False
        command = service.command if isinstance(service.command, str) else " ".join(service.command or ())
        if "sleep" not in command:
            self.containers[service.name] = Container(running=False)
            raise WorkError("exited", f"{service.title} ended by itself with exit code 0", where=service.where)
        printed = b"started\n" if "echo started" in command else b""
        self.containers[service.name] = Container(printed=printed)
        return True

    def caller(self, service: Service) -> str | None:
        return None if service.user is not None else "1000:1000"

    def run(self, service: Service, command: Command, streams: Streams) -> int:
        if self._state(service) != "running":
            raise EngineError("not-running", f"{service.title} does not run", fix=f"kobako up {service.title}")
        program = self.programs.get(command.argv)
        if program is None:
            raise CannotStartError("cannot-start", f"the command cannot be started in {service.title}", child=127)
        folder = command.workdir or service.working_dir or "/workspace"
        session = command.session or os.urandom(4).hex()
        self.sessions.add(session)
        if command.begun is not None:
            command.begun()
        try:
            return program(Call(command, streams, folder, command.user or service.user or "root"))
        finally:
            self.sessions.remove(session)

    def logs(self, service: Service, streams: Streams, options: LogOptions) -> int:
        container = self.containers.get(service.name)
        if container is None:
            raise EngineError("not-running", f"{service.title} has no container")
        lines = container.printed.splitlines(keepends=True)
        os.write(streams.stdout, b"".join(lines if options.tail is None else lines[len(lines) - options.tail :]))
        return 0

    def stop(self, service: Service) -> bool:
        if self._state(service) != "running":
            return False
        self.containers[service.name].running = False
        return True

    def remove(self, service: Service) -> bool:
        return self.containers.pop(service.name, None) is not None


def _fail(code: int) -> Program:
    return lambda _: code


def _both(call: Call) -> int:
    call.out(b"to out\n")
    call.err(b"to err\n")
    return 0


def _echo(call: Call) -> int:
    call.out(call.read())
    return 0


def _variables(call: Call) -> int:
    call.out(call.command.env.get("GREETING", "").encode() + b"\n")
    return 0


def _folder(call: Call) -> int:
    call.out(call.folder.encode() + b"\n")
    return 0


def _user(call: Call) -> int:
    call.out(call.user.replace("root", "0").split(":")[0].encode() + b"\n")
    return 0


def _sleep(_: Call) -> int:
    time.sleep(60)
    return 0


SUITE_PROGRAMS: dict[tuple[str, ...], Program] = {
    ("true",): _fail(0),
    ("sh", "-c", "exit 7"): _fail(7),
    ("sh", "-c", "kill -9 $$"): _fail(137),
    ("sh", "-c", "echo to out; echo to err >&2"): _both,
    ("cat",): _echo,
    ("sh", "-c", 'echo "$GREETING"'): _variables,
    ("pwd",): _folder,
    ("id", "-u"): _user,
    ("sh", "-c", "setsid sleep 60 & sleep 60"): _sleep,
}
"""The programs that the contract suite runs."""
