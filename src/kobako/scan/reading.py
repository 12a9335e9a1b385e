"""Which reader is asked when: the ordered lists are the policy."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

from kobako.errors import Where
from kobako.model.entry import is_ours
from kobako.model.requirement import Question
from kobako.model.result import Problem
from kobako.scan import projects
from kobako.scan import told as telling
from kobako.scan.answer import Code
from kobako.scan.code import build_needs
from kobako.scan.code.assertions import Assertions
from kobako.scan.code.entry_points import EntryPoints
from kobako.scan.code.imports import Imports
from kobako.scan.code.modules import Module, Unread, modules, parse
from kobako.scan.declaring import conda, mim, pipfile, pyproject, requirements_txt, settings_ini, setup_cfg, setup_py
from kobako.scan.declaring.declared import Declared
from kobako.scan.limits import contradictions
from kobako.scan.told import notebooks
from kobako.scan.tree import Tree

Reader = Callable[[Tree], Declared | None]

_PACKAGE: tuple[Reader, ...] = (pyproject.read, setup_py.read, setup_cfg.read, settings_ini.read)
"""What a package declares for its own installation, the most trusted first."""

_BELOW: tuple[projects.InFolder, ...] = (
    projects.within(pyproject.read),
    setup_py.read,  # which may read a file above its folder
    projects.within(setup_cfg.read),
)
"""The same for a package in a folder of the repository."""

_LISTS: tuple[Reader, ...] = (requirements_txt.read_runtime, pipfile.read, conda.read)
"""What somebody is to install beforehand."""

_GRAMMAR = f"{sys.version_info.major}.{sys.version_info.minor}"
_SPEAK = (".py", ".ipynb", "requirements.txt", "setup.cfg", "pyproject.toml", "Pipfile", "environment.yml")
"""Ends of names of files that make a folder one of Python."""


def declared(tree: Tree) -> Declared:
    """What is written down for an installer: the first reader that knows requirements, and what all know besides."""
    every = Declared()
    for reader in (*_PACKAGE, *_LISTS):
        found = reader(tree)
        if found is None:
            continue
        if every.requirements and not every.is_partial:  # a later reader only fills in what the earlier left open
            listed = {one.name for one in every.listed}
            more = [one for one in found.requirements if one.name not in listed]
            against = contradictions(every.requirements, found.requirements)
            found = replace(found, requirements=[], questions=[], problems=against, bounds={}, listed=more)
        every.merge(found)
    if not every.requirements and not every.is_partial:
        every.merge(projects.read(tree, _BELOW) or Declared())
    if every.requirements:
        # what could not be read of one declaration is of no interest where another one says it
        computed = "install_requires is computed"
        every.questions = [one for one in every.questions if not one.what.startswith(computed)]
    return every


def family(tree: Tree) -> Declared:
    """The packages of the repository's own family, installed apart from the others."""
    return mim.read(tree) or Declared()


def told(tree: Tree) -> Declared:
    """What is told to people: README, CI, Dockerfiles, notebooks."""
    return telling.read(tree)


def code(tree: Tree) -> Code:
    """What the code says. Every module is parsed once; where there are notebooks alone, their cells are the code."""
    unread = Unread()
    imports, asserted = Imports(tree), Assertions()
    entries, compiled = EntryPoints(), build_needs.CompiledLater()
    readers = (imports, asserted, entries, compiled)
    for module in modules(tree, unread):
        if is_ours(module.name, module.text):
            continue  # what Kobako wrote says nothing of the repository
        for reader in readers:
            reader.look(module)
    if notebooks.is_notebook_only(tree):
        for module in _cells(tree):
            imports.look(module)
    says = Declared()
    for found in (asserted.found(), compiled.found(), build_needs.read(tree, compiled.extension)):
        if found is not None:
            says.merge(found)
    says.others += imports.others()
    says.questions += _missed(tree, unread)
    return Code(
        imports=imports.found(),
        says=says,
        entry_points=entries.found(tree),
        problems=tuple(_problems(unread)),
        is_package=any(tree.is_file(name) for name in ("setup.py", "setup.cfg", "pyproject.toml")),
        has_python=any(name.endswith(_SPEAK) for name in tree.files),
    )


def _cells(tree: Tree) -> list[Module]:
    found = []
    for name, text in ((one.name, one.text) for one in notebooks.code(tree)):
        syntax = parse(text)
        if syntax is not None:
            found.append(Module(name, text, syntax))
    return found


def _missed(tree: Tree, unread: Unread) -> list[Question]:
    """What of the tree was not looked at."""
    found = []
    if unread.imports_only:
        count = len(unread.imports_only)
        files = "one file" if count == 1 else f"{count} files"
        first = f"{unread.imports_only[0]}{_more(unread.imports_only)}"
        what = f"there is a lot of code: of {files} ({first}) only the imports were read"
        found.append(Question(what))
    if not tree.is_whole:
        found.append(Question(f"only the first {len(tree.files)} files were looked at: name the folder that matters"))
    if tree.undecodable:
        found.append(Question(f"{tree.undecodable} files have names that are no text, and were left out"))
    return found


def _problems(unread: Unread) -> list[Problem]:
    reasons = (
        (unread.too_large, "larger than code that people write, or not readable"),
        (unread.no_python, f"it is no Python 3, or needs a newer one than {_GRAMMAR}, whose grammar is used here"),
        (unread.too_much, "there is more code than is looked at: name the folder that matters"),
    )
    return [
        Problem("not-read", f"{_count(names)} not read", why, "", Where(names[0])) for names, why in reasons if names
    ]


def _count(names: list[str]) -> str:
    return "one file was" if len(names) == 1 else f"{len(names)} files were"


def _more(names: list[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""
