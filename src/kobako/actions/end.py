"""``kobako stop``, ``kobako rm`` and ``kobako logs``: the end of an environment, and what it said."""

from __future__ import annotations

from kobako.actions.context import Context
from kobako.model.result import Result
from kobako.protocols import LogOptions, Streams


def stop(context: Context, names: tuple[str, ...]) -> Result:
    """Stop the named services. What was installed by hand inside stays."""
    services = [context.service(name) for name in names]
    data, lines = [], []
    for service in services:
        stopped = context.engine(service).stop(service)
        data.append({"service": service.name, "stopped": stopped})
        lines.append(f"{service.title} {'stopped' if stopped else 'did not run'}")
    return Result("stop", data={"services": data}, text="\n".join(lines))


def remove(context: Context, names: tuple[str, ...]) -> Result:
    """Stop and remove the named services' containers. Images and mounted folders stay."""
    services = [context.service(name) for name in names]
    data, lines = [], []
    for service in services:
        engine = context.engine(service)
        exists = engine.states([service])[service.name] in {"running", "exited"}
        question = f"remove {service.title} as it stands, with whatever was installed in it by hand?"
        if exists and not context.narrator.confirm(question):
            data.append({"service": service.name, "removed": False})
            lines.append(f"{service.title} kept")
            continue
        removed = engine.remove(service)
        data.append({"service": service.name, "removed": removed})
        lines.append(f"{service.title} {'removed' if removed else 'was not there'}")
    return Result("rm", data={"services": data}, text="\n".join(lines))


def logs(context: Context, name: str, options: LogOptions) -> Result:
    """What the service's own process printed, byte for byte."""
    service = context.service(name)
    code = context.engine(service).logs(service, Streams(None, 1, 2), options)
    return Result("logs", exit_code=code)
