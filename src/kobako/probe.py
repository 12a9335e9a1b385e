"""How the machine is looked at: programs, files and disks, behind one small type that tests can replace."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from kobako import process
from kobako.process import Outcome

GIB = 1024**3


class Disk(NamedTuple):
    """Bytes of the file system that a path lies on; ``free`` is what the caller may use."""

    total: int
    free: int


class Probe(Protocol):
    """What a check may ask."""

    @property
    def env(self) -> Mapping[str, str]:
        """The environment that Kobako was started in."""

    def which(self, program: str) -> str | None:
        """Where the program is on PATH, or None."""

    def run(self, *argv: str) -> Outcome:
        """A program's outcome."""

    def text(self, path: str) -> str | None:
        """A file's text; None where there is none that could be read."""

    def names(self, folder: str) -> tuple[str, ...]:
        """The names in a folder, sorted; none where it cannot be read."""

    def disk(self, path: str) -> Disk:
        """Raises ``OSError`` where the path is not there or closed to the caller."""

    def device(self, path: str) -> int | None:
        """Which file system the path lies on; None where nothing is there that could be looked at."""

    def writable(self, path: str) -> bool:
        """Whether the caller may write to what is there."""


class Machine:
    """The machine that Kobako runs on."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env

    def which(self, program: str) -> str | None:
        return process.which(program)

    def run(self, *argv: str) -> Outcome:
        # messages are looked at: they are to be the English ones
        return process.ask(argv, env={"LC_ALL": "C"})

    def text(self, path: str) -> str | None:
        try:
            return Path(path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    def names(self, folder: str) -> tuple[str, ...]:
        try:
            return tuple(sorted(os.listdir(folder)))
        except OSError:
            return ()

    def disk(self, path: str) -> Disk:
        usage = shutil.disk_usage(path)
        return Disk(usage.total, usage.free)

    def device(self, path: str) -> int | None:
        try:
            return os.stat(path).st_dev
        except OSError:
            return None

    def writable(self, path: str) -> bool:
        return os.access(path, os.W_OK)


def size(count: int) -> str:
    """Bytes as a person reads them."""
    if count >= 10 * GIB:
        return f"{count / GIB:.0f} GiB"
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / 1024**2:.0f} MiB"
