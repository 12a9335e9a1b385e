"""What a backend must offer, and what it may ask of the one who calls it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from kobako.model import NOTHING
from kobako.model.result import Problem
from kobako.model.service import Service, State


class Narrator(Protocol):
    """Tells a person what goes on. Everything goes to stderr; answers travel in a ``Result``."""

    def say(self, line: str) -> None:
        """One line of narration; silent under ``-q``."""

    def warn(self, problem: Problem) -> None:
        """A problem that does not stop the work."""

    def step(self, name: str) -> AbstractContextManager[None]:
        """One step of the work: announced when it starts, with its duration when it ends."""

    def child(self, line: str) -> None:
        """A line that a child process printed: shown under ``-v``, always kept in the log."""

    def confirm(self, question: str, *, person: bool = False) -> bool:
        """Ask; True without asking where there is no terminal or ``--yes`` was given.

        With ``person`` only those two can say yes: where there is no terminal it raises ``UsageError``.
        """


class Availability(NamedTuple):
    """Whether an engine can be used here. ``problem`` says why not; ``detail`` is a word on which one it is."""

    usable: bool
    detail: str = ""
    problem: Problem | None = None


class Told(Protocol):
    """How a training stands, in words."""

    def bar(self, width: int) -> str:
        """In at most that many columns; "" while nothing is known."""

    def line(self) -> str:
        """For a file or a pipe; "" while nothing is known."""


class Screen(Protocol):
    """Lets a command's bytes go by, with a line below them that says how it stands."""

    def pass_on(self, fd: int, data: bytes) -> None:
        """Write bytes of the command, unchanged. Raises as ``terminal.write`` does."""

    def state(self, told: Told) -> None:
        """Show how it stands; called a few times a second, it decides itself when that is worth showing."""

    def close(self) -> None:
        """Take the line away: what follows begins where the command's output ended."""


class Command(NamedTuple):
    """A command for inside. ``user`` is ``uid:gid``, a name, or None for the service's own.

    ``session`` is the id that every process of the command carries in KOBAKO_SESSION; "" for any. ``begun`` is called
    once the command has been started: threads may be started from then on.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = NOTHING
    user: str | None = None
    workdir: str | None = None
    terminal: bool = False
    stdin: bool = True
    session: str = ""
    begun: Callable[[], None] | None = None


class Streams(NamedTuple):
    """Where a command's bytes come from and go to: file descriptors. With a terminal, ``stderr`` is not used."""

    stdin: int | None
    stdout: int
    stderr: int


class Step(NamedTuple):
    """One step of a build, as the builder named it."""

    name: str
    seconds: float
    cached: bool


class Built(NamedTuple):
    """A build that succeeded. ``moved`` holds base packages whose version changed: (name, before, after).

    ``problems`` are what could not be done and did not stop the build: the result is a partial one.
    """

    image: str
    steps: tuple[Step, ...] = ()
    moved: tuple[tuple[str, str, str], ...] = ()
    problems: tuple[Problem, ...] = ()


class Engine(Protocol):
    """Builds, starts and enters the environment of a service. Every engine passes the same contract suite.

    Errors are ``KobakoError``: ``EngineError`` when the engine cannot do it, ``BuildError`` when a recipe fails,
    ``UsageError`` when the service is wrong.
    """

    name: str

    def available(self) -> Availability:
        """Can it be used here? Costs little and changes nothing."""

    def states(self, services: Iterable[Service]) -> dict[str, State]:
        """The state of each service, by its name, in one look."""

    def build(self, service: Service, *, fresh: bool = False) -> Built:
        """Make the service's image. ``fresh`` reuses no layer."""

    def built_from(self, service: Service) -> str | None:
        """The text of the Dockerfile that the service's image was built from; None where that is not known."""

    def up(self, service: Service) -> bool:
        """Start the service and return when it really runs; False when it already did."""

    def caller(self, service: Service) -> str | None:
        """The ``uid:gid`` under which files made inside belong to the caller; None where they do already.

        So for a service with a ``user:`` of its own, for a caller who is root, and on a rootless engine.
        """

    def run(self, service: Service, command: Command, streams: Streams) -> int:
        """Run a command in the running service and return its exit code (128+N when signal N killed it).

        Bytes pass unchanged. When ``Stopped`` is raised meanwhile (a signal arrived), every process of the command is
        ended, children with a session of their own included, and ``Stopped`` goes on.
        """

    def logs(self, service: Service, streams: Streams, options: LogOptions) -> int:
        """Write what the service printed to ``streams``."""

    def stop(self, service: Service) -> bool:
        """Stop it; False when it did not run."""

    def remove(self, service: Service) -> bool:
        """Stop and remove it; False when there was none. The image stays."""


class LogOptions(NamedTuple):
    """``tail`` is a number of lines or None for all."""

    follow: bool = False
    tail: int | None = None
    timestamps: bool = False
