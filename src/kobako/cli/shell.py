"""``kobako shell``."""

from __future__ import annotations

import argparse

from kobako.actions import run
from kobako.actions.context import Context
from kobako.cli.inside import configure_inside, request
from kobako.model.result import Result

DESCRIPTION = "Open a shell inside, as root. Builds and starts what is missing."
EXAMPLE = "kobako shell mmdetection"
JSON = False
TAIL = ""


def configure(parser: argparse.ArgumentParser) -> None:
    configure_inside(parser)


def act(context: Context, args: argparse.Namespace) -> Result:
    return run.shell(context, request(args, ()))
