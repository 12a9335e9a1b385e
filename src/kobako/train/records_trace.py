"""What the entry script leaves of each run in ``<repository>/work_dirs/.runs/<id>/``, read with suspicion.

The files come from inside: whatever ran there may have written them. So sizes are bounded, links are not followed, and
what does not fit its place is left out.
"""

from __future__ import annotations

import json
import os
import re
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from kobako.masking import mask
from kobako.model.run import (
    STATUSES,
    Artifact,
    ClearMl,
    Config,
    Data,
    Failure,
    Gpu,
    Host,
    Launch,
    Run,
    Source,
    Status,
    Trouble,
)
from kobako.train import records
from kobako.train.masked import words as masked_words

RUNS = "work_dirs/.runs"
"""Below the repository."""

FILE = "run.json"
LOG = "log.txt"
PATCH = "source.patch"
ALIVE = "alive"
SCHEMA = "kobako-trace/1"

SILENT = 60.0
"""Seconds after which a run that touches nothing any more is taken for dead."""

_AHEAD = 60.0
_LARGEST = 4_000_000
_LONGEST = 4000
_MOST = 2000


class Trace(NamedTuple):
    """One run as it told of itself. ``silent`` is the time in seconds since it last gave a sign."""

    id: str
    folder: Path
    content: Mapping[str, Any]
    silent: float

    @property
    def status(self) -> Status:
        """``lost`` where it says that it runs and gives no sign."""
        said = self.content.get("status")
        if said == "running":
            return "lost" if self.silent > SILENT else "running"
        return next((one for one in STATUSES if one == said), "lost")

    @property
    def session(self) -> str:
        return _text(self.content, "session") or ""

    @property
    def started(self) -> str | None:
        return _moment(self.content, "started")

    @property
    def last_sign(self) -> float:
        """When it was last heard of."""
        return time.time() - self.silent


def folder(repository: Path) -> Path:
    return repository / RUNS


def is_own(repository: Path) -> bool:
    """Whether the traces lie in the repository itself: a training could have put a link to somewhere else there."""
    return os.path.realpath(folder(repository)) == os.path.join(os.path.realpath(repository), RUNS)


def names(repository: Path) -> tuple[str, ...]:
    """The runs that left something, whatever it is worth."""
    if not is_own(repository):
        return ()
    try:
        with os.scandir(folder(repository)) as entries:
            found = [one.name for one in entries if records.is_id(one.name) and one.is_dir(follow_symlinks=False)]
    except OSError:
        return ()
    return tuple(sorted(found, reverse=True))


def read(repository: Path, run_id: str) -> Trace | None:
    """The trace of that run; None where there is none. Raises ``ValueError`` where it is none that can be used."""
    place = folder(repository) / run_id
    raw = plain(place / FILE, _LARGEST) if is_own(repository) else None
    if raw is None:
        return None
    try:
        content = json.loads(raw)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise ValueError(f"it is not {SCHEMA}")
    said = _text(content, "id")
    # a node of several writes a trace of its own, of the same run
    if said is not None and run_id != said and not re.fullmatch(r"-node\d{1,6}", run_id.removeprefix(said)):
        raise ValueError(f"it says it is the trace of {said}")
    return Trace(run_id, place, content, _silent(place))


def plain(path: Path, most: int) -> bytes | None:
    """The bytes of a plain file, no link; None where there is none. Raises ``ValueError`` where it is larger."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as file:
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode):
            return None
        if facts.st_size > most:
            raise ValueError(f"{path.name} is larger than {most // 1_000_000} MB")
        return file.read(most)


def _silent(place: Path) -> float:
    """Seconds. A time that has not been yet is no sign: it would be one for ever."""
    now, times = time.time(), []
    for name in (ALIVE, FILE):
        try:
            times.append(os.lstat(place / name).st_mtime)
        except OSError:
            continue
    told = [one for one in times if one <= now + _AHEAD]
    return max(now - max(told), 0.0) if told else float("inf")


class Place(NamedTuple):
    """Where paths inside lie outside. ``mounts`` are (inside, outside), the longest first."""

    root: str
    mounts: tuple[tuple[str, str], ...]

    def outside(self, path: str | None, cwd: str | None) -> str | None:
        """The absolute path on this machine; None where it is in no mount."""
        if not path or "\0" in path:
            return None
        whole = os.path.normpath(os.path.join(cwd or "/workspace", path))
        for inside, outside in self.mounts:
            if whole == inside or whole.startswith(f"{inside.rstrip('/')}/"):
                return os.path.normpath(os.path.join(outside, whole[len(inside) :].lstrip("/")))
        # without a sandbox the programs see this machine's own paths
        return whole if whole == self.root or whole.startswith(f"{self.root}/") else None

    def shown(self, path: str | None, cwd: str | None) -> str | None:
        """Relative to the workspace where it lies there, else absolute: in no mount as it is inside."""
        there = self.outside(path, cwd)
        if there is None:
            return path and os.path.normpath(os.path.join(cwd or "/workspace", path.replace("\0", "")))
        relative = os.path.relpath(there, self.root)
        return there if relative.startswith("..") else relative


def applied(run: Run, trace: Trace, place: Place) -> Run:
    """The run with everything that its trace knows better than the one who looked from outside."""
    said = trace.content
    cwd = _text(said, "cwd") or run.cwd
    work_dir = place.shown(_text(said, "work_dir"), cwd) or run.work_dir
    return run._replace(
        command=_command(said) or run.command,
        cwd=cwd,
        launch=_launch(said),
        packages=_packages(said),
        config=_config(said, run.config, place, cwd),
        data=_data(said, run.data, place, cwd),
        host=_host(said, run.host),
        source=_source(said, run.source),
        work_dir=work_dir,
        artifacts=_artifacts(said, place, cwd) or run.artifacts,
        clearml=_clearml(said, place, cwd),
        failure=_failure(said),
        problems=(*(one for one in run.problems if one not in _problems(said)), *_problems(said)),
    )


def ended(run: Run, trace: Trace) -> Run:
    """The run with the end that its trace tells of."""
    return run._replace(
        status=trace.status,
        ended=_moment(trace.content, "ended"),
        exit_code=_number(trace.content, "exit_code"),
        signal=_number(trace.content, "signal"),
    )


def _source(said: Mapping[str, Any], known: Source) -> Source:
    """Where nobody has looked from outside: what the run itself saw. Its patch is copied by itself."""
    there = _object(said, "source")
    commit, dirty = _text(there, "commit"), there.get("dirty")
    if known.dirty is not None or commit is None:
        return known
    return known._replace(commit=commit, dirty=dirty if isinstance(dirty, bool) else None, left_out="")


def end(trace: Trace) -> float:
    """When the run ended, or when it was last heard of; in seconds since the epoch."""
    ended = records.seconds(_moment(trace.content, "ended"))
    return trace.last_sign if ended is None else ended


def written_to(trace: Trace) -> tuple[str | None, str | None]:
    """The folder that it says it writes to, and where it stood, both as they are inside."""
    return _text(trace.content, "work_dir"), _text(trace.content, "cwd")


def is_of(trace: Trace, here: Host) -> bool:
    """Whether it was run on this machine, as far as its kernel and its memory tell."""
    there = _object(trace.content, "host")
    kernel = " ".join(here.system.split()[:2])
    return (_text(there, "system") or "").split(",")[0] == kernel and _number(there, "memory") == here.memory


def patched(run: Run, trace: Trace) -> bool:
    """Whether the record has the run's own view of its source, and that tells of changes."""
    there = _object(trace.content, "source")
    return run.source.dirty is True and there.get("dirty") is True and _text(there, "commit") == run.source.commit


def _command(said: Mapping[str, Any]) -> tuple[str, ...]:
    """As a person types it: which file is the interpreter is told by the environment."""
    words = masked_words(_words(said, "command"))
    if words and os.path.basename(words[0]).startswith("python"):
        return ("python", *words[1:])
    return words


def _launch(said: Mapping[str, Any]) -> Launch:
    return Launch(
        script=_text(said, "script"),
        passed=masked_words(_words(said, "passed")),
        launcher=_text(said, "launcher"),
        nproc_per_node=_text(said, "nproc_per_node"),
        nnodes=_text(said, "nnodes"),
        node_rank=_text(said, "node_rank"),
        restarts=_number(said, "restarts") or 0,
    )


def _packages(said: Mapping[str, Any]) -> Mapping[str, str]:
    found = sorted(_object(said, "packages").items())
    return {_short(name, 200): _short(version, 200) for name, version in found[:_MOST] if isinstance(version, str)}


def _config(said: Mapping[str, Any], known: Config, place: Place, cwd: str | None) -> Config:
    there = _object(said, "config")
    path = _text(there, "path")
    if path is None:
        return known
    files = tuple(place.shown(one, cwd) or one for one in _words(there, "files"))
    snapshot = _text(there, "snapshot")
    fine = snapshot is not None and not os.path.isabs(snapshot) and ".." not in Path(snapshot).parts
    return Config(place.shown(path, cwd), files, snapshot if fine else known.snapshot)


def _data(said: Mapping[str, Any], known: Data, place: Place, cwd: str | None) -> Data:
    there = _object(said, "dataset")
    named = _text(there, "id")
    path = place.shown(_text(there, "path"), cwd)
    if known.fingerprint is not None and (path is None or path == known.path):
        return known._replace(id=named)
    if path is None:
        return known._replace(id=named)
    size, files = _number(there, "bytes") or 0, _number(there, "files") or 0
    return Data(path, named, files, size, None, _text(there, "fingerprint"), "")


def _host(said: Mapping[str, Any], known: Host) -> Host:
    there = _object(said, "host")
    seen = there.get("gpus")
    gpus = known.gpus or tuple(
        Gpu(_text(one, "name") or "", _number(one, "memory"), _text(one, "driver"))
        for one in (seen if isinstance(seen, list) else [])[:64]
        if isinstance(one, dict)
    )
    cpus, memory = _number(there, "cpus"), _number(there, "memory")
    return known._replace(
        hostname=known.hostname or _text(there, "hostname") or "",
        system=known.system or _text(there, "system") or "",
        cpus=known.cpus or cpus,
        memory=known.memory or memory,
        gpus=gpus,
        python=_text(there, "python"),
        torch=_text(there, "torch"),
        cuda=_text(there, "cuda"),
        omp_num_threads=_text(there, "omp_num_threads"),
    )


def _artifacts(said: Mapping[str, Any], place: Place, cwd: str | None) -> tuple[Artifact, ...]:
    listed = said.get("artifacts")
    found = []
    for one in (listed if isinstance(listed, list) else [])[:_MOST]:
        path = place.shown(_text(one, "path"), cwd) if isinstance(one, dict) else None
        if path is not None:
            kind = _text(one, "kind") or "other"
            found.append(
                Artifact(path, _number(one, "bytes") or 0, kind, one.get("best") is True, one.get("last") is True)
            )
    return tuple(found)


def _clearml(said: Mapping[str, Any], place: Place, cwd: str | None) -> ClearMl:
    there = _object(said, "clearml")
    session = place.shown(_text(there, "session"), cwd)
    return ClearMl(_text(there, "mode"), _text(there, "task"), session, _text(there, "url"))


def _failure(said: Mapping[str, Any]) -> Failure | None:
    there = _object(said, "error")
    if not there:
        return None
    told = mask(_short(str(there.get("traceback") or "")[-20_000:], 20_000))
    return Failure(_number(there, "rank"), _text(there, "type") or "", _text(there, "message") or "", told)


def _problems(said: Mapping[str, Any]) -> tuple[Trouble, ...]:
    listed = said.get("problems")
    return tuple(
        Trouble(_text(one, "what") or "", _text(one, "why") or "", _text(one, "fix") or "")
        for one in (listed if isinstance(listed, list) else [])[:100]
        if isinstance(one, dict)
    )


def _object(said: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = said.get(key)
    return found if isinstance(found, dict) else {}


def _text(said: Mapping[str, Any], key: str) -> str | None:
    found = said.get(key)
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None
    return mask(_short(str(found), _LONGEST))


def _moment(said: Mapping[str, Any], key: str) -> str | None:
    """A time that there is and that has been; a clock may be a little ahead."""
    found = _text(said, key)
    when = records.seconds(found)
    return None if when is None or when > time.time() + _AHEAD else found


def _words(said: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = said.get(key)
    listed = found if isinstance(found, list) else []
    return tuple(_short(one, _LONGEST) for one in listed[:_MOST] if isinstance(one, str))


def _number(said: Mapping[str, Any], key: str) -> int | None:
    found = said.get(key)
    fits = isinstance(found, int) and not isinstance(found, bool) and abs(found) < 2**63
    return found if fits else None


def _short(text: str, most: int) -> str:
    clean = text.encode("utf-8", "replace").decode("utf-8")  # half of a surrogate pair can be written nowhere
    return clean if len(clean) <= most else f"{clean[: most - 3]}..."


def signal_of(trace: Trace) -> int | None:
    """The signal that ended the run, as it tells."""
    return _number(trace.content, "signal")
