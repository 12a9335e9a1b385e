"""A service that was started: a working copy of its image, and the process that keeps it up.

The copy is what a container's own layer would be: what is installed in it by hand stays until it is removed.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from kobako import pipconfig, process
from kobako.compose.environment import environment_of
from kobako.engines.local import bare, origin, processes, sandbox, shims, tree
from kobako.engines.local.interpreters import Interpreter
from kobako.engines.local.paths import Bind
from kobako.engines.local.place import ENV, LOCAL, OVER, ROOT, Place
from kobako.engines.local.sandbox import Tools, View
from kobako.engines.local.stage import variables
from kobako.engines.local.state import MARK, State, boot, state_of
from kobako.engines.local.tasks import digest
from kobako.errors import EngineError, UsageError, WorkError
from kobako.model.service import Mount, Service

SETTLE = 0.4
"""Seconds that a started command must go on running to count as started."""

_KEPT_LINES = 12


class Wanted(NamedTuple):
    """What a service is to run as: decided from its files before anything is started."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    workdir: str
    mounts: tuple[Mount, ...]
    interpreter: Interpreter
    sandboxed: bool
    folders: tuple[str, ...] = ()

    @property
    def config(self) -> str:
        mounts = [[one.kind, one.source, one.target, one.read_only] for one in self.mounts]
        return digest([self.argv, dict(self.environment), self.workdir, mounts, self.sandboxed])


class Live:
    """One service's working copy."""

    def __init__(self, place: Place, service: Service) -> None:
        self._place = place
        self._service = service
        self.folder = place.live(service.name)

    @property
    def log(self) -> Path:
        return self._place.log(self._service.name)

    def state(self) -> State | None:
        return state_of(self._place, self._service.name)

    def copy(self, image: str, wanted: Wanted, tools: Tools | None) -> None:
        """A fresh working copy. The one that was there is gone.

        In a sandbox the environment is a layer over the image's, or where that cannot be a copy with nothing shared:
        a stranger's program could change uv's cache and other environments through a link. Without a sandbox it could
        do that anyway.
        """
        tree.remove(self.folder, self._place.trash())
        aside = self.folder.with_name(f".{self.folder.name}.tmp")
        tree.remove(aside, self._place.trash())
        source = self._place.image(image)
        for name in ("upper", "work", "empty"):
            (aside / OVER / name).mkdir(parents=True)
        # from here on the image is in use: a build that tidies up leaves it alone
        self._place.write(aside / "state.json", list(self._fresh(image, wanted)))
        for name in (ROOT, LOCAL):
            tree.copy(source / name, aside / name, links="none")
        layered = tools is not None and sandbox.can_layer(tools, self._view(aside, image, wanted, layered=True))
        if not layered:
            tree.copy(source / ENV, aside / ENV, links="most" if tools is None else "none")
        self._place.write(aside / "state.json", list(self._fresh(image, wanted)._replace(layered=layered)))
        aside.rename(self.folder)

    def _fresh(self, image: str, wanted: Wanted) -> State:
        return State(image, wanted.sandboxed, wanted.config, os.urandom(12).hex(), wanted.workdir)

    def start(self, image: str, wanted: Wanted, tools: Tools | None) -> None:
        """Start the command; returns when it has been running for a moment. Raises ``WorkError("exited")``."""
        before = self.state()
        if before is not None:
            self._end(before)
        kept = self._fresh(image, wanted)._replace(layered=before is not None and before.layered)
        self._write(kept)
        environment = {**wanted.environment, MARK: kept.mark}
        ready = os.memfd_create("ready")
        try:
            with self.log.open("wb") as log, open(os.devnull, "rb") as nothing:
                streams = (nothing.fileno(), log.fileno())
                if tools is not None and wanted.sandboxed:
                    how = sandbox.How(environment, stays=True, ready=ready)
                    view = self._view(self.folder, image, wanted, layered=kept.layered)
                    started, first = self._sandboxed(wanted, tools, (view, how), streams)
                else:
                    words = bare.argv(wanted.argv, bare.folder(wanted.workdir, self._root))
                    started = process.start(words, process.Apart(environment, *streams, streams[1]))
                    first = started.pid
            known = kept._replace(pid=first, start=processes.started(first) or 0, boot=boot())
            self._write(known)
            self._settle(started, known, ready if wanted.sandboxed else -1)
        finally:
            os.close(ready)

    def _settle(self, started: process.Running, known: State, ready: int) -> None:
        steady = time.monotonic() + SETTLE
        while started.poll() is None:
            if time.monotonic() > steady and (ready < 0 or os.fstat(ready).st_size):
                main = processes.inner(known.pid) if ready >= 0 else known.pid
                if main:
                    self._write(known._replace(main=main))
                    process.let_go(started)
                    return
            time.sleep(0.02)
        raise self._ended(started.returncode)

    @property
    def _root(self) -> Path:
        return self._place.state.parent

    def _write(self, state: State) -> None:
        self._place.write(self._place.state_file(self._service.name), list(state))

    def _view(self, folder: Path, image: str, wanted: Wanted, *, layered: bool) -> View:
        return View(
            folder / ROOT,
            self._place.image(image) / ENV if layered else folder / ENV,
            folder / LOCAL,
            (wanted.interpreter.prefix, *wanted.folders),
            self._with_places(wanted.mounts),
            re.sub(r"[^A-Za-z0-9-]", "-", self._service.title),
            extra=(Bind(str(shims.listing(self._place.cache())), shims.LISTED),),
            over=folder / OVER if layered else None,
        )

    def _sandboxed(
        self, wanted: Wanted, tools: Tools, seen: tuple[View, sandbox.How], streams: tuple[int, int]
    ) -> tuple[process.Running, int]:
        """The bubblewrap that was started, and the first process inside (0 where it did not come to that)."""
        words = ["/bin/sh", "-c", sandbox.IN_FOLDER, "kobako", wanted.workdir, *wanted.argv]
        reading, writing = os.pipe()
        with sandbox.command(tools, seen[0], words, seen[1]) as (argv, keep):
            argv[1:1] = ["--info-fd", str(writing)]
            nothing, log = streams
            try:
                apart = process.Apart(sandbox.CLEAN, nothing, log, log, keep=(writing, *keep))
                started = process.start(argv, apart)
            finally:
                os.close(writing)
            with os.fdopen(reading, "rb") as info:
                try:
                    return started, int(json.loads(info.read())["child-pid"])
                except (ValueError, KeyError):
                    return started, 0

    def _with_places(self, mounts: tuple[Mount, ...]) -> tuple[Mount, ...]:
        """Volumes have a folder below ``.kobako``; one without a name is part of the working copy."""
        named = (one for one in mounts if one.kind != "volume" or one.source is not None)
        return tuple(
            one._replace(source=str(self._place.volume(one.source or ""))) if one.kind == "volume" else one
            for one in named
        )

    def _ended(self, code: int) -> WorkError | EngineError:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_KEPT_LINES:]
        told = "\n".join(lines)
        title = self._service.title
        if lines and lines[-1].startswith("bwrap: "):
            fix = "mount it somewhere else: the system's own folders cannot be changed"
            return EngineError("engine-failed", f"cannot make the sandbox of {title}", why=told, fix=fix)
        return WorkError(
            "exited",
            f"{title} ended by itself with exit code {code if code >= 0 else 128 - code}",
            why=told or "it printed nothing",
            fix='give the service a command that stays, such as: /bin/sh -c "while sleep 1000; do :; done"',
            where=self._service.where,
        )

    def stop(self) -> bool:
        """End every process of the service; False when there was none."""
        state = self.state()
        if state is None:
            return False
        ran = state.running
        self._end(state)
        return ran

    def _end(self, state: State) -> None:
        """The command is asked to end; with the sandbox's first process all that is in it goes at once.

        A Kobako that was killed while it started something may have left it unrecorded: the mark was written before.
        """
        mark = f"{MARK}={state.mark}"
        known: processes.Known = {state.pid: state.start} if state.alive else {}
        inside = processes.marked(mark, known)
        keepers = processes.keepers(inside)
        processes.send([pid for pid in inside if pid not in keepers], signal.SIGTERM)
        deadline = time.monotonic() + _grace(self._service)
        while (inside or keepers) and time.monotonic() < deadline:
            time.sleep(0.02)
            inside = processes.living(inside)
            if not any(pid not in keepers for pid in inside):
                break
        keepers |= processes.keepers(processes.marked(mark, inside))
        processes.send(keepers, signal.SIGKILL)
        processes.end(lambda found: processes.marked(mark, {**inside, **found}), signal.SIGKILL, patience=1.0)

    def remove(self) -> None:
        """Stop, and delete the working copy."""
        self.stop()
        tree.remove(self.folder, self._place.trash())


def wanted(
    service: Service, image: Mapping[str, Any], place: Place, *, env: Mapping[str, str], sandboxed: bool
) -> Wanted:
    """What the service is to run as. ``image`` is its image.json, ``env`` what the compose files saw."""
    said = {**image["environment"], **environment_of(service, env)}
    live = place.live(service.name)
    root = place.state.parent
    settings = pipconfig.read(os.environ)
    if sandboxed:
        environment = variables({**origin.variables(settings, live / ROOT), **said})
    else:
        environment = bare.variables(said, live, root)
        bare.check_mounts(service, root)
    argv = _argv(service, image, sandboxed=sandboxed)
    return Wanted(
        argv,
        environment,
        service.working_dir or image["workdir"],
        service.mounts,
        Interpreter(*image["interpreter"]),
        sandboxed,
        origin.folders(settings, os.environ),
    )


def _argv(service: Service, image: Mapping[str, Any], *, sandboxed: bool) -> tuple[str, ...]:
    """The command, as Compose puts it together."""
    own = service.entrypoint is not None
    entrypoint = _words(service.entrypoint, service) if own else tuple(image["entrypoint"])
    # an entrypoint of the service's own does away with the image's command
    default = () if own else tuple(image["command"])
    command = _words(service.command, service) if service.command is not None else default
    if not sandboxed and ((not own and entrypoint) or (service.command is None and command)):
        raise EngineError(
            "needs-sandbox",
            f"the command of {service.title} comes from its Dockerfile: that may not run outside of a sandbox",
            why="nothing of a Dockerfile runs straight on this machine",
            fix='write it into the compose file: command: /bin/sh -c "while sleep 1000; do :; done"',
            where=service.where,
        )
    return (*entrypoint, *command) or ("python3",)


def _words(said: str | tuple[str, ...] | None, service: Service) -> tuple[str, ...]:
    """Compose splits a string as a shell would, and gives it to no shell."""
    try:
        return tuple(shlex.split(said)) if isinstance(said, str) else said or ()
    except ValueError as error:
        why, fix = str(error), "close the quote, or write a list of words"
        what = f"the command of {service.title} is not understood"
        raise UsageError("invalid-compose", what, why=why, fix=fix, where=service.where) from error


def _grace(service: Service) -> float:
    """How long a command may take to end: Compose's own default, less where it only waits."""
    said = service.stop_grace_period
    if said is None:
        command = service.command if isinstance(service.command, str) else " ".join(service.command or ())
        return 1.0 if "sleep" in command or "tail -f /dev/null" in command else 10.0
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"(\d+(?:\.\d+)?)(ms|us|[hms])", said))
