"""Finds the Python that an environment is made with: on this machine, else one that uv fetches.

pyenv's shims answer for whatever version is switched on, so its ``versions`` are looked into directly. A virtual
environment's Python stands for the one it was made with.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from kobako import process

_ASK = (
    "import sys, json, platform; print(json.dumps([sys.version.split()[0], sys.base_prefix,"
    " sys.implementation.name, platform.machine()]))"
)


class Interpreter(NamedTuple):
    """A Python: its program, its exact version, and the folder that it needs to run."""

    path: str
    version: str
    prefix: str
    machine: str

    @property
    def short(self) -> str:
        """Major and minor number."""
        return ".".join(self.version.split(".")[:2])


def find(wanted: str, env: Mapping[str, str]) -> Interpreter | None:
    """The newest CPython of that version ("3.8" or "3.8.18") on this machine."""
    for path in _candidates(".".join(wanted.split(".")[:2]), env):
        found = look(path)
        if found is not None and (found.version == wanted or found.version.startswith(f"{wanted}.")):
            return found
    return None


def look(path: str) -> Interpreter | None:
    """The interpreter behind a program; None where it does not answer as one."""
    outcome = process.ask([path, "-I", "-S", "-c", _ASK], seconds=10)
    if not outcome.ok:
        return None
    try:
        version, prefix, kind, machine = json.loads(outcome.stdout)
    except ValueError:
        return None
    return Interpreter(path, re.sub(r"[^0-9.].*", "", version), prefix, machine) if kind == "cpython" else None


def _candidates(short: str, env: Mapping[str, str]) -> Iterator[str]:
    """Programs that may be it, the likeliest first; each once, and only where there is a file."""
    seen: set[str] = set()
    for path in _places(short, env):
        real = os.path.realpath(path)
        if real not in seen and os.access(path, os.X_OK) and os.path.isfile(real):
            seen.add(real)
            yield path


def _places(short: str, env: Mapping[str, str]) -> Iterator[str]:
    home = env.get("HOME") or str(Path.home())
    if ".".join(map(str, sys.version_info[:2])) == short:
        yield os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    for root in _roots(home, env):
        for folder in newest_first(root, short):
            yield f"{root}/{folder}/bin/python{short}"
    for folder in (*env.get("PATH", "").split(":"), "/usr/local/bin", "/usr/bin"):
        if folder and not folder.endswith("/shims"):
            yield f"{folder}/python{short}"


def _roots(home: str, env: Mapping[str, str]) -> tuple[str, ...]:
    data = env.get("XDG_DATA_HOME") or f"{home}/.local/share"
    managed = env.get("UV_PYTHON_INSTALL_DIR") or f"{data}/uv/python"
    return (f"{env.get('PYENV_ROOT') or f'{home}/.pyenv'}/versions", managed)


def newest_first(root: str, short: str = "") -> list[str]:
    """The folders of pyenv (``3.8.18``) or uv (``cpython-3.8.18-linux-...``) that hold such a version."""
    found: list[tuple[tuple[int, ...], str]] = []
    for name in _names(root):
        match = re.fullmatch(r"(?:cpython-)?(\d+\.\d+)\.(\d+)(?:-linux-.*)?", name)
        if match and short in {"", match[1]}:
            found.append((tuple(map(int, [*match[1].split("."), match[2]])), name))
    return [name for _, name in sorted(found, reverse=True)]


def _names(folder: str) -> Iterable[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return ()
