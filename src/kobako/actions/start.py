"""What ``exec``, ``shell`` and ``train`` share: the environment runs when they begin."""

from __future__ import annotations

from pathlib import Path

from kobako.actions.context import Context, relative
from kobako.errors import UsageError
from kobako.model.result import Problem
from kobako.model.service import Service
from kobako.protocols import Built, Engine


def check(service: Service) -> None:
    """The service can be built or had. Raises ``UsageError`` with the place in the compose file."""
    if service.build is None and service.image is None:
        raise UsageError(
            "no-build-no-image",
            f"{service.name} has neither build nor image",
            fix=f"kobako add SOURCE --name {service.title}, or write build: into the compose file",
            where=service.where,
        )


def check_recipe(context: Context, service: Service) -> None:
    """There is something to build from. Raises ``UsageError`` with its place."""
    check(service)
    recipe = service.build.dockerfile if service.build is not None else None
    if recipe is not None and not Path(recipe).is_file():
        raise UsageError(
            "missing-dockerfile",
            f"the Dockerfile of {service.title} does not exist: {context.workspace.relative(recipe)}",
            fix="correct build.dockerfile, or write the file",
            where=service.build.where if service.build is not None else None,
        )


def report(context: Context, built: Built) -> None:
    """Tell what a build could not do, or did on the side."""
    for problem in problems(context, built):
        context.narrator.warn(problem)
    report_moved(context, built)


def problems(context: Context, built: Built) -> tuple[Problem, ...]:
    """What a build could not do, with places as a person knows them."""
    return tuple(relative(problem, context.workspace.root) for problem in built.problems)


def report_moved(context: Context, built: Built) -> None:
    if built.moved:
        names = ", ".join(f"{name} {old} -> {new}" for name, old, new in built.moved)
        context.narrator.warn(Problem("base-moved", "packages of the base image changed version", names))


def build_if_missing(context: Context, engine: Engine, service: Service) -> bool:
    """Build the image where there is none; whether that was needed."""
    if engine.states([service])[service.name] != "absent":
        return False
    check_recipe(context, service)
    context.narrator.say(f"{service.title} is not built yet: building it")
    report(context, engine.build(service))
    return True


def ensure_running(context: Context, engine: Engine, service: Service, *, no_up: bool) -> None:
    """Build and start what is missing, with a line about it; refuse where the caller wants that (exit code 2)."""
    check(service)
    state = engine.states([service])[service.name]
    if state == "running":
        return
    if no_up:
        raise UsageError("not-running", f"{service.title} does not run ({state})", fix=f"kobako up {service.title}")
    if state == "absent":
        build_if_missing(context, engine, service)
    context.narrator.say(f"{service.title} does not run: starting it")
    engine.up(service)
