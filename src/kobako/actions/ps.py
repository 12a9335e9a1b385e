"""``kobako ps``: the services and their state."""

from __future__ import annotations

from kobako.actions.context import Context, each
from kobako.model.result import Result
from kobako.model.service import Service, State
from kobako.protocols import Engine


def ps(context: Context, names: tuple[str, ...]) -> Result:
    """The named services, or all. One look at each engine, however many services there are."""
    services = list(each(context, names))
    engines: dict[str, Engine] = {}
    owned: dict[str, list[Service]] = {}
    by_hint: dict[str | None, Engine] = {}
    for service in services:
        engine = by_hint.setdefault(service.hints.engine, by_hint.get(service.hints.engine) or context.engine(service))
        engines[engine.name] = engine
        owned.setdefault(engine.name, []).append(service)
    states: dict[tuple[str, str], State] = {}
    for name, engine in engines.items():
        states.update({(name, service): state for service, state in engine.states(owned[name]).items()})
    rows = [
        {
            "service": service.name,
            "name": service.title,
            "engine": by_hint[service.hints.engine].name,
            "state": states[by_hint[service.hints.engine].name, service.name],
        }
        for service in services
    ]
    return Result("ps", data={"services": rows}, text=_table(rows))


def _table(rows: list[dict[str, str]]) -> str:
    if not rows:
        return "no services yet: kobako add SOURCE"
    lines = [("SERVICE", "NAME", "ENGINE", "STATE")]
    lines += [(row["service"], row["name"], row["engine"], row["state"]) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    padded = ("  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in padded)
