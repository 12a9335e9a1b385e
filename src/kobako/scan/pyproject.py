"""``pyproject.toml``: the standard's ``[project]`` table, and setuptools' dynamic dependencies."""

from __future__ import annotations

import sys
from typing import Any

from kobako.model.finding import Finding
from kobako.model.requirement import Bound, Question
from kobako.scan import requirements_txt
from kobako.scan.declared import Declared
from kobako.scan.setup_cfg import line_of
from kobako.scan.tree import Tree

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NAME = "pyproject.toml"


def read(tree: Tree) -> Declared | None:
    """``[project]`` dependencies and requires-python; None when there is no such table."""
    text = tree.read(NAME)
    if text is None:
        return None
    found = Declared()
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found.questions.append(Question(f"it is not valid TOML: {error}", Finding(NAME, 1)))
        return found
    project = document.get("project")
    if not isinstance(project, dict):
        return _foreign(document, found)
    lines = text.splitlines()
    for entry in _strings(project.get("dependencies")):
        found.add(entry, Finding(NAME, line_of(lines, entry), entry))
    for name in _dynamic(document, project):
        found.merge(requirements_txt.read(tree, name))
    python = project.get("requires-python")
    if isinstance(python, str) and python:
        found.requires_python = Bound(python, (Finding(NAME, line_of(lines, "requires-python"), python),))
    return found


def _foreign(document: dict[str, Any], found: Declared) -> Declared | None:
    tools = document.get("tool")
    poetry = tools.get("poetry") if isinstance(tools, dict) else None
    if isinstance(poetry, dict) and "dependencies" in poetry:
        found.questions.append(
            Question("its dependencies are declared for Poetry, which is not read", Finding(NAME, 1))
        )
        return found
    return None


def _dynamic(document: dict[str, Any], project: dict[str, Any]) -> list[str]:
    """The files that setuptools reads the dependencies from."""
    if "dependencies" not in _strings(project.get("dynamic")):
        return []
    here: Any = document
    for key in ("tool", "setuptools", "dynamic", "dependencies", "file"):
        here = here.get(key) if isinstance(here, dict) else None
    return [here] if isinstance(here, str) else _strings(here)


def _strings(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
