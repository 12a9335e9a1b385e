"""Environments in which a Docker client is found, or is not: which Compose, which plugins, which programs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

Compose = Literal["both", "v1", "v2", "none"]

# A group that nobody is in by accident: members may talk to the daemon.
SOCKET_GROUP = 47474

# A developer's own settings would change what is tested.
_DROPPED = ("DOCKER_", "COMPOSE_", "BUILDX_", "BUILDKIT_", "KOBAKO_", "PYTEST_", "NO_COLOR", "FORCE_COLOR")


def clean_environment() -> dict[str, str]:
    """This process's environment without what steers Docker, Compose, Kobako or colours."""
    return {key: value for key, value in os.environ.items() if not key.startswith(_DROPPED)}


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link where both lie on one file system: the target is reachable where the source's folders are not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copy2(source, target)


def path_without(programs: Iterable[str], path: str, folder: Path) -> str:
    """``path`` with these programs hidden: a folder that holds one is replaced by links to all its others."""
    hidden = set(programs)
    parts = []
    for part in path.split(os.pathsep):
        if not any(Path(part, program).exists() for program in hidden):
            parts.append(part)
            continue
        farm = folder / ("without-" + "-".join(sorted(hidden))) / part.strip("/").replace("/", "-")
        if not farm.exists():
            farm.mkdir(parents=True)
            for entry in Path(part).iterdir():
                if entry.name not in hidden:
                    (farm / entry.name).symlink_to(entry)
        parts.append(str(farm))
    return os.pathsep.join(parts)


def write_config(folder: Path, plugins: Iterable[Path]) -> Path:
    """A client's configuration folder (DOCKER_CONFIG) with these plugins and nothing else."""
    (folder / "cli-plugins").mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text("{}\n", encoding="utf-8")
    for plugin in plugins:
        link = folder / "cli-plugins" / plugin.name
        link.unlink(missing_ok=True)
        link.symlink_to(plugin)
    return folder
