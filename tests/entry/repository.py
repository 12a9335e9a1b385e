"""A small training repository with the entry script in it, as a workspace holds it, and ways to run that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.client import clean_environment
from infra.need import need
from infra.run import Outcome, run, start
from kobako.engines.local import interpreters
from kobako.train.entry import render
from kobako.train.entry.settings import Option, Settings

OLDEST, NEWEST = "3.6", "3.13"


def option(name: str, flag: str = "", takes: str = "value", *, required: bool = False) -> Option:
    return Option(name, flag, takes, required=required, help="")


SETTINGS = Settings(
    name="demo",
    script="tools/train.py",
    style="argparse",
    options=(
        option("config", required=True),
        option("work_dir", "--work-dir"),
        option("resume_from", "--resume-from"),
        option("how", "--how"),
        option("cfg_options", "--cfg-options", "values"),
        option("amp", "--amp", "flag"),
    ),
    complete=True,
    pythonpath=(".",),
    config="config",
    work_dir=("--work-dir", "{}"),
    resume=("--resume-from", "{}"),
)

PARSER = """\
import argparse, json, os, sys
parser = argparse.ArgumentParser()
parser.add_argument("config")
parser.add_argument("--work-dir")
parser.add_argument("--resume-from")
parser.add_argument("--how")
parser.add_argument("--cfg-options", nargs="+")
parser.add_argument("--amp", action="store_true")
args = parser.parse_args()
"""


def python(version: str) -> str:
    """A Python of that version on this machine."""
    found = interpreters.find(version, os.environ)
    need(f"Python {version}", found, "an interpreter under PATH, PYENV_ROOT or uv's folder")
    assert found is not None
    return found.path


class Repository:
    """``<folder>/demo`` with ``tools/train.py``, beside ``configs`` and ``data``; commands run in ``folder``."""

    def __init__(self, folder: Path, code: str, settings: Settings = SETTINGS, python: str = sys.executable) -> None:
        self.folder, self.python = folder, python
        self.write("demo/tools/train.py", code)
        self.write("demo/tools/clearml_train.py", render(settings))
        self.write("configs/c.py", "lr = 0.1\n")
        self.write("home/.keep", "")

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        return {**clean_environment(), "HOME": str(self.folder / "home"), **(more or {})}

    @property
    def argv(self) -> list[str]:
        return [self.python, "demo/tools/clearml_train.py"]

    def train(self, *words: str, env: Mapping[str, str] | None = None, timeout: float = 120) -> Outcome:
        return run([*self.argv, *words], cwd=self.folder, env=self.environment(env), timeout=timeout)

    def start(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        return start([*self.argv, *words], cwd=self.folder, env=self.environment(env))

    def dry(self, *words: str) -> str:
        """The command that would be run, without the folders of this machine."""
        outcome = self.train("--dry_run", *words)
        assert outcome.code == 0, outcome
        return outcome.stdout.splitlines()[-1].replace(str(self.folder), "WS")

    @property
    def trace_folder(self) -> Path:
        (folder,) = (self.folder / "demo/work_dirs/.runs").iterdir()
        return folder

    @property
    def trace(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.trace_folder / "run.json").read_text(encoding="utf-8"))
        return found

    @property
    def log(self) -> str:
        return (self.trace_folder / "log.txt").read_text(encoding="utf-8")
