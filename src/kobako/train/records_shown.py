"""Records as a person reads them: the table of runs, one run, and several side by side. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from datetime import datetime

from kobako.model.run import Gpu, Metric, Run
from kobako.train import records
from kobako.train.drawing import columns, cut, padded
from kobako.train.records_metrics import main_metric

_WIDEST = 60
_DROPPED = ("CONFIGURATION", "STARTED", "SERVICE", "TOOK", "METRIC")
"""Columns that a list can do without, in this order."""

_LEAST = 16
"""Columns of a configuration that are worth being shown."""


def number(value: float | None) -> str:
    return "nan" if value is None else f"{value:.4g}" if abs(value) < 1e5 else f"{value:.3e}"


def duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds % 1 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size(count: int) -> str:
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"


def digest(text: str) -> str:
    """The beginning of one, without its kind."""
    return text.rpartition(":")[2][:12]


def took(run: Run) -> float | None:
    """Seconds from start to end; None where one of them is not known."""
    began, ended = records.seconds(run.started), records.seconds(run.ended)
    return None if began is None or ended is None else max(ended - began, 0.0)


def when(text: str | None) -> str:
    try:
        return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}" if text else ""
    except ValueError:
        return text or ""


def table(rows: Sequence[Sequence[str]], width: int | None = None) -> str:
    """Rows in columns. With a width the last column is cut to it."""
    widths = [max(columns(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = []
    for row in rows:
        line = "  ".join(padded(word, wide) for word, wide in zip(row, widths, strict=True)).rstrip()
        lines.append(line if width is None else cut(line, width))
    return "\n".join(lines)


def listing(runs: Sequence[Run], width: int | None) -> str:
    """One line for each run."""
    rows = [("RUN", "SERVICE", "STATUS", "STARTED", "TOOK", "METRIC", "CONFIGURATION")]
    for run in runs:
        metric = main_metric(run.metrics)
        shown = "" if metric is None else f"{metric.tag} {number(metric.last)}"
        status = run.status if run.status != "failed" or run.exit_code is None else f"failed ({run.exit_code})"
        status += " *" if _surprises(run) else ""
        rows.append((run.id, run.service, status, when(run.started), duration(took(run)), shown, _what(run)))
    lines = [table(rows if width is None else _fitting(rows, width), width)]
    if any(_surprises(run) for run in runs):
        lines.append("* something went wrong on the way: kobako runs show RUN")
    lines += [f"offline ClearML session of {run.id}: {run.clearml.session}" for run in runs if run.clearml.session]
    return "\n".join(lines)


def _fitting(rows: Sequence[Sequence[str]], width: int) -> Sequence[Sequence[str]]:
    """Without the columns that there is no room for: what is cut off at the right would be what matters most."""
    for name in _DROPPED:
        widths = [max(columns(row[place]) for row in rows) for place in range(len(rows[0]))]
        if rows[0][-1] == _DROPPED[0]:
            widths[-1] = min(widths[-1], _LEAST)
        if sum(widths) + 2 * (len(widths) - 1) <= width:
            break
        place = rows[0].index(name)
        rows = [(*row[:place], *row[place + 1 :]) for row in rows]
    return rows


def _surprises(run: Run) -> bool:
    """Whether the status does not tell that something went wrong."""
    return run.status == "done" and bool(run.problems)


def _what(run: Run) -> str:
    """What tells this run from others: its configuration, else the end of its command."""
    if run.config.path is not None:
        return run.config.path
    words = [word for word in run.command if word.startswith("--")]
    return " ".join(words) or shlex.join(run.command[-1:])


def one(run: Run, folder: str) -> str:
    """Everything that is known of a run."""
    lines = [f"run {run.id}"]
    lines += _rows(
        [
            ("status", _status(run)),
            ("service", f"{run.service} ({run.name})" + (f", engine {run.engine}" if run.engine else "")),
            ("started", f"{run.started}, by {run.started_by}"),
            ("recorded", _late(run)),
            ("ended", f"{run.ended}, after {duration(took(run))}" if run.ended else ""),
            ("command", shlex.join(run.command)),
            ("passed on", shlex.join(run.launch.passed)),
            ("launcher", _launcher(run)),
            ("environment", " ".join(f"{name}={value}" for name, value in run.environment.items())),
            ("configuration", _config(run)),
            ("source", _source(run)),
            ("recipe", _recipe(run)),
            ("lock", f"{run.lock.path} (sha256 {run.lock.sha256[:12]})" if run.lock else "none"),
            ("data", _data(run)),
            ("machine", _machine(run)),
            ("software", _software(run)),
            ("writes to", run.work_dir or ""),
            ("tracker", _tracker(run)),
            ("log", run.log or ""),
            ("record", folder),
        ]
    )
    for name, part in (
        ("problems", _problems(run)),
        ("metrics", _metrics(run.metrics)),
        ("artifacts", _artifacts(run)),
    ):
        if part:
            lines += ["", f"{name}:", *(f"  {line}" for line in part)]
    if run.failure is not None and run.failure.traceback:
        lines += ["", "error:", *(f"  {line}" for line in run.failure.traceback.splitlines())]
    return "\n".join(lines)


def _rows(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"  {name:<13}  {text}" for name, text in pairs if text]


def _status(run: Run) -> str:
    code = "" if run.exit_code is None else f", exit code {run.exit_code}"
    told = run.failure
    rank = "" if told is None or told.rank is None else f"rank {told.rank}: "
    first = "" if told is None else told.message.partition("\n")[0]
    why = "" if told is None else f" ({rank}{': '.join(part for part in (told.type, first) if part)})"
    return f"{run.status}{code}{why}"


def _late(run: Run) -> str:
    """Where Kobako came long after the start, what had been touched since is not told."""
    began, seen = records.seconds(run.started), records.seconds(run.observed)
    if began is None or seen is None or seen - began <= records.AT_ONCE:
        return ""
    return f"{run.observed}, {duration(seen - began)} after the start: what was not known any more is left open"


def _launcher(run: Run) -> str:
    if run.launch.launcher is None:
        return ""
    nodes = f", {run.launch.nnodes} nodes" if run.launch.nnodes not in {None, "1"} else ""
    again = f", {run.launch.restarts} restarts" if run.launch.restarts else ""
    return f"{run.launch.launcher}, {run.launch.nproc_per_node or 1} processes{nodes}{again}"


def _config(run: Run) -> str:
    if run.config.path is None:
        return ""
    more = len(run.config.files) - 1
    return run.config.path + (f" and {more} more that it is made of" if more > 0 else "")


def _source(run: Run) -> str:
    source = run.source
    commit = "" if source.commit is None else f"commit {source.commit[:12]}"
    branch = f" ({source.branch})" if source.branch else ""
    state = "" if source.dirty is None else ", changed" if source.dirty else ", unchanged"
    patch = f": {source.patch}" if source.patch else ""
    code = f"code {digest(source.digest)}" if source.digest and source.commit is None else ""
    parts = [part for part in (source.location, f"{commit}{branch}{state}{patch}" if commit else code) if part]
    return ", ".join(parts) + (f" ({source.left_out})" if source.left_out else "")


def _recipe(run: Run) -> str:
    if run.recipe is None:
        return ""
    base = f", on {run.recipe.base}" if run.recipe.base else ""
    built = "; the image was built from another text of it" if run.recipe.built is False else ""
    mark = f" (sha256 {run.recipe.sha256[:12]})" if run.recipe.sha256 else ""
    return f"{run.recipe.path}{mark}{base}{built}".lstrip(", ")


def _data(run: Run) -> str:
    data = run.data
    named = f"dataset {data.id}, " if data.id else ""
    missing = f" ({data.left_out})" if data.left_out else ""
    if data.path is None:
        return f"{named}{missing}".strip(", ")
    mark = f", {digest(data.fingerprint)}" if data.fingerprint else ""
    return f"{named}{data.path}: {data.files} files, {size(data.bytes)}{mark}{missing}"


def _machine(run: Run) -> str:
    host = run.host
    memory = f", {size(host.memory)}" if host.memory else ""
    return f"{host.hostname}, {host.system}, {host.cpus} CPUs{memory}, {gpus(host.gpus)}"


def gpus(found: Sequence[Gpu]) -> str:
    if not found:
        return "no GPU"
    names = dict.fromkeys(gpu.name for gpu in found)
    counted = (f"{sum(gpu.name == name for gpu in found)} x {name}" for name in names)
    driver = f" (driver {found[0].driver})" if found[0].driver else ""
    return ", ".join(counted) + driver


def _software(run: Run) -> str:
    host = run.host
    pairs = (("Python", host.python), ("torch", host.torch), ("CUDA", host.cuda), ("threads", host.omp_num_threads))
    told = [f"{name} {value}" for name, value in pairs if value]
    return ", ".join([*told, f"{len(run.packages)} packages"] if run.packages else told)


def _tracker(run: Run) -> str:
    found = run.clearml
    told = [f"ClearML {found.mode}" if found.mode else "", found.url or "", found.session or ""]
    return "" if found.mode in {None, "off"} else ", ".join(part for part in told if part)


def _metrics(metrics: Sequence[Metric]) -> list[str]:
    if not metrics:
        return []
    rows: list[tuple[str, ...]] = [("tag", "last", "min", "max", "step", "points")]
    rows += [
        (each.tag, *map(number, (each.last, each.minimum, each.maximum)), str(each.step), str(each.points))
        for each in metrics
    ]
    return table(rows).splitlines()


def _artifacts(run: Run) -> list[str]:
    marks = (("best", "best"), ("last", "last"))
    rows = [
        (each.path, size(each.bytes), each.kind, " ".join(word for word, name in marks if getattr(each, name)))
        for each in run.artifacts[:40]
    ]
    more = [f"and {len(run.artifacts) - 40} more"] if len(run.artifacts) > 40 else []
    return [*(table(rows).splitlines() if rows else []), *more]


def _problems(run: Run) -> list[str]:
    return [": ".join(part for part in (each.what, re.sub(r"\s+", " ", each.why)) if part) for each in run.problems]
