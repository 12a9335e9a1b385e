"""``setup.cfg``: what setuptools takes from it."""

from __future__ import annotations

import configparser
import re

from kobako.model.finding import Finding
from kobako.model.requirement import Question
from kobako.scan.declaring import classifiers, groups, places, requirements_txt
from kobako.scan.declaring.declared import Declared
from kobako.scan.tree import Tree

NAME = "setup.cfg"
_MOST = 512 * 1024
MOST_LINES = 20_000
"""The parser's message on the lines that it does not understand takes a time that grows with their square."""
_MAX_ENTRIES = 2000
_EXTRAS = "options.extras_require"


def parse(file: str, text: str) -> tuple[configparser.RawConfigParser | None, Question | None]:
    """An INI file as setuptools reads it, or why it cannot be read. Nothing in it is expanded."""
    if text.count("\n") > MOST_LINES:
        return None, Question("it has more lines than are read", Finding(file, 1))
    parser = configparser.RawConfigParser(strict=False)
    try:
        # its expression for an option takes a time that grows with the square of a run of white space
        parser.read_string(re.sub(r"(?<=\S)[^\S\n]{2,}", " ", text))
    except configparser.Error as error:
        line = getattr(error, "lineno", None) or next((number for number, _ in getattr(error, "errors", ())), 1)
        return None, Question(
            "it is not an INI file that can be read: this line is not understood", Finding(file, line)
        )
    return parser, None


def read(tree: Tree) -> Declared | None:
    """Requirements, extras, Python and classifiers; None when the file says nothing of the kind."""
    text = tree.read(NAME, most=_MOST)
    if text is None:
        return None
    parser, question = parse(NAME, text)
    if parser is None:
        return Declared(questions=[question] if question else [])
    reader = _Reader(tree, parser, places.of_ini(NAME, text))
    if not any(parser.has_section(section) for section in ("options", _EXTRAS)) and not reader.classifiers():
        return None
    return reader.read()


class _Reader:
    def __init__(self, tree: Tree, parser: configparser.RawConfigParser, where: places.Places) -> None:
        self._tree = tree
        self._parser = parser
        self._where = where

    def read(self) -> Declared:
        found = Declared()
        for entry, finding in self._entries("options", "install_requires"):
            found.add(entry, finding)
        for name in self._files("options", "install_requires"):
            found.merge(requirements_txt.read(self._tree, name))
        python = self._get("options", "python_requires")
        if python:
            found.need_python(python, self._where.key("options", self._spelled("options", "python_requires")))
        for entry, finding in self._entries("options", "setup_requires"):
            groups.build(found, entry, finding)
        if self._parser.has_section(_EXTRAS):
            for extra in self._parser.options(_EXTRAS):
                self._extra(extra, found)
        tested = classifiers.python_of(self.classifiers())
        found.python += [tested] if tested else []
        return found

    def classifiers(self) -> list[tuple[str, Finding]]:
        return self._entries("metadata", "classifiers") or self._entries("metadata", "classifier")

    def _extra(self, extra: str, found: Declared) -> None:
        entries = [entry for entry, _ in self._entries(_EXTRAS, extra)] + self._files(_EXTRAS, extra)
        groups.of_extra(found, extra, entries, self._where.key(_EXTRAS, extra))

    def _entries(self, section: str, key: str) -> list[tuple[str, Finding]]:
        """The lines of a value, or its parts where a list stands in one line; comments gone."""
        key = self._spelled(section, key)
        value = self._get(section, key)
        if not value or value.startswith(("file:", "attr:")):
            return []
        found: list[tuple[str, Finding]] = []
        for line in value.splitlines()[:_MAX_ENTRIES]:
            entry = requirements_txt.logical_lines(line)
            for _, text in entry:
                found += [(part, self._where.entry((section, key), part)) for part in _parts(text, value)]
        return found

    def _files(self, section: str, key: str) -> list[str]:
        value = self._get(section, key)
        names = re.split(r"[,\n]", value.removeprefix("file:")) if value.startswith("file:") else []
        return [name.strip() for name in names if name.strip()]

    def _get(self, section: str, key: str) -> str:
        value: str = self._parser.get(section, self._spelled(section, key), fallback="") or ""
        return value.strip()

    def _spelled(self, section: str, key: str) -> str:
        """Setuptools takes a dash for an underscore in its own options."""
        dashed = key.replace("_", "-")
        return dashed if self._parser.has_option(section, dashed) else key


def _parts(line: str, value: str) -> list[str]:
    """A list on one line is parted by semicolons (which a marker needs too) or by commas (as a specifier is)."""
    if "\n" in value:
        return [line.rstrip(",")]
    if ";" in line and not re.search(r";\s*\(?\s*[a-z_]+\s*(?:[<>=!~]=?|==|in\b|not\b)", line):
        return [part.strip() for part in line.split(";") if part.strip()]
    return [part.strip() for part in re.split(r",\s*(?=[A-Za-z])", line) if part.strip()]
