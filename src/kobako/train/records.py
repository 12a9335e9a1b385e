"""The runs of a workspace: ``.kobako/runs/<id>/``, one folder each, read and written whole."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from kobako.errors import KobakoError, UsageError, WorkError
from kobako.model.result import Problem
from kobako.model.run import Recorder, Run
from kobako.train.records_json import decode, encode
from kobako.workspace import STATE, make_state, write_text

SCHEMA = "kobako-run/1"
FILE = "record.json"
LOG = "log.txt"
PATCH = "source.patch"
RECIPE = "Dockerfile"
CONFIG = "config"
POINTS = "metrics.jsonl"
LOCK = ".lock"
RESERVE = ".reserve"

ROOM = 262_144
"""Bytes that a run keeps for its last record."""

AT_ONCE = 30.0
"""Seconds after its start in which what is seen of a run's source and data is what it began with."""

WAIT = 60.0
"""Seconds that one waits for another Kobako: more than looking around takes."""

LONGEST = 8_000_000
"""Bytes of a record that are read."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_WORDS = re.compile(r"last(-\d+)?|list|show|compare|rm")
"""What `kobako runs` takes for something else than a run."""


class Found(NamedTuple):
    """Runs, newest first, and what of the folder could not be read."""

    runs: tuple[Run, ...]
    problems: tuple[Problem, ...] = ()


def now() -> str:
    """This moment, as records have it."""
    return datetime.now().astimezone().isoformat(timespec="milliseconds")


def seconds(text: str | None) -> float | None:
    """A record's time in seconds since the epoch; None where it is none."""
    try:
        return datetime.fromisoformat(text).timestamp() if text else None
    except (ValueError, OverflowError, OSError):  # in the year 1 or 9999
        return None


def new_id() -> str:
    return f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{os.urandom(3).hex()}"


def is_id(name: str) -> bool:
    return _ID.fullmatch(name) is not None and _WORDS.fullmatch(name) is None


class Records:
    """``root`` is the workspace's."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / STATE / "runs"

    def of(self, run_id: str) -> Path:
        """The folder of a run."""
        return self.folder / run_id

    def make(self, run_id: str) -> Path:
        """The folder of a run, made if absent. Raises ``OSError``."""
        make_state(self.root / STATE)
        folder = self.of(run_id)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def ids(self) -> tuple[str, ...]:
        try:
            names = os.listdir(self.folder)
        except OSError:
            return ()
        return tuple(sorted((name for name in names if is_id(name)), reverse=True))

    def has(self, run_id: str) -> bool:
        return (self.of(run_id) / FILE).is_file()

    def write(self, run: Run) -> None:
        """Write the record whole. Raises ``KobakoError`` or ``OSError``.

        While the run goes on it keeps room for its last record: the disk may be full by then.
        """
        folder = self.make(run.id)
        if run.status != "running":
            _forget(folder / RESERVE)
        text = json.dumps({"schema": SCHEMA, **encode(run)}, indent=1, sort_keys=True, ensure_ascii=False)
        write_text(folder / FILE, f"{text}\n", f"{STATE}/runs/{run.id}/{FILE}")
        if run.status == "running" and not (folder / RESERVE).exists():
            try:
                (folder / RESERVE).write_bytes(os.urandom(ROOM))  # what compresses well keeps no room
            except OSError:
                _forget(folder / RESERVE)

    def read(self, run_id: str) -> Run:
        """The record of a run. Raises ``WorkError("bad-record")``."""
        shown = f"{STATE}/runs/{run_id}/{FILE}"
        try:
            # a named pipe would keep whoever opens it waiting
            with os.fdopen(os.open(self.of(run_id) / FILE, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
                content = json.loads(file.read(LONGEST) or b"")
            run = _decoded(content, run_id)
        except OSError as error:
            raise _bad(run_id, shown, error.strerror or str(error)) from error
        except (ValueError, RecursionError) as error:
            raise _bad(run_id, shown, str(error)) from error
        return run

    def all(self) -> Found:
        """Every run that can be read, newest first."""
        runs, problems = [], []
        for run_id in self.ids():
            if not self.has(run_id) and not any(self.of(run_id).glob("*")):
                continue  # a start that was killed before anything was written
            try:
                runs.append(self.read(run_id))
            except KobakoError as error:
                problems.append(Problem.of(error))
        runs.sort(key=lambda run: (seconds(run.started) or 0.0, run.id), reverse=True)
        return Found(tuple(runs), tuple(problems))

    @contextlib.contextmanager
    def alone(self, wait: float | None = None) -> Iterator[None]:
        """Nobody else takes runs over or removes them meanwhile. Raises ``TimeoutError`` after so many seconds.

        Where nothing can be written there is nothing to keep others from.
        """
        try:
            make_state(self.root / STATE)
            self.folder.mkdir(exist_ok=True)
            fd = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        except OSError:
            yield
            return
        try:
            _locked(fd, WAIT if wait is None else wait)
            yield
        finally:
            os.close(fd)

    def remove(self, run_id: str) -> None:
        """Remove the record; raises ``OSError`` where it cannot be."""
        folder = self.of(run_id)
        if folder.is_symlink():
            folder.unlink()
        elif folder.exists():
            shutil.rmtree(folder)


def _forget(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _locked(fd: int, wait: float) -> None:
    """Take the lock. Raises ``TimeoutError``."""
    import fcntl  # noqa: PLC0415 - where runs are looked at only

    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError("another Kobako looks at the runs and does not come to an end") from None
            time.sleep(0.05)
        else:
            return


def _decoded(content: object, run_id: str) -> Run:
    """Raises ``ValueError``."""
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != SCHEMA:
        newer = isinstance(schema, str) and schema.startswith("kobako-run/")
        raise ValueError(f"it is a record of a newer Kobako ({schema})" if newer else "it is no record of a run")
    run = decode(Run, content)
    if run.id != run_id:
        raise ValueError(f"it says it is the record of {run.id}")
    return run


def _bad(run_id: str, shown: str, why: str) -> WorkError:
    fix = f"kobako runs rm {run_id} removes it"
    if "newer" in why:
        fix = "upgrade Kobako"
    return WorkError("bad-record", f"the record of run {run_id} cannot be used: {shown}", why=why, fix=fix)


def is_back(word: str) -> bool:
    """Whether the word counts runs: ``last``, ``last-1``."""
    return re.fullmatch(r"last(-\d+)?", word) is not None


def pick(word: str, ids: tuple[str, ...], *, suggest: bool = True) -> str:
    """The one run that is meant: a whole id, its beginning, its last digits, ``last``, ``last-1``.

    ``ids`` are the newest first. Raises ``UsageError("unknown-run")``, which with ``suggest`` names one that is alike.
    """
    if word in ids:
        return word
    back = re.fullmatch(r"last(?:-(\d{1,6}))?", word)
    if back:
        number = int(back[1] or 0)
        if number < len(ids):
            return ids[number]
        raise _unknown(word, ids, f"there {'is' if len(ids) == 1 else 'are'} {len(ids)}")
    for matching in (_beginning(word, ids), _ending(word, ids)):
        if len(matching) == 1:
            return matching[0]
        if matching:
            several = ", ".join(matching[:4]) + (", ..." if len(matching) > 4 else "")
            raise UsageError("unknown-run", f"{word} means {len(matching)} runs", why=several, fix="say more of its id")
    raise _unknown(word, ids if suggest else ())


def _beginning(word: str, ids: tuple[str, ...]) -> list[str]:
    return [one for one in ids if word and one.startswith(word)]


def _ending(word: str, ids: tuple[str, ...]) -> list[str]:
    return [one for one in ids if len(word) > 2 and one.endswith(word)]


def _unknown(word: str, ids: tuple[str, ...], why: str = "") -> UsageError:
    from difflib import get_close_matches  # noqa: PLC0415 - only on failure

    ends = {one.rpartition("-")[2]: one for one in ids}
    close = get_close_matches(word, [*ids, *ends], n=1, cutoff=0.5)
    fix = f"did you mean {ends.get(close[0], close[0])}?" if close else "kobako runs lists them"
    return UsageError("unknown-run", f"there is no run {word}", why=why, fix=fix)


def recorder() -> Recorder:
    """This process, so that others can tell later whether it still writes."""
    return Recorder(os.uname().nodename, _boot(), os.getpid(), _started(os.getpid()) or 0)


def at_work(writer: Recorder) -> bool | None:
    """Whether the process that wrote a record is alive; None where it is (or was) another machine's."""
    if writer.hostname != os.uname().nodename:
        return None
    return writer.boot == _boot() and _started(writer.pid) == writer.start


def _boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def _started(pid: int) -> int | None:
    """When a process began, in clock ticks; None where there is none, or it has ended and waits to be collected."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            words = file.read().rpartition(b")")[2].split()
        return None if words[0] in {b"Z", b"X"} else int(words[19])
    except (OSError, IndexError, ValueError):
        return None


def points(folder: Path, bound: int = 400_000) -> Iterator[tuple[str, int, float, float]]:
    """Tag, step, value and time of what a run reported, in order; a line that was cut off is left out."""
    try:
        with (folder / POINTS).open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file):
                if number >= bound:
                    return
                try:
                    tag, step, value, when = json.loads(line)
                    yield str(tag), int(step), float("nan" if value is None else value), float(when)
                except (ValueError, TypeError):
                    continue
    except OSError:
        return
