"""Whether a service was started, as what, and whether that still runs. Loaded by every command: it imports little."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from kobako.engines.local import processes
from kobako.engines.local.place import Place, read

MARK = "KOBAKO_LOCAL"


class State(NamedTuple):
    """What ``state.json`` says. ``pid`` is the sandbox's first process, or the command itself; 0 before it started.
    ``main`` is a process of the sandbox's inner namespace, which lives as long as the first one. With ``layered``,
    env/ of the image is the layer below what is written.

    ``mark`` is carried by every process of the service in its environment.
    """

    image: str
    sandboxed: bool
    config: str
    mark: str
    workdir: str
    pid: int = 0
    start: int = 0
    boot: str = ""
    main: int = 0
    layered: bool = False

    @property
    def alive(self) -> bool:
        return self.pid > 0 and self.boot == boot() and processes.alive(self.pid, self.start)

    @property
    def running(self) -> bool:
        """Whether it was started to the end: only then can it be entered."""
        return self.main > 0 and self.alive


def state_of(place: Place, service: str) -> State | None:
    """None where it was never started, or was removed."""
    return parsed(read(place.state_file(service)))


def parsed(found: object) -> State | None:
    """The state that was written; None for nothing, and for what another Kobako wrote in another form."""
    if not isinstance(found, list) or len(found) != len(State._fields):
        return None
    return State(*found)


def boot() -> str:
    """Which start of the machine this is: process numbers of another one mean nothing."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
