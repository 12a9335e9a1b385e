"""Trainings that are started by hand in ``kobako shell`` and ``kobako exec``: noticed while they run, and recorded.

``exec`` is to cost nothing: until something was trained this is one look at a folder, and a thread that sleeps.
"""

from __future__ import annotations

import os
from typing import Literal

from kobako.actions.context import Context
from kobako.model.service import Service
from kobako.protocols import Engine

FIRST = 1.0
"""Seconds before the first look: most commands have ended by then."""

EVERY = 1.0

PATIENCE = 15.0
"""Seconds that the end of a command waits for a look that has begun: it looks at data for ten at most."""


class Watch:
    """``session`` is carried by every process of the command, and told by what is trained in it."""

    def __init__(self, context: Context, service: Service, engine: Engine, verb: Literal["exec", "shell"]) -> None:
        self.session = f"{verb}-{os.urandom(16).hex()}"
        self._of = (context, service, engine)
        self._verb = verb
        self._traces = os.path.join(context.workspace.root, service.title, "work_dirs", ".runs")
        self._known = frozenset(self._names())
        self._seen: set[str] = set()
        self._over = False

    def begun(self) -> None:
        """The command runs: look now and then."""
        import threading  # noqa: PLC0415 - once the command runs it costs nobody a wait

        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_again, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """The command has ended: the last look. What cannot be recorded is said, and changes nothing."""
        self._over = True
        if hasattr(self, "_ended"):
            self._ended.set()
            self._thread.join(PATIENCE)  # it may be recording: that is this Kobako, not another
        if self._seen or self._new():
            self._record(last=True)

    def _names(self) -> list[str]:
        try:
            return os.listdir(self._traces)
        except OSError:
            return []

    def _new(self) -> set[str]:
        return set(self._names()) - self._known - self._seen

    def _look_again(self) -> None:
        import contextlib  # noqa: PLC0415 - as above

        wait = FIRST
        while not self._ended.wait(wait):
            wait = EVERY
            # a terminal may be another's now: what went wrong is told by the last look
            with contextlib.suppress(Exception):
                if self._new():
                    self._record(last=False)

    def _record(self, *, last: bool) -> None:
        from kobako.actions import adopting  # noqa: PLC0415 - only where something was trained

        context, service, engine = self._of
        names = frozenset(self._seen | self._new())
        self._seen |= adopting.from_session(context, service, engine, (self._verb, self.session, names), last=last)
