"""A small workspace for tests of the command line on a real engine, and words for what they ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from infra.engine import Engine
from infra.fixtures import Kobako, MakeWorkspace
from infra.run import Outcome
from infra.user import Someone
from infra.workspaces import write_override

BASE = "kobako-test/base:1"

COMPOSE = """\
services:
  box:
    container_name: Box
    build:
      context: .
      dockerfile: ./docker/Box
    volumes:
      - "./Box:/workspace/Box"
      - "./data:/workspace/data"
    command: /bin/sh -c "while sleep 1000; do :; done"
"""

RESERVED = (
    COMPOSE
    + """\
    deploy:
      resources:
        reservations:
          devices:
            - driver: nvidia
              capabilities: [gpu]
"""
)


class Box:
    """A workspace with one service, and the command line run in it."""

    def __init__(self, folder: Path, kobako: Kobako, env: Mapping[str, str], user: Someone | None = None) -> None:
        self.folder = folder
        self.env = dict(env)
        self.user = user
        self._kobako = kobako

    def __call__(self, *args: str, stdin: bytes | str | None = None, timeout: float = 240) -> Outcome:
        return self._kobako(*args, cwd=self.folder, env=self.env, user=self.user, stdin=stdin, timeout=timeout)

    def ok(self, *args: str, stdin: bytes | str | None = None) -> Outcome:
        done = self(*args, stdin=stdin)
        assert done.code == 0, str(done)
        return done


def files(compose: str = COMPOSE, recipe: str = f"FROM {BASE}\nRUN touch /made\n") -> dict[str, str]:
    return {
        "docker-compose.yaml": compose,
        "docker/Box": recipe,
        "Box/tools/clearml_train.py": "import os\nprint('uid', os.getuid(), os.environ['HOME'])\n",
        "data/.keep": "",
    }


def make(
    workspace: MakeWorkspace,
    kobako: Kobako,
    engine: Engine,
    *,
    contents: Mapping[str, str] | None = None,
    user: Someone | None = None,
) -> Box:
    """A box on an engine, with the host's network."""
    folder = workspace(contents or files(), name="box", owner=user)
    write_override(folder)
    if user is not None:
        user.own(folder)
    return Box(folder, kobako, engine.environment("v2", user=user), user)
