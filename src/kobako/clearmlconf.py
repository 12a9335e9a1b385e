"""ClearML's servers and keys as ``clearml.conf`` has them, in the names of the variables that its SDK reads.

They are secrets: for the environment of one command, and for nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from kobako.model import NOTHING
from kobako.model.result import Problem

VARIABLES = {
    "CLEARML_API_HOST": ("api.api_server",),
    "CLEARML_WEB_HOST": ("api.web_server",),
    "CLEARML_FILES_HOST": ("api.files_server",),
    "CLEARML_API_ACCESS_KEY": ("api.credentials.access_key", "api.access_key"),
    "CLEARML_API_SECRET_KEY": ("api.credentials.secret_key", "api.secret_key"),
}
"""Variable -> where its value stands, the first that is there."""

_SECRET = frozenset({"CLEARML_API_ACCESS_KEY", "CLEARML_API_SECRET_KEY"})


class Given(NamedTuple):
    """What is to be passed. ``path`` is the file that was read, "" where there is none."""

    values: Mapping[str, str] = NOTHING
    path: str = ""
    problem: Problem | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(value for name, value in self.values.items() if name in _SECRET)


def read(env: Mapping[str, str]) -> Given:
    """The variables of the caller, and below them those of the file that CLEARML_CONFIG_FILE or the home names."""
    said = {name: env[name] for name in VARIABLES if env.get(name)}
    named = env.get("CLEARML_CONFIG_FILE")
    path = (
        Path(os.path.expanduser(named)) if named else Path(env.get("HOME") or os.path.expanduser("~")) / "clearml.conf"
    )
    if len(said) == len(VARIABLES):
        return Given(said)
    if not path.is_file():
        missing = Problem("unreadable", f"CLEARML_CONFIG_FILE names {named}, which does not exist") if named else None
        return Given(said, "", missing)
    try:
        found = _values(_parsed(path))
    except OSError as error:
        return Given(said, "", _unusable(path, error.strerror or str(error)))
    except Exception as error:  # noqa: BLE001 - its parser raises what comes, and a training needs no tracker
        return Given(said, "", _unusable(path, _why(error)))
    return Given({**found, **said}, str(path))


def _parsed(path: Path) -> Any:
    import logging  # noqa: PLC0415 - only where there is such a file

    from pyhocon import ConfigFactory  # noqa: PLC0415 - as above

    logging.getLogger("pyhocon").setLevel(logging.CRITICAL)
    return ConfigFactory.parse_string(path.read_text(encoding="utf-8"), basedir=str(path.parent))


def _why(error: Exception) -> str:
    """Its own words only where they quote nothing but a variable's name: the file holds keys."""
    if type(error).__name__ == "ConfigSubstitutionException":
        return f"{error}: the variable is not set"
    return f"it is not understood as HOCON ({type(error).__name__})"


def _values(tree: Any) -> dict[str, str]:
    found = {}
    for name, places in VARIABLES.items():
        for place in places:
            value = tree.get_string(place, None) if tree is not None else None
            if value:
                found[name] = str(value).strip()
                break
    return found


def _unusable(path: Path, why: str) -> Problem:
    return Problem("invalid-setting", f"{path} cannot be used: ClearML is not told of your server", why, "clearml-init")
