"""``kobako up``: a container that stays up."""

from __future__ import annotations

from kobako.actions import start
from kobako.actions.context import Context
from kobako.model.result import Result


def up(context: Context, names: tuple[str, ...]) -> Result:
    """Start the named services in the background; returns when each really runs."""
    services = [context.service(name) for name in names]
    for service in services:
        start.check(service)
    data, lines = [], []
    for service in services:
        engine = context.working_engine(service)
        if engine.states([service])[service.name] == "absent":
            start.build_if_missing(context, engine, service)
        started = engine.up(service)
        data.append({"service": service.name, "name": service.title, "engine": engine.name, "started": started})
        lines.append(f"{service.title} runs{'' if started else ' already'}: kobako shell {service.title}")
    return Result("up", data={"services": data}, text="\n".join(lines))
