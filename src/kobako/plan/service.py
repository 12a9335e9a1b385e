"""The service in the compose file, in the mission's shape."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kobako.plan.facts import Facts

GIB = 1024**3
SHARED_MEMORY = 8
"""What data loaders are comfortable with, in GiB (the default of 64 MB ends in "bus error")."""

TRACKER = (
    "CLEARML_API_HOST",
    "CLEARML_WEB_HOST",
    "CLEARML_FILES_HOST",
    "CLEARML_API_ACCESS_KEY",
    "CLEARML_API_SECRET_KEY",
)
"""Handed on from whoever starts the service, where they are set there: no value is ever written into the file."""

_PLAIN = re.compile(r"[A-Za-z./][A-Za-z0-9_./@+-]*(?::[A-Za-z0-9_./@+-]+)*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n", ".nan", ".inf"})


def block(facts: Facts) -> str:
    """The body of the service, not indented."""
    name = facts.name
    return f"""\
container_name: {name}
build:
  context: .
  dockerfile: ./docker/{name}
shm_size: '{shared_memory(facts.host.memory)}gb'
volumes:
  - "./{name}:/workspace/{name}"
  - "./data:/workspace/data"
  - "./configs:/workspace/configs"
  - "./pretrain:/workspace/pretrain"
environment:
{_passed_on()}
command: /bin/sh -c "while sleep 1000; do :; done"
deploy:
  resources:
    reservations:
      devices:
        - driver: nvidia
          capabilities: [gpu]
{_hints(facts)}"""


def _passed_on() -> str:
    return "\n".join(f"  - {name}" for name in TRACKER)


def shared_memory(memory: int) -> int:
    """GiB of /dev/shm: at most half of the host's memory, at least one."""
    return max(1, min(SHARED_MEMORY, memory // (2 * GIB))) if memory else SHARED_MEMORY


def _hints(facts: Facts) -> str:
    """What Compose cannot say: where the repository is from, and what an image of the user's own holds."""
    image = facts.image
    own = {"python": image.python, "torch": image.torch} if image.family == "other" else {}
    lines = [*_mapping("source", facts.source), *_mapping("base", {key: value for key, value in own.items() if value})]
    return "\n".join(["x-kobako:", *lines, ""]) if lines else ""


def _mapping(name: str, values: Mapping[str, str | bool]) -> list[str]:
    # Compose reads ${...} here as well
    safe = {key: value.replace("$", "$$") if isinstance(value, str) else value for key, value in values.items()}
    lines = [f"    {key}: {scalar(value)}" for key, value in safe.items()]
    return [f"  {name}:", *lines] if lines else []


def scalar(value: str | bool) -> str:  # noqa: FBT001 - it is the value itself
    """A YAML scalar, plain where nobody could read it as something else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    if not value.isprintable():
        return f'"{"".join(map(_escaped, value))}"'
    return "'" + value.replace("'", "''") + "'"


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if " " <= character <= "~" else f"\\U{ord(character):08x}"
