"""What the daemon knows of a project's containers and images: a look, nothing changed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from kobako.engines.docker.api import Api, ApiError
from kobako.errors import UsageError
from kobako.model.service import Service, State

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
ONEOFF = "com.docker.compose.oneoff"
FOLDER = "com.docker.compose.project.working_dir"
GPU, DROPPED = "kobako.gpu", "dropped"
"""The label of a container that was started without its NVIDIA reservation."""

# the daemon's word -> ours; a word that is not here counts as exited
STATES: dict[str, State] = {
    "created": "built",
    "running": "running",
    "paused": "running",
    "restarting": "running",
    "removing": "exited",
    "exited": "exited",
    "dead": "exited",
}


class Found(NamedTuple):
    """A container of a service."""

    id: str
    name: str
    state: State
    labels: dict[str, str]

    @property
    def running(self) -> bool:
        return self.state == "running"


class Containers:
    """Looks up containers and images of one project by Compose's own labels (v1 and v2 set the same)."""

    def __init__(self, api: Api, project: str, root: str) -> None:
        self._api = api
        self._project = project
        self._root = root

    def all(self) -> dict[str, Found]:
        """The container of each service; of several (scaled), a running one first."""
        return self._list([f"{PROJECT}={self._project}"])

    def of(self, service: Service) -> Found | None:
        return self._list([f"{PROJECT}={self._project}", f"{SERVICE}={service.name}"]).get(service.name)

    def _list(self, labels: list[str]) -> dict[str, Found]:
        found: dict[str, Found] = {}
        for item in self._api.get("/containers/json", all=True, filters={"label": labels}):
            if item["Labels"].get(ONEOFF, "False") == "True":
                continue
            container = _found(item)
            self._check_ours(container)
            name = container.labels.get(SERVICE, "")
            if name not in found or (container.running and not found[name].running):
                found[name] = container
        return found

    def _check_ours(self, container: Found) -> None:
        """Another workspace whose project has the same name: Compose would take its containers for this one's."""
        folder = container.labels.get(FOLDER, "")
        if not folder or not os.path.isdir(folder) or os.path.samefile(folder, self._root):
            return
        raise UsageError(
            "name-taken",
            f"another workspace has the same Compose project name, {self._project}",
            why=f"the container {container.name} belongs to {folder}",
            fix="put COMPOSE_PROJECT_NAME=another-name into .env of this workspace",
        )

    def named(self, name: str) -> Found | None:
        """The container of exactly that name, whatever it belongs to."""
        for item in self._api.get("/containers/json", all=True, filters={"name": [f"^/{re.escape(name)}$"]}):
            if f"/{name}" in item["Names"]:
                return _found(item)
        return None

    def inspect(self, container: str) -> dict[str, Any]:
        found: dict[str, Any] = self._api.get(f"/containers/{container}/json")
        return found

    def images(self) -> set[str]:
        """The tags of all images here, as they were given."""
        images = self._api.get("/images/json")
        return {tag for image in images for key in ("RepoTags", "RepoDigests") for tag in image.get(key) or ()}

    def remove_set_aside(self) -> int:
        """Remove the stopped containers that docker-compose v1 renamed in order to replace them; how many."""
        items = self._api.get("/containers/json", all=True, filters={"label": [f"{PROJECT}={self._project}"]})
        aside = [one for one in map(_found, items) if not one.running and re.match(r"[0-9a-f]{12}_", one.name)]
        for container in aside:
            self._api.call("DELETE", f"/containers/{container.id}", query={"force": True})
        return len(aside)

    def image(self, service: Service) -> str | None:
        """The tag under which the service's image is here."""
        for name in image_names(service, self._project):
            try:
                self._api.get(f"/images/{name}/json")
            except ApiError as error:
                if error.status != 404:
                    raise
            else:
                return name
        return None


def states(services: Iterable[Service], containers: dict[str, Found], tags: set[str], project: str) -> dict[str, State]:
    """Pure: each service's state from what was found."""
    result: dict[str, State] = {}
    for service in services:
        container = containers.get(service.name)
        if container is not None:
            result[service.name] = container.state
        else:
            built = any(_tagged(name) in tags for name in image_names(service, project))
            result[service.name] = "built" if built else "absent"
    return result


def image_names(service: Service, project: str) -> list[str]:
    """The names that Compose gives the service's image: v2's, then v1's."""
    if service.image is not None:
        return [service.image]
    return [f"{project}-{service.name}", f"{project}_{service.name}"]


def _tagged(image: str) -> str:
    """The image's name as the daemon lists it: with a tag, without Docker Hub's own prefix."""
    name = image.removeprefix("docker.io/").removeprefix("library/")
    if "@" in name:
        repository, digest = name.split("@", 1)
        head, slash, tail = repository.rpartition("/")
        return f"{head}{slash}{tail.split(':')[0]}@{digest}"
    return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"


def _found(item: dict[str, Any]) -> Found:
    names = item.get("Names") or [item["Id"][:12]]
    return Found(item["Id"], names[0].lstrip("/"), STATES.get(item["State"], "exited"), item.get("Labels") or {})
