"""Compares the base image's packages with those of the image built on it.

The torch family is what a base was chosen for: one of it that moved without the recipe naming it is an error. Other
packages may move, and are reported. The base's versions stand in ``/opt/kobako/base.txt`` of an image whose
Dockerfile Kobako wrote; for any other the base itself is asked, where it is here; else nothing is known or said.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from kobako import data, process
from kobako.engines.docker.api import Api, ApiError
from kobako.errors import BuildError, KobakoError, Where
from kobako.model.service import Service

Moved = tuple[tuple[str, str, str], ...]

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


def moved(api: Api, image: str, service: Service) -> Moved:
    """(name, before, after) of each base package whose version changed.

    Raises ``BuildError("base-moved")``, with the step, when one of the torch family did and no step names it.
    """
    held = _look(image)
    if held is None:
        return ()
    recipe = _Recipe(service)
    before = held.base if held.base is not None else _base_of(api, recipe)
    changed = tuple(
        (name, version, held.now[name])
        for name, version in sorted((before or {}).items())
        if name in held.now and held.now[name] != version
    )
    family = re.compile(data.torch_family_pattern(), re.IGNORECASE)
    for name, old, new in changed:
        if family.fullmatch(name) and name not in recipe.named:
            raise _error(api, image, held, recipe, (name, old, new))
    return changed


def _look(image: str) -> _Held | None:
    argv = ["docker", "run", "--rm", "--network=none", "--entrypoint=python3", image, "-I", "-c", _PROBE]
    outcome = process.run(argv)
    if not outcome.ok:
        return None  # no Python inside, or one too old to tell: nothing is known
    found = json.loads(outcome.stdout)
    base = found["base"]
    return _Held(found["now"], found["when"], None if base is None else _freeze(base))


def _freeze(text: str) -> dict[str, str]:
    pairs = (line.split("==", 1) for line in text.splitlines() if "==" in line)
    return {re.sub(r"[-_.]+", "-", name.strip()).lower(): version.strip() for name, version in pairs}


def _base_of(api: Api, recipe: _Recipe) -> dict[str, str] | None:
    if not recipe.base:
        return None
    try:
        api.get(f"/images/{recipe.base}/json")
    except ApiError:
        return None  # BuildKit keeps its bases to itself; asking would mean pulling gigabytes once more
    held = _look(recipe.base)
    return None if held is None else held.now


class _Recipe:
    """What the Dockerfile says of its base, and which distributions its steps name."""

    def __init__(self, service: Service) -> None:
        self.base = ""
        self.named: frozenset[str] = frozenset()
        self.lines: dict[str, int] = {}
        self.file = service.build.dockerfile if service.build is not None else None
        if self.file is not None and service.build is not None:
            self._read(Path(self.file), {k: v for k, v in service.build.args.items() if v is not None})
