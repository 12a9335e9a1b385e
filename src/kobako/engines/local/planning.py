"""What a service's Dockerfile asks for, all of it decided before anything is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kobako import process
from kobako.dockerfile import recipe as recipes
from kobako.dockerfile.parse import parse
from kobako.engines.local import interpreters, standin, tasks
from kobako.engines.local.context import Context
from kobako.engines.local.interpreters import Interpreter
from kobako.engines.local.stage import Means
from kobako.engines.local.standin import StandIn
from kobako.engines.local.tasks import Walk, digest
from kobako.engines.local.work import Copy, Task
from kobako.errors import BuildError, UsageError, Where
from kobako.model.recipe import Recipe
from kobako.model.service import Service
from kobako.protocols import Narrator
from kobako.workspace import read_text

FORMAT = 4
"""Of what is kept: with another number everything is made anew."""


@dataclass(frozen=True)
class Plan:
    """Everything decided before anything is done. ``tasks`` have their keys."""

    service: Service
    text: str
    recipe: Recipe
    walk: Walk
    standin: StandIn
    interpreter: Interpreter
    base: str
    tasks: tuple[Task, ...]

    @property
    def file(self) -> str:
        return self.recipe.file

    @property
    def key(self) -> str:
        """The image's: what the tasks make, and what is only said of it."""
        walk = self.walk
        said = [dict(walk.environment), walk.workdir, walk.entrypoint, walk.command, walk.notes]
        return digest([self.keys[-1], "image", said])

    @property
    def keys(self) -> list[str]:
        """The base's, and each task's."""
        return [self.base, *(task.key for task in self.tasks)]

    def where(self, line: int) -> Where:
        return Where(self.file, line)


class Planner:
    """Reads the recipe of a service. Raises ``BuildError`` or ``UsageError`` with the line that cannot be done."""

    def __init__(self, means: Means, narrator: Narrator) -> None:
        self._means = means
        self._narrator = narrator

    def plan(self, service: Service) -> Plan:
        text, file = _text(service)
        dockerfile = parse(text, file)
        recipe = recipes.understand(dockerfile)
        target = service.build.target if service.build is not None else None
        if target is not None and recipe.stage_of(target) is None:
            where = service.build.where if service.build is not None else None
            raise UsageError("invalid-compose", f"the Dockerfile has no stage {target}", where=where)
        arguments = _arguments(service, self._means)
        reference = recipes.base(recipe, arguments, target=0)
        first = Where(file, recipe.stages[0].step.line)
        stand_in = standin.of(reference, service.hints.base, first)
        environment = dict(stand_in.environment)
        globals_ = recipes.global_values(recipe, arguments)
        walk = Walk(dockerfile, recipe, arguments, globals_, environment, stand_in.workdir)
        walk.all()
        interpreter = self._interpreter(stand_in, first)
        base = digest([FORMAT, list(interpreter), stand_in.packages, stand_in.as_of, self._means.gpu])
        found = [self._with_content(service, task, file) for task in walk.tasks]
        self._refuse_code(file, found)
        return Plan(service, text, recipe, walk, stand_in, interpreter, base, tuple(tasks.keyed(found, base)))

    def _with_content(self, service: Service, task: Task, file: str) -> Task:
        if not isinstance(task.does, Copy):
            return task
        content = context_of(service, file).digest(task.does.sources, Where(file, task.line))
        return replace(task, does=replace(task.does, content=content))

    def _refuse_code(self, file: str, found: Sequence[Task]) -> None:
        """Nothing of a Dockerfile ever runs on the bare machine."""
        scripts = [task for task in found if task.runs_code]
        if self._means.tools is not None or not scripts:
            return
        lines = "".join(f"\nline {task.line}: {task.name}" for task in scripts[1:])
        raise BuildError(
            "needs-sandbox",
            f"this command may not run outside of a sandbox: {scripts[0].name}",
            why=f"{self._means.without}{lines}",
            fix="apt-get install bubblewrap (kobako doctor says more), or use --engine docker",
            where=Where(file, scripts[0].line),
        )

    def _interpreter(self, stand_in: StandIn, where: Where) -> Interpreter:
        found = interpreters.find(stand_in.python, self._means.env)
        if found is not None:
            return found
        with self._narrator.step(f"fetching Python {stand_in.python}: this machine has none"):
            outcome = process.run([self._means.uv, "python", "install", stand_in.python], on_line=self._narrator.child)
        found = interpreters.find(stand_in.python, self._means.env) if outcome.ok else None
        if found is None:
            raise BuildError(
                "no-interpreter",
                f"there is no Python {stand_in.python} on this machine, and uv could not fetch one",
                why=outcome.last_lines(4),
                fix=f"install it (uv python install {stand_in.python}, pyenv, apt), or choose another base image",
                where=where,
            )
        return found


def _text(service: Service) -> tuple[str, str]:
    """The recipe and its file. A service that is an image and nothing else has a recipe of one line."""
    if service.build is None:
        place = service.where.file if service.where else "docker-compose.yaml"
        return f"FROM {service.image}\n", place
    if service.build.dockerfile is None:
        raise UsageError(
            "not-honoured",
            f"the recipe of {service.title} is not a file of this machine",
            why="the local engine reads Dockerfiles from files",
            fix="write it to a file, or use --engine docker",
            where=service.build.where,
        )
    return read_text(Path(service.build.dockerfile)), service.build.dockerfile


def _arguments(service: Service, means: Means) -> dict[str, str]:
    given = service.build.args if service.build is not None else {}
    found = {name: means.seen.get(name) if value is None else value for name, value in given.items()}
    return {name: value for name, value in found.items() if value is not None}


def context_of(service: Service, file: str) -> Context:
    folder = service.build.context if service.build is not None else "."
    return Context(Path(folder), Path(file))
