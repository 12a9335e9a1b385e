"""What ``train`` runs of a service, and whether it is there."""

from __future__ import annotations

import shlex

from kobako.actions.context import Context
from kobako.errors import UsageError
from kobako.model.service import Service


def entry(service: Service) -> tuple[str, ...]:
    """What ``train`` runs: ``x-kobako.entry``, a script or a whole command; by default the mission's entry script."""
    said = service.hints.entry
    if said is None:
        return ("python", f"{service.title}/tools/clearml_train.py")
    words = tuple(said) if isinstance(said, tuple) else tuple(shlex.split(said))
    return ("python", *words) if words and words[0].endswith(".py") else words


def check_entry(context: Context, service: Service) -> None:
    """The default entry is there, as far as can be told from outside: the repository is mounted, and lacks it."""
    repository = context.workspace.repository(service.title)
    script = repository / "tools" / "clearml_train.py"
    mounted = any(mount.source == str(repository) for mount in service.mounts)
    if service.hints.entry is None and mounted and repository.is_dir() and not script.exists():
        raise UsageError(
            "no-entry",
            f"{service.title} has no entry script: {context.workspace.relative(script)} does not exist",
            why="it is what is run where x-kobako.entry names nothing else",
            fix=f"kobako entry {service.title} writes it; or name what trains under x-kobako of the service, "
            f"for example: entry: {service.title}/tools/train.py",
            where=service.where,
        )
