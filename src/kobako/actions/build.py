"""``kobako build``: the images of services."""

from __future__ import annotations

from typing import Any

from kobako.actions import start
from kobako.actions.context import Context, each
from kobako.errors import UsageError
from kobako.model.result import Problem, Result
from kobako.model.service import Service
from kobako.protocols import Built, Engine


def build(context: Context, names: tuple[str, ...], *, fresh: bool = False) -> Result:
    """Build the named services, or all that have a recipe. ``fresh`` reuses no layer."""
    services = [service for service in each(context, names) if names or service.build is not None]
    if not services:
        raise UsageError("no-build-no-image", "no service has anything to build", fix="kobako add SOURCE")
    for service in services:
        start.check_recipe(context, service)
    done: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for service in services:
        engine = context.working_engine(service)
        with context.narrator.step(f"building {service.title}"):
            built = engine.build(service, fresh=fresh)
        start.report_moved(context, built)
        problems += start.problems(context, built)
        done.append(_data(service, engine, built))
    first = done[0] if len(done) == 1 else {"services": done}
    text = "\n".join(f"{one['service']}: {one['image']}" for one in done)
    return Result("build", "partial" if problems else "ok", data=first, problems=tuple(problems), text=text)


def _data(service: Service, engine: Engine, built: Built) -> dict[str, Any]:
    return {
        "service": service.name,
        "engine": engine.name,
        "image": built.image,
        "steps": [{"name": step.name, "seconds": step.seconds, "cached": step.cached} for step in built.steps],
        "moved": [{"name": name, "before": old, "after": new} for name, old, new in built.moved],
    }
