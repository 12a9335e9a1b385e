"""The caller's terminal and streams, while a command that runs elsewhere has them."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
from collections.abc import Iterator
from typing import Any

from kobako.errors import Stopped, WorkError


def write(fd: int, data: bytes) -> None:
    """Write all of it. A reader that went away is ``Stopped(SIGPIPE)``; a full disk is a ``WorkError``."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:
            select.select([], [fd], [])
        except BrokenPipeError:
            raise Stopped(signal.SIGPIPE) from None
        except OSError as error:
            code = "disk-full" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "unreadable"
            why = error.strerror or str(error)
            raise WorkError(code, "cannot write the output of the command", why=why) from error


def window(fd: int) -> tuple[int, int] | None:
    """Lines and columns of a terminal; None where it is none."""
    try:
        size = os.get_terminal_size(fd)
    except OSError:
        return None
    return size.lines, size.columns


@contextlib.contextmanager
def raw(fd: int | None, *, on: bool) -> Iterator[Any]:
    """The caller's terminal in raw mode while the block runs; gives a function that takes who is told of resizes."""
    if not on or fd is None:
        yield lambda _resize: None
        return
    import termios  # noqa: PLC0415 - only with a terminal
    import tty  # noqa: PLC0415

    before = termios.tcgetattr(fd)
    previous = signal.getsignal(signal.SIGWINCH)

    def follow(resize: Any) -> None:
        def changed(*_: object) -> None:
            if size := window(fd):
                resize(size)

        signal.signal(signal.SIGWINCH, changed)
        changed()

    try:
        tty.setraw(fd, termios.TCSADRAIN)  # what was typed ahead is for the program
        yield follow
    finally:
        signal.signal(signal.SIGWINCH, previous)
        with contextlib.suppress(termios.error):  # the terminal went away
            termios.tcsetattr(fd, termios.TCSADRAIN, before)
