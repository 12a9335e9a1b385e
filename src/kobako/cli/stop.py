"""``kobako stop``."""

from __future__ import annotations

import argparse

from kobako.actions import end
from kobako.actions.context import Context
from kobako.model.result import Result

DESCRIPTION = "Stop services. What was installed by hand inside stays until the container is removed."
EXAMPLE = "kobako stop mmdetection"
JSON = True
TAIL = ""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("services", nargs="+", metavar="SERVICE")


def act(context: Context, args: argparse.Namespace) -> Result:
    return end.stop(context, tuple(args.services))
