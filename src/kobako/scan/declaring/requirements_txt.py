"""Requirements files, in pip's own format and in those that people take for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from posixpath import dirname

from kobako.errors import Where
from kobako.masking import mask
from kobako.model.finding import Finding
from kobako.model.requirement import Other, Question
from kobako.model.result import Problem
from kobako.scan.declaring import conda_specs, requirement_lines, wheel_urls
from kobako.scan.declaring.declared import Declared
from kobako.scan.declaring.requirement_files import is_runtime, left_out, runtime_files
from kobako.scan.declaring.requirement_lines import logical_lines
from kobako.scan.tree import Tree, joined

__all__ = ("is_runtime", "left_out", "logical_lines", "read", "read_line", "read_runtime", "runtime_files", "take_line")

MAX_DEPTH = 20
"""Includes are nested no deeper by anybody in earnest."""
MAX_FILES = 100
MAX_LINES = 5000
"""Requirements in one file. The largest environments have some hundreds."""
MAX_PROBLEMS = 20
"""Lines of one file that are told one by one; whoever has more of them has a file of another kind."""

_SOURCES = frozenset({"-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-index", "--trusted-host"})
_TORCH_INDEX = re.compile(r"https?://download\.pytorch\.org/")
_ELSEWHERE = frozenset({"pywin32", "pypiwin32", "pywinpty", "wincertstore", "win-inet-pton", "appnope"})
"""Packages without a build for Linux, as ``pip freeze`` lists them on Windows and macOS."""
_NO_PACKAGE = frozenset({"pkg-resources"})
"""What Debian's pip once listed by mistake."""


@dataclass(frozen=True)
class _Walk:
    """Where the reading stands: the files that led here, all that were read, and what they are read as."""

    tree: Tree
    found: Declared
    whole: bool = False
    constraint: bool = False
    depth: int = 0
    seen: set[tuple[str, bool]] = field(default_factory=set)


def read(tree: Tree, name: str, *, whole: bool = False) -> Declared:
    """Everything that a requirements file declares. ``whole`` follows includes of test and document files too."""
    found = Declared()
    _read(_Walk(tree, found, whole=whole), name)
    return found


def read_runtime(tree: Tree) -> Declared | None:
    """What the requirements files for running declare, and which others there are; None where there are none."""
    names = runtime_files(tree)
    found = Declared()
    walk = _Walk(tree, found)
    for name in names:
        _read(walk, name)
    told = {one.what for one in found.others} | {name for name, _ in walk.seen}
    found.others += [one for one in left_out(tree, names) if one.what not in told]
    return None if found == Declared() else found


def read_line(tree: Tree, line: str, finding: Finding) -> Declared:
    """One line as it may stand in a requirements file, options included. Includes are relative to the finding's."""
    found = Declared()
    walk = _Walk(tree, found)
    if line.startswith("-") and not line.startswith("- "):
        _option(walk, line, finding)
    else:
        _take(walk, line, finding, conda=False)
    return found


def take_line(found: Declared, line: str, finding: Finding) -> None:
    """Take in one logical line that holds a requirement and no option of pip's, in whatever format."""
    words = requirement_lines.passed_on(line)
    if words is not None:
        for word in words:
            found.add(word, finding)
        return
    text = requirement_lines.without_options(requirement_lines.rewritten(line))
    alone = requirement_lines.named_alone(text)
    if alone:
        what = f"`{alone}` was built by conda on the author's machine: it is taken without a version"
        found.questions.append(Question(what, finding))
    trial = Declared()
    trial.add(alone or text, finding)
    if trial.problems and (told := requirement_lines.without_prose(text)):
        trial = Declared()
        trial.add(told, finding)
    for one in trial.requirements:
        if one.name in _ELSEWHERE | _NO_PACKAGE:
            why = "for Windows or macOS only" if one.name in _ELSEWHERE else "no package of its own"
            trial.others.append(Other(str(one), why, (finding,)))
    trial.requirements = [one for one in trial.requirements if one.name not in _ELSEWHERE | _NO_PACKAGE]
    found.merge(trial)


def _read(walk: _Walk, name: str) -> None:
    text = walk.tree.read(name)
    if text is None:
        what = f"{name} is named, but it is not in the repository or too large to read"
        walk.found.questions.append(Question(what))
        return
    if (name, walk.constraint) in walk.seen or len(walk.seen) >= MAX_FILES:
        return
    walk.seen.add((name, walk.constraint))
    lines = list(logical_lines(text))
    if len(lines) > MAX_LINES:
        what = f"{name} has {len(lines)} lines; only the first {MAX_LINES} are read"
        walk.found.questions.append(Question(what, Finding(name, lines[MAX_LINES][0])))
        del lines[MAX_LINES:]
    before = len(walk.found.problems)
    conda = requirement_lines.is_conda(text, [line for _, line in lines])
    wanted_by = requirement_lines.compiled_for(text) or {}
    for number, line in lines:
        finding = Finding(name, number, mask(line))
        if line.startswith("-") and not line.startswith("- "):
            _option(walk, line, finding)
        elif owners := _owners(wanted_by.get(number, ())):
            walk.found.others.append(Other(line.split(" ")[0], f"comes with {owners}", (finding,)))
        else:
            _take(walk, line, finding, conda=conda)
    _shorten(walk.found, before, name)


def _take(walk: _Walk, line: str, finding: Finding, *, conda: bool) -> None:
    """One line with a requirement, as pip, conda or a person wrote it."""
    part = Declared()
    row = requirement_lines.conda_row(line)
    if row or (conda and not line.endswith("=pypi_0") and requirement_lines.rewritten(line) == line):
        conda_specs.add(part, row or line, finding, export=True)
    else:
        take_line(part, line, finding)
    if walk.constraint:
        for one in part.requirements:
            walk.found.bounds.setdefault(one.name, []).append(one)
        part.requirements = []
    walk.found.merge(part)


def _owners(words: tuple[str, ...]) -> str:
    """Who brings a package into a compiled file; "" where the author asked for it."""
    if not words or words[0] != "via" or "-r" in words:
        return ""
    if any(re.search(r"\.in\b|\(|pyproject\.toml|setup\.(?:py|cfg)", word) for word in words):
        return ""
    names = [word for at, word in enumerate(words[1:], 1) if word != "-c" and words[at - 1] != "-c"]
    return ", ".join(names[:3])


def _shorten(found: Declared, before: int, name: str) -> None:
    """Many lines that are not understood become one problem."""
    more = len(found.problems) - before - MAX_PROBLEMS
    if more > 0:
        line = found.problems[before + MAX_PROBLEMS].where
        del found.problems[before + MAX_PROBLEMS :]
        found.problems.append(
            Problem(
                "bad-requirement",
                f"{more} more lines of {name} are not requirements that are understood",
                "it may be a file of another kind",
                "add what is needed to the Dockerfile by hand",
                Where(name, line.line if line else None),
            )
        )


def _option(walk: _Walk, line: str, finding: Finding) -> None:
    option, value = _split(line)
    if option in {"-r", "--requirement", "-c", "--constraint"}:
        _include(walk, (option, value), finding)
    elif option in {"-e", "--editable"}:
        _take(walk, value, finding, conda=False)
    elif option in _SOURCES:
        _source(walk.found, (option, value), finding)
    # --pre, --no-binary, --prefer-binary, --require-hashes and their like change how, not what is installed.


def _source(found: Declared, option: tuple[str, str], finding: Finding) -> None:
    """Another place to take packages from: what its address tells is kept, whether to trust it is asked."""
    flag, value = option
    shown = f"{flag} {_public(value)}".strip()
    found.merge(wheel_urls.bounds(value, finding))
    if _TORCH_INDEX.match(value):
        found.others.append(Other(shown, "PyTorch is the base image's own", (finding,)))
    elif flag != "--trusted-host":
        what = f"`{shown}` is not taken over: say whether packages should come from there"
        found.questions.append(Question(what, finding))


def _split(line: str) -> tuple[str, str]:
    option, separator, value = line.partition("=") if re.match(r"--[a-z-]+=", line) else line.partition(" ")
    if not separator and len(line) > 2 and not line.startswith("--"):
        option, value = line[:2], line[2:]
    return option, value.strip().strip("\"'")


def _include(walk: _Walk, option: tuple[str, str], finding: Finding) -> None:
    flag, value = option
    if "://" in value:
        shown = _public(value)
        walk.found.questions.append(Question(f"`{flag} {shown}` is on another machine and was not read", finding))
        return
    name = joined(dirname(finding.file), value.replace("\\", "/"))
    constraint = walk.constraint or flag in {"-c", "--constraint"}
    if (name, constraint) in walk.seen or walk.depth >= MAX_DEPTH:
        return
    if not walk.tree.is_file(name):
        what = f"`{flag} {value}` names a file that is not in the repository"
        walk.found.questions.append(Question(what, finding))
    elif constraint or walk.whole or is_runtime(name):
        _read(replace(walk, constraint=constraint, depth=walk.depth + 1), name)
    else:
        walk.found.others.append(Other(name, "not for running: tests, documents, development or options", (finding,)))


def _public(value: str) -> str:
    """Addresses without credentials."""
    return re.sub(r"(?<=://)[^/\s]*@", "", value)
