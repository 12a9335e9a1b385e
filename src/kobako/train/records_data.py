"""The data as it lies there: how many files, how large, how new, and a digest of names, sizes and times.

Cheap and bounded: the bytes of the files are not read. What was not looked at is said.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from kobako.model.run import Data

ENTRIES = 300_000
SECONDS = 20.0

_ROOT = re.compile(
    r"""^\s*["']?(?:data_root|data_dir|dataset_root|dataset_path|data_path)["']?\s*[=:]\s*["']?([^"'#\s,]+)""",
    re.MULTILINE,
)
_OPTION = re.compile(r"--(?:dataset[_-]path|data[_-](?:root|dir|path))=(.+)")


class Bounds(NamedTuple):
    """How far one goes."""

    entries: int = ENTRIES
    seconds: float = SECONDS


def named(arguments: Iterable[str], configuration: str) -> tuple[str, ...]:
    """What the command line and the configuration call the data, the more certain first; paths as they are inside."""
    said = [found[1] for word in arguments if (found := _OPTION.fullmatch(word))]
    return (*said, *_ROOT.findall(configuration))


def fingerprint(path: Path, shown: str, bounds: Bounds = Bounds()) -> Data:  # noqa: B008 - it cannot be changed
    """Look at a folder (or a file). Links to folders are followed, once each."""
    digest = hashlib.sha256()
    files = size = 0
    newest = 0
    left_out = ""
    deadline = time.monotonic() + bounds.seconds
    for number, (name, facts) in enumerate(_walk(path)):
        if number >= bounds.entries or time.monotonic() > deadline:
            left_out = f"only the first {files} files were looked at"
            break
        files += 1
        size += facts.st_size
        newest = max(newest, facts.st_mtime_ns)
        digest.update(f"{name}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    when = datetime.fromtimestamp(newest / 1e9).astimezone().isoformat(timespec="seconds") if files else None
    if not path.exists():
        left_out = "it is not there"
    # the kind stands before it: what the entry script can tell from inside is of names and sizes alone
    mark = f"names-sizes-times:sha256:{digest.hexdigest()}" if files else None
    return Data(shown, None, files, size, when, mark, left_out)


class Fingerprints:
    """:func:`fingerprint`, of each place once: many runs may have the same data."""

    def __init__(self) -> None:
        self._known: dict[Path, Data] = {}

    def __call__(self, path: Path, shown: str, bounds: Bounds) -> Data:
        if path not in self._known:
            self._known[path] = fingerprint(path, shown, bounds)
        return self._known[path]


def _walk(top: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Every file below, by sorted names, with what is known of it."""
    try:
        facts = top.stat()
    except OSError:
        return
    if not top.is_dir():
        yield top.name, facts
        return
    seen = {(facts.st_dev, facts.st_ino)}
    todo = [("", str(top))]
    while todo:
        name, folder = todo.pop()
        try:
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda one: one.name)
        except OSError:
            continue
        inner = []
        for entry in listed:
            try:
                facts = entry.stat()
            except OSError:
                continue
            if not entry.is_dir():
                yield f"{name}{entry.name}", facts
            elif (facts.st_dev, facts.st_ino) not in seen:
                seen.add((facts.st_dev, facts.st_ino))
                inner.append((f"{name}{entry.name}/", entry.path))
        todo += reversed(inner)


def code(top: Path, bounds: Bounds = Bounds(20_000, 2.0)) -> tuple[str | None, str]:  # noqa: B008 - as above
    """A digest of the Python files of a repository, and what of it was not looked at."""
    digest = hashlib.sha256()
    deadline = time.monotonic() + bounds.seconds
    found = 0
    for folder, folders, files in os.walk(top):
        left_out = _NOT_CODE | _NOT_AT_THE_TOP if folder == os.fspath(top) else _NOT_CODE
        folders[:] = sorted(one for one in folders if not one.startswith(".") and one not in left_out)
        for name in sorted(files):
            if not name.endswith((".py", ".pyx", ".cu", ".cpp")):
                continue
            if found >= bounds.entries or time.monotonic() > deadline:
                return f"sha256:{digest.hexdigest()}", f"only the first {found} files of code were looked at"
            found += 1
            path = os.path.join(folder, name)
            digest.update(os.path.relpath(path, top).encode("utf-8", "surrogateescape") + b"\0")
            try:
                # a named pipe would keep whoever opens it waiting
                with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW), "rb") as file:
                    digest.update(hashlib.sha256(file.read(10_000_000) or b"").digest())
            except OSError:
                continue
    return (f"sha256:{digest.hexdigest()}" if found else None), ""


_NOT_CODE = frozenset({"work_dirs", "__pycache__", "node_modules"})
_NOT_AT_THE_TOP = frozenset({"build", "dist", "data"})
"""Further down they are packages: ``yolox/data``."""
