"""``kobako entry``."""

from __future__ import annotations

import argparse

from kobako.actions import entry_script
from kobako.actions.context import Context
from kobako.model.result import Result

DESCRIPTION = """\
Write the entry script NAME/tools/clearml_train.py of a service that is there already, as `kobako add` does: what
`kobako train` starts, inside and outside. It starts the repository's own training script, whose options are read, not
run. What is there already is never replaced, but for a script that Kobako wrote, with --force."""
EXAMPLE = "kobako entry mmdetection --script tools/train.py"
JSON = True
TAIL = ""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", metavar="SERVICE", help="the service, or the name of its repository")
    parser.add_argument(
        "--script",
        metavar="FILE",
        default="",
        help="the training script, as seen from the repository (default: the likeliest, as `kobako scan` shows)",
    )
    parser.add_argument("--print", dest="show", action="store_true", help="show it, and write nothing")
    parser.add_argument("--force", action="store_true", help="replace an entry script that Kobako wrote")


def act(context: Context, args: argparse.Namespace) -> Result:
    return entry_script.entry(context, entry_script.EntryRequest(args.service, args.script, args.show, args.force))
