"""A repository's files, read with a bound and never outside the repository."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

MAX_FILE = 4 * 1024**2
"""A file that declares requirements is never larger; what is larger is not read."""


class Tree:
    """The repository below ``root``. Names are relative and POSIX; what leads out of it does not exist."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real = root.resolve()

    def is_file(self, name: str) -> bool:
        return self._inside(name) is not None

    def read(self, name: str) -> str | None:
        """The text, or None when there is no such file or it is too large to be what it says."""
        path = self._inside(name)
        try:
            if path is None or path.stat().st_size > MAX_FILE:
                return None
            data = path.read_bytes()
        except OSError:
            return None
        for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
            if data.startswith(mark):
                return data.decode(encoding, "replace")
        return data.decode("utf-8", "replace")

    def names(self, folder: str, suffix: str) -> list[str]:
        """The files of one folder with that suffix, sorted."""
        try:
            found = [one.name for one in (self.root / folder).iterdir() if one.name.endswith(suffix)]
        except OSError:
            return []
        return sorted(name for one in found if self.is_file(name := joined(folder, one)))

    def _inside(self, name: str) -> Path | None:
        if not name or "\0" in name or PurePosixPath(name).is_absolute():
            return None
        try:
            path = (self.root / name).resolve()
            if self._real in path.parents and path.is_file():
                return path
        except (OSError, RuntimeError):  # RuntimeError: a loop of symbolic links
            return None
        return None


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
