"""What tells runs apart. Pure, but for reading the copies beside the records."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from kobako.model.run import Run
from kobako.train import records
from kobako.train.records_shown import digest, duration, gpus, number, table, took

_LARGEST = 1_000_000
_LINES = 400


class Difference(NamedTuple):
    """Something that is not the same in all; a value for each run, None where it has none."""

    name: str
    values: tuple[str | None, ...]


class Compared(NamedTuple):
    """Everything that is different. ``config`` and ``source`` are unified diffs against the first run."""

    facts: tuple[Difference, ...]
    options: tuple[Difference, ...]
    packages: tuple[Difference, ...]
    metrics: tuple[Difference, ...]
    config: str
    source: str


def compare(runs: Sequence[Run], folder: Callable[[str], Path]) -> Compared:
    """``folder`` gives where the copies of a run lie."""
    places = [folder(run.id) for run in runs]
    config = [_files(place / records.CONFIG) for place in places]
    source = [_files(place, (records.PATCH,)) for place in places]
    names = [f"{run.id}/" for run in runs]
    return Compared(
        _facts(runs),
        _different([_options(run) for run in runs]),
        _different([dict(run.packages) for run in runs]),
        _metrics(runs),
        _diff(names, config),
        _diff(names, source),
    )


def _facts(runs: Sequence[Run]) -> tuple[Difference, ...]:
    told = [_told(run) for run in runs]
    marks = [run.data.fingerprint for run in runs]
    kinds = [mark.rpartition(":")[0] for mark in marks if mark]
    if len(set(kinds)) > 1:  # seen from outside, and from inside
        told = [
            {**one, "data digest": f"{mark.rpartition(':')[0]}: cannot be compared"} if mark else one
            for one, mark in zip(told, marks, strict=True)
        ]
    return _different(told)


def _told(run: Run) -> dict[str, str]:
    recipe, lock = run.recipe, run.lock
    facts = {
        "service": run.service,
        "engine": run.engine,
        "status": run.status if run.exit_code is None else f"{run.status} ({run.exit_code})",
        "took": duration(took(run)),
        "started by": run.started_by,
        "entry": run.entry,
        "configuration": run.config.path,
        "base": recipe.base if recipe else None,
        "recipe": recipe.sha256[:12] if recipe else None,
        "lock": lock.sha256[:12] if lock else None,
        "commit": run.source.commit[:12] if run.source.commit else None,
        "changed": None if run.source.dirty is None else str(run.source.dirty).lower(),
        "code": digest(run.source.digest) if run.source.digest else None,
        "data": run.data.path,
        "data files": str(run.data.files) if run.data.path else None,
        "data digest": digest(run.data.fingerprint) if run.data.fingerprint else None,
        "machine": run.host.hostname,
        "CPUs": str(run.host.cpus) if run.host.cpus else None,
        "GPUs": gpus(run.host.gpus),
        "Python": run.host.python,
        "torch": run.host.torch,
        "CUDA": run.host.cuda,
        "threads": run.host.omp_num_threads,
        "processes": run.launch.nproc_per_node,
    }
    return {name: value for name, value in facts.items() if value}


def _options(run: Run) -> dict[str, str]:
    """The command's words: ``--name=value`` by name, the others by themselves."""
    found: dict[str, str] = {}
    for word in (*run.command, *(f"{name}={value}" for name, value in run.environment.items())):
        name, equals, value = word.partition("=")
        found[name] = value if equals else "yes"
    return found


def _different(given: Sequence[dict[str, str]]) -> tuple[Difference, ...]:
    names = dict.fromkeys(name for one in given for name in one)
    found = [Difference(name, tuple(one.get(name) for one in given)) for name in names]
    return tuple(one for one in found if len(set(one.values)) > 1)


def _metrics(runs: Sequence[Run]) -> tuple[Difference, ...]:
    """All of them, also where they are the same."""
    tags = sorted({metric.tag for run in runs for metric in run.metrics})
    last = [{metric.tag: number(metric.last) for metric in run.metrics} for run in runs]
    return tuple(Difference(tag, tuple(one.get(tag) for one in last)) for tag in tags)


def _files(folder: Path, names: Iterable[str] | None = None) -> dict[str, list[str]]:
    found = {}
    paths = [folder / name for name in names] if names is not None else sorted(folder.rglob("*"))
    for path in paths[:100]:
        try:
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= _LARGEST:
                text = path.read_text(encoding="utf-8", errors="replace")
                found[path.relative_to(folder).as_posix()] = text.splitlines(keepends=True)
        except OSError:
            continue
    return found


def _diff(names: Sequence[str], given: Sequence[dict[str, list[str]]]) -> str:
    lines: list[str] = []
    first, *others = given
    for name, other in zip(names[1:], others, strict=True):
        for file in dict.fromkeys([*first, *other]):
            pair = (first.get(file, []), other.get(file, []))
            lines += difflib.unified_diff(*pair, names[0] + file, name + file)
    told = [line if line.endswith("\n") else f"{line}\n" for line in lines[:_LINES]]
    return "".join(told) + (f"... {len(lines) - _LINES} more lines\n" if len(lines) > _LINES else "")


def shown(runs: Sequence[Run], found: Compared) -> str:
    """As text."""
    head = ("", *(run.id for run in runs))
    lines = []
    for title, part in (
        ("", found.facts),
        ("options:", found.options),
        ("packages:", found.packages),
        ("metrics (last values):", found.metrics),
    ):
        if part:
            rows = [head, *((one.name, *(value if value is not None else "-" for value in one.values)) for one in part)]
            lines += [*([title] if title else []), table(rows), ""]
    for title, text in (("configuration:", found.config), ("changes of the source:", found.source)):
        if text:
            lines += [title, text]
    if not (found.facts or found.options or found.packages or found.config or found.source):
        lines.append("nothing that is recorded tells them apart")
    return "\n".join(lines).rstrip()
