"""Compares the base image's packages with those of the image built on it.

The torch family is what a base was chosen for: one of it that moved without the recipe naming it is an error. Other
packages may move, and are reported. The base's versions stand in ``/opt/kobako/base.txt`` of an image whose
Dockerfile Kobako wrote; for any other the base itself is asked, where it is here; else nothing is known or said.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from kobako import floor, process
from kobako.dockerfile import recipe
from kobako.dockerfile.parse import parse
from kobako.engines.docker.api import Api, ApiError
from kobako.errors import BuildError, KobakoError, UsageError, Where
from kobako.model.recipe import Step
from kobako.model.service import Service
from kobako.workspace import read_text

# Runs in the image with the standard library alone; Python 3.8 and later has importlib.metadata.
_PROBE = r"""
import json, os, re
try:
    from importlib.metadata import distributions
except ImportError:
    raise SystemExit(3)
now, when = {}, {}
for d in distributions():
    name = d.metadata["Name"]
    if name:
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key not in now:
            now[key] = d.version
            try:
                when[key] = os.stat(str(d._path)).st_mtime
            except (AttributeError, OSError):
                pass
base = None
if os.path.exists("/opt/kobako/base.txt"):
    base = open("/opt/kobako/base.txt").read()
print(json.dumps({"now": now, "when": when, "base": base}))
"""


@dataclass(frozen=True)
class _Held:
    """What an image holds: versions and installation times by name, and its base's list where it has one."""

    now: dict[str, str]
    when: dict[str, float]
    base: dict[str, str] | None


def moved(api: Api, image: str, service: Service) -> floor.Moved:
    """(name, before, after) of each base package whose version changed.

    Raises ``BuildError("base-moved")``, with the step, when one of the torch family did and no step names it.
    """
    held = _look(image)
    if held is None:
        return ()
    written = _Recipe(service)
    before = held.base if held.base is not None else _base_of(api, written)
    changed = floor.moved(before or {}, held.now)
    change = floor.unwanted(changed, written.named)
    if change is not None:
        raise _error(api, image, held, written, change)
    return changed


def _look(image: str) -> _Held | None:
    argv = ["docker", "run", "--rm", "--network=none", "--entrypoint=python3", image, "-I", "-c", _PROBE]
    outcome = process.run(argv)
    if not outcome.ok:
        return None  # no Python inside, or one too old to tell: nothing is known
    try:
        found = json.loads(outcome.stdout.strip().rsplit("\n", 1)[-1])
    except ValueError:
        return None  # something in the image prints at every start of Python
    base = found["base"]
    return _Held(found["now"], found["when"], None if base is None else floor.freeze(base))


def _base_of(api: Api, written: _Recipe) -> dict[str, str] | None:
    if not written.base:
        return None
    try:
        api.get(f"/images/{written.base}/json")
    except ApiError:
        return None  # BuildKit keeps its bases to itself; asking would mean pulling gigabytes once more
    held = _look(written.base)
    return None if held is None else held.now


class _Recipe:
    """What the Dockerfile says of its base, and which distributions its steps name. Empty where not understood."""

    def __init__(self, service: Service) -> None:
        self.base = ""
        self.named: frozenset[str] = frozenset()
        self.steps: tuple[Step, ...] = ()
        self.file = service.build.dockerfile if service.build is not None else None
        if service.build is None or self.file is None:
            return
        try:
            text = read_text(Path(self.file))
            understood = recipe.understand(parse(text, self.file))
            self.base = recipe.base(understood, {k: v for k, v in service.build.args.items() if v is not None})
        except UsageError:
            return  # the builder understood it, and its word counts
        self.steps = understood.steps
        self.named = floor.named(self.steps)

    def step_like(self, command: str) -> Step | None:
        """The step of which a layer's history says this."""
        wanted = " ".join(command.split())
        return next((step for step in self.steps if step.value and " ".join(step.value.split()) in wanted), None)


def _error(api: Api, image: str, held: _Held, written: _Recipe, change: tuple[str, str, str]) -> KobakoError:
    """Names the step: the first layer that is not older than the package's own folder."""
    name, old, new = change
    installed = held.when.get(name)
    layers = sorted(api.get(f"/images/{image}/history"), key=lambda layer: int(layer["Created"]))
    said = next((one["CreatedBy"] for one in layers if installed is not None and one["Created"] >= int(installed)), "")
    step = written.step_like(said)
    where = Where(written.file, step.line) if step is not None and written.file is not None else None
    return BuildError(
        "base-moved",
        f"the build replaced the base image's {name} {old} by {new}",
        why=f"in the step: {said.removesuffix(' # buildkit')[:200]}" if said else "no step names it",
        fix=floor.FIX.format(name=name, version=new),
        where=where,
    )
