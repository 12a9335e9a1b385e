"""Hands files that root left in the workspace over to the caller.

``exec`` and ``shell`` are root inside, as people are used to; without this the caller could not even delete what they
made. A new entry changes its folder's ctime, which nothing can set back (unpacking an archive resets mtimes), so only
folders touched since the command began are looked into: a data set of a million files costs one walk over its folders.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from kobako.engines.docker.api import Api
from kobako.engines.docker.session import Container, collect
from kobako.model.service import Service
from kobako.workspace import make_state

_SLACK = 2.0
"""Seconds by which a file system's clock may lag behind."""

_PASSES = 16
"""Folders that only root may enter are looked into once they are handed over; so deep may they be nested."""

_BATCH = 64 * 1024
"""Bytes of paths a call; the kernel takes 128 KiB as one argument."""


class Ownership:
    """Knows which of a service's mounts are to be looked after, and since when."""

    def __init__(self, service: Service, root: str, state: Path) -> None:
        self._roots = [] if os.geteuid() == 0 or service.user is not None else _writable(service, root)
        self._state = state
        self._folder = state / "sessions" / service.name
        self._marker = self._folder / str(os.getpid())

    def begin(self) -> None:
        """Remember that root may write from now on; outlives a kill, so that a later command catches up."""
        if self._roots:
            make_state(self._state)
            self._folder.mkdir(parents=True, exist_ok=True)
            self._marker.touch()

    def hand_over(self, api: Api, container: Container) -> int:
        """Make the caller the owner of what root left; how many files and folders that were.

        Looks after what this command left and what commands that were killed did; others that still run look after
        their own.
        """
        if not self._roots:
            return 0
        markers = [self._marker, *(one for one in self._folder.iterdir() if not _runs(one.name))]
        since = min(map(_begun, markers)) - _SLACK
        count = 0
        for _ in range(_PASSES):
            found = self._pass(api, container, since)
            count += found
            if not found:
                break
        for marker in markers:
            marker.unlink(missing_ok=True)
        return count

    def _pass(self, api: Api, container: Container, since: float) -> int:
        count = 0
        script = 'owner=$1; shift; chown -h "$owner" -- "$@"'
        for source, target in self._roots:
            for batch in _batches(_left_by_root(source, since), source, target):
                collect(api, container, ("sh", "-c", script, "kobako", f"{os.getuid()}:{os.getgid()}", *batch))
                count += len(batch)
        return count


def _begun(marker: Path) -> float:
    try:
        return marker.stat().st_mtime
    except FileNotFoundError:  # another command has caught up with it just now
        return time.time()


def _runs(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True  # a process of somebody else, with the same number
    return True


def _writable(service: Service, root: str) -> list[tuple[str, str]]:
    """The workspace's folders and files that the service may write: (on the host, inside)."""
    found = []
    for mount in service.mounts:
        if mount.kind != "bind" or mount.read_only or mount.source is None:
            continue
        inside = os.path.realpath(mount.source)
        if os.path.commonpath([inside, os.path.realpath(root)]) == os.path.realpath(root):
            found.append((inside, mount.target))
    return found


def _left_by_root(top: str, since: float) -> Iterator[str]:
    """What belongs to root below ``top``, in folders that changed since then. Follows no link."""
    folders = [top]
    while folders:
        folder = folders.pop()
        try:
            changed = os.lstat(folder).st_ctime >= since
            with os.scandir(folder) as entries:
                for entry in entries:
                    if changed and entry.stat(follow_symlinks=False).st_uid == 0:
                        yield entry.path
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except OSError:
            continue  # closed to the caller (0700 and root's): found again once it has been handed over


def _batches(paths: Iterator[str], source: str, target: str) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for path in paths:
        inside = os.path.join(target, os.path.relpath(path, source))
        batch.append(inside)
        size += len(inside.encode("utf-8", "surrogateescape")) + 1
        if size > _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
