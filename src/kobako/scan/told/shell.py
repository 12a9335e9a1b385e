"""Shell commands that are told to a person or run by a machine of the authors': what they say about the environment.

Nothing is run. The commands are read by the same grammar as a Dockerfile's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from kobako.dockerfile.script import commands_of
from kobako.model.finding import Finding
from kobako.model.recipe import Command, Word
from kobako.model.requirement import Bound
from kobako.scan.declaring.declared import Declared
from kobako.scan.told.budget import may_parse
from kobako.scan.told.images import Points
from kobako.scan.told.installs import Installs
from kobako.scan.told.lines import Line
from kobako.scan.told.manner import PLAIN, Manner, of_remark
from kobako.scan.told.own import Own
from kobako.scan.told.places import Clone, Walk
from kobako.scan.told.versions import minor_of
from kobako.scan.tree import Tree

MOST_COMMANDS = 2_000
"""Commands of one file that are understood."""
MOST_WORDS = 60
LONGEST_TEXT = 200
"""Characters of a command that are shown as evidence."""

_CUDA_PATH = re.compile(r"/cuda-(\d{1,2}\.\d{1,2})(?![\d])")
_CUDA_NAMES = frozenset({"CUDA_HOME", "CUDA_PATH", "CUDA_ROOT", "CUDA_TOOLKIT_ROOT_DIR", "PATH", "LD_LIBRARY_PATH"})
_BUILD_NAMES = frozenset({"TORCH_CUDA_ARCH_LIST", "FORCE_CUDA", "CUDA_HOME", "MMCV_WITH_OPS", "BUILD_EXT", "MAX_JOBS"})
_SETUP = frozenset({"install", "develop", "build_ext", "build", "build_develop"})
_MAKE_ASIDE = ("test", "doc", "html", "lint", "format", "style", "clean", "quality", "check")
_WRAPPERS = frozenset({"sudo", "time", "env", "command", "exec", "nohup"})


@dataclass(frozen=True)
class Voice:
    """Who speaks: a file, the line of it in which each line of the text stands, and in what manner."""

    file: str
    line_of: Callable[[int], int]
    manner: Manner = PLAIN

    def finding(self, line: int, text: str) -> Finding:
        return Finding(
            self.file,
            self.line_of(line),
            re.sub(r"\s*\\?\s+", " ", text.strip().removesuffix("\\").rstrip())[:LONGEST_TEXT],
        )


def below(first: int) -> Callable[[int], int]:
    """For a text whose first line is that line of the file."""
    return lambda line: first + line - 1


def among(places: Sequence[int]) -> Callable[[int], int]:
    """For a text whose lines stand here and there in the file."""
    return lambda line: places[line - 1] if 0 < line <= len(places) else 1


@dataclass
class Shell:
    """Reads the commands of one file, one text after the other, and remembers where they lead."""

    tree: Tree
    own: Own
    walk: Walk = field(init=False)
    installs: Installs = field(init=False)
    _used: set[Clone] = field(default_factory=set)
    _cloned: dict[Clone, Finding] = field(default_factory=dict)
    _count: int = 0

    def __post_init__(self) -> None:
        self.walk = Walk(self.own)
        self.installs = Installs(self.walk)

    @property
    def found(self) -> Declared:
        return self.installs.found

    def read(self, lines: Sequence[Line], voice: Voice) -> None:
        """A text, line by line as ``lines`` made it."""
        text = "\n".join(line.text for line in lines)
        self._count += 1  # a text without a command costs its reading too
        if text.strip() and self._count <= MOST_COMMANDS and may_parse(self.tree, voice.file, text):
            self.take(commands_of(text), voice, lines)

    def take(self, commands: Iterable[Command], voice: Voice, lines: Sequence[Line] = ()) -> None:
        """Commands that are understood already. ``lines`` are those of their text, where it was made of such."""
        for command in commands:
            self._count += 1
            if self._count > MOST_COMMANDS:
                return
            line = lines[command.line - 1] if command.line <= len(lines) else Line(command.text)
            manner = voice.manner.with_(of_remark(line.remark)) if line.remark else voice.manner
            self._command(command, voice.finding(command.line, line.raw or command.text), manner)

    def finish(self) -> Declared:
        """All that was found, with what was cloned and never installed."""
        for clone, finding in self._cloned.items():
            if clone.url not in {one.url for one in self._used}:
                self.installs.other(
                    clone.url, "cloned beside the repository, and not installed by a command that is told", finding
                )
        self._cloned.clear()
        return self.found

    def _command(self, command: Command, finding: Finding, manner: Manner) -> None:
        if not manner.why:
            for word in (*command.assignments, *(command.words if _first(command) == "export" else ())):
                self._variable(word, finding)
        if command.kind in {"pip-install", "conda-install", "apt-install"}:
            self._used.update([self.walk.at.clone] if self.walk.at.clone else [])
            self._used.update(spot.clone for one in command.sources if (spot := self.walk.spot(one.value or "")).clone)
            self.installs.take(command, finding, manner)
            return
        words = _plain(command.words)
        handler = _HANDLERS.get(_program(words))
        if handler is not None:
            handler(self, words, finding, manner)

    def _variable(self, word: Word, finding: Finding) -> None:
        name, _, value = word.text.partition("=")
        value = value.strip("\"'")
        if name in _CUDA_NAMES and (path := _CUDA_PATH.search(value)):
            minor = minor_of(path[1])
            if minor:
                self.found.cuda.append(Bound(f"=={minor[0]}.{minor[1]}.*", (finding,), firm=False))
        elif name in _BUILD_NAMES:
            self.installs.other(
                f"{name}={value}",
                "a setting for building extensions; Kobako sets its own for the GPUs at hand",
                finding,
            )

    def git(self, words: tuple[str, ...], finding: Finding, manner: Manner) -> None:
        if words[1:2] == ("checkout",) and len(words) > 2:
            self.walk.checkout(words[-1])
        if words[1:2] != ("clone",):
            return
        made = self.walk.clone(words[2:])
        if made and not made.is_own and not manner.why and "://" in made.url and "$" not in made.url:
            self._cloned.setdefault(made, finding)

    def docker(self, words: tuple[str, ...], finding: Finding, manner: Manner) -> None:  # noqa: ARG002 - as its neighbours
        """``docker run ... nvcr.io/nvidia/pytorch:21.08-py3``: what the authors work in."""
        if words[1:2] == ("run",):
            points = Points()
            for word in words[2:MOST_WORDS]:
                if ":" in word and not word.startswith("-"):
                    points.add_image(word, finding)
            self.found.merge(points.declared())

    def cd(self, words: tuple[str, ...], finding: Finding, manner: Manner) -> None:  # noqa: ARG002 - as its neighbours
        self.walk.go(words[1]) if len(words) > 1 else self.walk.home()

    def python(self, words: tuple[str, ...], finding: Finding, manner: Manner) -> None:
        at = next((n for n, word in enumerate(words) if word.endswith("setup.py")), 0)
        if at and any(word in _SETUP for word in words[at + 1 :]):
            self._built(words[at].removesuffix("setup.py") or ".", finding, manner)

    def make(self, words: tuple[str, ...], finding: Finding, manner: Manner) -> None:
        if manner.why or any(word.startswith(_MAKE_ASIDE) for word in words[1:]):
            return
        folder = next((words[n + 1] for n, word in enumerate(words[:-1]) if word == "-C"), ".")
        spot = self.walk.spot(folder)
        if spot.clone and not spot.package()[1]:
            self._built(folder, finding, manner)
        elif spot.clone:
            self._used.add(spot.clone)
            self.installs.other(
                f"{finding.text} ({spot.clone.name})", "built by make: run it in the container", finding
            )
        else:
            self.installs.other(
                finding.text, "run by make: look at the Makefile, and run it in the container if it is needed", finding
            )

    def _built(self, folder: str, finding: Finding, manner: Manner) -> None:
        spot = self.walk.spot(folder)
        if spot.clone:
            self._used.add(spot.clone)
        if manner.why:
            self.installs.other(finding.text, manner.why, finding)
        else:
            self.installs.direct(spot, finding, manner)

    def script(self, words: tuple[str, ...], finding: Finding, manner: Manner) -> None:  # noqa: ARG002
        name = next((word for word in words if word.endswith(".sh")), "")
        below = f"{self.walk.at.path}/{name}" if self.walk.at.path else name
        if name and self.walk.at.clone is None and self.tree.is_file(below.removeprefix("./")):
            self.installs.other(
                finding.text,
                "a script of the repository: read it, and run it in the container if it is needed",
                finding,
            )


_HANDLERS: dict[str, Callable[[Shell, tuple[str, ...], Finding, Manner], None]] = {
    "git": Shell.git,
    **dict.fromkeys(("docker", "nvidia-docker", "podman"), Shell.docker),
    "cd": Shell.cd,
    "python": Shell.python,
    "make": Shell.make,
    "sh": Shell.script,
}


def _plain(words: tuple[Word, ...]) -> tuple[str, ...]:
    values = [word.text.strip("\"'") if word.value is None else word.value for word in words]
    while values and values[0] in _WRAPPERS:
        values = values[1:]
    return tuple(values)


def _first(command: Command) -> str:
    return command.words[0].text if command.words else ""


def _program(words: tuple[str, ...]) -> str:
    """The kind of program: any Python, any shell."""
    if not words:
        return ""
    name = words[0].rstrip("}").rsplit("/", 1)[-1]
    if re.fullmatch(r"(?:python|pypy)[\d.]*|\$\{?PYTHON", name):
        return "python"
    return "sh" if name in {"bash", "sh", "source", "."} or name.endswith(".sh") else name
