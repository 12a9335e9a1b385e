"""``kobako add``."""

from __future__ import annotations

import argparse
from dataclasses import replace

from kobako.actions import add
from kobako.actions.context import Context
from kobako.actions.facts import Wishes
from kobako.model.result import Result

DESCRIPTION = """\
Take over a repository: SOURCE is a git URL (URL@REF, or --ref), a folder, an archive, an sdist or NAME==VERSION from
the package index. Writes docker/NAME, the service, and the entry script NAME/tools/clearml_train.py; never overwrites;
nothing of the repository is run."""
EXAMPLE = "kobako add https://github.com/open-mmlab/mmdetection --base nvcr.io/nvidia/pytorch:22.02-py3"
JSON = True
TAIL = ""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("--name", default="", help="what to call it (default: the repository's own name)")
    parser.add_argument("--base", metavar="IMAGE", help="the base image (default: chosen from what is declared)")
    parser.add_argument(
        "--as-of",
        metavar="DATE",
        default="",
        help="versions as the index had them on that day (YYYY-MM-DD); 'today' for the newest (default: the day of the "
        "repository's newest commit where that is older than a year)",
    )
    parser.add_argument(
        "--without", metavar="PACKAGE", action="append", default=[], help="leave out a requirement; repeatable"
    )
    parser.add_argument("--ref", help="a branch, tag or commit of a git URL")
    parser.add_argument("--subtree", action="store_true", help="git subtree, to merge both ways, instead of a copy")
    parser.add_argument("--no-entry", action="store_true", help="write no tools/clearml_train.py into the repository")
    parser.add_argument("--dry-run", action="store_true", help="say what would be written, and write nothing")


def act(context: Context, args: argparse.Namespace) -> Result:
    wishes = Wishes(args.base, args.as_of, tuple(args.without))
    request = add.AddRequest(args.source, args.name, args.ref, wishes, subtree=args.subtree, dry_run=args.dry_run)
    return add.add(context, replace(request, entry=not args.no_entry))
