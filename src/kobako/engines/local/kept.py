"""What was compiled is kept, for all workspaces of this user: mmcv-full alone takes minutes.

An install that has to build something from source does so in the sandbox, with a cache of uv's that is its own: the
code that runs there may write what it likes into it, so nothing else ever uses it. What it built is copied from there
to ``~/.cache/kobako/built/<key>/<number>/``, where nothing inside a sandbox can reach it. A later install is given a
copy back if

- it is the same one: the same words, settings, Python, PyTorch, indexes and Linux (the key), and
- all that was installed when the wheels were built is installed now, file by file. Whoever could have meddled with
  them then could do so now anyway. Further packages do no harm.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from kobako import uv
from kobako.engines.local import given, origin, tree
from kobako.engines.local.compiling import toolkit_of
from kobako.engines.local.given import Call, Shelf
from kobako.engines.local.place import Place, read
from kobako.engines.local.stage import Means, Stage
from kobako.engines.local.tasks import digest
from kobako.floor import normalised
from kobako.pipconfig import PipConfig

FORMAT = 1
LIMIT = 4 * 1024**3
"""Bytes that all of it may take. What was used least lately goes first."""

_MONTHS = 180 * 24 * 3600
_LEFT = 30 * 24 * 3600
_NOISE = re.compile(r"(?:KOBAKO_|LC_)\w+|MAX_JOBS|TZ|LANG|LANGUAGE|DEBIAN_FRONTEND|PYTHONUNBUFFERED|UV_LINK_MODE")
"""Variables that change nothing in what is compiled."""

_TOLD = "told.json"
_OURS = frozenset({"pip", "uv"})
"""Installers: what is installed here is installed by a uv from outside."""

_SOURCES = re.compile(r"sdists-v\d+")
LINKS = "kept"
"""uv asks an index again whether a source is still the same, to which some mirrors never say yes, and it would build
anew. In a folder of find-links a wheel is found whatever the index says, for a version that is wanted anyway.
"""

_NAMED = ("pypi", "index")
_KINDS = frozenset({"pypi", "index", "url", "git"})
"""Of uv's built wheels: those whose source has a name that means the same everywhere. A folder's path does not."""


def shelf(means: Means, place: Place, stage: Stage, call: Call, settings: PipConfig) -> Shelf:
    """Where an install's own cache is, and where what it compiles is kept. Looked at before anything is installed."""
    held = stage.packages()
    torch = held.get("torch", "")
    environment = {**call.environment, **call.install.environment}
    said = {name: value for name, value in sorted(environment.items()) if not _NOISE.fullmatch(name)}
    if stage.touched:  # somebody's code has run in it: what this service compiles is its own affair
        return Shelf(place.top / "cache/uv" / digest([call.service, stage.interpreter, torch, said]), None, {})
    open_ = origin.without_secrets(settings)
    key = digest(
        [
            *(FORMAT, stage.interpreter.version, _linux(), torch, said, call.install.arguments),
            *(given.files(stage, call), uv.flags(open_), uv.indexes(open_), toolkit_of(Path("/usr/local/cuda"))),
        ]
    )
    records = _records(stage)
    private = place.top / "cache/uv" / digest([key, records])
    folder = home(means.env)
    return Shelf(private, folder / key if folder is not None else None, records)


def home(env: Mapping[str, str]) -> Path | None:
    """The user's folder for it; None where it cannot be written."""
    user = env.get("HOME") or str(Path.home())
    cache = env.get("KOBAKO_CACHE") or f"{env.get('XDG_CACHE_HOME') or f'{user}/.cache'}/kobako"
    folder = Path(cache).absolute() / "built"
    standing = next((one for one in (folder, *folder.parents) if one.exists()), folder)
    return folder if standing.is_dir() and os.access(standing, os.W_OK | os.X_OK) else None


def opened(shelf: Shelf) -> Path:
    """The install's cache, with what is kept for it."""
    if not shelf.private.is_dir():
        shelf.private.mkdir(parents=True)
        if shelf.kept is not None and shelf.kept.is_dir():
            with _lock(shelf.kept.parent, fcntl.LOCK_SH):
                _take(shelf, shelf.kept)
    os.utime(shelf.private)
    return shelf.private


def _take(shelf: Shelf, kept: Path) -> None:
    for entry in sorted(kept.iterdir(), reverse=True):
        told = read(entry / _TOLD)
        if isinstance(told, dict) and told["packages"].items() <= shelf.packages.items():
            for folder in entry.glob("sdists-v*"):
                shutil.copytree(folder, shelf.private / folder.name)
            wheels = [path for kind in _NAMED for path in entry.glob(f"sdists-v*/{kind}/**/*.whl")]
            for path in wheels:
                shutil.copyfile(path, _made(shelf.private / LINKS) / path.name)
            os.utime(entry)
            return


def links(shelf: Shelf) -> str:
    """The folder of its own cache that an install finds kept wheels in, as it is named there; "" where it has none."""
    return LINKS if (shelf.private / LINKS).is_dir() else ""


def put(shelf: Shelf) -> None:
    """Keep what was built in an install's cache. What it was built from is thrown away, there too."""
    wheels = sorted(path.name for path in _thinned(shelf.private))
    if not wheels or shelf.kept is None:
        return
    told = {"packages": dict(shelf.packages), "wheels": wheels}
    with contextlib.suppress(OSError), _lock(_made(shelf.kept.parent), fcntl.LOCK_EX):
        beside = list(shelf.kept.iterdir()) if shelf.kept.is_dir() else []
        if any(read(entry / _TOLD) == told for entry in beside):
            return
        new = Path(tempfile.mkdtemp(prefix=".tmp-", dir=shelf.kept.parent))
        for folder in _sources(shelf.private):
            _mirror(folder, new / folder.name)
        (new / _TOLD).write_text(json.dumps(told, sort_keys=True), encoding="utf-8")
        _made(shelf.kept)
        new.rename(shelf.kept / f"{time.time_ns():020d}")
        _tidy(shelf.kept.parent)


def forget(place: Place) -> None:
    """Delete the caches of installs that nobody asked for in weeks. What they built is kept elsewhere."""
    for folder in (place.top / "cache/uv").glob("*"):
        if time.time() - folder.lstat().st_mtime > _LEFT:
            tree.remove(folder, place.trash())


def _thinned(cache: Path) -> list[Path]:
    """The wheels that were built in a cache; the trees that they were built in go. No link is followed."""
    wheels: list[Path] = []
    for top in _sources(cache):
        for place, folders, names in os.walk(top):
            if "src" in folders:
                folders.remove("src")
                shutil.rmtree(Path(place, "src"), ignore_errors=True)
            wheels += [Path(place, name) for name in names if name.endswith(".whl")]
    return [path for path in wheels if not path.is_symlink()]


def _sources(cache: Path) -> list[Path]:
    """The folders of a cache that hold what was built, kind by kind."""
    tops = [top for top in cache.glob("sdists-v*") if not top.is_symlink() and _SOURCES.fullmatch(top.name)]
    return [top for top in tops if top.is_dir()]


def _mirror(source: Path, target: Path) -> None:
    """A copy of the plain files, of those kinds that are kept."""
    for place, folders, names in os.walk(source):
        here = Path(place)
        if here == source:
            folders[:] = [name for name in folders if name in _KINDS]
        (target / here.relative_to(source)).mkdir(mode=0o700)
        for name in names:
            if stat.S_ISREG((here / name).lstat().st_mode):
                shutil.copyfile(here / name, target / here.relative_to(source) / name, follow_symlinks=False)


def _records(stage: Stage) -> dict[str, str]:
    """What is installed: of each distribution the digest of the list of its files and their digests."""
    found = {}
    for folder in stage.site.glob("*.dist-info"):
        name = normalised(folder.name.removesuffix(".dist-info").rpartition("-")[0])
        record = folder / "RECORD"
        if name not in _OURS:
            said = record.read_bytes() if record.is_file() else folder.name.encode()
            found[name] = hashlib.sha256(said).hexdigest()[:24]
    return dict(sorted(found.items()))


def _linux() -> list[str]:
    """What a wheel for one kind of Linux is for: machine, C library, distribution."""
    release = {}
    with contextlib.suppress(OSError):
        release = platform.freedesktop_os_release()
    return [platform.machine(), *platform.libc_ver(), release.get("ID", ""), release.get("VERSION_ID", "")]


@contextlib.contextmanager
def _lock(folder: Path, how: int) -> Iterator[None]:
    """Readers together, a writer alone: of this user's Kobakos at work on other workspaces."""
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, how)
        yield


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _tidy(folder: Path) -> None:
    """Delete what a killed Kobako left, what was not used for half a year, and what is too much."""
    for left in folder.glob(".tmp-*"):
        shutil.rmtree(left, ignore_errors=True)
    entries = sorted((entry.stat().st_mtime, entry) for entry in folder.glob("*/*") if entry.is_dir())
    room = LIMIT
    for used, entry in reversed(entries):
        room -= sum(path.stat().st_size for path in entry.rglob("*") if path.is_file())
        if room < 0 or time.time() - used > _MONTHS:
            shutil.rmtree(entry, ignore_errors=True)
    for key in folder.glob("*"):
        with contextlib.suppress(OSError):
            key.rmdir()  # only an empty one
