"""A Dockerfile understood: stages, steps, and the shell commands of each step. Positions point into the text.

Offsets count characters of the Dockerfile's text as it was given to the parser, so ``text[span.start:span.end]`` is
what a person wrote, continuation lines included. Values are what the shell makes of that text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Manager = Literal["pip", "uv", "apt", "conda"]
CommandKind = Literal[
    "pip-install", "apt-install", "apt-update", "conda-install", "timezone", "clean", "assignment", "other"
]


class Span(NamedTuple):
    """From ``start`` up to, not including, ``end``."""

    start: int
    end: int


NOWHERE = Span(0, 0)


class Word(NamedTuple):
    """A word of a command. ``value`` is None where only a shell could tell it (``$X``, ``$(...)``, ``{a,b}``)."""

    text: str
    value: str | None
    span: Span


@dataclass(frozen=True)
class Package:
    """One entry of an install list. ``name`` is normalised for its manager (PEP 503; lower case for apt and conda).

    ``rest`` is all that follows the name: extras, specifier, marker, version, architecture. The word's value is None
    where the version comes from a variable (``torch==$V``); the name is static even then.
    """

    name: str
    rest: str
    word: Word

    @property
    def text(self) -> str:
        """The entry as its manager gets it; as written where a variable is in it."""
        return self.word.text if self.word.value is None else self.word.value


@dataclass(frozen=True)
class Command:
    """One simple command.

    ``operator`` is what joins it to the command before it (``&&``, ``||``, ``;``, ``|``, a newline) or None for the
    first one. ``nesting`` names the constructs around it, outermost first (``if_statement``, ``subshell``...); it is
    empty for the ones that run unconditionally in order. ``sound`` is False where the shell grammar did not understand
    all of the step.

    For installs: ``program`` holds the words up to and including ``install``, ``options`` the options with their
    values, ``packages`` the list, ``sources`` what else is installed (requirement files, paths, editables), ``dynamic``
    words that only a shell could tell. ``zone`` is the time zone of a time-zone link; empty when it is not static.
    """

    text: str
    line: int
    span: Span
    words: tuple[Word, ...]
    assignments: tuple[Word, ...] = ()
    redirects: tuple[Word, ...] = ()
    operator: Word | None = None
    nesting: tuple[str, ...] = ()
    sound: bool = True
    kind: CommandKind = "other"
    manager: Manager | None = None
    program: tuple[Word, ...] = ()
    options: tuple[Word, ...] = ()
    packages: tuple[Package, ...] = ()
    sources: tuple[Word, ...] = ()
    dynamic: tuple[Word, ...] = ()
    zone: str = ""

    @property
    def argv(self) -> tuple[str, ...] | None:
        """The words as values; None when not all of them are static."""
        values = [word.value for word in self.words if word.value is not None]
        return tuple(values) if len(values) == len(self.words) else None


class Flag(NamedTuple):
    """A flag of an instruction: ``--from=build`` is ("from", "build"); ``value`` is None without ``=``."""

    name: str
    value: str | None


@dataclass(frozen=True)
class Step:
    """One instruction. ``value`` is its logical text after keyword and flags, continuation and comments removed.

    ``words`` are the JSON form's strings; ``pairs`` the names and values of ENV, ARG and LABEL as written (quotes and
    variables untouched; None for an ARG without a default). ``commands`` are those of a RUN step, in order. ``stage``
    is -1 before the first FROM. ``understood`` is False for a RUN whose commands could not be read: another shell than
    a POSIX one, or a script in another language.
    """

    index: int
    kind: str
    line: int
    end_line: int
    span: Span
    stage: int
    value: str
    flags: tuple[Flag, ...] = ()
    words: tuple[str, ...] | None = None
    pairs: tuple[tuple[str, str | None], ...] = ()
    commands: tuple[Command, ...] = ()
    understood: bool = True


@dataclass(frozen=True)
class Stage:
    """One build stage. ``image`` is the word after FROM as written; ``name`` is lower case, empty without AS."""

    index: int
    name: str
    image: str
    platform: str
    step: Step


@dataclass(frozen=True)
class Recipe:
    """A whole Dockerfile. ``globals`` are the ARG pairs before the first FROM; ``syntax`` the frontend asked for."""

    file: str
    steps: tuple[Step, ...]
    stages: tuple[Stage, ...]
    globals: tuple[tuple[str, str | None], ...]
    escape: str
    syntax: str

    def stage_of(self, target: int | str) -> Stage | None:
        """The stage of that name (any case) or number (negative from the end), or None."""
        if isinstance(target, int):
            return self.stages[target] if -len(self.stages) <= target < len(self.stages) else None
        wanted = target.lower()
        found = next((stage for stage in reversed(self.stages) if stage.name == wanted), None)
        if found is None and target.isdecimal() and int(target) < len(self.stages):
            return self.stages[int(target)]
        return found

    def steps_of(self, stage: int) -> tuple[Step, ...]:
        """The steps of one stage, FROM first."""
        return tuple(step for step in self.steps if step.stage == stage)
