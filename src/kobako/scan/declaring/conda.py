"""Conda's environment files, also those that ``conda env export`` wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice
from posixpath import basename, dirname
from typing import TYPE_CHECKING, NamedTuple

from kobako.masking import mask
from kobako.model.finding import Finding
from kobako.model.requirement import Other, Question
from kobako.scan.declaring import conda_specs, requirements_txt
from kobako.scan.declaring.declared import Declared
from kobako.scan.declaring.requirement_files import is_runtime
from kobako.scan.tree import Tree

if TYPE_CHECKING:
    from yaml import Node

_MOST = 256 * 1024
"""Bytes. An export of a large environment has 50,000."""
MAX_ENTRIES = 3000
MAX_FILES = 40

_FOLDERS = ("", "docker", "conda", "envs", "env", "environments", "environment", "install", "requirements", ".binder")
_NAME = re.compile(r"(?:.*[-_.])?(?:environments?|env|conda)(?:[-_.].*)?\.ya?ml|conda.*\.ya?ml|.*env\.ya?ml")
_PLAIN = ("environment.yml", "environment.yaml", "conda.yml", "conda.yaml", "env.yml", "env.yaml")
_ELSEWHERE = re.compile(r"(?:^|[-_.])(?:cpu|mac|macos|osx|darwin|m1|win|windows|win64|rocm|arm|min|minimal)(?:[-_.]|$)")
_SELECTOR = re.compile(r"#\s*\[\s*(?:win|win32|win64|osx|not\s+linux|arm64)\b[^\]]*\]")
_WITH_BUILD = re.compile(r"[\w.-]+=[^=\s]+=[^=\s]+")


class _Entry(NamedTuple):
    """One line of the dependencies: a package of conda's, or (``pip``) one for pip."""

    text: str
    line: int
    pip: bool = False


def take(spec: str, finding: Finding, found: Declared) -> None:
    """Take in one package as conda names it (``pytorch=1.7.1``), as an environment file or a command gives it."""
    conda_specs.add(found, spec, finding)


def read(tree: Tree) -> Declared | None:
    """What the environment file for running holds; None where there is none."""
    names = files(tree)
    if not names:
        return None
    for at, name in enumerate(names[:MAX_FILES]):
        found = read_file(tree, name)
        if found is None:
            continue
        others = [one for one in names[at + 1 :] if dirname(one) == dirname(name)]
        why = f"another environment; {name} is the one for running"
        found.others += [Other(one, why) for one in others]
        return found
    return None


def files(tree: Tree) -> list[str]:
    """Environment files at the top and in the folders where people keep them, the likeliest first."""
    found: list[str] = []
    for folder in _FOLDERS:
        here = [name for suffix in (".yml", ".yaml") for name in tree.names(folder, suffix)]
        found += sorted((name for name in here if _NAME.fullmatch(basename(name).lower())), key=_rank)
    return found


def _rank(name: str) -> tuple[bool, int, str]:
    base = basename(name).lower()
    plain = _PLAIN.index(base) if base in _PLAIN else len(_PLAIN)
    return not is_runtime(name) or _ELSEWHERE.search(base.rpartition(".")[0]) is not None, plain, name


def read_file(tree: Tree, name: str) -> Declared | None:
    """One environment file; None for YAML of another kind."""
    text = tree.read(name, most=_MOST)
    if text is None:
        return Declared(questions=[Question(f"{name} is too large for an environment file and was not read")])
    try:
        entries = _entries(text)
    except _UnreadableError as error:
        return Declared(questions=[Question(str(error), Finding(name, error.line))])
    if entries is None:
        return None
    found = Declared()
    lines = re.split(r"\r\n|\n|\r", text)
    export = sum(_WITH_BUILD.fullmatch(one.text) is not None for one in entries if not one.pip) >= 5
    for entry in entries:
        finding = Finding(name, entry.line, mask(entry.text[:200]))
        if entry.line <= len(lines) and _SELECTOR.search(lines[entry.line - 1][:2000]):
            found.others.append(Other(entry.text, "for Windows or macOS only", (finding,)))
        elif entry.pip:
            found.merge(requirements_txt.read_line(tree, entry.text, finding))
        else:
            conda_specs.add(found, entry.text, finding, export=export)
    return found


class _UnreadableError(Exception):
    def __init__(self, why: str, line: int) -> None:
        super().__init__(why)
        self.line = line


def _entries(text: str) -> list[_Entry] | None:
    """The dependencies in their order; None where the file has no list of them.

    The nodes are looked at as the parser composes them: an alias is a second name of a node there, never a copy, so
    that nothing grows.
    """
    import yaml  # noqa: PLC0415 - heavy

    try:
        document = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise _UnreadableError(f"it is not valid YAML: {error.problem}", mark.line + 1 if mark else 1) from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise _UnreadableError("it is not YAML that can be read", 1) from None
    dependencies = _at(document, "dependencies")
    if not isinstance(dependencies, yaml.SequenceNode):
        return None
    return list(islice(chain.from_iterable(map(_packages, dependencies.value)), MAX_ENTRIES))


def _packages(node: Node) -> Iterator[_Entry]:
    import yaml  # noqa: PLC0415 - heavy

    if isinstance(node, yaml.ScalarNode):
        yield _Entry(str(node.value).strip(), node.start_mark.line + 1)
        return
    listed = _at(node, "pip")
    if not isinstance(listed, yaml.SequenceNode):
        yield _Entry("an entry that is no package and no list for pip", node.start_mark.line + 1)
        return
    for inner in listed.value:
        if isinstance(inner, yaml.ScalarNode):
            yield _Entry(str(inner.value).strip(), inner.start_mark.line + 1, pip=True)


def _at(node: Node | None, key: str) -> Node | None:
    import yaml  # noqa: PLC0415 - heavy

    if isinstance(node, yaml.MappingNode):
        for name, value in node.value[:MAX_ENTRIES]:
            if isinstance(name, yaml.ScalarNode) and name.value == key:
                return value if isinstance(value, yaml.Node) else None
    return None
