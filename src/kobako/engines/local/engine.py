"""The local engine itself: the protocol's verbs."""

from __future__ import annotations

import errno
import functools
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from kobako import terminal
from kobako.engines.local import processes
from kobako.engines.local.place import Place, read
from kobako.engines.local.state import State, state_of
from kobako.errors import EngineError, UsageError
from kobako.model import NOTHING
from kobako.model.result import Problem
from kobako.model.service import Project, Service
from kobako.model.service import State as Condition
from kobako.protocols import Availability, Built, Command, LogOptions, Narrator, Streams

if TYPE_CHECKING:
    from kobako.engines.local.stage import Means

HONOURED = frozenset(
    [
        *("build", "command", "container_name", "deploy", "entrypoint", "env_file", "environment", "extends", "gpus"),
        *("image", "labels", "network_mode", "pull_policy", "runtime", "shm_size", "stop_grace_period"),
        *("volumes", "working_dir", "x-kobako"),
    ]
)
"""Keys of a service that are read, or that are true here anyway (the network is the host's, /dev/shm has no limit)."""

Verb = TypeVar("Verb", bound=Callable[..., Any])

_FOLLOW = 0.1
_CHUNK = 1 << 16


def _on_disk(what: str) -> Callable[[Verb], Verb]:
    """A disk that is full or read-only is nobody's bug: it is told as what it is."""

    def decorate(verb: Verb) -> Verb:
        @functools.wraps(verb)
        def told(self: Any, service: Service, **options: Any) -> Any:
            try:
                return verb(self, service, **options)
            except OSError as error:
                full = error.errno in {errno.ENOSPC, errno.EDQUOT}
                raise EngineError(
                    "disk-full" if full else "unreadable",
                    f"cannot {what} {service.title}: {error.strerror or error}",
                    why=f"at {error.filename}" if error.filename else "",
                    fix="free some space on the disk of the workspace" if full else "let .kobako be written to",
                ) from error

        return cast("Verb", told)

    return decorate


class LocalEngine:
    """Builds environments with uv and runs commands in them. ``state`` is the workspace's ``.kobako``.

    ``env`` is what the compose files see: the caller's variables and those of ``.env``.
    """

    name = "local"

    def __init__(self, project: Project, narrator: Narrator, state: Path, env: Mapping[str, str] = NOTHING) -> None:
        self._project = project
        self._narrator = narrator
        self._place = Place(state)
        self._env = env or os.environ

    @functools.cached_property
    def _means(self) -> Means:
        from kobako import uv  # noqa: PLC0415 - exec needs none of it
        from kobako.engines.local import builds, sandbox  # noqa: PLC0415
        from kobako.engines.local.stage import Means  # noqa: PLC0415

        program = uv.program()
        if program is None:
            raise EngineError("uv-missing", "uv is not installed", why=_UV, fix="python3 -m pip install uv")
        tools, without = sandbox.find()
        return Means(program, tools, without, builds.has_gpu(), os.environ, self._env)

    def available(self) -> Availability:
        from kobako import uv  # noqa: PLC0415 - asked where an engine is chosen

        program = uv.program()
        if program is None:
            problem = Problem("uv-missing", "the local engine needs uv", _UV, "python3 -m pip install uv")
            return Availability(usable=False, problem=problem)
        return Availability(usable=True, detail="uv")

    def states(self, services: Iterable[Service]) -> dict[str, Condition]:
        return {service.name: self._condition(service) for service in services}

    def _condition(self, service: Service) -> Condition:
        state = state_of(self._place, service.name)
        if state is not None:
            return "running" if state.running else "exited"
        return "built" if self._image(service) is not None else "absent"

    def _built(self, service: Service) -> Mapping[str, Any] | None:
        found = read(self._place.built(service.name))
        return found if found is not None and self._place.image(found["image"]).exists() else None

    def _image(self, service: Service) -> str | None:
        found = self._built(service)
        return None if found is None else str(found["image"])

    @_on_disk("build")
    def build(self, service: Service, *, fresh: bool = False) -> Built:
        from kobako.engines.local.build import Builder  # noqa: PLC0415 - exec needs none of it

        return Builder(self._place, self._means, self._narrator).build(service, fresh=fresh)

    def built_from(self, service: Service) -> str | None:
        found = self._built(service)
        return None if found is None else str(found.get("dockerfile", "")) or None

    @_on_disk("start")
    def up(self, service: Service) -> bool:
        from kobako import mounts  # noqa: PLC0415 - exec needs none of it
        from kobako.engines.local import live as working  # noqa: PLC0415

        mounts.prepare(service, self._project.root, self._narrator)
        with self._place.alone(f"live-{service.name}"):
            if self._image(service) is None:
                self.build(service)
            built = self._built(service) or {}
            self._say_changed(service, str(built.get("dockerfile", "")))
            image = str(built["image"])
            facts = read(self._place.image(image) / "image.json")
            sandboxed = self._means.tools is not None
            wanted = working.wanted(service, facts, self._place, env=self._env, sandboxed=sandboxed)
            live = working.Live(self._place, service)
            before = live.state()
            if before is not None and before.running and (before.image, before.config) == (image, wanted.config):
                return False
            live.stop()
            if before is None or (before.image, before.sandboxed) != (image, sandboxed):
                if before is not None:
                    why = "was built anew" if before.image != image else "runs in another way than before"
                    self._narrator.say(f"{service.title} {why}: what was installed by hand is gone")
                live.copy(image, wanted, self._means.tools)
            self._say_limits(service)
            live.start(image, wanted, self._means.tools)
        return True

    def _say_changed(self, service: Service, built_from: str) -> None:
        """What was built is started, as Compose does; that it is not what the Dockerfile says now is said."""
        recipe = service.build.dockerfile if service.build is not None else None
        if recipe is None or not os.path.isfile(recipe):
            return
        from kobako.errors import Where  # noqa: PLC0415
        from kobako.workspace import read_text  # noqa: PLC0415

        now = read_text(Path(recipe))
        if now == built_from:
            return
        pairs = zip([*now.splitlines(), ""], [*built_from.splitlines(), ""], strict=False)
        line = next((number for number, (new, old) in enumerate(pairs, 1) if new != old), 1)
        what = f"the Dockerfile of {service.title} has changed since it was built"
        fix = f"kobako build {service.title}"
        shown = os.path.relpath(recipe, self._project.root)
        where = Where(recipe if shown.startswith("..") else shown, line)
        self._narrator.warn(Problem("recipe-changed", what, "what was built is started", fix, where))

    def _say_limits(self, service: Service) -> None:
        if self._means.tools is None:
            self._narrator.say(f"{service.title} runs straight on this machine: {self._means.without}")
        left = [name for name, _ in service.keys if name not in HONOURED and not name.startswith("x-")]
        if left:
            self._narrator.say(f"left out by the local engine: {', '.join(left)}")
        if service.reserves_nvidia and not self._means.gpu:
            what = f"{service.title} starts without a GPU: this machine shows none"
            self._narrator.warn(Problem("no-gpu", what, "there is no NVIDIA driver here", "kobako doctor"))

    def caller(self, service: Service) -> str | None:  # noqa: ARG002 - the protocol's
        """None: root inside is the caller outside."""
        return None

    def run(self, service: Service, command: Command, streams: Streams) -> int:
        from kobako.engines.local.session import Inside, Session  # noqa: PLC0415 - not needed for states

        state = self._running(service)
        environment = {**processes.environment(state.main or state.pid), **command.env}
        if command.terminal and (term := os.environ.get("TERM")):
            environment = {"TERM": term, **environment}
        folder = command.workdir or state.workdir
        session = Session(service.title, state.pid if state.sandboxed else 0, command.session)
        streams = streams if command.stdin else streams._replace(stdin=None)
        user = _user(command.user)
        if not state.sandboxed:
            if user is not None and user != (os.getuid(), os.getgid()) and command.user not in {"0", "root", "0:0"}:
                raise EngineError(
                    "needs-sandbox",
                    f"nobody else can be played without bubblewrap: {command.user}",
                    fix="leave --user out, or apt-get install bubblewrap",
                )
            from kobako.engines.local import bare  # noqa: PLC0415

            there = bare.folder(folder, Path(self._project.root))
            inside = Inside(there, environment, command.terminal, begun=command.begun)
            return session.run(command.argv, inside, streams)
        from kobako.engines.local import sandbox  # noqa: PLC0415

        tools = sandbox.programs()
        if tools is None:
            raise EngineError("needs-sandbox", "the programs that enter the sandbox are gone", fix=_GONE)
        prefix = tuple(sandbox.enter(tools, state.pid, state.main, user))
        inside = Inside(folder, environment, command.terminal, prefix, command.begun)
        return session.run(command.argv, inside, streams)

    def logs(self, service: Service, streams: Streams, options: LogOptions) -> int:
        if state_of(self._place, service.name) is None:
            raise EngineError("not-running", f"{service.title} was not started", fix=f"kobako up {service.title}")
        if options.timestamps:
            raise UsageError("usage", "the local engine keeps no times of what a service printed", fix="leave -t out")
        with self._place.log(service.name).open("rb") as file:
            data = file.read()
            if options.tail is not None:
                lines = data.splitlines(keepends=True)
                data = b"".join(lines[max(0, len(lines) - options.tail) :])
            terminal.write(streams.stdout, data)
            while options.follow and (state := state_of(self._place, service.name)) is not None and state.running:
                terminal.write(streams.stdout, file.read(_CHUNK))
                time.sleep(_FOLLOW)
            terminal.write(streams.stdout, file.read())
        return 0

    @_on_disk("stop")
    def stop(self, service: Service) -> bool:
        from kobako.engines.local.live import Live  # noqa: PLC0415 - exec needs none of it

        with self._place.alone(f"live-{service.name}"):
            return Live(self._place, service).stop()

    @_on_disk("remove")
    def remove(self, service: Service) -> bool:
        from kobako.engines.local.live import Live  # noqa: PLC0415 - exec needs none of it

        with self._place.alone(f"live-{service.name}"):
            live = Live(self._place, service)
            if live.state() is None:
                return False
            live.remove()
            return True

    def _running(self, service: Service) -> State:
        state = state_of(self._place, service.name)
        if state is None or not state.running:
            raise EngineError("not-running", f"{service.title} does not run", fix=f"kobako up {service.title}")
        return state


_GONE = "kobako doctor says what is missing; without them: kobako stop, then again"
_UV = "it makes the environments"


def _user(said: str | None) -> tuple[int, int] | None:
    """``uid``, ``uid:gid`` or ``root`` as numbers."""
    if said is None:
        return None
    name, _, group = said.partition(":")
    if name == "root":
        return (0, 0)
    if not name.isdecimal() or (group and not group.isdecimal()):
        raise UsageError("usage", f"there is no user {said} inside", fix="give numbers: --user 1000:1000")
    return int(name), int(group or name)
