"""Compose files in a repository: the images that its services run, and the Dockerfiles that they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import dirname

from kobako.compose.nodes import Node, Scalar
from kobako.model.finding import Finding
from kobako.scan.declaring.declared import Declared
from kobako.scan.told import yaml
from kobako.scan.told.images import Points
from kobako.scan.tree import Tree, joined

MOST_FILES = 10
_NAME = re.compile(r"(?:docker-)?compose(?:[-_.][\w.-]+)?\.ya?ml")


def read(tree: Tree) -> Declared | None:
    points = Points()
    seen = False
    for name, service in _services(tree):
        seen = True
        image = yaml.get(service, "image")
        if image is not None and yaml.get(service, "build") is None:
            text = yaml.text_of(image)
            points.add_image(_defaulted(text), Finding(name, image.line, f"image: {text}"[:200]))
    return points.declared() if seen else None


def dockerfiles(tree: Tree) -> list[str]:
    """The Dockerfiles in the repository that its compose files name."""
    found: list[str] = []
    for name, service in _services(tree):
        build = yaml.get(service, "build")
        if build is None:
            continue
        context = yaml.text_of(build) if isinstance(build, Scalar) else yaml.text_of(yaml.get(build, "context"))
        file = yaml.text_of(yaml.get(build, "dockerfile")) or "Dockerfile"
        path = joined(joined(dirname(name), context) if context else dirname(name), file)
        if path and path not in found and tree.is_file(path):
            found.append(path)
    return found


def _services(tree: Tree) -> Iterator[tuple[str, Node]]:
    names = [name for name in tree.files if name.count("/") <= 1 and _NAME.fullmatch(name.rsplit("/", 1)[-1])]
    budget = yaml.budget()
    for name in names[:MOST_FILES]:
        for _, service in yaml.entries(yaml.get(yaml.root_of(tree, name, budget), "services")):
            yield name, service


def _defaulted(text: str) -> str:
    """``${TAG:-1.8}`` is 1.8 where nothing else is set."""
    return re.sub(r"\$\{\w+:?-([^{}]*)\}", r"\1", text)
