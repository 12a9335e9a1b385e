"""Where metrics lie: a walk that is spread over many looks; a look costs next to nothing where nothing moves."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

DEPTH = 8
"""Levels below a given folder."""
MOST_FOLDERS = 5000
ENTRIES = 20_000
"""Entries that one look may list."""
LOOKS = 200
"""Folders that one look may ask for a change."""
LARGE = 1000
"""A folder with more entries, none of which is of interest, is likely data: it is looked at ever more seldom."""
LONGEST_WAIT = 300.0
_SETTLED = 2.0
"""Seconds after which the time of a folder's last change tells for certain: clocks of file systems are coarse."""
_IGNORED = frozenset({"node_modules", "__pycache__", "site-packages", "venv", "dist-packages"})


class Found(NamedTuple):
    path: str
    size: int
    changed: float


class Folder:
    """One folder: when it last changed, and when it is to be looked at again."""

    __slots__ = ("changed", "depth", "due", "look", "path", "wait")

    def __init__(self, path: str, depth: int) -> None:
        self.path = path
        self.depth = depth
        self.changed = -1.0
        self.due = 0.0
        self.wait = 0.0
        self.look = 0


def below(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == one or path.startswith(f"{one.rstrip(os.sep)}{os.sep}") for one in folders)


class Folders:
    """Tells of files that were not there at the look before. Symbolic links are not followed."""

    def __init__(self, folders: tuple[str, ...], wanted: re.Pattern[str]) -> None:
        self._waiting = deque(Folder(path, 0) for path in folders)
        self._known = set(folders)
        self._seen: set[str] = set()
        self._wanted = wanted
        self._listed = 0
        self._look = 0

    @property
    def round(self) -> int:
        """How many looks it takes to come by each folder."""
        return 1 + len(self._waiting) // LOOKS

    @property
    def unseen(self) -> bool:
        """Whether there are folders that no look has come by yet."""
        return any(folder.look == 0 for folder in self._waiting)

    def only(self, folders: tuple[str, ...]) -> None:
        """From now on nothing but what lies below these."""
        self._waiting = deque(one for one in self._waiting if below(one.path, folders))
        self._known = {one.path for one in self._waiting}
        new = tuple(one for one in folders if one not in self._known)
        self._waiting.extendleft(Folder(path, 0) for path in new)
        self._known.update(new)

    def look(self, now: float) -> Iterator[Found]:
        """New files of interest. ``now`` is in seconds since the epoch."""
        self._listed = 0
        self._look += 1
        for _ in range(LOOKS):
            if self._listed >= ENTRIES or not self._waiting or self._waiting[0].look == self._look:
                return
            folder = self._waiting.popleft()
            folder.look = self._look
            self._waiting.append(folder)
            if now >= folder.due:
                yield from self._changed(folder, now)

    def _changed(self, folder: Folder, now: float) -> Iterator[Found]:
        try:
            changed = os.stat(folder.path).st_mtime
        except OSError:  # not there yet, or gone: it may come
            folder.changed = -1.0
            return
        if changed == folder.changed:
            return
        before, new = self._listed, 0
        for found in self._list(folder):
            new += 1
            yield found
        # a change within the clock's coarseness would leave the same time behind
        folder.changed = changed if abs(now - changed) > _SETTLED else -1.0
        if self._listed - before > LARGE and not new:
            folder.wait = min(max(1.0, 2 * folder.wait), LONGEST_WAIT)
            folder.due = now + folder.wait
        else:
            folder.wait = 0.0

    def _list(self, folder: Folder) -> Iterator[Found]:
        try:
            with os.scandir(folder.path) as entries:
                for entry in entries:
                    self._listed += 1
                    if self._listed > 2 * ENTRIES:  # the rest of this folder is never seen: it is no log folder
                        return
                    found = self._entry(entry, folder)
                    if found is not None:
                        yield found
        except OSError:  # went away under our hands, or is not ours to read
            return

    def _entry(self, entry: os.DirEntry[str], folder: Folder) -> Found | None:
        name = entry.name
        if self._wanted.search(name) and not entry.is_dir(follow_symlinks=False):
            return self._file(entry)
        if "." not in name or entry.is_dir(follow_symlinks=False):
            self._go_down(entry, folder)
        return None

    def _file(self, entry: os.DirEntry[str]) -> Found | None:
        """A link is left out: what it leads to is found where it lies, or is none of this training's."""
        if entry.path in self._seen or not entry.is_file(follow_symlinks=False):
            return None
        self._seen.add(entry.path)
        about = entry.stat(follow_symlinks=False)
        return Found(entry.path, about.st_size, about.st_mtime)

    def _go_down(self, entry: os.DirEntry[str], folder: Folder) -> None:
        name = entry.name
        if name.startswith(".") or name in _IGNORED or folder.depth >= DEPTH or len(self._known) >= MOST_FOLDERS:
            return
        if entry.path not in self._known and entry.is_dir(follow_symlinks=False):
            self._known.add(entry.path)
            self._waiting.appendleft(Folder(entry.path, folder.depth + 1))  # new ones come first
