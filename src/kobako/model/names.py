"""The names of things: a repository, its container and its service."""

from __future__ import annotations

import re

from kobako.errors import UsageError

ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
"""What a container may be called; narrower than a folder's name, and safe in a shell and in YAML as it stands."""

RESERVED = frozenset({"configs", "data", "docker", "pretrain"})
"""Folders of the workspace itself."""


def service_name(name: str) -> str:
    """The service's name for a repository: lower case, underscored (``DAB-DETR`` -> ``dab_detr``)."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^A-Za-z0-9]", "_", parted).lower()


def checked_name(name: str) -> str:
    """The name itself when it can be a folder, a container and a service; else an error with a suggestion."""
    if ALLOWED.fullmatch(name) and name not in RESERVED and not name.endswith("."):
        return name
    if name in RESERVED:
        why = f"{name}/ is a folder of the workspace itself"
        suggestion = f"{name}-repository"
    else:
        why = "a name holds letters, digits, '_', '.' and '-' only, and starts with a letter or a digit"
        suggestion = re.sub(r"-*[^A-Za-z0-9_.-]+-*", "-", name).strip("-._")
    fix = f"choose another one: --name {suggestion}" if suggestion else "choose another one with --name"
    raise UsageError("bad-name", f"{name!r} cannot be the name of a service", why=why, fix=fix)
