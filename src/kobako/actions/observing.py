"""What a run is made with, as it is now: recipe, lock, source, configuration, data, machine.

All of it is looked at from outside, nothing of the repository is run, and what cannot be seen is left open.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from kobako import process
from kobako.actions.context import Context
from kobako.actions.entry import entry
from kobako.errors import KobakoError
from kobako.masking import mask
from kobako.model.run import Config, Data, Gpu, Host, Lock, Recipe, Run, Source
from kobako.model.service import Service
from kobako.protocols import Engine
from kobako.sources import snapshot
from kobako.train import masked, records, records_data, records_trace
from kobako.train.records_data import Bounds
from kobako.train.records_trace import Place
from kobako.workspace import read_text, write_text

_CONFIG = ("--config", "--cfg", "--config-file", "--config_file", "--exp_file", "--exp-file")
_SCRIPT = "tools/clearml_train.py"
_LARGEST = 2_000_000
_LOG = 200_000_000
_COPIED = 50
_GPUS = 10.0
_GIT = 20.0


class Scene(NamedTuple):
    """Where a run takes place. ``engine`` is None where it is not known which one runs it.

    ``began`` is the run's start, in seconds since the epoch, where Kobako comes long after it: what was touched since
    is not what the run began with. ``until`` is when looking around has to be over, by the monotonic clock. ``blot``
    takes out what is known to be secret.
    """

    context: Context
    service: Service
    engine: Engine | None
    records: records.Records
    began: float | None = None
    until: float = float("inf")
    fingerprint: Callable[[Path, str, Bounds], Data] = records_data.fingerprint
    blot: Callable[[bytes], bytes] = bytes

    @property
    def repository(self) -> Path:
        """Where the entry script leaves its traces: two services may share one, and its code is then what is run."""
        there = next((one for one in entry(self.service) if one.endswith(f"/{_SCRIPT}")), None)
        outside = self.place.outside(there, self.service.working_dir)
        if outside is not None and Path(outside).is_relative_to(self.context.workspace.root):
            return Path(outside).parent.parent
        return self.context.workspace.repository(self.service.title)

    @property
    def place(self) -> Place:
        mounts = [(one.target, one.source) for one in self.service.mounts if one.kind == "bind" and one.source]
        return Place(str(self.context.workspace.root), tuple(sorted(mounts, key=lambda pair: -len(pair[0]))))

    def folder(self, run: Run) -> Path:
        return self.records.of(run.id)

    def as_it_was(self, path: Path | str) -> bool:
        """Whether the file is certainly the one that the run began with."""
        if self.began is None:
            return True
        try:
            facts = os.stat(path)
        except OSError:
            return False
        return max(facts.st_mtime, facts.st_ctime) < self.began

    def left(self, most: float) -> float:
        """Seconds that something may take which should take ``most``."""
        return max(min(most, self.until - time.monotonic()), 0.1)


def at_once(scene: Scene, run: Run) -> Run:
    """What takes no time: who, where, and what the compose file says."""
    service = scene.service
    there = scene.context.workspace.root / "docker" / f"pylock.{service.name}.toml"
    lock = _digest(there) if scene.as_it_was(there) else None
    same = all(scene.as_it_was(path) for path in scene.context.found.files)
    source = Source(_location(service), _said(service, "commit") if same else None)
    return run._replace(
        entry=" ".join(entry(service)) if same else "",
        cwd=run.cwd or service.working_dir,
        engine=None if scene.engine is None else scene.engine.name,
        lock=None if lock is None else Lock(scene.context.workspace.relative(there), lock),
        source=source,
        config=Config(_config(scene, run)),
        host=host() if scene.began is None else run.host,
    )


def in_time(scene: Scene, run: Run) -> Run:
    """What takes a while. Writes the copies that belong to the record."""
    *_, last = step_by_step(scene, run)
    return last


def step_by_step(scene: Scene, run: Run) -> Iterator[Run]:
    """The same, as each thing is seen: what takes long comes last, and may not come at all.

    Long after the start, code and data tell nothing of what they were: then they are left to what the run itself saw.
    """
    run = run._replace(recipe=_recipe(scene, run), config=_snapshot(scene, run))
    yield run
    if scene.began is not None:
        missing = "Kobako came after the run had begun"
        yield run._replace(source=run.source._replace(left_out=missing), data=Data(left_out=missing))
        return
    run = run._replace(source=_source(scene, run))
    yield run
    run = run._replace(host=run.host._replace(gpus=gpus(scene.left(_GPUS))))
    yield run
    yield run._replace(data=data(scene, run))


def host() -> Host:
    """This machine, by what costs nothing."""
    memory = None
    with contextlib.suppress(OSError, ValueError):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cpus = len(os.sched_getaffinity(0))
    return Host(platform.node(), f"{platform.system()} {platform.release()} {platform.machine()}", cpus, memory)


def gpus(seconds: float = _GPUS) -> tuple[Gpu, ...]:
    """The GPUs that NVIDIA's own program tells of."""
    if process.which("nvidia-smi") is None:
        return ()
    fields = "--query-gpu=name,memory.total,driver_version"
    told = process.ask(["nvidia-smi", fields, "--format=csv,noheader,nounits"], seconds=seconds)
    found = []
    for line in told.stdout.splitlines() if told.ok else ():
        name, _, rest = line.partition(", ")
        memory, _, driver = rest.partition(", ")
        found.append(Gpu(name, int(memory) * 1024 * 1024 if memory.isdigit() else None, driver or None))
    return tuple(found)


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _location(service: Service) -> str:
    source = service.hints.source
    for key in ("git", "url", "index", "sdist", "archive", "folder"):
        if source.get(key):
            return mask(str(source[key]))
    return ""


def _said(service: Service, key: str) -> str | None:
    found = service.hints.source.get(key)
    return str(found) if found else None


def _recipe(scene: Scene, run: Run) -> Recipe | None:
    """The Dockerfile, copied beside the record."""
    path = scene.service.build.dockerfile if scene.service.build is not None else None
    if path is None:
        return Recipe("", "", scene.service.image) if scene.service.image else None
    if not scene.as_it_was(path):
        return None
    shown = scene.context.workspace.relative(path)
    try:
        text = read_text(Path(path), shown)
        write_text(scene.folder(run) / records.RECIPE, text)
    except KobakoError:
        return None
    base = None
    with contextlib.suppress(KobakoError, ValueError):
        from kobako.dockerfile import recipe  # noqa: PLC0415 - the parsers are needed here only

        base = recipe.base(recipe.read_recipe(text, shown))
    built = scene.engine.built_from(scene.service) if scene.engine is not None else None
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return Recipe(shown, digest, base, None if built is None else built == text)


def _config(scene: Scene, run: Run) -> str | None:
    """The configuration that the command line names."""
    words = run.command
    for word, following in zip(words, (*words, "")[1:], strict=True):
        name, equals, value = word.partition("=")
        if name in _CONFIG:
            return scene.place.shown(value if equals else following, run.cwd)
    return None


def _snapshot(scene: Scene, run: Run) -> Config:
    """A copy of the configuration, where it is a file of the workspace."""
    path = run.config.path
    if path is None or os.path.isabs(path) or run.config.snapshot is not None:
        return run.config
    there = scene.context.workspace.root / path
    try:
        content = records_trace.plain(there, _LARGEST)
    except ValueError:
        return run.config
    if content is None or not scene.as_it_was(there):
        return run.config
    name = f"{records.CONFIG}/{Path(path).name}"
    with contextlib.suppress(OSError):
        (scene.folder(run) / records.CONFIG).mkdir(exist_ok=True)
        (scene.folder(run) / name).write_bytes(masked.code(content, scene.blot))
        return Config(path, (path,), name)
    return run.config


def _source(scene: Scene, run: Run) -> Source:
    known = run.source
    if not scene.repository.is_dir():
        return known
    digest, missing = records_data.code(scene.repository)
    known = known._replace(digest=digest, left_out=missing)
    found = snapshot.snapshot(scene.repository, scene.context.workspace.root, process.run, scene.left(_GIT))
    if found is None:
        return known
    if found.patch:
        patch = masked.code(found.patch.encode("utf-8", "surrogateescape"), scene.blot)
        write_text(scene.folder(run) / records.PATCH, patch.decode("utf-8", "surrogateescape"))
    return known._replace(
        commit=found.commit,
        branch=found.branch or None,
        dirty=found.dirty,
        patch=records.PATCH if found.patch else None,
        left_out="; ".join(one for one in (found.left_out, missing) if one),
    )


def data(scene: Scene, run: Run) -> Data:
    """The data that the command line or the configuration names; else what is mounted as ``data``."""
    root = scene.context.workspace.root
    text = ""
    if run.config.snapshot is not None:
        with contextlib.suppress(OSError):
            text = (scene.folder(run) / run.config.snapshot).read_text(encoding="utf-8", errors="replace")
    words = (*run.command, *run.launch.passed)
    for named in records_data.named(words, text):
        there = scene.place.outside(named, run.cwd)
        if there is not None and os.path.exists(there):
            return _fingerprint(scene, there)
    mounted = next((one.source for one in scene.service.mounts if one.target.rstrip("/").endswith("/data")), None)
    there = mounted if mounted and os.path.isabs(mounted) else None
    if there is None and (root / "data").is_dir() and not scene.service.mounts:
        there = str(root / "data")
    return Data() if there is None else _fingerprint(scene, there)


def _fingerprint(scene: Scene, there: str) -> Data:
    bounds = Bounds(seconds=scene.left(records_data.SECONDS))
    return scene.fingerprint(Path(there), scene.context.workspace.relative(there), bounds)


def copied(scene: Scene, run: Run, trace: records_trace.Trace) -> Run:
    """What the entry script kept, copied beside the record: configuration, log, and the patch where nobody made one.

    What `train` saw of the console itself is not written over.
    """
    folder = scene.folder(run)
    if run.started_by != "train" or not (folder / records.LOG).exists():
        _copy(trace.folder / records_trace.LOG, folder / records.LOG, _LOG, scene.blot)

    def clean(content: bytes) -> bytes:
        return masked.code(content, scene.blot)

    _copy_configuration(trace.folder / "config", folder / records.CONFIG, clean)
    if run.source.patch is not None or not records_trace.patched(run, trace):
        return run
    if not _copy(trace.folder / records_trace.PATCH, folder / records.PATCH, _LARGEST, clean):
        return run
    parts = (run.source.left_out, "files that git does not know are not in the patch")
    left_out = "; ".join(one for one in parts if one)
    return run._replace(source=run.source._replace(patch=records.PATCH, left_out=left_out))


def _copy(given: Path, target: Path, most: int, clean: Callable[[bytes], bytes]) -> bool:
    with contextlib.suppress(ValueError, OSError):
        content = records_trace.plain(given, most)
        if content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(clean(content))
            return True
    return False


def _copy_configuration(given: Path, target: Path, clean: Callable[[bytes], bytes]) -> None:
    if given.is_symlink() or not given.is_dir():
        return
    shutil.rmtree(target, ignore_errors=True)
    number = 0
    for here, folders, names in os.walk(given):
        folders.sort()
        for name in sorted(names):
            number += 1
            if number > _COPIED:
                return
            path = Path(here) / name
            _copy(path, target / path.relative_to(given), _LARGEST, clean)
