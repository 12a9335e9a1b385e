"""Requirements files, in pip's own format: includes, constraints, options, hashes, continuation lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import basename, dirname

from kobako.model.finding import Finding
from kobako.model.requirement import Other, Question
from kobako.scan.declared import Declared
from kobako.scan.tree import Tree, joined

MAX_DEPTH = 20
"""Includes are nested no deeper by anybody in earnest."""

_COMMENT = re.compile(r"(^|\s+)#.*$")
_OPTION = re.compile(r"\s(?=--?[a-zA-Z])")
_NOT_RUNTIME = re.compile(
    r"(?:^|[-_.])(?:tests?|testing|docs?|readthedocs|rtd|dev|develop|development|optional|extras?|lint|ci|build|"
    r"examples?|benchmarks?|all)(?:[-_.]|$)"
)
_SOURCES = frozenset({"-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-index", "--trusted-host"})


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines as pip sees them: continuations joined, comments gone. The number is that of the first physical line."""
    pending = ""
    first = 0
    for number, raw in enumerate(text.splitlines(), 1):
        if not pending:
            first = number
        if pending and raw.lstrip().startswith("#"):
            continue
        pending += raw
        if raw.endswith("\\") and not raw.lstrip().startswith("#"):
            pending = pending[:-1]
            continue
        line = _COMMENT.sub("", pending).strip()
        pending = ""
        if line:
            yield first, line
    line = _COMMENT.sub("", pending).strip()
    if line:
        yield first, line


def is_runtime(name: str) -> bool:
    """Whether a requirements file's name says that it is for running, not for tests, documents and the like."""
    return not _NOT_RUNTIME.search(basename(name).rsplit(".", 1)[0].lower())


def read(tree: Tree, name: str, *, whole: bool = False) -> Declared:
    """Everything that a requirements file declares. ``whole`` follows includes of test and document files too."""
    found = Declared()
    _read(tree, name, found, _Walk((), whole=whole))
    return found


class _Walk:
    """Where the reading stands: the files that led here, and whether it is inside a constraints file."""

    def __init__(self, trail: tuple[str, ...], *, whole: bool, constraint: bool = False) -> None:
        self.trail = trail
        self.whole = whole
        self.constraint = constraint

    def into(self, name: str, *, constraint: bool) -> _Walk:
        return _Walk((*self.trail, name), whole=self.whole, constraint=self.constraint or constraint)


def _read(tree: Tree, name: str, found: Declared, walk: _Walk) -> None:
    text = tree.read(name)
    if text is None:
        found.questions.append(Question(f"{name} is named, but it is not in the repository or too large to read"))
        return
    for number, line in logical_lines(text):
        finding = Finding(name, number, line)
        if line.startswith("-"):
            _option(tree, line, finding, (found, walk.into(name, constraint=False)))
        else:
            _requirement(_OPTION.split(line, maxsplit=1)[0], finding, found, constraint=walk.constraint)


def _requirement(text: str, finding: Finding, found: Declared, *, constraint: bool) -> None:
    if not constraint:
        found.add(text, finding)
        return
    bound = found.understand(text, finding)
    if bound is not None:
        found.bounds.setdefault(bound.name, []).append(bound)


def _option(tree: Tree, line: str, finding: Finding, state: tuple[Declared, _Walk]) -> None:
    found, walk = state
    option, value = _split(line)
    if option in {"-r", "--requirement", "-c", "--constraint"}:
        _include(tree, (option, value), finding, state)
    elif option in {"-e", "--editable"}:
        _requirement(value, finding, found, constraint=walk.constraint)
    elif option in _SOURCES:
        shown = re.sub(r"(?<=://)[^/\s]*@", "", value)
        what = f"{option} {shown}".strip()
        found.questions.append(
            Question(f"`{what}` is not taken over: say whether packages should come from there", finding)
        )
    # --pre, --no-binary, --prefer-binary, --require-hashes and their like change how, not what is installed.


def _split(line: str) -> tuple[str, str]:
    option, separator, value = line.partition("=") if re.match(r"--[a-z-]+=", line) else line.partition(" ")
    if not separator and len(line) > 2 and not line.startswith("--"):
        option, value = line[:2], line[2:]
    return option, value.strip().strip("\"'")


def _include(tree: Tree, option: tuple[str, str], finding: Finding, state: tuple[Declared, _Walk]) -> None:
    found, walk = state
    flag, value = option
    if "://" in value:
        found.questions.append(Question(f"`{flag} {value}` is on another machine and was not read", finding))
        return
    name = joined(dirname(finding.file), value)
    constraint = flag in {"-c", "--constraint"}
    if name in walk.trail or len(walk.trail) > MAX_DEPTH:
        return
    if not tree.is_file(name):
        found.questions.append(Question(f"`{flag} {value}` names a file that is not in the repository", finding))
    elif constraint or walk.whole or is_runtime(name):
        _read(tree, name, found, _Walk(walk.trail, whole=walk.whole, constraint=walk.constraint or constraint))
    else:
        found.others.append(Other(name, "not for running: tests, documents, development or options", (finding,)))
