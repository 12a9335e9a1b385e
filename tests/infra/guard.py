"""Unit tests start no program and reach no network: whatever tries raises where it tries."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_FORBIDDEN = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
        "pty.spawn",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.sendto",
        "subprocess.Popen",
    }
)


class ForbiddenInUnitTestError(AssertionError):
    """A unit test tried to leave the process."""


class _Guard:
    """An audit hook sees every way to start a program, whatever name it was imported by; it cannot be taken out."""

    def __init__(self) -> None:
        self.active = False
        self.installed = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.active and event in _FORBIDDEN:
            raise ForbiddenInUnitTestError(f"{event}{arguments!r}"[:500])


_guard = _Guard()


@contextmanager
def closed() -> Iterator[None]:
    """No program is started and no network reached in the block."""
    if not _guard.installed:
        sys.addaudithook(_guard)
        _guard.installed = True
    before, _guard.active = _guard.active, True
    try:
        yield
    finally:
        _guard.active = before
