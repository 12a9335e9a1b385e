"""Where a repository's own texts start a script: its README, its shell scripts, the commands that it installs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from kobako.model.finding import Finding
from kobako.scan.aside import folder_kind
from kobako.scan.tree import Tree, joined

Kind = Literal["text", "shell", "command"]

_MOST_SHELL, _MOST_TEXTS = 300, 40
_LONGEST_TEXT, _LONGEST_SHELL = 512 * 1024, 64 * 1024
_LONGEST_LINE = 4000
_MOST_STARTS, _MOST_ALIKE = 10_000, 1_000
"""Commands that may start a script, and scripts of one name that are told apart."""
_TEXT_NAMES = ("readme", "install", "getting_started", "get_started", "getstarted", "quickstart", "training", "usage")
_NO_CHAPTERS = ("change", "contribut", "code_of_conduct", "security", "history", "news", "release", "agents", "claude")
_NO_START = re.compile(r"\s(?:--?(?:eval|evaluate|eval[-_]only|test|test[-_]only|help)|-h)(?=[\s`]|$)")
_STARTS = re.compile(r"\b(?:python[\d.]*|torchrun|launch|deepspeed|srun|accelerate|bash|sh|horovodrun|mpirun)\b|\./")
_STARTER = re.compile(
    r"(?:.*/)?(?:\$?\{?PYTHON\w*\}?|python[\d.]*|torchrun|deepspeed|launch|horovodrun|runpy|composer)"
)
_SHELL = re.compile(r"(?:.*/)?(?:bash|sh|source|\.)|\./.*\.sh")
_COMMAND = re.compile(
    r"['\"]?([\w.-]{1,80})['\"]?\s{0,20}=\s{0,20}['\"]?([A-Za-z_][\w.]{0,200}):([A-Za-z_][\w.]{0,80})"
)
_QUOTES = "`'\"();,$"
_LAUNCHERS = ("torch.", "accelerate.", "deepspeed", "paddle.", "pip", "venv", "oneflow.", "horovod", "torch_xla")
_SETUP_FILES = ("setup.py", "setup.cfg", "pyproject.toml")


class Mention(NamedTuple):
    """A place that starts a script; ``through`` is what stands between (a shell script, a command's name)."""

    kind: Kind
    finding: Finding
    through: str = ""


def read(tree: Tree) -> dict[str, list[Mention]]:
    """The scripts that are started somewhere, with the places."""
    finder = _Finder(tree)
    shells = [name for name in tree.files if name.endswith(".sh") and folder_kind(name) not in {"outside", "vendored"}][
        :_MOST_SHELL
    ]
    for name in shells:
        finder.shell(name)
    for name in _texts(tree):
        finder.text(name)
    for name in _SETUP_FILES:
        finder.commands(name)
    return finder.found


def _texts(tree: Tree) -> list[str]:
    names = [
        name
        for name in tree.files
        if name.lower().endswith((".md", ".rst", ".txt"))
        and (name.rpartition("/")[2].lower().startswith(_TEXT_NAMES) or _is_chapter(name))
        and name.count("/") <= 2
    ]
    return sorted(names, key=lambda name: (name.count("/"), not name.lower().startswith("readme"), name))[:_MOST_TEXTS]


def _is_chapter(name: str) -> bool:
    """Whether a page at the top is a chapter of the README's (``PRETRAIN.md``)."""
    return "/" not in name and name.lower().endswith(".md") and not name.lower().startswith(_NO_CHAPTERS)


class _Finder:
    def __init__(self, tree: Tree) -> None:
        self.found: dict[str, list[Mention]] = {}
        self._tree = tree
        self._left = _MOST_STARTS
        self._started_by: dict[str, list[str]] = {}
        self._by_last: dict[str, list[str]] = {}
        for name in tree.files:
            if name.endswith((".py", ".sh")):
                self._by_last.setdefault(name.rpartition("/")[2], []).append(name)

    def shell(self, name: str) -> None:
        text = self._tree.read(name, most=_LONGEST_SHELL) or ""
        for number, line in _lines(text):
            for script in self._scripts(line, name):
                if script.endswith(".py"):
                    self._started_by.setdefault(name, []).append(script)
                    self._add(script, Mention("shell", Finding(name, number, line[:200])))

    def text(self, name: str) -> None:
        text = self._tree.read(name, most=_LONGEST_TEXT) or ""
        for number, line in _lines(text):
            finding = Finding(name, number, line[:200])
            for script in self._scripts(line, name):
                if script.endswith(".py"):
                    self._add(script, Mention("text", finding))
                for inner in self._started_by.get(script, ()):
                    self._add(inner, Mention("text", finding, through=script))

    def commands(self, name: str) -> None:
        text = self._tree.read(name, most=_LONGEST_TEXT) or ""
        if ":" not in text:
            return
        for number, line in enumerate(text.split("\n"), 1):
            if ":" not in line or "=" not in line or len(line) > _LONGEST_LINE:
                continue
            for command, module, _ in _COMMAND.findall(line):
                script = self._module(module)
                if script:
                    self._add(script, Mention("command", Finding(name, number, line.strip()[:200]), through=command))

    def _add(self, script: str, mention: Mention) -> None:
        places = self.found.setdefault(script, [])
        if not any((one.kind, one.finding.file) == (mention.kind, mention.finding.file) for one in places):
            places.append(mention)

    def _scripts(self, line: str, seen_from: str) -> Iterator[str]:
        """The scripts that the commands of a line start, each command's first."""
        for command in re.split(r"&&|\|\||;|\|", line):
            if _NO_START.search(command):
                continue
            script = self._started(command.split(), seen_from)
            if script:
                yield script

    def _started(self, words: list[str], seen_from: str) -> str:
        python = shell = False
        for at, word in enumerate(words):
            bare = word.strip(_QUOTES)
            if bare.endswith(".sh") and (shell or word.lstrip(_QUOTES).startswith("./")):
                return self._resolved(bare, seen_from)
            if python and bare.endswith(".py"):
                return self._resolved(bare, seen_from)
            if word == "-m" and python and at + 1 < len(words):
                module = words[at + 1].strip(_QUOTES)
                if not module.startswith(_LAUNCHERS):
                    return self._module(module)
            python = python or _STARTER.fullmatch(bare) is not None
            shell = shell or _SHELL.fullmatch(bare) is not None
        return ""

    def _resolved(self, word: str, seen_from: str) -> str:
        """A script's name in the repository: relative to its root or to the text, else the only one that fits."""
        self._left -= 1
        if self._left < 0:
            return ""
        path = re.split(r"[)}]/|\$\w+/", word)[-1].removeprefix("./").strip(_QUOTES)
        for folder in (seen_from.rpartition("/")[0], ""):
            name = joined(folder, path) if path and not path.startswith("/") else ""
            if name and self._tree.is_file(name):
                return name
        ending = "/" + path.lstrip("./")
        alike = self._by_last.get(path.rpartition("/")[2], [])
        fitting = [name for name in alike[:_MOST_ALIKE] if f"/{name}".endswith(ending)]
        return fitting[0] if len(fitting) == 1 else ""

    def _module(self, module: str) -> str:
        self._left -= 1
        path = module.replace(".", "/")
        for folder in ("", "src/") if self._left >= 0 else ():
            for name in (f"{folder}{path}.py", f"{folder}{path}/__main__.py", f"{folder}{path}/__init__.py"):
                if self._tree.is_file(name):
                    return name
        return ""


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of the lines that may start something, continued ones put together."""
    number, held, held_at = 0, "", 0
    for line in text.split("\n"):
        number += 1
        if len(line) > _LONGEST_LINE or len(held) > _LONGEST_LINE:
            held = ""
            continue
        bare = line.strip().lstrip("$> ")
        if not held:
            held_at = number
        held = f"{held} {bare}" if held else bare
        if bare.endswith("\\"):
            held = held[:-1]
            continue
        whole, held = held, ""
        if not whole.startswith("#") and (".py" in whole or ".sh" in whole or "-m " in whole) and _STARTS.search(whole):
            yield held_at, whole
