"""``kobako rm``."""

from __future__ import annotations

import argparse

from kobako.actions import end
from kobako.actions.context import Context
from kobako.model.result import Result

DESCRIPTION = """\
Stop and remove the containers of services. Images and mounted folders stay; what was installed by hand inside is lost,
so on a terminal Kobako asks first."""
EXAMPLE = "kobako rm mmdetection"
JSON = True
TAIL = ""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("services", nargs="+", metavar="SERVICE")
    parser.add_argument("-f", "--force", action="store_true", dest="yes", help="do not ask")
    parser.add_argument("-s", "--stop", action="store_true", help="accepted for habit's sake: it is always so")


def act(context: Context, args: argparse.Namespace) -> Result:
    return end.remove(context, tuple(args.services))
