"""Looks after the host's side of bind mounts before a container starts.

Docker makes a missing folder itself, as root: the caller then cannot write into their own ``data``.
"""

from __future__ import annotations

import os
from pathlib import Path

from kobako.errors import UsageError
from kobako.model.service import Mount, Service
from kobako.protocols import Narrator


def prepare(service: Service, root: str, narrator: Narrator) -> None:
    """Make missing folders inside the workspace, as the caller; refuse what can only be a mistake."""
    for mount in service.mounts:
        if mount.kind != "bind" or mount.source is None or os.path.exists(mount.source):
            continue
        source = Path(mount.source)
        if source.is_symlink():
            aim = os.readlink(source)
            raise _missing(
                service, mount, "mount the disk, or correct the link", f"it is a link to {aim}, which is not there"
            )
        if not source.is_relative_to(root):
            raise _missing(service, mount, f'make it first: mkdir -p "{source}"', "it lies outside the workspace")
        if source.suffix in _FILES or not mount.create:
            raise _missing(service, mount, "put it there, or take the mount out of the compose file", _LIKE_A_FILE)
        try:
            source.mkdir(parents=True)
        except OSError as error:
            raise _missing(service, mount, "make it yourself", f"it cannot be made: {error.strerror}") from error
        narrator.say(f"made the folder {source.relative_to(root)}, which the service mounts")


_FILES = frozenset(
    [
        ".yaml",
        ".yml",
        ".json",
        ".toml",
        ".ini",
        ".cfg",
        ".conf",
        ".env",
        ".txt",
        ".csv",
        ".py",
        ".sh",
        ".pem",
        ".crt",
        ".key",
        ".sock",
        ".sql",
        ".xml",
        ".md",
    ]
)
_LIKE_A_FILE = "Docker would make a folder of that name, and the program inside expects a file"


def _missing(service: Service, mount: Mount, fix: str, why: str) -> UsageError:
    return UsageError(
        "missing-mount",
        f"{service.title} mounts {mount.source}, which does not exist",
        why=why,
        fix=fix,
        where=mount.where,
    )
