"""``pyproject.toml``: the standard's tables, and those of the tools that came before it or go beyond it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kobako.model.requirement import Question
from kobako.scan.declaring import classifiers, groups, places, poetry, requirements_txt, tables, uv_tables
from kobako.scan.declaring.declared import Declared
from kobako.scan.declaring.places import Places
from kobako.scan.declaring.tables import Table
from kobako.scan.tree import Tree

NAME = "pyproject.toml"
_DYNAMIC = ("tool", "setuptools", "dynamic")
_HOOKS = ("tool", "hatch", "metadata", "hooks")


def read(tree: Tree) -> Declared | None:
    """All that the file declares for an installation; None when that is nothing.

    Where the dependencies are dynamic and no file is named, the backend's own file (``setup.py``) has the word.
    """
    text = tree.read(NAME, most=tables.MOST)
    if text is None:
        return None
    found = Declared()
    document = tables.parse(NAME, text, found)
    if document is not None:
        _Reader(tree, document, places.of_toml(NAME, text), found).read()
    return None if found == Declared() else found


class _Reader:
    def __init__(self, tree: Tree, document: Table, where: Places, found: Declared) -> None:
        self._tree = tree
        self._document = document
        self._where = where
        self._found = found

    def read(self) -> None:
        project = tables.table(self._document, "project")
        self._project(project)
        self._poetry(project)
        self._flit()
        self._groups()
        for entry in tables.strings(tables.table(self._document, "build-system").get("requires")):
            groups.build(self._found, entry, self._where.entry(("build-system", "requires"), entry))
        for source in tables.tables(tables.table(self._document, "tool", "pdm").get("source")):
            url = tables.text(source, "url")
            tables.source(self._found, url, self._where.entry(("tool", "pdm", "source"), url))
        uv_tables.apply(self._document, self._where, self._found)

    def _project(self, project: Table) -> None:
        path = ("project", "dependencies")
        listed = project.get("dependencies")
        if listed is not None and not isinstance(listed, list):
            what = "`dependencies` of [project] is not a list, which the standard demands: it is not read"
            self._found.questions.append(Question(what, self._where.key(*path)))
        else:
            self._list(path, listed)
        self._extras(("project", "optional-dependencies"), project.get("optional-dependencies"))
        python = tables.text(project, "requires-python")
        self._found.need_python(python, self._where.key("project", "requires-python"))
        self._classifiers(("project", "classifiers"), project.get("classifiers"))
        if "dependencies" in tables.strings(project.get("dynamic")):
            self._dynamic()

    def _dynamic(self) -> None:
        named = tables.table(self._document, *_DYNAMIC, "dependencies").get("file")
        for name in tables.strings(named):
            self._found.merge(requirements_txt.read(self._tree, name))
        for extra, value in tables.table(self._document, *_DYNAMIC, "optional-dependencies").items():
            names = tables.strings(tables.table(value).get("file"))
            groups.of_extra(self._found, extra, names, self._where.key(*_DYNAMIC, "optional-dependencies", extra))
        hooks = tables.table(self._document, *_HOOKS)
        for name in tables.strings(tables.table(hooks, "requirements_txt").get("files")):
            self._found.merge(requirements_txt.read(self._tree, name))
        for name in sorted(hooks.keys() - {"requirements_txt", "vcs", "fancy-pypi-readme"}):
            what = f"the dependencies are made by the hook `{name}` of hatch, which would have to be run"
            self._found.questions.append(Question(what, self._where.key(*_HOOKS, name)))
            self._found.is_partial = True

    def _poetry(self, project: Table) -> None:
        if not tables.table(self._document, "tool", "poetry"):
            return
        # since Poetry 2 its table only adds to the standard's, unless that leaves the dependencies to it
        speaks = "dependencies" not in project or "dependencies" in tables.strings(project.get("dynamic"))
        poetry.read(self._document, self._where, self._found, dependencies=speaks)

    def _flit(self) -> None:
        """Flit's own table from before the standard."""
        path = ("tool", "flit", "metadata")
        metadata = tables.table(self._document, *path)
        self._list((*path, "requires"), metadata.get("requires"))
        self._extras((*path, "requires-extra"), metadata.get("requires-extra"))
        python = tables.text(metadata, "requires-python")
        self._found.need_python(python, self._where.key(*path, "requires-python"))
        self._classifiers((*path, "classifiers"), metadata.get("classifiers"))

    def _groups(self) -> None:
        for path in (("dependency-groups",), ("tool", "pdm", "dev-dependencies")):
            for name, entries in tables.table(self._document, *path).items():
                groups.development(self._found, name, _shown(entries), self._where.key(*path, name))
        developing = tables.strings(tables.table(self._document, "tool", "uv").get("dev-dependencies"))
        if developing:
            groups.development(self._found, "dev", developing, self._where.key("tool", "uv", "dev-dependencies"))

    def _list(self, path: tuple[str, ...], value: Any) -> None:
        for entry in tables.strings(value):
            self._found.add(entry, self._where.entry(path, entry))

    def _extras(self, path: tuple[str, ...], value: Any) -> None:
        for extra, entries in tables.table(value).items():
            groups.of_extra(self._found, extra, tables.strings(entries), self._where.key(*path, extra))

    def _classifiers(self, path: tuple[str, ...], value: Any) -> None:
        listed = [(text, self._where.entry(path, text)) for text in tables.strings(value)]
        tested = classifiers.python_of(listed)
        self._found.python += [tested] if tested else []


def _shown(entries: Any) -> list[str]:
    """The entries of a dependency group; one that includes another group stands as such."""
    every = entries if isinstance(entries, list) else []
    included = [
        f"group {name}" for one in every if isinstance(one, Mapping) and (name := tables.text(one, "include-group"))
    ]
    return [*tables.strings(entries), *included]
