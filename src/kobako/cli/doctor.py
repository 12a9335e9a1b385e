"""``kobako doctor``."""

from __future__ import annotations

import argparse

from kobako.actions import doctor
from kobako.actions.context import Context
from kobako.model.result import Result

DESCRIPTION = """\
What this machine has for Kobako and what is missing: for the docker engine (Docker, Compose, BuildKit, the NVIDIA
Container Toolkit), for the local engine (uv, Pythons, bubblewrap, pip's index), driver and GPUs, disk space, memory.
Each with what it means and what to do; then which engine would be used. Exit code 4 when none is usable."""
EXAMPLE = "kobako doctor"
JSON = True
TAIL = ""


def configure(parser: argparse.ArgumentParser) -> None:
    """It takes the common options only."""


def act(context: Context, _args: argparse.Namespace) -> Result:
    return doctor.doctor(context)
