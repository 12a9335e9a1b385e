"""``kobako ps``."""

from __future__ import annotations

import argparse

from kobako.actions import ps
from kobako.actions.context import Context
from kobako.model.result import Result

DESCRIPTION = "The services of the workspace and their state: absent, built, running or exited."
EXAMPLE = "kobako ps --json"
JSON = True
TAIL = ""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("services", nargs="*", metavar="SERVICE")


def act(context: Context, args: argparse.Namespace) -> Result:
    return ps.ps(context, tuple(args.services))
