"""``kobako demo``."""

from __future__ import annotations

import argparse

from kobako.actions import demo
from kobako.actions.context import Context
from kobako.model.result import Result

DESCRIPTION = """\
Make a complete small workspace in DIR, with the code that init and add use; build it, train a PyTorch CNN on real
handwritten digits, verify from zero, and say what to type next. A second run goes on with what is there."""
EXAMPLE = "kobako demo"
JSON = True
TAIL = ""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "directory", nargs="?", default=demo.DEFAULT, metavar="DIR", help=f"the folder (default: {demo.DEFAULT})"
    )
    parser.add_argument(
        "--base", metavar="IMAGE", help="the base image (default: python:X.Y-slim, X.Y as Kobako's own Python)"
    )


def act(context: Context, args: argparse.Namespace) -> Result:
    return demo.demo(context, demo.DemoRequest(args.directory, args.base, bool(args.json)))
