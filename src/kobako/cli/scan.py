"""``kobako scan``."""

from __future__ import annotations

import argparse

from kobako.actions import scan
from kobako.actions.context import Context
from kobako.model.result import Result

DESCRIPTION = """\
What a repository needs, and where that is written: packages, Python, torch and CUDA versions, Debian packages, how it
is trained. PATH is a folder or a service. Declarations win, imports annotate them; where nothing is declared, README,
CI and imports speak. What was seen and is not proposed is listed with its reason. Nothing of the repository is run."""
EXAMPLE = "kobako scan mmdetection"
JSON = True
TAIL = ""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", nargs="?", default=".", help="default: this folder")
    parser.add_argument("--imports-only", action="store_true", help="what the code alone says, declarations aside")


def act(context: Context, args: argparse.Namespace) -> Result:
    request = scan.ScanRequest(args.path, declarations=not args.imports_only, verbose=args.verbose > 0)
    return scan.scan(context, request)
