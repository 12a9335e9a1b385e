"""``setup.cfg``: ``[options]`` of setuptools."""

from __future__ import annotations

import configparser

from kobako.model.finding import Finding
from kobako.model.requirement import Bound, Question
from kobako.scan import requirements_txt
from kobako.scan.declared import Declared
from kobako.scan.tree import Tree

NAME = "setup.cfg"


def read(tree: Tree) -> Declared | None:
    """``install_requires`` and ``python_requires``; None when the file has no ``[options]``."""
    text = tree.read(NAME)
    if text is None:
        return None
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        found = Declared()
        found.questions.append(Question(f"it is not understood: {str(error).splitlines()[0]}", Finding(NAME, 1)))
        return found
    if not parser.has_section("options"):
        return None
    found = Declared()
    lines = text.splitlines()
    for entry in parser.get("options", "install_requires", fallback="").splitlines():
        _entry(tree, entry.strip(), lines, found)
    python = parser.get("options", "python_requires", fallback="").strip()
    if python:
        found.requires_python = Bound(python, (Finding(NAME, line_of(lines, "python_requires"), python),))
    return found


def _entry(tree: Tree, entry: str, lines: list[str], found: Declared) -> None:
    if entry.startswith("file:"):
        for name in entry.removeprefix("file:").split(","):
            found.merge(requirements_txt.read(tree, name.strip()))
    elif entry and not entry.startswith("#"):
        text = entry.partition(" #")[0].strip()
        found.add(text, Finding(NAME, line_of(lines, text), text))


def line_of(lines: list[str], text: str) -> int:
    """The first line that holds the text, or the first line of the file."""
    return next((number for number, line in enumerate(lines, 1) if text in line), 1)
