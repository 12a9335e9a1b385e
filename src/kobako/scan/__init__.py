"""What a repository says that it needs. Nothing of it is executed.

Each reader knows one kind of file. What a package declares for its own installation wins; where it declares nothing,
a requirements file for running does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kobako.model.requirement import Question, Requirement, Scan
from kobako.scan import pyproject, requirements_txt, setup_cfg, setup_py
from kobako.scan.declared import Declared, bounded
from kobako.scan.tree import Tree

_PACKAGE_READERS: tuple[Callable[[Tree], Declared | None], ...] = (pyproject.read, setup_py.read, setup_cfg.read)

_RUNTIME_FILES = ("requirements.txt", "requirements/runtime.txt", "requirements/requirements.txt")
_RUNTIME_WORDS = ("runtime", "install", "base", "main", "core", "default", "prod", "production", "gpu")

PROJECT_FILES = ("requirements/mminstall.txt",)
"""Files with the packages of a repository's own family, installed apart from the others (OpenMMLab's mim reads it)."""


def scan(root: Path) -> Scan:
    """Read the repository. Never raises for what stands in it: that becomes questions and problems."""
    tree = Tree(root)
    declared = _declared(tree)
    project = Declared()
    for name in PROJECT_FILES:
        if tree.is_file(name):
            project.merge(requirements_txt.read(tree, name))
    project.requirements = [replace(one, role="project") for one in project.requirements]
    return _answer(project, declared)


def _declared(tree: Tree) -> Declared:
    """What the package itself declares; else its requirements file for running."""
    every = Declared()
    for reader in _PACKAGE_READERS:
        found = reader(tree)
        if found is None:
            continue
        if every.requirements:  # a later reader only fills in what the earlier left open
            found.requirements = []
        every.merge(found)
    if every.requirements:
        return every
    name = _runtime_file(tree)
    if name:
        every.merge(requirements_txt.read(tree, name))
    return every


def _runtime_file(tree: Tree) -> str:
    for name in _RUNTIME_FILES:
        if tree.is_file(name):
            return name
    beside = [name for name in tree.names("", ".txt") if name.lower().startswith("requirement")]
    candidates = [*beside, *tree.names("requirements", ".txt")]
    for word in _RUNTIME_WORDS:
        for name in candidates:
            if word in name.lower().rsplit("/", 1)[-1]:
                return name
    runtime = [name for name in candidates if requirements_txt.is_runtime(name) and name not in PROJECT_FILES]
    return runtime[0] if len(runtime) == 1 else ""


def _answer(project: Declared, declared: Declared) -> Scan:
    bounds = {**project.bounds, **declared.bounds}
    requirements = [
        bounded(one, bounds[one.name]) if one.name in bounds and not one.url else one
        for one in _merged([*project.requirements, *declared.requirements])
    ]
    named = {one.name for one in requirements}
    questions = [*project.questions, *declared.questions]
    questions += [
        Question(f"`{bound}` constrains a package that is not named itself; it is left out", bound.findings[0])
        for name, group in bounds.items()
        if name not in named
        for bound in group[:1]
    ]
    return Scan(
        requirements=tuple(requirements),
        requires_python=declared.requires_python,
        others=(*project.others, *declared.others),
        questions=tuple(dict.fromkeys(questions)),
        problems=(*project.problems, *declared.problems),
    )


def _merged(requirements: list[Requirement]) -> list[Requirement]:
    """One entry per name and marker: a package that is declared twice must satisfy both."""
    kept: dict[tuple[str, str | None], Requirement] = {}
    for one in requirements:
        key = (one.name, one.marker)
        first = kept.get(key)
        if first is None:
            kept[key] = one
        elif first.url or one.url:
            kept[key] = first if first.url else replace(one, role=first.role)
        else:
            both = bounded(first, [one])
            kept[key] = replace(both, extras=tuple(sorted({*first.extras, *one.extras})))
    return list(kept.values())
