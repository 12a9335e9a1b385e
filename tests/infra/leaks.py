"""What tests left on an Engine: found, named, and removed. A clean Engine holds kept images and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from infra.engine import Engine

KEPT = "kobako-test/"
_WORKING_DIR = "com.docker.compose.project.working_dir"
_PROJECT = "com.docker.compose.project"


def _tags(image: dict[str, Any]) -> list[str]:
    return [tag for tag in image.get("RepoTags") or [] if tag != "<none>:<none>"]


def _surplus_tags(engine: Engine) -> list[str]:
    tags = [tag for image in engine.api.images() for tag in _tags(image)]
    return [tag for tag in tags if not tag.startswith(KEPT) and tag not in engine.expected]


def leftovers(engine: Engine) -> list[str]:
    """One line for each container, volume, network and image tag that tests should have removed."""
    found = [
        f"container {c['Names'][0].lstrip('/') if c['Names'] else c['Id'][:12]} ({c['State']}) of {c['Image']}"
        for c in engine.api.containers()
    ]
    found += [f"volume {volume['Name']}" for volume in engine.api.volumes()]
    found += [f"network {network['Name']}" for network in engine.api.networks()]
    return found + [f"image {tag}" for tag in _surplus_tags(engine)]


def clean(engine: Engine) -> None:
    """Remove all that is not kept, images without a tag included (a second build of one tag leaves such)."""
    for container in engine.api.containers():
        engine.api.remove("containers", container["Id"])
    for kind, key, items in (
        ("networks", "Id", engine.api.networks()),
        ("volumes", "Name", engine.api.volumes()),
    ):
        for item in items:
            engine.api.remove(kind, item[key])
    for tag in _surplus_tags(engine):
        engine.api.remove("images", tag)
    remove_untagged(engine)


def remove_untagged(engine: Engine) -> None:
    for image in engine.api.images():
        if not _tags(image):
            engine.api.remove("images", image["Id"])


def remove_projects(engine: Engine, folder: Path, names: Iterable[str] = ()) -> None:
    """Remove the Compose projects that ran in a folder: containers, volumes, networks, and images built for them."""
    projects = {_default_name(folder), *_named_in(folder), *names} - {""}
    for container in engine.api.containers():
        labels = container.get("Labels") or {}
        if labels.get(_WORKING_DIR) == str(folder) or labels.get(_PROJECT) in projects:
            projects.add(labels.get(_PROJECT, ""))
            engine.api.remove("containers", container["Id"])
    projects.discard("")
    for kind, items in (("volumes", engine.api.volumes()), ("networks", engine.api.networks())):
        for item in items:
            if (item.get("Labels") or {}).get(_PROJECT) in projects:
                engine.api.remove(kind, item["Name"])
    for image in engine.api.images():
        labelled = (image.get("Labels") or {}).get(_PROJECT) in projects
        for tag in _tags(image):
            # v2 labels the images it builds; v1 only names them PROJECT_SERVICE
            named = any(tag.startswith((f"{project}-", f"{project}_")) for project in projects)
            if (labelled or named) and not tag.startswith(KEPT) and tag not in engine.expected:
                engine.api.remove("images", tag)
    remove_untagged(engine)


def _default_name(folder: Path) -> str:
    """Compose's own choice of a project's name; v1 also drops hyphens and underscores at the front only."""
    return re.sub(r"[^-_a-z0-9]", "", folder.name.lower()).lstrip("_-")


def _named_in(folder: Path) -> list[str]:
    path = folder / ".env"
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8", errors="replace")
    return re.findall(r"(?m)^COMPOSE_PROJECT_NAME=[\"']?([\w-]+)", text)
