"""Every error that a user can see: what happened, why, what to do, and the exit code that goes with it.

``CODES`` is the published list of problem codes. A code is stable: scripts may match on it, never on a wording.
"""

from __future__ import annotations

from typing import NamedTuple

DONE = 0
FAILED = 1
USAGE = 2
ENGINE = 4
BUILD = 5
BUG = 70
INTERRUPTED = 130
TERMINATED = 143


class Where(NamedTuple):
    """A place in a user's file. ``file`` is relative to the workspace where it can be; ``line`` counts from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n is not None)]
        return ":".join(parts)


class KobakoError(Exception):
    """Something that the user should know, in four parts. Never printed here: the command line does that once."""

    exit_code: int = BUG

    def __init__(self, code: str, what: str, *, why: str = "", fix: str = "", where: Where | None = None) -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.why = why
        self.fix = fix
        self.where = where
        self.log = ""


class UsageError(KobakoError):
    """The command line, a file or a setting is not usable as it stands (exit code 2)."""

    exit_code = USAGE


class EngineError(KobakoError):
    """No engine, or not this one, can do the work (exit code 4)."""

    exit_code = ENGINE


class BuildError(KobakoError):
    """The image or the environment could not be built (exit code 5)."""

    exit_code = BUILD


class WorkError(KobakoError):
    """The work ran and failed (exit code 1)."""

    exit_code = FAILED


class CannotStartError(KobakoError):
    """The environment runs, but the command could not be started in it; ``child`` is 127 (not found) or 126."""

    def __init__(self, code: str, what: str, *, why: str = "", fix: str = "", child: int) -> None:
        super().__init__(code, what, why=why, fix=fix)
        self.exit_code = child


class Stopped(BaseException):
    """SIGINT, SIGTERM or SIGHUP arrived. Raised by the command line's signal handlers wherever the work stands.

    Whoever holds something that must be ended ends it and lets this pass. The exit code is the shell's: 128 and the
    signal's number, so 130 after Ctrl-C and 143 after SIGTERM.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum

    @property
    def exit_code(self) -> int:
        return 128 + self.signum


# code -> what it means. Grouped by subject; the test suite checks that each is raised somewhere and none is missing.
CODES: dict[str, str] = {
    # command line and workspace
    "usage": "the command line is not understood",
    "no-compose-file": "neither this folder nor one above it holds a compose file",
    "unknown-service": "the compose file has no service of that name",
    "exists": "a file or folder stands where Kobako would write; it is left as it is",
    "unreadable": "a file cannot be read or written",
    "invalid-setting": "a setting (flag, variable or x-kobako key) has a value that is not understood",
    # compose files
    "invalid-yaml": "the file is not valid YAML",
    "invalid-compose": "the file is YAML, but not a compose file that can be used",
    "invalid-interpolation": "a ${...} in the compose file is malformed or demands a variable that is not set",
    "unknown-x-kobako-key": "x-kobako has a key that Kobako does not know",
    "no-build-no-image": "the service has neither build nor image",
    "missing-dockerfile": "the service's Dockerfile does not exist",
    "missing-mount": "the source of a mount does not exist, or is not what the mount needs",
    "cannot-edit": "the edit cannot be made without touching other text; the file is left as it is",
    # Dockerfiles
    "invalid-dockerfile": "the Dockerfile is not understood",
    # adding a repository
    "bad-source": "the source to add is not a git URL, folder, archive, sdist or NAME==VERSION that can be had",
    "unsafe-archive": "the archive holds members that would leave the folder it is unpacked into",
    "bad-name": "the name cannot be used for a service or a container",
    "no-base": "no base image was named and none could be chosen",
    "unfit-base": "the base image does not fit what is asked for, or whether it does is not known",
    "unknown-gpu": "a GPU is in none of the tables; the choice does not take it into account",
    "bad-images": "the user's own table of images, or a row of it, cannot be used",
    "bad-requirement": "a declared requirement is not understood",
    "unknown-requirement": "no index has a declared requirement, or its repository does not answer",
    "contradiction": "the repository asks for two things that exclude each other",
    "no-python": "nothing in the folder is Python or speaks of it",
    "not-read": "a part of the repository was not read: too large, not readable, or no Python",
    # engines
    "no-engine": "no engine is usable on this machine",
    "unknown-engine": "there is no engine of that name",
    "docker-missing": "the docker program is not installed",
    "docker-daemon": "the Docker daemon does not answer",
    "docker-permission": "this user may not talk to the Docker daemon",
    "docker-old": "the Docker Engine or Compose is too old",
    "compose-missing": "Docker Compose is not installed",
    "engine-failed": "the engine could not do what it was asked to",
    "name-taken": "a container of that name belongs to something else",
    "no-gpu": "the GPU reservation was left out: this engine cannot honour it",
    "not-running": "the service's container does not run",
    "cannot-start": "the command is not found inside, or cannot be run",
    "exited": "the container ended by itself",
    "uv-missing": "the local engine needs uv, which is not installed",
    "unknown-base": "the local engine has no stand-in for the base image: what it holds is not known",
    "not-honoured": "the local engine cannot do what a line of the Dockerfile asks for",
    "needs-sandbox": "what is asked for may only be done inside bubblewrap, which does not work here",
    "no-interpreter": "the Python of the base image is not on this machine, and uv cannot fetch it",
    "index-unreachable": "the package index does not answer",
    "apt-missing": "system packages that a Dockerfile installs are not on this machine",
    "torch-size": "PyTorch comes as a build for CUDA, although this machine has no GPU",
    "recipe-changed": "the Dockerfile has changed since the environment was built",
    "disk-full": "no space is left on a disk that is needed",
    # work
    "build-failed": "the image could not be built",
    "base-moved": "packages of the base image changed version during the build",
    "command-failed": "a command that Kobako ran ended with an error",
    "not-verified": "the environment does not do its work when built from zero",
    "no-entry": "the service has no entry script that could be run",
    "training-failed": "the training ended with another exit code than 0",
    "not-a-number": "a loss is NaN or infinite",
    "unknown-run": "there is no run of that name, or more than one",
    "bad-record": "the record of a run, or what the run left, cannot be read",
    "shared-folder": "two runs write to one folder at the same time: their numbers cannot be told apart",
    "not-recorded": "the record of a run cannot be written",
    "not-removed": "a file of a run cannot be removed",
    "plot-missing": "pictures of curves need matplotlib, which is not installed",
    "bad-picture": "the picture cannot be written, or its name ends in neither .png nor .svg",
    "interrupted": "the work was ended on request",
    "bug": "Kobako itself failed",
}
