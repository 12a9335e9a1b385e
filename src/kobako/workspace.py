"""Where a workspace's files live, and how they are written: whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from kobako.errors import UsageError, Where

STATE = ".kobako"
"""The folder for state that can be thrown away."""


class Workspace:
    """A folder with a compose file. All paths that Kobako derives in it are derived here."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def state(self) -> Path:
        return self.root / STATE

    def repository(self, name: str) -> Path:
        return self.root / name

    def dockerfile(self, name: str) -> Path:
        return self.root / "docker" / name

    def relative(self, path: str | Path) -> str:
        """The path as the contract shows it: relative to the workspace where it is inside, POSIX separators."""
        with contextlib.suppress(ValueError):
            return Path(path).relative_to(self.root).as_posix()
        return Path(path).as_posix()

    def state_folder(self, *parts: str) -> Path:
        """A folder below ``.kobako``, made if absent."""
        folder = self.state.joinpath(*parts)
        try:
            make_state(self.state)
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(error, self.relative(folder)) from error
        return folder


def make_state(folder: Path) -> None:
    """Make ``.kobako``, which hides itself from git: it may stand in a repository that knows nothing of Kobako."""
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")


def read_text(path: Path, shown: str = "") -> str:
    """The file's text, byte for byte: newlines, byte order mark and bytes that are no UTF-8 survive a write."""
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except OSError as error:
        raise _unusable(error, shown or str(path)) from error


def write_text(path: Path, text: str, shown: str = "") -> None:
    """Write what :func:`read_text` reads: to a temporary name beside it first, then in one rename.

    The permissions of a file that was there stay; a symbolic link stays one and its target is replaced.
    """
    import tempfile  # noqa: PLC0415 - 6 ms that reading does not need

    target = path.resolve() if path.is_symlink() else path
    try:
        with contextlib.ExitStack() as undo:
            handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
            undo.callback(_forget, name)
            with open(handle, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
                file.write(text)
                file.flush()
                os.fchmod(file.fileno(), _mode(target))
                os.fsync(file.fileno())
            os.replace(name, target)
            undo.pop_all()
    except OSError as error:
        raise _unusable(error, shown or str(path)) from error


def _mode(target: Path) -> int:
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _forget(name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name)


def _unusable(error: OSError, shown: str) -> UsageError:
    import errno  # noqa: PLC0415 - only on failure

    code = "disk-full" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "unreadable"
    reason = error.strerror or str(error)
    return UsageError(code, f"cannot use {shown}", why=reason, where=Where(shown))
