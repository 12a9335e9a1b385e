"""The docker engine itself: the protocol's verbs, each one a few calls to Compose or to the Engine API."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from kobako.engines.docker import endpoint
from kobako.engines.docker.api import Api
from kobako.engines.docker.containers import DROPPED, GPU, PROJECT, SERVICE, Containers, Found, states
from kobako.engines.docker.ownership import Ownership
from kobako.engines.docker.session import Container, Session
from kobako.errors import EngineError, KobakoError, UsageError, WorkError
from kobako.model.result import Problem
from kobako.model.service import Project, Service, State
from kobako.protocols import Availability, Built, Command, LogOptions, Narrator, Streams
from kobako.workspace import make_state

if TYPE_CHECKING:
    from kobako.engines.docker.compose import ComposeCli
    from kobako.process import Outcome

OLDEST_API = (1, 41)
"""The API of Docker 20.10: the first with BuildKit's cache mounts in a plain build and with device requests."""

SETTLE = 0.4
"""Seconds that a started container must go on running to count as started."""

CONTAINER_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
"""Source: moby/moby, daemon/names."""


class DockerEngine:
    """Builds, starts and enters services through a Docker daemon. ``state`` is a folder for throw-away files."""

    name = "docker"

    def __init__(self, project: Project, narrator: Narrator, state: Path) -> None:
        self._project = project
        self._narrator = narrator
        self._state = state

    @functools.cached_property
    def _api(self) -> Api:
        return Api(endpoint.find(os.environ))

    @functools.cached_property
    def _containers(self) -> Containers:
        return Containers(self._api, self._project.container_prefix, self._project.root)

    @functools.cached_property
    def _cli(self) -> ComposeCli:
        from kobako.engines.docker import compose  # noqa: PLC0415 - exec needs none of it

        problem = self.available().problem
        if problem is not None:
            raise EngineError(problem.code, problem.what, why=problem.why, fix=problem.fix)
        return compose.ComposeCli(compose.find(), self._project, self._narrator.child)

    def available(self) -> Availability:
        try:
            version = self._api.get("/version")
        except EngineError as error:
            return Availability(usable=False, problem=Problem.of(error))
        shown = f"Docker Engine {version['Version']}"
        if tuple(int(part) for part in version["ApiVersion"].split(".")) < OLDEST_API:
            problem = Problem(
                "docker-old", f"{shown} is too old", "20.10 is the oldest that will do", "update the Docker Engine"
            )
            return Availability(usable=False, detail=shown, problem=problem)
        return Availability(usable=True, detail=shown)

    def states(self, services: Iterable[Service]) -> dict[str, State]:
        wanted = list(services)
        found = self._containers.all()
        # a machine may hold thousands of images: they are looked at for services without a container only
        tags = self._containers.images() if any(one.name not in found for one in wanted) else set()
        return states(wanted, found, tags, self._project.container_prefix)

    def build(self, service: Service, *, fresh: bool = False) -> Built:
        from kobako.engines.docker import build as building  # noqa: PLC0415 - exec needs none of it
        from kobako.engines.docker import floor  # noqa: PLC0415

        if service.build is None:
            return self._pull(service)
        how = "" if not fresh else ("argument" if building.declares_fresh(service) else "no-cache")
        try:
            steps = building.build(self._cli, service, self._narrator, fresh=how)
        except KobakoError:
            self._api.ping()  # a daemon that went away is another matter than a step that failed
            self._check_files(f"cannot build {service.title}")
            raise
        image = self._containers.image(service) or ""
        moved = floor.moved(self._api, image, service) if image else ()
        return Built(image, steps, moved)

    def _pull(self, service: Service) -> Built:
        """A service that is an image and nothing else: the newest one, or the one that is here."""
        outcome = self._cli.run("pull", service.name, on_line=self._narrator.child)
        if not outcome.ok and self._containers.image(service) is None:
            self._check(outcome, f"cannot pull {service.image}")
        if not outcome.ok:
            self._narrator.say(f"{service.image} cannot be pulled: the one that is here is used")
        return Built(service.image or "")

    def built_from(self, service: Service) -> str | None:  # noqa: ARG002 - the protocol's
        """None: an image does not keep its Dockerfile."""
        return None

    def up(self, service: Service) -> bool:
        self._check_name(service)
        if self._api.endpoint.path is not None:  # the folders of another machine cannot be looked at
            from kobako import mounts  # noqa: PLC0415 - exec needs none of it

            mounts.prepare(service, self._project.root, self._narrator)
        before = self._containers.of(service)
        since = self._started(before)
        # one that was started without its GPU keeps what was installed in it: it is replaced only after `rm`
        self._start(service, dropped=before is not None and _dropped(before))
        after = self._containers.of(service)
        if after is None:
            raise EngineError("engine-failed", f"Compose reports success, but {service.title} has no container")
        self._await(service, after)
        return before is None or before.id != after.id or self._started(after) != since

    def _start(self, service: Service, *, dropped: bool) -> None:
        from kobako.engines.docker import gpu  # noqa: PLC0415 - exec needs none of it

        if not dropped:
            outcome = self._compose_up(service)
            if outcome.ok:
                return
            if not self._reserves() or not gpu.refused(f"{outcome.stdout}{outcome.stderr}"):
                self._check(outcome, f"cannot start {service.title}")
        self._narrator.warn(
            Problem(
                "no-gpu",
                f"{service.title} starts without a GPU: its NVIDIA reservation cannot be honoured here",
                "this Docker daemon has no working NVIDIA runtime",
                "kobako doctor",
            )
        )
        make_state(self._state)
        files, stdin = gpu.without(self._cli, self._project, self._state)
        self._check(self._compose_up(service, files, stdin), f"cannot start {service.title}")

    def _compose_up(self, service: Service, files: list[str] | None = None, stdin: bytes | None = None) -> Outcome:
        """``up -d``. Where v1 cannot replace a container (it wants a field that Docker 25 no longer gives), the ones
        that it has already stopped and set aside are removed for it, as it would have done itself."""
        while True:
            outcome = self._cli.run("up", "-d", service.name, files=files, stdin=stdin, on_line=self._narrator.child)
            if outcome.ok or not self._cli.compose.v1 or "KeyError: 'ContainerConfig'" not in outcome.stderr:
                return outcome
            if not self._containers.remove_set_aside():
                return outcome

    def _reserves(self) -> bool:
        return any(service.reserves_nvidia for service in self._project.services.values())

    def caller(self, service: Service) -> str | None:
        if service.user is not None or os.getuid() == 0:
            return None
        options = self._api.get("/info").get("SecurityOptions") or []
        rootless = any("name=rootless" in option or "name=userns" in option for option in options)
        return None if rootless else f"{os.getuid()}:{os.getgid()}"

    def run(self, service: Service, command: Command, streams: Streams) -> int:
        container = self._running(service)
        ownership = Ownership(service, self._project.root, self._state)
        ownership.begin()
        try:
            return Session(self._api, container, command.session).run(command, streams)
        finally:
            with contextlib.suppress(EngineError):  # a later command catches up
                ownership.hand_over(self._api, container)

    def logs(self, service: Service, streams: Streams, options: LogOptions) -> int:
        container = self._containers.of(service)
        if container is None:
            raise EngineError("not-running", f"{service.title} has no container", fix=f"kobako up {service.title}")
        flags = ["--follow"] if options.follow else []
        flags += ["--timestamps"] if options.timestamps else []
        flags += [f"--tail={options.tail}"] if options.tail is not None else []
        from kobako import process  # noqa: PLC0415 - exec starts no program

        argv = ["docker", "logs", *flags, container.id]
        return process.attach(argv, stdin=None, stdout=streams.stdout, stderr=streams.stderr)

    def stop(self, service: Service) -> bool:
        container = self._containers.of(service)
        if container is None or not container.running:
            return False
        grace = ["-t", "1"] if _keeps_alive(service) and service.stop_grace_period is None else []
        self._check(self._cli.run("stop", *grace, service.name), f"cannot stop {service.title}")
        return True

    def remove(self, service: Service) -> bool:
        if self._containers.of(service) is None:
            return False
        self.stop(service)
        self._check(self._cli.run("rm", "-f", service.name), f"cannot remove {service.title}")
        return True

    def _running(self, service: Service) -> Container:
        found = self._containers.of(service)
        if found is None or not found.running:
            raise EngineError("not-running", f"{service.title} does not run", fix=f"kobako up {service.title}")
        return Container(found.id, found.name)

    def _check_name(self, service: Service) -> None:
        """A container of the service's name that belongs to something else is nobody's to replace."""
        if service.container_name and not CONTAINER_NAME.fullmatch(service.container_name):
            raise UsageError(
                "bad-name",
                f"no container can be named {service.container_name!r}",
                why="letters, digits, _, . and - are allowed, the first one a letter or digit",
                fix="give the service another container_name",
                where=service.where,
            )
        other = self._containers.named(service.container_name) if service.container_name else None
        if other is None:
            return
        project, name = other.labels.get(PROJECT), other.labels.get(SERVICE)
        if (project, name) == (self._project.container_prefix, service.name):
            return
        owner = f"the Compose project {project} (service {name})" if project else "no Compose project"
        raise UsageError(
            "name-taken",
            f"a container named {service.container_name} is there already",
            why=f"it belongs to {owner}",
            fix=f"give the service another container_name, or remove that one: docker rm -f {service.container_name}",
            where=service.where,
        )

    def _started(self, container: Found | None) -> str:
        return "" if container is None else str(self._containers.inspect(container.id)["State"].get("StartedAt"))

    def _await(self, service: Service, container: Found) -> None:
        """Return when the container has been running for a moment, and is healthy where it says how to tell."""
        steady = time.monotonic() + SETTLE
        while True:
            state = self._containers.inspect(container.id)["State"]
            health = (state.get("Health") or {}).get("Status", "none")
            if not state["Running"] or state.get("Restarting") or health == "unhealthy":
                raise self._ended(service, container, state["ExitCode"], health)
            if time.monotonic() > steady and health != "starting":
                return
            time.sleep(0.05)

    def _ended(self, service: Service, container: Found, code: int, health: str) -> WorkError:
        from kobako import process  # noqa: PLC0415

        told = process.run(["docker", "logs", "--tail=12", container.id]).last_lines()
        what = "is unhealthy" if health == "unhealthy" else f"ended by itself with exit code {code}"
        return WorkError(
            "exited",
            f"{service.title} {what}",
            why=told or "it printed nothing",
            fix='give the service a command that stays, such as: /bin/sh -c "while sleep 1000; do :; done"',
            where=service.where,
        )

    def _check_files(self, what: str) -> None:
        """Raises ``UsageError`` where Compose does not accept the files: that is then the cause of its failure."""
        valid = self._cli.run("config", "-q")
        if not valid.ok:
            raise UsageError("invalid-compose", what, why=valid.last_lines(), fix="correct the compose file")

    def _check(self, outcome: Outcome, what: str) -> None:
        if outcome.ok:
            return
        self._api.ping()  # raises when the daemon is gone: that is then the cause
        said = outcome.last_lines()
        if "no space left on device" in said.lower():
            raise EngineError("disk-full", what, why=said, fix="docker system df, then docker system prune")
        self._check_files(what)
        raise EngineError("engine-failed", what, why=said)


def _dropped(container: Found) -> bool:
    return container.labels.get(GPU) == DROPPED


def _keeps_alive(service: Service) -> bool:
    """Whether the container's own process only waits: a shell loop around sleep, which ignores SIGTERM as process 1."""
    command = service.command if isinstance(service.command, str) else " ".join(service.command or ())
    return "sleep" in command or "tail -f /dev/null" in command
