"""``kobako verify``."""

from __future__ import annotations

import argparse

from kobako.actions import verify
from kobako.actions.context import Context
from kobako.model.result import Result

DESCRIPTION = """\
Prove that the files are enough: remove the container, build reusing no layer, start, and run x-kobako.verify
(or the entry, with the arguments that follow). Says what took how long; exit code 1 when it does not work."""
EXAMPLE = "kobako verify mmdetection"
JSON = True
TAIL = "args"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = "kobako verify [options] SERVICE [--] [ARG ...]"
    parser.add_argument("service", metavar="SERVICE")


def act(context: Context, args: argparse.Namespace, tail: tuple[str, ...]) -> Result:
    return verify.verify(context, args.service, tail)
