"""A uv that answers from memory: what it was asked, and answers that uv 0.13.9 gave."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest

from kobako import process
from kobako.dockerfile.recipe import read_recipe
from kobako.engines.local import pip, sandbox
from kobako.engines.local.given import Call
from kobako.engines.local.installer import Installer
from kobako.engines.local.interpreters import Interpreter
from kobako.engines.local.place import Place
from kobako.engines.local.sandbox import Tools
from kobako.engines.local.stage import Means, Stage
from kobako.errors import Where
from kobako.model.result import Problem
from kobako.process import Outcome, Setting

TOOLS = Tools._make(f"/usr/bin/{name}" for name in Tools._fields)
HERE = Where("Dockerfile", 5)

ONLY_SOURCE = """Using Python 3.11.7 environment at: env
error: No solution found when resolving dependencies
  cause: Because onlysource==1.0 has no usable wheels and only onlysource==1.0 is available, we can conclude that all \
versions of onlysource cannot be used.
         And because you require onlysource, we can conclude that your requirements are unsatisfiable.

hint: Wheels are required for `onlysource` because building from source is disabled for all packages (i.e., with \
`--no-build`)
"""
NOT_THERE = """error: No solution found when resolving dependencies
  cause: Because nothere was not found in the package registry and you require nothere, we can conclude that your \
requirements are unsatisfiable.
"""
OTHER_PYTHON = """error: No solution found when resolving dependencies
  cause: Because otherpy==1.0 has no wheels with a matching Python implementation tag (e.g., `cp311`) and only \
otherpy==1.0 is available, we can conclude that all versions of otherpy cannot be used.
"""
NO_ANSWER = """error: Failed to fetch: https://me:secret@host/simple/six/
  cause: error sending request for url (https://me:secret@host/simple/six/)
  cause: client error (Connect)
  cause: tcp connect error
  cause: Connection refused (os error 111)
"""
DISK_FULL = """error: Failed to prepare distributions
  cause: Failed to extract archive
  cause: failed to write to file `/cache/torch.so`: No space left on device (os error 28)
"""


def would(*chosen: str) -> str:
    """What uv says of packages that it installs, or would."""
    lines = "".join(f" + {one}\n" for one in chosen)
    return f"Using Python 3.11.7 environment at: env\nResolved {len(chosen)} packages in 3ms\n{lines}"


class Asked(NamedTuple):
    """One start of uv. ``words`` begin with ``pip``."""

    inside: bool
    words: tuple[str, ...]
    environment: Mapping[str, str]

    @property
    def dry(self) -> bool:
        return "--dry-run" in self.words

    @property
    def cpu(self) -> bool:
        return "--torch-backend=cpu" in self.words

    @property
    def constraint(self) -> str:
        """What the constraint on torch says, which is a file while uv runs."""
        return "".join(self.said("--constraint")).strip()

    def said(self, option: str) -> list[str]:
        """What the files say that an option names."""
        paths = [word.partition("=")[2] for word in self.words if word.startswith(f"{option}=")]
        return [Path(path).read_text(encoding="utf-8") for path in paths if os.path.exists(path)]


@dataclass
class Told:
    """A narrator that keeps what it is told."""

    warned: list[Problem] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        self.lines.append(line)

    def warn(self, problem: Problem) -> None:
        self.warned.append(problem)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.lines.append(name)
        yield

    def child(self, line: str) -> None:
        self.lines.append(line)

    def confirm(self, question: str, *, person: bool = False) -> bool:
        raise AssertionError(question)


Answer = Callable[[Asked], tuple[int, str]]


@dataclass
class Bench:
    """An installer with a stage; ``answer`` says what uv does. ``listed`` are its first questions to a stage's Python,
    which are not among those ``asked``.
    """

    folder: Path
    answer: Answer
    env: dict[str, str]
    tools: Tools | None = TOOLS
    gpu: bool = True
    told: Told = field(default_factory=Told)
    asked: list[Asked] = field(default_factory=list)
    listed: list[Asked] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    stage: Stage = field(init=False)

    def __post_init__(self) -> None:
        self.stage = Stage(self.folder / "stage", Interpreter("/opt/p/bin/python3.11", "3.11.7", "/opt/p", "x86_64"))
        self.stage.root.mkdir(parents=True)
        (self.folder / "stage/local").mkdir()
        (self.folder / "uv").touch()

    @property
    def installer(self) -> Installer:
        means = Means(str(self.folder / "uv"), self.tools, "bubblewrap is not installed", self.gpu, self.env, self.env)
        return Installer(means, Place(self.folder / ".kobako"), self.told)

    def lay(self, files: Mapping[str, str]) -> None:
        """Files of the image."""
        for name, text in files.items():
            path = self.stage.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def run(self, line: str, environment: Mapping[str, str] | None = None, workdir: str = "/w") -> list[Asked]:
        """What uv is asked for a RUN of the Dockerfile."""
        install = pip.install(read_recipe(f"FROM x\nRUN {line}\n").steps[1].commands[0])
        assert install is not None
        del self.asked[:]
        self.installer.run(self.stage, Call(install, environment or {}, workdir, HERE, f"RUN {line}", "a"))
        return list(self.asked)

    def run_in(self, setting: Setting, argv: Sequence[str], on_line: object = None) -> Outcome:
        inside = argv[0] == TOOLS.bwrap
        environment = dict(setting.environment)
        words = list(argv)
        if inside:
            assert environment == sandbox.CLEAN
            parts = iter(os.read(setting.keep[0], 1 << 20).decode().split("\0"))
            environment = {next(parts): next(parts) for part in parts if part == "--setenv"}
        asked = Asked(inside, tuple(words[words.index("pip") :]) if "pip" in words else tuple(words), environment)
        if asked.words[:2] == ("pip", "list"):
            self.listed.append(asked)
            return Outcome(tuple(argv), 0, "", "", 0.0)
        self.asked.append(asked)
        self.constraints.append(asked.constraint)
        code, said = self.answer(asked)
        return Outcome(tuple(argv), code, "", said, 0.0)


def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer, **changed: object) -> Bench:
    env = {"HOME": str(tmp_path / "home"), "PIP_CONFIG_FILE": os.devnull, "PATH": "/usr/bin"}
    made = Bench(tmp_path, answer, {**env, **changed.pop("env", {})}, **changed)  # type: ignore[arg-type,dict-item]
    (tmp_path / "home").mkdir()
    monkeypatch.setattr(process, "run_in", made.run_in)
    return made
