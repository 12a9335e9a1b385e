"""Archives, unpacked only when every member stays inside the folder.

All members are judged before the first byte is written. The rules are Kobako's own, for zip and tar alike; where
Python has tarfile's data filter it is applied as well.
"""

from __future__ import annotations

import lzma
import os
import posixpath
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kobako.errors import UsageError

MAX_BYTES = 16 * 1024**3
"""An archive may unpack to 16 GiB..."""

MAX_MEMBERS = 500_000
"""... in half a million members."""


@dataclass(frozen=True)
class _Member:
    """``link`` is a symbolic link's target as written; ``hard`` a hard link's, relative to the archive's root."""

    name: str
    size: int = 0
    link: str | None = None
    hard: str | None = None
    special: bool = False


def unpack(archive: Path, into: Path) -> Path:
    """Unpack into an existing, empty folder and return the folder that holds the tree (a single top one is entered).

    ``UsageError``: ``unsafe-archive`` with nothing written, or ``bad-source`` for what is damaged or encrypted.
    """
    with _understood(archive):
        if zipfile.is_zipfile(archive):
            _unzip(archive, into)
        else:
            _untar(archive, into)
    return _top(into)


def _top(folder: Path) -> Path:
    entries = list(folder.iterdir())
    if len(entries) == 1 and entries[0].is_dir() and not entries[0].is_symlink():
        return entries[0]
    return folder


@contextmanager
def _understood(archive: Path) -> Iterator[None]:
    unsafe: tuple[type[Exception], ...] = (tarfile.FilterError,) if hasattr(tarfile, "FilterError") else ()
    damaged = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, ValueError)
    try:
        yield
    except unsafe as error:
        raise _unsafe(archive, str(error)) from error
    except damaged as error:
        what = f"{archive.name} is damaged or no archive"
        why = (str(error) or "it ends too early").splitlines()[0].rstrip(":")
        raise UsageError("bad-source", what, why=why, fix="fetch it again") from error
    except NotImplementedError as error:
        raise UsageError("bad-source", f"{archive.name} cannot be unpacked", why=str(error)) from error
    except RuntimeError as error:  # zipfile's word for an encrypted member
        raise UsageError("bad-source", f"{archive.name} cannot be unpacked", why=str(error)) from error
    except OSError as error:
        import errno  # noqa: PLC0415 - only on failure

        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise UsageError("disk-full", f"{archive.name} does not fit on the disk") from error
        why = error.strerror or str(error)
        raise UsageError("bad-source", f"{archive.name} cannot be unpacked", why=why) from error


def _judge(archive: Path, members: Iterable[_Member]) -> None:
    """Raise when a member would leave the folder, is a device, or the whole is too large."""
    total = 0
    names: set[str] = set()
    links: dict[str, _Member] = {}
    for count, member in enumerate(members, 1):
        total += member.size
        if total > MAX_BYTES or count > MAX_MEMBERS:
            limit = f"more than {MAX_BYTES // 1024**3} GiB or {MAX_MEMBERS} members"
            raise _unsafe(archive, f"it unpacks to {limit}")
        why = _why_not(member)
        if why:
            raise _unsafe(archive, f"{member.name!r} {why}")
        place = posixpath.normpath(member.name)
        names.add(place)
        if member.link is not None:
            links[place] = member
    _judge_links(archive, names, links)


def _why_not(member: _Member) -> str:
    if member.special:
        return "is a device or a pipe"
    if _leaves(member.name):
        return "would be written outside the folder"
    target = member.hard
    if member.link is not None:
        target = posixpath.join(posixpath.dirname(member.name), member.link)
        if member.link.startswith("/"):
            return f"links to {member.link!r}, outside the folder"
    if target is not None and _leaves(posixpath.normpath(target)):
        return f"links to {target!r}, outside the folder"
    return ""


def _leaves(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return not name or name.startswith(("/", "\\")) or ".." in parts or (len(name) > 1 and name[1] == ":")


def _judge_links(archive: Path, names: set[str], links: dict[str, _Member]) -> None:
    """A path that runs through a link may end elsewhere than it seems to: neither members nor targets may do so."""
    for name in names:
        if any(parent in links for parent in _parents(name)):
            raise _unsafe(archive, f"{name!r} would be written through a link")
    top = _only_top(names)
    for place, member in links.items():
        target = posixpath.join(posixpath.dirname(place), member.link or "")
        reached = posixpath.normpath(target)
        if top and reached != top and not reached.startswith(f"{top}/"):
            raise _unsafe(archive, f"{place!r} links to {reached!r}, outside the folder")
        steps = [part for part in target.split("/") if part not in {"", "."}]
        walked: list[str] = []
        for position, part in enumerate(steps):
            if part == "..":
                del walked[-1:]
                continue
            walked.append(part)
            if "/".join(walked) in links and ".." in steps[position + 1 :]:
                raise _unsafe(archive, f"{place!r} climbs out of another link")


def _only_top(names: set[str]) -> str:
    """The single top folder, which is left out when its content takes its place; "" when there are more."""
    tops = {name.partition("/")[0] for name in names} - {"."}
    return tops.pop() if len(tops) == 1 else ""


def _parents(name: str) -> Iterator[str]:
    head = posixpath.dirname(name)
    while head:
        yield head
        head = posixpath.dirname(head)


def _unsafe(archive: Path, why: str) -> UsageError:
    fix = "nothing was unpacked; look at it before you trust it"
    return UsageError("unsafe-archive", f"{archive.name} is not safe to unpack", why=why, fix=fix)


def _untar(archive: Path, into: Path) -> None:
    with tarfile.open(archive) as tar:
        _judge(archive, map(_from_tar, tar))
        members = [one for one in tar if one.isfile() or one.isdir() or one.issym() or one.islnk()]
        for member in members:
            # Set-uid bits, owners and odd modes are not for a source tree.
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.uid, member.gid, member.uname, member.gname = os.getuid(), os.getgid(), "", ""
        if hasattr(tarfile, "data_filter"):
            tar.extractall(into, members, filter="data")
        else:
            tar.extractall(into, members)  # noqa: S202 - every member was judged above


def _from_tar(info: tarfile.TarInfo) -> _Member:
    special = not (info.isfile() or info.isdir() or info.issym() or info.islnk() or info.type in _HEADERS)
    return _Member(
        info.name,
        info.size,
        link=info.linkname if info.issym() else None,
        hard=info.linkname if info.islnk() else None,
        special=special,
    )


_HEADERS = (tarfile.XGLTYPE, tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)


def _unzip(archive: Path, into: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        infos = opened.infolist()
        _judge(archive, (_from_zip(opened, info) for info in infos))
        links: list[Callable[[], None]] = []
        for info in infos:
            target = into / info.filename
            if info.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if _is_link(info):
                links.append(_linker(opened.read(info).decode(), target))
                continue
            with opened.open(info) as source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy, 1024 * 1024)
            target.chmod(0o755 if (info.external_attr >> 16) & 0o100 else 0o644)
        for make in links:  # last, so that nothing is written through one
            make()


def _linker(content: str, target: Path) -> Callable[[], None]:
    return lambda: target.symlink_to(content)


def _is_link(info: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(info.external_attr >> 16)


def _from_zip(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if _is_link(info):
        if info.file_size > 4096:
            return _Member(info.filename, special=True)
        return _Member(info.filename, info.file_size, link=opened.read(info).decode())
    return _Member(info.filename, info.file_size, special=kind not in {0, stat.S_IFREG, stat.S_IFDIR})
