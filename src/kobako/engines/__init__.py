"""The engines by name. An engine's module is imported when it is asked for."""

from __future__ import annotations

from pathlib import Path

from kobako.model.service import Project
from kobako.protocols import Engine, Narrator


def make(name: str, project: Project, narrator: Narrator, state: Path) -> Engine:
    """The engine of that name (one of ``settings.ENGINES``) for a project. Nothing is started or asked yet."""
    if name == "docker":
        from kobako.engines.docker.engine import DockerEngine  # noqa: PLC0415 - only the engine in use is loaded

        return DockerEngine(project, narrator, state)
    raise ValueError(name)
