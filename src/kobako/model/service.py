"""A compose service as Kobako sees it: normalised once by the reader, frozen afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from kobako.errors import Where
from kobako.model import NOTHING

State = Literal["absent", "built", "running", "exited"]


class Build(NamedTuple):
    """``build:`` with absolute paths. ``dockerfile`` is None when the recipe is written inline or lives at a URL."""

    context: str
    dockerfile: str | None
    args: Mapping[str, str | None] = NOTHING
    target: str | None = None
    where: Where | None = None


class Mount(NamedTuple):
    """A volume of the service. ``source`` is an absolute host path for a bind mount, else a volume's name or None."""

    kind: str
    source: str | None
    target: str
    read_only: bool = False
    create: bool = True
    where: Where | None = None


class EnvFile(NamedTuple):
    """An entry of ``env_file:``, never read by the loader: it may hold secrets, and what is loaded is remembered.

    ``path`` is absolute; ``format`` is None for the usual one, ``raw`` for lines taken as they are.
    """

    path: str
    required: bool = True
    where: Where | None = None
    format: str | None = None


class Hints(NamedTuple):
    """What stands under ``x-kobako``: facts that Compose cannot say.

    ``base`` says what the base image holds, for an engine that cannot look: versions of ``python`` and ``torch``.
    """

    source: Mapping[str, Any] = NOTHING
    entry: str | tuple[str, ...] | None = None
    verify: str | tuple[str, ...] | None = None
    engine: str | None = None
    base: Mapping[str, str] = NOTHING


class Service(NamedTuple):
    """One service after merging override files, ``extends`` and interpolation.

    ``environment`` is the key of that name; None means the caller's value, when the service starts. What a container
    gets is for ``compose.environment`` to say. ``keys`` are all keys that say something, read by Kobako or not, with
    the places where they are written.
    """

    name: str
    container_name: str | None = None
    image: str | None = None
    build: Build | None = None
    command: str | tuple[str, ...] | None = None
    user: str | None = None
    working_dir: str | None = None
    mounts: tuple[Mount, ...] = ()
    reserves_nvidia: bool = False
    stop_grace_period: str | None = None
    hints: Hints = Hints()
    environment: Mapping[str, str | None] = NOTHING
    env_files: tuple[EnvFile, ...] = ()
    entrypoint: str | tuple[str, ...] | None = None
    keys: tuple[tuple[str, Where], ...] = ()
    where: Where | None = None

    @property
    def title(self) -> str:
        """The repository's own name: the container's name where there is one."""
        return self.container_name or self.name


class Project(NamedTuple):
    """All services of a workspace under the name that Compose gives their containers.

    ``files`` are the compose files in the order of merging. ``implicit`` is true when Compose finds them by itself,
    from the workspace's folder. ``name`` may be "" where the folder's name leaves nothing (機械学習).
    """

    name: str
    root: str
    files: tuple[str, ...]
    implicit: bool
    services: Mapping[str, Service]

    @property
    def container_prefix(self) -> str:
        """The name to call Compose with: ``default`` where the folder's name leaves none, as v1 has it."""
        return self.name or "default"
