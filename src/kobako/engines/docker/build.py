"""Builds a service's image through Compose and reads what BuildKit reports."""

from __future__ import annotations

import os
from pathlib import Path

from kobako.dockerfile.parse import parse
from kobako.dockerfile.recipe import understand
from kobako.engines.docker.compose import ComposeCli
from kobako.engines.docker.progress import Progress
from kobako.errors import BuildError, KobakoError, UsageError, Where
from kobako.model.service import Service
from kobako.process import Outcome
from kobako.protocols import Narrator, Step
from kobako.workspace import read_text

_WIDTH = 68

FRESH = "KOBAKO_FRESH"
"""A build argument at the top of the Dockerfiles that Kobako writes: another value reuses no layer after it, and
leaves the cache mounts (downloaded wheels) alone, which ``--no-cache`` would empty."""


def build(cli: ComposeCli, service: Service, narrator: Narrator, *, fresh: str) -> tuple[Step, ...]:
    """``fresh`` is "" for a normal build, else ``argument`` (the recipe declares ``KOBAKO_FRESH``) or ``no-cache``."""

    def on_step(step: Step | str) -> None:
        if isinstance(step, str):
            narrator.child(f"... {step}")
        else:
            narrator.say(f"  {'cached' if step.cached else f'{step.seconds:.1f} s':>8}  {_short(step.name)}")

    recipe = service.build.dockerfile if service.build is not None else None
    progress = Progress(on_step, os.path.basename(recipe or "Dockerfile"))

    def on_line(line: str) -> None:
        progress.feed(line)
        narrator.child(line)

    extra = {"": [], "no-cache": ["--no-cache"]}.get(fresh, ["--build-arg", f"{FRESH}={os.urandom(8).hex()}"])
    outcome = cli.run("build", *extra, service.name, on_line=on_line)
    if not outcome.ok:
        raise failure(service, outcome, progress)
    return tuple(progress.steps)


def _short(name: str) -> str:
    """A step's name on one line of a terminal; all of it is in the log."""
    line = " ".join(name.split())
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 3]}..."


def failure(service: Service, outcome: Outcome, progress: Progress) -> KobakoError:
    """What went wrong, at which step and line, in the builder's own last words."""
    said = f"{outcome.stdout}\n{outcome.stderr}"
    where = None
    if progress.line is not None and service.build is not None and service.build.dockerfile is not None:
        where = Where(service.build.dockerfile, progress.line)
    at = f" at {_short(progress.failed)}" if progress.failed else ""
    if "no space left on device" in said.lower():
        return BuildError(
            "disk-full",
            f"cannot build {service.title}{at}: no space is left on a disk that it needs",
            why=_told(outcome, progress),
            fix="docker system df, then docker builder prune",
            where=where,
        )
    return BuildError(
        "build-failed",
        f"cannot build {service.title}{at}",
        why=_told(outcome, progress),
        fix=f"mend the step, then: kobako build {service.title}" if progress.line is not None else "kobako doctor",
        where=where,
    )


def _told(outcome: Outcome, progress: Progress) -> str:
    """The failing step's own output where BuildKit repeats it, else the last lines."""
    if progress.failed:
        lines = outcome.stdout.splitlines() + outcome.stderr.splitlines()
        starts = [n for n, line in enumerate(lines) if line.startswith(f" > {progress.failed}")]
        if starts:
            told = []
            for line in lines[starts[-1] + 1 :]:
                if line.startswith("------"):
                    break
                told.append(line)
            return "\n".join(told[-12:] or [lines[starts[-1]].strip()])
    return outcome.last_lines()


def declares_fresh(service: Service) -> bool:
    """Whether the recipe's last stage declares ``KOBAKO_FRESH`` before anything that makes a layer."""
    if service.build is None or service.build.dockerfile is None:
        return False
    try:
        understood = understand(parse(read_text(Path(service.build.dockerfile)), service.build.dockerfile))
    except UsageError:
        return False  # the builder will say what is wrong with it
    stage = understood.stage_of(service.build.target or -1)
    if stage is None or len(understood.stages) > 1:
        return False
    for step in understood.steps_of(stage.index)[1:]:
        if step.kind == "arg" and step.pairs and step.pairs[0][0] == FRESH:
            return True
        if step.kind in {"run", "copy", "add"}:
            return False
    return False
