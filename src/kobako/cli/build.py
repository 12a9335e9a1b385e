"""``kobako build``."""

from __future__ import annotations

import argparse

from kobako.actions import build
from kobako.actions.context import Context
from kobako.model.result import Result

DESCRIPTION = "Build the images of services: all that have a Dockerfile, where none is named."
EXAMPLE = "kobako build mmdetection"
JSON = True
TAIL = ""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("services", nargs="*", metavar="SERVICE")
    parser.add_argument("--fresh", "--no-cache", action="store_true", help="reuse no layer")


def act(context: Context, args: argparse.Namespace) -> Result:
    return build.build(context, tuple(args.services), fresh=args.fresh)
