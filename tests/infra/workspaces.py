"""Folders for Compose projects, and the override file that lets them run on an Engine without a bridge network."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

COMPOSE_FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, contents in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents.encode() if isinstance(contents, str) else contents)


def write_override(
    workspace: Path, services: Iterable[str] | None = None, extra: Mapping[str, Any] | None = None
) -> Path:
    """Give services the host's network, for building and for running, in the override file of the compose file.

    The user's own file stays as it is, byte for byte. ``services``: all of them by default. ``extra`` is merged into
    each service's entry. The override carries the compose file's ``version``, which v1 wants to be equal in both.
    """
    compose = next(workspace / name for name in COMPOSE_FILES if (workspace / name).exists())
    parsed = yaml.safe_load(compose.read_bytes())
    entries: dict[str, dict[str, Any]] = {}
    for name in services if services is not None else parsed["services"]:
        entries[name] = {"network_mode": "host", **(extra or {})}
        if "build" in parsed["services"][name]:
            entries[name]["build"] = {"network": "host"}
    contents: dict[str, Any] = {"services": entries}
    if "version" in parsed:
        contents["version"] = parsed["version"]
    override = compose.with_name(f"{compose.stem}.override{compose.suffix}")
    # JSON is YAML that every parser reads alike
    override.write_text(json.dumps(contents, indent=2) + "\n", encoding="utf-8")
    return override
