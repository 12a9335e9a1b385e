"""From a Dockerfile to an environment that never changes again.

What a task makes depends on what was before it, so its key grows out of theirs. An environment is looked up by its last
key; where there is none, building starts from the longest chain of tasks that is there. A task that took long is kept
for that.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kobako import floor, pipconfig, process
from kobako.engines.local import compiling, kept, origin, sandbox, shims, tasks, tree, written
from kobako.engines.local.given import Call
from kobako.engines.local.installer import Installer
from kobako.engines.local.paths import Bind, within
from kobako.engines.local.pip import Install
from kobako.engines.local.place import ENV, LOCAL, ROOT, Place, read
from kobako.engines.local.planning import FORMAT, Plan, Planner, context_of
from kobako.engines.local.sandbox import How
from kobako.engines.local.stage import CONFIG, Means, Stage, variables
from kobako.engines.local.state import parsed
from kobako.engines.local.work import Copy, Floor, Folder, Part, Script, System, Task, Written, Zone
from kobako.errors import BuildError, EngineError, Where
from kobako.model.result import Problem
from kobako.model.service import Service
from kobako.process import Setting
from kobako.protocols import Built, Narrator, Step

_WIDTH = 66
KEEP_AFTER = 5.0
"""Seconds that a task takes to be kept by itself: copying an environment costs less than one."""


@dataclass
class Made:
    """What is known of an environment beside its files. ``system`` are the Debian packages that its steps ask for."""

    problems: list[list[Any]] = field(default_factory=list)
    zone: str = ""
    system: list[list[Any]] = field(default_factory=list)


class Builder:
    """Builds services of one workspace."""

    def __init__(self, place: Place, means: Means, narrator: Narrator) -> None:
        self._place = place
        self._means = means
        self._narrator = narrator
        self._planner = Planner(means, narrator)
        self._installer = Installer(means, place, narrator)

    def build(self, service: Service, *, fresh: bool) -> Built:
        """The environment of a service, made or found. Raises ``BuildError``; then all is as it was."""
        plan = self._planner.plan(service)
        with self._place.alone("build"):
            self._tidy()
            began = time.monotonic()
            made = self._base(plan)
            took = round(time.monotonic() - began, 3) if made else 0.0
            steps = [Step(f"FROM {plan.standin.image.reference} ({_told(plan)})", took, cached=not made)]
            steps += self._tasks(plan, fresh=fresh)
            identity = self._place.made_for(plan.key) or ""
            image = read(self._place.image(identity) / "image.json")
            told = {"image": identity, "chain": [*plan.keys, plan.key], "dockerfile": plan.text}
            self._place.write(self._place.built(service.name), told)
            self._forget_unused()
        moved = tuple((name, old, new) for name, old, new in image["moved"])
        problems = tuple(_problem(one) for one in image["problems"])
        there = shims.installed()
        problems += tuple(_lacking(names, Where(*where)) for names, where in _absent(image["system"], there))
        return Built(identity, tuple(steps), moved, problems)

    def _base(self, plan: Plan) -> bool:
        """The environment that stands in for the base image; False where it was there."""
        if self._place.made_for(plan.base) is not None:
            return False
        where = plan.where(plan.recipe.stages[0].step.line)
        name = f"FROM {plan.standin.image.reference}"
        with self._narrator.step(f"  {name} ({_told(plan)})"), self._staged(plan) as stage:
            self._installer.venv(stage, where)
            for folder in _USR_LOCAL:
                (stage.local / folder).mkdir(parents=True)
            stage.root.mkdir()
            sandbox.make_root(stage.root)
            self._installer.run(stage, Call(Install(("pip",)), {}, "/", where, name, plan.service.name))
            packages = (*(_SETUPTOOLS if _ships_setuptools(plan) else ()), *plan.standin.packages)
            if packages:
                install = Install(packages, names=tuple(one.partition("==")[0] for one in packages))
                self._of_its_day(stage, Call(install, {}, "/", where, name, plan.service.name), plan.standin.as_of)
            self._keep(stage, (plan.base,), _FIRST | {"packages": stage.packages()})
        return True

    def _of_its_day(self, stage: Stage, call: Call, day: str) -> None:
        """Install what the image would hold. An index of one's own may not tell when its files came."""
        dated = call.install._replace(arguments=("--exclude-newer", day, *_AT_ANY_TIME, *call.install.arguments))
        try:
            self._installer.run(stage, call._replace(install=dated) if day else call)
        except BuildError as error:
            if not day or error.code != "build-failed":
                raise
            self._narrator.child(f"{call.name}: not to be had as of {day}: the newest versions are taken")
            self._installer.run(stage, call)

    def _tasks(self, plan: Plan, *, fresh: bool) -> list[Step]:
        """Do what is not there yet."""
        keys = plan.keys
        if not fresh and self._place.made_for(plan.key) is not None:
            return [Step(task.name, 0.0, cached=True) for task in plan.tasks]
        made_for = [self._place.made_for(key) for key in (keys[:1] if fresh else keys)]
        there = max(at for at, identity in enumerate(made_for) if identity is not None)
        before = self._place.image(made_for[there] or "")
        steps = [Step(task.name, 0.0, cached=True) for task in plan.tasks[:there]]
        kept = read(before / "image.json")
        made = Made(list(kept.get("found", ())), kept["zone"], list(kept["system"]))
        with self._staged(plan, before) as stage:
            stage.touched = kept["touched"]
            for task in plan.tasks[there:]:
                began = time.monotonic()
                self._try(plan, stage, task, made)
                took = time.monotonic() - began
                steps.append(Step(task.name, round(took, 3), cached=False))
                shown = task.name if len(task.name) <= _WIDTH else f"{task.name[: _WIDTH - 3]}..."
                self._narrator.say(f"  {shown}: {took:.1f} s")
                if took > KEEP_AFTER and task is not plan.tasks[-1]:
                    before = self._checkpoint(plan, self._sharing(stage, before), task, made)
            self._keep(self._sharing(stage, before), (plan.key, keys[-1]), self._image(plan, stage, made))
        return steps

    def _sharing(self, stage: Stage, before: Path) -> Stage:
        """With one content for what is still as it was in the image before: code that ran got a copy of everything."""
        if stage.touched:
            tree.share(stage.env, before / ENV)
        return stage

    def _checkpoint(self, plan: Plan, stage: Stage, task: Task, made: Made) -> Path:
        with self._staged(plan, stage.folder) as copy:
            copy.touched = stage.touched
            return self._keep(copy, (task.key,), self._image(plan, copy, made))

    def _image(self, plan: Plan, stage: Stage, made: Made) -> dict[str, Any]:
        base = self._base_packages(plan)
        environment = dict(plan.walk.environment)
        if made.zone:
            environment.setdefault("TZ", made.zone)
        return {
            "format": FORMAT,
            "base": plan.standin.image.reference,
            "interpreter": list(plan.interpreter),
            "environment": environment,
            "workdir": plan.walk.workdir,
            "entrypoint": list(plan.walk.entrypoint),
            "command": list(plan.walk.command),
            "zone": made.zone,
            "touched": stage.touched,
            "packages": stage.packages(),
            "moved": list(floor.moved(base, stage.packages())),
            "system": made.system,
            "found": made.problems,
            "problems": made.problems + [self._note(plan, line, text) for line, text in plan.walk.notes],
        }

    def _base_packages(self, plan: Plan) -> dict[str, str]:
        found: dict[str, str] = read(self._place.image(self._place.made_for(plan.base) or "") / "image.json")[
            "packages"
        ]
        return found

    def _note(self, plan: Plan, line: int, text: str) -> list[Any]:
        return list(
            Problem("not-honoured", f"left out: {text}", "the local engine has no such thing", "", plan.where(line))
        )

    def _try(self, plan: Plan, stage: Stage, task: Task, made: Made) -> None:
        """Do it; whatever the engine cannot do has the step's place."""
        try:
            self._do(plan, stage, task, made)
        except EngineError as error:
            where = plan.where(task.line)
            raise BuildError(
                error.code, f"{error.what}: {task.name}", why=error.why, fix=error.fix, where=where
            ) from error
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}:
                raise  # the disk's fault, not the step's
            why = f"{error.filename or ''}: {error.strerror or error}".removeprefix(f"{stage.root}")
            what = f"cannot build at {task.name}"
            raise BuildError("build-failed", what, why=why, where=plan.where(task.line)) from error

    def _do(self, plan: Plan, stage: Stage, task: Task, made: Made) -> None:
        where = plan.where(task.line)
        if isinstance(task.does, Script):
            self._script(stage, task, task.does, made, where)
        elif isinstance(task.does, Copy):
            copy = task.does
            own = f"{copy.target}/".startswith("/usr/local/")  # /usr is this machine's, /usr/local is not
            inside = copy.target[len("/usr/local") :] or "/"
            root, target = (stage.local, inside) if own else (stage.root, copy.target)
            done = context_of(plan.service, plan.file).copy(copy.sources, target, root, where)
            for path in done if copy.mode else ():
                path.chmod(int(copy.mode, 8))
        else:
            for part in task.does.parts:
                self._part(plan, stage, task, part, made)
        self._check_floor(plan, stage, task)

    def _part(self, plan: Plan, stage: Stage, task: Task, part: Part, made: Made) -> None:
        where = plan.where(task.line)
        if isinstance(part, Install):
            self._install(stage, Call(part, task.environment, task.workdir, where, task.name, plan.service.name), made)
        elif isinstance(part, Folder):
            within(stage.root, part.path).mkdir(parents=True, exist_ok=True)
        elif isinstance(part, Floor) and part.by_now:
            written.listing(stage, floor.HELD, stage.packages())
        elif isinstance(part, Floor):
            written.floor_of(stage)
        elif isinstance(part, Written):
            written.program(stage, part)
        elif isinstance(part, System):
            made.system.append([list(part.packages), list(where)])
        elif isinstance(part, Zone):
            made.zone = part.name
            written.zone(stage.root, part.name)

    def _install(self, stage: Stage, call: Call, made: Made) -> None:
        told = compiling.told(stage, call, gpu=self._means.gpu)
        before = compiling.compiled_here(stage)
        variables = {**call.install.environment, **told.variables}
        self._installer.run(stage, call._replace(install=call.install._replace(environment=variables)))
        fresh = sorted(compiling.compiled_here(stage) - before) if told.why else []
        if fresh:
            made.problems.append(list(compiling.problem(fresh, told.why, call.where)))

    def _script(self, stage: Stage, task: Task, script: Script, made: Made, where: Where) -> None:
        assert self._means.tools is not None  # noqa: S101 - refused before
        tree.separate(stage.env)
        stage.touched = True
        missing = stage.folder / "missing"
        missing.write_bytes(b"")
        mounts = (self._mount(kind, path) for kind, path in script.mounts)
        settings = pipconfig.read(self._means.env)
        folders = origin.folders(settings, self._means.env)
        lists = (Bind(str(missing), shims.MISSING, "bind"), Bind(str(shims.listing(self._place.cache())), shims.LISTED))
        view = stage.view(folders, (*lists, *mounts))
        command = ["/bin/sh", "-c", sandbox.IN_FOLDER, "kobako", task.workdir, *script.argv]
        environment = {**origin.variables(settings, stage.root), **origin.proxies(self._means.env)}
        environment |= variables(task.environment)
        how = How({**environment, shims.BUILDING: "1"}, script.network)
        with sandbox.command(self._means.tools, view, command, how) as (argv, keep):
            outcome = process.run_in(Setting(sandbox.CLEAN, keep=keep), argv, self._narrator.child)
        if not outcome.ok:
            why = f"exit code {outcome.code}: {outcome.last_lines() or 'it printed nothing'}"
            raise BuildError("build-failed", f"cannot build at {task.name}", why=why, where=where)
        for folder in (stage.root, stage.local, stage.env):
            tree.open_up(folder)
        made.system.append([shims.noted(missing.read_bytes()[:65536]), list(where)])

    def _mount(self, kind: str, path: str) -> Bind:
        if kind == "tmpfs":
            return Bind("", path, "tmpfs")
        return Bind(str(self._place.cache("mounts", tasks.digest(path))), path, "bind")

    def _check_floor(self, plan: Plan, stage: Stage, task: Task) -> None:
        base = self._base_packages(plan)
        change = floor.unwanted(floor.moved(base, stage.packages()), floor.named(plan.recipe.steps))
        if change is not None:
            name, old, new = change
            raise BuildError(
                "base-moved",
                f"the build replaced the base image's {name} {old} by {new}",
                why=f"in the step: {task.name}",
                fix=floor.FIX.format(name=name, version=new),
                where=plan.where(task.line),
            )

    @contextlib.contextmanager
    def _staged(self, plan: Plan, before: Path | None = None) -> Iterator[Stage]:
        """A folder to work in, which is gone afterwards unless it was kept."""
        folder = Path(tempfile.mkdtemp(prefix=".tmp-", dir=self._place.images()))
        try:
            stage = Stage(folder, plan.interpreter)
            if before is not None:
                for name in (ENV, ROOT, LOCAL):
                    tree.copy(before / name, folder / name, links="all" if name == ENV else "none")
                shutil.copyfile(before / CONFIG, folder / CONFIG)
            yield stage
        finally:
            if folder.exists():
                tree.remove(folder, self._place.trash())

    def _keep(self, stage: Stage, keys: tuple[str, ...], image: dict[str, Any]) -> Path:
        """From here on it is an image, the one to be found for these keys. An older one may still be in use."""
        self._place.write(stage.folder / "image.json", image)
        os.chmod(stage.folder, 0o755)  # noqa: S103 - as others' folders
        identity = keys[0] if not self._place.image(keys[0]).exists() else f"{keys[0]}-{os.urandom(4).hex()}"
        stage.folder.rename(self._place.image(identity))
        for key in keys:
            self._place.write(self._place.end(key), identity)
        return self._place.image(identity)

    def _tidy(self) -> None:
        """What a killed build left. The lock says that nobody is at work on it."""
        for left in self._place.images().glob(".tmp-*"):
            tree.remove(left, self._place.trash())
        kept.forget(self._place)
        tree.empty(self._place.trash())

    def _forget_unused(self) -> None:
        """Delete images that no service was built to or works with."""
        used: set[str] = set()
        for path in (self._place.top / "built").glob("*.json"):
            told = read(path) or {}
            used.add(told.get("image", ""))
            used.update(self._place.made_for(key) or "" for key in told.get("chain", ()))
        for folder in (self._place.top / "live").glob("*"):
            state = parsed(read(folder / "state.json"))
            used.add(state.image if state is not None else "")
        for folder in self._place.images().iterdir():
            if folder.name not in used:
                tree.discard(folder, self._place.trash())


_USR_LOCAL = ("bin", "etc", "games", "include", "lib", "man", "sbin", "share", "src")
"""What Debian has in /usr/local. Source: Debian Policy, 9.1.2."""

_AT_ANY_TIME = ("--exclude-newer-package", "future=2099-12-31")
"""torch 1.5 to 1.7 require it, and in their time it was a source alone: it would have to be built, in the sandbox."""

_FIRST: dict[str, Any] = {"problems": [], "system": [], "moved": [], "zone": "", "touched": False}

_SETUPTOOLS = ("setuptools<80", "wheel<0.46")
"""What Python's official images for 3.11 and earlier ship. Source: github:docker-library/python, versions.json."""


def _told(plan: Plan) -> str:
    return f"stand-in: {', '.join([f'Python {plan.interpreter.version}', *plan.standin.packages])}"


def _ships_setuptools(plan: Plan) -> bool:
    """Official Python images stopped shipping setuptools and wheel with 3.12; the others never did stop."""
    return plan.standin.image.family != "python" or plan.interpreter.short in {
        "3.6",
        "3.7",
        "3.8",
        "3.9",
        "3.10",
        "3.11",
    }


def _absent(system: Iterable[Any], there: frozenset[str] | None) -> Iterator[tuple[list[str], list[Any]]]:
    """Which packages are still not on this machine, and the steps that ask for them."""
    for names, where in system:
        if lacking := shims.absent(names, there):
            yield lacking, where


def _lacking(names: Sequence[str], where: Where) -> Problem:
    why = "the local engine uses this machine's own packages and installs none"
    what = f"not on this machine: {', '.join(names)}"
    return Problem("apt-missing", what, why, f"sudo apt-get install {' '.join(names)}", where)


def _problem(kept: Sequence[Any]) -> Problem:
    code, what, why, fix, where = kept
    return Problem(code, what, why, fix, Where(*where) if where else None)
