"""``kobako init``."""

from __future__ import annotations

import argparse

from kobako.actions import init
from kobako.actions.context import Context
from kobako.model.result import Result

DESCRIPTION = """\
Make a workspace: docker-compose.yaml, docker/, configs/, data/, pretrain/, .env, .dockerignore and .gitignore.
What is there already is left as it is, so it can be run again at any time."""
EXAMPLE = "kobako init my-workspace"
JSON = True
TAIL = ""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", nargs="?", default=".", metavar="DIR", help="the folder (default: this one)")
    parser.add_argument("--dry-run", action="store_true", help="say what would be written, and write nothing")


def act(context: Context, args: argparse.Namespace) -> Result:
    return init.init(context, args.directory, dry_run=args.dry_run)
