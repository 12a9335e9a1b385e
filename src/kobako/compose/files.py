"""Which compose files a folder has, in which environment, and the project's name: as Compose decides them.

Sources: https://docs.docker.com/compose/how-tos/environment-variables/envvars/ (COMPOSE_FILE, COMPOSE_PATH_SEPARATOR,
COMPOSE_PROJECT_NAME, COMPOSE_ENV_FILES), compose-go ``cli/options.go`` (names and their order).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from kobako.errors import UsageError, Where
from kobako.workspace import read_text

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)

_PLAIN = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)=([A-Za-z0-9_./:@%+,-]*)\s*")


class Found(NamedTuple):
    """The compose files in the order of merging, and the environment that their ``${...}`` see."""

    root: Path
    files: tuple[Path, ...]
    implicit: bool
    env: Mapping[str, str]


def find(start: Path, env: Mapping[str, str]) -> Found:
    """Look in ``start`` and the folders above it. Raises ``UsageError("no-compose-file")``."""
    if env.get("COMPOSE_FILE"):
        return _listed(start, env)
    for folder in (start, *start.parents):
        # the .env of a repository on the way up says nothing about the workspace, and may be no .env at all
        if _says(folder / ".env", "COMPOSE_FILE") and "COMPOSE_FILE" in (seen := environment(folder, env)):
            return _listed(folder, seen)
        for name in NAMES:
            if is_file(folder / name):
                files = [folder / name]
                files += [folder / other for other in OVERRIDES if is_file(folder / other)][:1]
                return Found(folder, tuple(files), implicit=True, env=environment(folder, env))
    raise UsageError(
        "no-compose-file",
        f"no compose file in {start} or above it",
        why=f"looked for {', '.join(NAMES)}",
        fix="kobako init",
    )


def _listed(folder: Path, env: Mapping[str, str]) -> Found:
    separator = env.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
    files = tuple(folder / part for part in env["COMPOSE_FILE"].split(separator) if part)
    for file in files:
        if not is_file(file):
            raise UsageError(
                "no-compose-file",
                f"{file} does not exist",
                why=f"COMPOSE_FILE names it ({env['COMPOSE_FILE']})",
                fix="correct COMPOSE_FILE, or unset it",
            )
    root = files[0].parent
    return Found(root, files, implicit=False, env=environment(root, env))


def environment(folder: Path, env: Mapping[str, str]) -> dict[str, str]:
    """The process's environment over the folder's ``.env`` (or the files of COMPOSE_ENV_FILES)."""
    names = env.get("COMPOSE_ENV_FILES")
    files = [folder / name for name in names.split(",")] if names else [folder / ".env"]
    found: dict[str, str] = {}
    for file in files:
        if is_file(file):
            found.update(dotenv(read_text(file), file))
    return {**found, **env}


def _says(file: Path, name: str) -> bool:
    return is_file(file) and name in read_text(file)


def is_file(path: Path) -> bool:
    """``Path.is_file`` fails in a folder that is closed to the caller; there is no file of theirs there either."""
    return os.path.isfile(path)


def dotenv(text: str, file: Path) -> dict[str, str]:
    """What a ``.env`` says. The library that knows every quoting rule is loaded only where there is any quoting."""
    found: dict[str, str] = {}
    text = text.removeprefix("\ufeff")
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _PLAIN.fullmatch(line)
        if match is None:
            return _parsed(text, file)
        found[match[1]] = match[2]
    return found


def _parsed(text: str, file: Path) -> dict[str, str]:
    import io  # noqa: PLC0415 - 20 ms that most files do not need

    from dotenv.main import dotenv_values  # noqa: PLC0415
    from dotenv.parser import parse_stream  # noqa: PLC0415

    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            said = binding.original.string
            above = said[: len(said) - len(said.lstrip())].count("\n")
            name, equals, _ = said.strip().splitlines()[0].partition("=")  # a value may be a secret
            raise UsageError(
                "invalid-setting",
                "a line of the environment file is not understood",
                why=f"{name[:60]}{equals and '=...'}",
                fix="write NAME=value, the value in quotes where it holds spaces",
                where=Where(str(file), binding.original.line + above),
            )
    return {key: value for key, value in dotenv_values(stream=io.StringIO(text)).items() if value is not None}


def project_name(root: Path, named: str | None, env: Mapping[str, str]) -> str:
    """COMPOSE_PROJECT_NAME, else ``name:`` of the last file that has one, else the folder's name, normalised.

    "" where the folder's name leaves nothing.
    """
    return _normal(env.get("COMPOSE_PROJECT_NAME") or named or root.name)


def _normal(name: str) -> str:
    return re.sub(r"[^-_a-z0-9]", "", name.lower()).lstrip("-_")
