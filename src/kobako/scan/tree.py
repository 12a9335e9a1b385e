"""A repository's files, listed and read with a bound and never outside the repository."""

from __future__ import annotations

import os
import stat
from bisect import bisect_left
from contextlib import suppress
from functools import cached_property
from pathlib import Path, PurePosixPath

MAX_FILE = 4 * 1024**2
"""Bytes. A file that declares requirements is never larger; what is larger is not read."""
MAX_ENTRIES = 200_000
"""Entries of folders that are looked at; the folders near the top come first."""
MAX_DEPTH = 40

_LEFT_OUT = frozenset(
    {"__pycache__", "node_modules", "site-packages", "dist-packages", "__pypackages__", "wandb", "mlruns", "venv"}
)
"""Folders that hold no code of the repository's own, besides those with a leading dot."""
_DOT_FOLDERS = frozenset({".github", ".gitlab", ".circleci", ".mim", ".dev_scripts", ".devcontainer", ".binder"})
"""Folders with a leading dot that say something about the repository."""


class Tree:
    """The repository below ``root``. Names are relative and POSIX; what leads out of it does not exist.

    ``spent`` and ``left_out`` are for readers that share a bound: what is used of it, by its name, and the files of
    which something was not read because of it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real = root.resolve()
        self._plain: set[str] = set()
        self.is_whole = True
        self.undecodable = 0
        self.spent: dict[str, int] = {}
        self.left_out: list[str] = []

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The files of the repository, sorted. Symbolic links to folders are not followed.

        ``is_whole`` is false afterwards where there were more than are looked at; ``undecodable`` counts names that
        are no text, which are left out.
        """
        found: list[str] = []
        level, seen = [""], 0
        for _ in range(MAX_DEPTH):
            deeper: list[str] = []
            for folder in level:
                names, folders, count = self._list(folder, MAX_ENTRIES - seen)
                found += names
                deeper += folders
                seen += count
                if seen >= MAX_ENTRIES:
                    self.is_whole = False
                    return tuple(sorted(found))
            level = deeper
        self.is_whole = not level
        return tuple(sorted(found))

    def _list(self, folder: str, most: int) -> tuple[list[str], list[str], int]:
        """Files and folders of a folder, and how many entries it has (as far as they were looked at)."""
        files: list[str] = []
        links: list[str] = []
        folders: list[str] = []
        count = 0
        prefix = f"{folder}/" if folder else ""
        with suppress(OSError), os.scandir(self.root / folder) as entries:
            for count, entry in enumerate(entries, 1):
                if count > most:
                    break
                if not entry.name.isprintable():  # undecodable bytes stand as lone surrogates
                    self.undecodable += 1
                elif entry.is_dir(follow_symlinks=False):
                    if _is_ours(entry):
                        folders.append(prefix + entry.name)
                elif entry.is_file(follow_symlinks=False):
                    files.append(prefix + entry.name)
                elif self._is_link(prefix, entry):
                    links.append(prefix + entry.name)
        self._plain.update(files)  # nothing on the way here is a link: they are inside
        return files + links, sorted(folders), count

    def _is_link(self, prefix: str, entry: os.DirEntry[str]) -> bool:
        return entry.is_symlink() and self.is_file(prefix + entry.name)

    def is_file(self, name: str) -> bool:
        return self._inside(name) is not None

    def is_folder(self, name: str) -> bool:
        """Whether files of the repository lie below that folder."""
        at = bisect_left(self.files, f"{name}/")
        return at < len(self.files) and self.files[at].startswith(f"{name}/")

    def read(self, name: str, *, most: int = MAX_FILE) -> str | None:
        """The text, or None when there is no such file or it has more than ``most`` bytes."""
        path = self._inside(name)
        if path is None:
            return None
        try:
            with open(path, "rb") as file:
                if os.fstat(file.fileno()).st_size > most:
                    return None
                data = file.read(most + 1)
        except OSError:
            return None
        for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
            if data.startswith(mark):
                return data.decode(encoding, "replace")
        return data.decode("utf-8", "replace")

    def names(self, folder: str, suffix: str = "") -> list[str]:
        """The files of one folder with that suffix, sorted."""
        return [name for name in self._by_folder.get(folder, ()) if name.endswith(suffix)]

    @cached_property
    def _by_folder(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self.files:
            found.setdefault(name.rpartition("/")[0], []).append(name)
        return found

    def _inside(self, name: str) -> str | None:
        """The path of a file below the root; None when there is none, or when links lead out of it."""
        if not name or "\0" in name or name.startswith("/"):
            return None
        try:
            path = os.path.join(self._real, name)
            if not stat.S_ISREG(os.stat(path).st_mode):
                return None
            if name in self._plain:
                return path
            found = Path(path).resolve()
            return str(found) if self._real in found.parents else None
        except (OSError, RuntimeError, ValueError):  # RuntimeError: a loop of symbolic links
            return None


def _is_ours(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith("."):
        return entry.name in _DOT_FOLDERS
    return entry.name not in _LEFT_OUT and not os.path.exists(os.path.join(entry.path, "pyvenv.cfg"))


def joined(folder: str, name: str) -> str:
    """A name in a folder, without ``.`` and with ``..`` applied; "" when it leads out of the repository."""
    parts: list[str] = []
    for part in (PurePosixPath(folder) / name).parts:
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
