"""Trees of files: copied by links, given back their own content, deleted.

Where the file system can share content between files that change apart (btrfs, XFS), that is used. Elsewhere a hard
link stands in, but not for what people edit in place: an editor writes through a link into the file behind it. pip and
uv replace files, and so leave the others' alone.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import filecmp
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Literal

from kobako import process

_FICLONE = 0x40049409
"""ioctl(2) of Linux: share the content of another file."""

_EDITED = (".py", ".pyi", ".pth", ".sh", ".yaml", ".yml", ".toml", ".cfg", ".ini", ".cu", ".cuh")
_PROGRAMS = "bin"
_SMALL = 1 << 20


Links = Literal["none", "most", "all"]
"""What of a copy is shared with the original: nothing; what nobody edits in place; everything."""


def copy(source: Path, target: Path, *, links: Links) -> None:
    """A copy of a folder. Times and permissions are kept; owners are not.

    ``links="all"`` is for a copy in which only uv works, and a stranger's code after :func:`separate`.
    """
    _copy(str(source), str(target), links=links, in_bin=False)


def _copy(source: str, target: str, *, links: Links, in_bin: bool) -> None:
    os.mkdir(target, 0o700)
    with os.scandir(source) as entries:
        for entry in entries:
            aim = f"{target}/{entry.name}"
            if entry.is_symlink():
                os.symlink(os.readlink(entry.path), aim)
            elif entry.is_dir():
                _copy(entry.path, aim, links=links, in_bin=entry.name == _PROGRAMS)
            elif entry.is_file():
                script = in_bin and entry.stat().st_size < _SMALL  # a program is larger
                edited = script or entry.name.endswith(_EDITED)
                duplicate(entry.path, aim, link=links == "all" or (links == "most" and not edited))
    _like(source, target)


def _like(source: str, target: str) -> None:
    found = os.stat(source)
    os.chmod(target, stat.S_IMODE(found.st_mode))
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))


def duplicate(source: str, target: str, *, link: bool) -> None:
    """One file: its content shared where the file system can, else linked (``link``) or copied."""
    if _shared(source, target):
        return
    if link:
        try:
            os.link(source, target)
        except OSError as error:  # another file system, or as many links as a file may have
            if error.errno not in {errno.EXDEV, errno.EMLINK, errno.EPERM}:
                raise
        else:
            return
    shutil.copyfile(source, target, follow_symlinks=False)
    shutil.copystat(source, target)


_no_sharing: set[int] = set()


def _shared(source: str, target: str) -> bool:
    device = os.stat(source).st_dev
    if device in _no_sharing:
        return False
    with open(source, "rb") as old, open(target, "xb") as new:
        try:
            fcntl.ioctl(new, _FICLONE, old.fileno())
        except OSError:
            _no_sharing.add(device)
            os.unlink(target)
            return False
    shutil.copystat(source, target)
    return True


def separate(folder: Path) -> None:
    """Give every file of a folder content of its own, where it is linked with others'.

    Before a stranger's command may write there: through a link it would change uv's cache and other environments.
    """
    for place, _, names in os.walk(folder):
        for name in names:
            path = f"{place}/{name}"
            found = os.lstat(path)
            if found.st_nlink > 1 and stat.S_ISREG(found.st_mode):
                handle, new = tempfile.mkstemp(dir=place)
                os.close(handle)
                shutil.copyfile(path, new)
                shutil.copystat(path, new)
                os.replace(new, path)


_WORTH = 64 << 10
"""Bytes from which a file is worth a look; it also leaves what people edit in place to itself."""


def share(folder: Path, older: Path) -> None:
    """Give the larger files of a folder that are still the same in an older one their content in common again.

    Nobody may be at work in either. Where the file system shares content by itself there is nothing to be done.
    """
    if os.stat(folder).st_dev not in _no_sharing:
        return
    real = os.path.realpath(older)
    for place, _, names in os.walk(folder):
        there = f"{real}{place[len(str(folder)) :]}"
        if os.path.realpath(there) == there:  # a link may have taken a folder's place
            for name in names:
                with contextlib.suppress(OSError):  # gone meanwhile, or as many links as a file may have
                    _share(f"{place}/{name}", f"{there}/{name}")


def _share(ours: str, theirs: str) -> None:
    mine, other = os.lstat(ours), os.lstat(theirs)
    same = all(getattr(mine, one) == getattr(other, one) for one in ("st_mode", "st_uid", "st_size", "st_mtime_ns"))
    if not same or mine.st_size < _WORTH or mine.st_ino == other.st_ino or not stat.S_ISREG(mine.st_mode):
        return
    if filecmp.cmp(ours, theirs, shallow=False):
        aside = f"{ours}.{os.urandom(6).hex()}"
        os.link(theirs, aside)
        os.replace(aside, ours)


def open_up(folder: Path) -> None:
    """Let the owner read all of a tree: it is going to be copied. A container's own layers need no such permission."""
    for place, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            path = f"{place}/{name}"
            found = os.lstat(path).st_mode
            wanted = 0o700 if stat.S_ISDIR(found) else 0o400
            if not stat.S_ISLNK(found) and found & wanted != wanted:
                os.chmod(path, stat.S_IMODE(found) | wanted)


def remove(folder: Path, trash: Path) -> None:
    """Delete a tree: gone at once under its name, whatever happens meanwhile."""
    if os.path.lexists(folder):
        os.rename(folder, trash / f"{folder.name}-{os.urandom(6).hex()}")
        empty(trash)


def discard(folder: Path, trash: Path) -> None:
    """Delete a tree without waiting for it. What is not gone then, :func:`empty` deletes later."""
    if os.path.lexists(folder):
        aside = trash / f"{folder.name}-{os.urandom(6).hex()}"
        os.rename(folder, aside)
        with open(os.devnull, "r+b") as nothing, contextlib.suppress(OSError):
            streams = (nothing.fileno(),) * 3
            process.let_go(process.start(["/bin/rm", "-rf", "--", str(aside)], process.Apart({}, *streams)))


def empty(trash: Path) -> None:
    """Delete what lies in the trash, folders that were made read-only included. Another Kobako may do the same."""
    with contextlib.suppress(FileNotFoundError):
        for one in os.listdir(trash):
            for place, folders, _ in os.walk(trash / one):
                for name in folders:
                    with contextlib.suppress(OSError):
                        if not os.path.islink(f"{place}/{name}"):
                            os.chmod(f"{place}/{name}", 0o700)
            shutil.rmtree(trash / one, ignore_errors=True)
