"""``kobako runs``."""

from __future__ import annotations

import argparse

from kobako.actions import runs
from kobako.actions.context import Context
from kobako.model.result import Result
from kobako.model.run import STATUSES

DESCRIPTION = """\
What was trained: a record of every `kobako train`, and of what was started in a shell, by exec, or by
`docker compose exec` through the entry script.

  kobako runs [list] [SERVICE]   the runs, newest first
  kobako runs [show] RUN         one of them: command, environment, source, data, metrics, curves
  kobako runs compare A B ...    what differs, side by side
  kobako runs rm RUN ...         remove records (never checkpoints, unless --artifacts)

RUN is an id, its beginning, its last digits, `last`, or `last-1`."""
EXAMPLE = "kobako runs compare last-1 last"
JSON = True
TAIL = ""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = "kobako runs [list | show | compare | rm] [options] [SERVICE | RUN ...]"
    parser.add_argument("words", nargs="*", metavar="RUN", help=argparse.SUPPRESS)
    which = parser.add_argument_group("which runs (list, rm)")
    which.add_argument("--status", choices=STATUSES, metavar="STATUS", help=", ".join(STATUSES))
    which.add_argument("--since", metavar="WHEN", help="a day (2026-05-01), or how long ago (12h, 7d)")
    which.add_argument("--older-than", metavar="WHEN", help="all that began before: 30d")
    which.add_argument("--failed", action="store_true", help="all that failed, were interrupted or lost")
    which.add_argument("--last", type=_count, metavar="N", help="the newest N (list; default: 30 on a terminal)")
    shown = parser.add_argument_group("how (show, compare)")
    shown.add_argument("--curves", action="store_true", help="curves in a pipe, too")
    shown.add_argument("--tag", action="append", default=[], metavar="TAG", help="this metric alone (several times)")
    shown.add_argument("--plot", metavar="FILE", help="the curves as a picture: .png or .svg")
    gone = parser.add_argument_group("how (rm)")
    gone.add_argument("--artifacts", action="store_true", help="the checkpoints of these runs, too, after a question")


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(
            f"{text} is no number of runs: --last 1 shows the newest, without it all are shown"
        )
    return int(text)


def act(context: Context, args: argparse.Namespace) -> Result:
    request = runs.Request(
        words=tuple(args.words),
        status=args.status,
        since=args.since,
        last=args.last,
        curves=args.curves,
        tags=tuple(args.tag),
        plot=args.plot,
        failed=args.failed,
        older_than=args.older_than,
        artifacts=args.artifacts,
        yes=args.yes,
    )
    return runs.runs(context, request)
