"""Where the local engine keeps things, below ``.kobako/local`` of the workspace.

images/<key>/     env/ (the virtual environment), local/ (/usr/local), root/ (all other files) and image.json;
                      never changed once it is there
built/<service>   which image a service was built to
live/<service>/   a working copy of an image: env/, local/, root/, state.json, log
cache/            what was compiled here, apart from uv's own cache: a stranger's build could spoil that
trash/            what is being deleted
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kobako.workspace import make_state, write_text

ENV = "env"
ROOT = "root"
LOCAL = "local"
OVER = "over"


class Place:
    """The paths. ``state`` is the workspace's ``.kobako``."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.top = state / "local"

    def images(self) -> Path:
        return self._made("images")

    def image(self, identity: str) -> Path:
        return self.top / "images" / identity

    def made_for(self, key: str) -> str | None:
        """The image that was made last for a key, if it is there."""
        found = read(self.end(key))
        whole = isinstance(found, str) and (self.image(found) / "image.json").exists()
        return found if whole else None

    def end(self, key: str) -> Path:
        return self.top / "ends" / f"{key}.json"

    def built(self, service: str) -> Path:
        return self.top / "built" / f"{_safe(service)}.json"

    def live(self, service: str) -> Path:
        return self.top / "live" / _safe(service)

    def state_file(self, service: str) -> Path:
        return self.live(service) / "state.json"

    def log(self, service: str) -> Path:
        return self.live(service) / "log"

    def volume(self, name: str) -> Path:
        return self._made("volumes", _safe(name))

    def cache(self, *parts: str) -> Path:
        return self._made("cache", *parts)

    def trash(self) -> Path:
        return self._made("trash")

    def _made(self, *parts: str) -> Path:
        make_state(self.state)
        folder = self.top.joinpath(*parts)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextlib.contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """One at a time: waits for another Kobako that works on the same thing. A killed one holds nothing up."""
        with (self._made("locks") / f"{_safe(what)}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def write(self, path: Path, content: Any) -> None:
        """JSON, whole or not at all."""
        make_state(self.state)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(content, sort_keys=True))


def read(path: Path) -> Any:
    """What :meth:`Place.write` wrote; None where there is nothing, or nothing that can be read."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def _safe(name: str) -> str:
    """A service's name as a file's, each its own: compose files allow more in it than letters, but few use that."""
    quoted = re.sub(r"[^A-Za-z0-9_.-]", lambda found: "".join(f"%{byte:02x}" for byte in os.fsencode(found[0])), name)
    return f"%2e{quoted[1:]}" if quoted.startswith(".") else quoted or "%"
