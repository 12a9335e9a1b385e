"""Running a program to its end, as this user or another, with everything that came out of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.client import clean_environment
from infra.user import Someone

SOURCE = Path(__file__).resolve().parents[2] / "src"


@dataclass(frozen=True)
class Outcome:
    """What a program did. ``out`` and ``err`` are the bytes themselves, ``stdout`` and ``stderr`` text for reading."""

    argv: tuple[str, ...]
    code: int
    out: bytes
    err: bytes
    seconds: float

    @property
    def stdout(self) -> str:
        return self.out.decode("utf-8", "backslashreplace")

    @property
    def stderr(self) -> str:
        return self.err.decode("utf-8", "backslashreplace")

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def __str__(self) -> str:
        return f"{' '.join(self.argv)}: {self.code}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"


def kobako_argv(user: Someone | None = None) -> list[str]:
    return [user.python if user else sys.executable, "-m", "kobako"]


def kobako_environment(env: Mapping[str, str] | None = None, user: Someone | None = None) -> dict[str, str]:
    """``env`` (default: this process's, without developers' settings) made fit for the command line under test."""
    found = dict(env) if env is not None else clean_environment()
    if user is None:
        return found | {"PYTHONPATH": str(SOURCE)}
    return found | {"HOME": str(user.home), "USER": user.name, "LOGNAME": user.name} | user.variables


def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | str | None = None,
    user: Someone | None = None,
    timeout: float = 240,
) -> Outcome:
    """Run to the end; past ``timeout`` the whole process group is killed and TimeoutError raised with the output."""
    began = time.monotonic()
    process = start(argv, cwd=cwd, env=env, user=user)
    try:
        out, err = process.communicate(stdin.encode() if isinstance(stdin, str) else stdin, timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        outcome = Outcome(tuple(argv), process.returncode, out, err, time.monotonic() - began)
        raise TimeoutError(f"still running after {timeout} s: {outcome}") from None
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return Outcome(tuple(argv), process.returncode, out, err, time.monotonic() - began)


def start(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    user: Someone | None = None,
) -> subprocess.Popen[bytes]:
    """Start in a process group of its own, with pipes on all three streams; the caller ends it."""
    return subprocess.Popen(
        argv,
        cwd=cwd,
        env=dict(env) if env is not None else clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=user.groups if user else None,
    )
