"""``kobako logs``."""

from __future__ import annotations

import argparse

from kobako.actions import end
from kobako.actions.context import Context
from kobako.model.result import Result
from kobako.protocols import LogOptions

DESCRIPTION = "What the service's own process printed, as it printed it."
EXAMPLE = "kobako logs --tail 20 mmdetection"
JSON = False
TAIL = ""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", metavar="SERVICE")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as more comes")
    parser.add_argument("-n", "--tail", type=int, metavar="N", help="the last N lines only")
    parser.add_argument("-t", "--timestamps", action="store_true", help="with the time of each line")


def act(context: Context, args: argparse.Namespace) -> Result:
    return end.logs(context, args.service, LogOptions(args.follow, args.tail, args.timestamps))
