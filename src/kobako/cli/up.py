"""``kobako up``."""

from __future__ import annotations

import argparse

from kobako.actions import up
from kobako.actions.context import Context
from kobako.model.result import Result

DESCRIPTION = "Start services in the background; returns when each really runs. Builds what is not built yet."
EXAMPLE = "kobako up mmdetection"
JSON = True
TAIL = ""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("services", nargs="+", metavar="SERVICE")
    parser.add_argument("-d", "--detach", action="store_true", help="accepted for habit's sake: it is always so")


def act(context: Context, args: argparse.Namespace) -> Result:
    return up.up(context, tuple(args.services))
