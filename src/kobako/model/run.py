"""A training that was run: what is kept of it. Times are ISO 8601 with an offset, paths relative to the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from kobako.model import NOTHING

Status = Literal["running", "done", "failed", "interrupted", "lost"]
StartedBy = Literal["train", "shell", "exec", "outside"]

STATUSES: tuple[Status, ...] = ("running", "done", "failed", "interrupted", "lost")
"""``lost``: it began, and what became of it is not known."""


class Recipe(NamedTuple):
    """The Dockerfile. ``built`` is whether the image was built from this very text; None where that is not known."""

    path: str
    sha256: str
    base: str | None = None
    built: bool | None = None


class Lock(NamedTuple):
    """The lock file beside the Dockerfile."""

    path: str
    sha256: str


class Source(NamedTuple):
    """The repository's code as it was. ``patch`` is a file beside the record; ``digest`` is that of its Python files.

    ``dirty`` is None where nobody looked; ``left_out`` says what the patch or the digest lacks.
    """

    location: str = ""
    commit: str | None = None
    branch: str | None = None
    dirty: bool | None = None
    patch: str | None = None
    digest: str | None = None
    left_out: str = ""


class Config(NamedTuple):
    """The configuration that was named, and the files that it is made of. ``snapshot`` is a file beside the record."""

    path: str | None = None
    files: tuple[str, ...] = ()
    snapshot: str | None = None


class Data(NamedTuple):
    """The data as it lay there: names, sizes and times, not the bytes. ``left_out`` says what was not looked at."""

    path: str | None = None
    id: str | None = None
    files: int = 0
    bytes: int = 0
    newest: str | None = None
    fingerprint: str | None = None
    left_out: str = ""


class Gpu(NamedTuple):
    """One GPU. ``memory`` is in bytes."""

    name: str
    memory: int | None = None
    driver: str | None = None


class Host(NamedTuple):
    """The machine, and what the program saw of its software."""

    hostname: str = ""
    system: str = ""
    cpus: int | None = None
    memory: int | None = None
    gpus: tuple[Gpu, ...] = ()
    python: str | None = None
    torch: str | None = None
    cuda: str | None = None
    omp_num_threads: str | None = None


class Launch(NamedTuple):
    """How the entry script started the training. ``passed`` are the words for the repository's own script."""

    script: str | None = None
    passed: tuple[str, ...] = ()
    launcher: str | None = None
    nproc_per_node: str | None = None
    nnodes: str | None = None
    node_rank: str | None = None
    restarts: int = 0


class ClearMl(NamedTuple):
    """Where the tracker has it. ``session`` is the zip of an offline session."""

    mode: str | None = None
    task: str | None = None
    session: str | None = None
    url: str | None = None


class Failure(NamedTuple):
    """The error of the rank that failed first."""

    rank: int | None = None
    type: str = ""
    message: str = ""
    traceback: str = ""


class Metric(NamedTuple):
    """A value that was reported again and again. None stands for what is not a number."""

    tag: str
    last: float | None
    minimum: float | None
    maximum: float | None
    step: int
    points: int = 1


class Artifact(NamedTuple):
    """A file that the run left. ``kind`` is checkpoint, log, events or other; ``mtime`` is in nanoseconds."""

    path: str
    bytes: int
    kind: str = "other"
    best: bool = False
    last: bool = False
    mtime: int | None = None


class Trouble(NamedTuple):
    """Something that went wrong on the way and did not end the run."""

    what: str
    why: str = ""
    fix: str = ""


class Recorder(NamedTuple):
    """The process that writes the record: it is gone when this very process is."""

    hostname: str
    boot: str
    pid: int
    start: int


class Run(NamedTuple):
    """One run. ``observed`` is when source, data and machine were looked at: later than the start where Kobako came
    later. ``packages`` and ``launch`` are known where the entry script tells them. ``trace`` is what that left.
    """

    id: str
    service: str
    name: str
    started: str
    observed: str
    started_by: StartedBy
    engine: str | None = None
    status: Status = "running"
    command: tuple[str, ...] = ()
    entry: str = ""
    cwd: str | None = None
    environment: Mapping[str, str] = NOTHING
    launch: Launch = Launch()
    recipe: Recipe | None = None
    lock: Lock | None = None
    source: Source = Source()
    packages: Mapping[str, str] = NOTHING
    config: Config = Config()
    data: Data = Data()
    host: Host = Host()
    ended: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    failure: Failure | None = None
    metrics: tuple[Metric, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    work_dir: str | None = None
    log: str | None = None
    clearml: ClearMl = ClearMl()
    problems: tuple[Trouble, ...] = ()
    trace: str | None = None
    recorder: Recorder | None = None

    @property
    def checkpoint(self) -> Artifact | None:
        """The checkpoint to go on from: the last one, else the best one, else any."""
        found = [one for one in self.artifacts if one.kind == "checkpoint"]
        for wanted in ("last", "best"):
            marked = [one for one in found if getattr(one, wanted)]
            if marked:
                return marked[-1]
        return found[-1] if found else None
