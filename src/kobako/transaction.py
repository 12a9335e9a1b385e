"""Several files and folders that appear together, or not at all.

What is made is written into a journal first. When the work fails it is taken back at once; when Kobako was killed,
:func:`recover` does that at the next command. The last step, the commit, is one rename of one file: with it, all is
done; before it, nothing is.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import re
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kobako.errors import UsageError
from kobako.workspace import Workspace, read_text, write_text

PREFIX = "tmp-"
_JOURNAL = "journal.json"
_LOCK = "lock"
_STAGE = "stage"


class Transaction:
    """``stage`` is an empty folder on the workspace's file system. Use it with :func:`begin`."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self._workspace = workspace
        self._folder = folder
        self._entries: list[dict[str, Any]] = []
        self._undo: list[Callable[[], None]] = []
        self.stage = folder / _STAGE
        self.stage.mkdir()

    def folder(self, path: Path) -> bool:
        """Make a folder and those above it where they are missing; whether it was missing."""
        missing = [one for one in (path, *path.parents) if not one.exists()]
        for one in reversed(missing):
            self._note({"kind": "folder", "path": self._workspace.relative(one)})
            one.mkdir()
        return bool(missing)

    def move(self, source: Path, target: Path) -> None:
        """Put a tree from the stage to its place."""
        self._note({"kind": "tree", "path": self._workspace.relative(target)})
        source.rename(target)

    def write(self, path: Path, text: str) -> None:
        """Write a new file."""
        self.folder(path.parent)
        self._note({"kind": "file", "path": self._workspace.relative(path), "sha256": _hash(text)})
        write_text(path, text, self._workspace.relative(path))

    def on_failure(self, undo: Callable[[], None]) -> None:
        """Something else to take back when the work fails."""
        self._undo.append(undo)

    def commit(self, path: Path, text: str) -> None:
        """Write the file that makes it all count. It may have been there before."""
        self._note({"kind": "commit", "path": self._workspace.relative(path), "sha256": _hash(text)})
        with _unstoppable():
            write_text(path, text, self._workspace.relative(path))
            (self._folder / _JOURNAL).unlink(missing_ok=True)

    def done(self) -> None:
        """All that was to be made is there, and no last file makes it count."""
        (self._folder / _JOURNAL).unlink(missing_ok=True)

    def roll_back(self) -> None:
        """Take everything back."""
        with _unstoppable():
            for entry in reversed(self._entries):
                path = self._workspace.root / entry["path"]
                if entry["kind"] == "tree":
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    _take_back(entry, path)
            for undo in reversed(self._undo):  # git leaves a folder in which a file of Kobako's still lies
                undo()

    def _note(self, entry: dict[str, Any]) -> None:
        self._entries.append(entry)
        write_text(self._folder / _JOURNAL, json.dumps(self._entries))


@contextlib.contextmanager
def begin(workspace: Workspace) -> Iterator[Transaction]:
    """A transaction in ``.kobako``. Leaving the block with an exception (Ctrl-C, too) takes everything back."""
    state = workspace.state_folder()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=state))
    with (folder / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        work = Transaction(workspace, folder)
        try:
            yield work
        except OSError as error:
            work.roll_back()
            shown = workspace.relative(error.filename) if error.filename else "the workspace"
            raise UsageError("unreadable", f"cannot write {shown}", why=error.strerror or str(error)) from error
        except BaseException:
            work.roll_back()
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def alone(workspace: Workspace) -> Iterator[None]:
    """One at a time: waits for another Kobako that is changing this workspace's compose file."""
    with (workspace.state_folder() / "edit.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def recover(workspace: Workspace, say: Callable[[str], None]) -> None:
    """Tidy up after a Kobako that was killed. Costs one look into ``.kobako`` when there is nothing to do.

    A repository's folder is put aside, not deleted: somebody may have worked in it meanwhile.
    """
    try:
        left = [one for one in workspace.state.iterdir() if one.name.startswith(PREFIX)]
    except OSError:
        return
    for folder in left:
        with contextlib.suppress(OSError), (folder / _LOCK).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # its owner is at work
            _recover(workspace, folder, say)
            shutil.rmtree(folder, ignore_errors=True)


def _recover(workspace: Workspace, folder: Path, say: Callable[[str], None]) -> None:
    try:
        entries = json.loads((folder / _JOURNAL).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # nothing had been made yet
    _sweep(workspace, entries)
    if _is_committed(workspace, entries):
        return
    for entry in reversed(entries):
        path = workspace.root / entry["path"]
        if entry["kind"] == "tree" and path.is_dir():
            aside = Path(tempfile.mkdtemp(prefix="left-over-", dir=workspace.state)) / path.name
            path.rename(aside)
            say(f"{entry['path']}/ was left over from an interrupted command: it is now {workspace.relative(aside)}")
        else:
            _take_back(entry, path)
    say("an interrupted command was taken back")


def _sweep(workspace: Workspace, entries: list[dict[str, Any]]) -> None:
    """Remove the temporary files of a write that was cut off before its rename."""
    for entry in entries:
        path = workspace.root / entry["path"]
        if entry["kind"] in {"file", "commit"}:
            name = re.escape(path.name)
            with contextlib.suppress(OSError):
                for one in path.parent.iterdir():
                    if re.fullmatch(rf"\.{name}\.[a-z0-9_]{{8}}", one.name):
                        one.unlink()


def _is_committed(workspace: Workspace, entries: list[dict[str, Any]]) -> bool:
    for entry in entries:
        path = workspace.root / entry["path"]
        if entry["kind"] == "commit" and path.is_file():
            return bool(_hash(read_text(path)) == entry["sha256"])
    return False


def _take_back(entry: dict[str, Any], path: Path) -> None:
    """Remove a folder that is empty again, or a file that is still as it was written."""
    with contextlib.suppress(OSError, UsageError):  # it had not been made yet, or somebody works with it
        if entry["kind"] == "folder":
            path.rmdir()
        elif entry["kind"] == "file" and _hash(read_text(path)) == entry["sha256"]:
            path.unlink()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


@contextlib.contextmanager
def _unstoppable() -> Iterator[None]:
    """Signals wait: a half-done rollback would be worse than a moment's delay."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
