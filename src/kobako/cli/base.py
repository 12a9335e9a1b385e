"""``kobako base``."""

from __future__ import annotations

import argparse

from kobako.actions import base, days
from kobako.actions.context import Context
from kobako.choose.wants import Asked
from kobako.model.result import Result

DESCRIPTION = """\
Which base image fits, why, and why the others do not. SPEC is a version, which is a prefix (1.11 means 1.11.*), or a
specifier such as '>=1.8,<1.12'. With SERVICE its repository is asked as well; what is given here goes before what it
says and before what this machine shows. --write changes the FROM of docker/NAME, and nothing else. Works without
SERVICE outside of a workspace too. Exit code 1 when nothing fits."""
EXAMPLE = "kobako base --torch 1.11 --cuda 11.6"
JSON = True
TAIL = ""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", metavar="SERVICE", nargs="?", default="", help="whose repository to ask")
    parser.add_argument("--torch", metavar="SPEC", default="")
    parser.add_argument("--cuda", metavar="SPEC", default="")
    parser.add_argument("--python", metavar="SPEC", default="")
    parser.add_argument("--driver", metavar="VERSION", default="", help="the host's driver, or its branch alone (470)")
    parser.add_argument("--gpu", metavar="NAME", action="append", default=[], help="as nvidia-smi names it; repeatable")
    parser.add_argument("--compute-capability", metavar="X.Y", action="append", default=[], help="repeatable")
    parser.add_argument("--as-of", metavar="DATE", default="", help="images of that time (YYYY-MM-DD) if any fits")
    parser.add_argument("--image", metavar="IMAGE", help="does this image fit? with --write: take it")
    parser.add_argument("--write", action="store_true", help="change the service's Dockerfile")
    parser.add_argument("--dry-run", action="store_true", help="show what --write would change, and write nothing")


def act(context: Context, args: argparse.Namespace) -> Result:
    asked = Asked(
        args.torch,
        args.cuda,
        args.python,
        args.driver,
        tuple(args.gpu),
        tuple(args.compute_capability),
        days.parsed(args.as_of, "--as-of"),
    )
    write = args.write and not args.dry_run
    request = base.BaseRequest(asked, args.service, args.image, write=write, verbose=args.verbose > 0)
    return base.base(context, request)
