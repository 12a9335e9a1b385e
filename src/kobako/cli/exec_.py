"""``kobako exec``."""

from __future__ import annotations

import argparse

from kobako.actions import run
from kobako.actions.context import Context
from kobako.cli.inside import configure_inside, request
from kobako.model.result import Result

DESCRIPTION = """\
Run a command inside, as root, as `docker compose exec` does; its exit code is Kobako's.
Files that it leaves in the workspace belong to you afterwards. Builds and starts what is missing."""
EXAMPLE = "kobako exec mmdetection python mmdetection/tools/clearml_train.py --config=configs/..."
JSON = False
TAIL = "command"


def configure(parser: argparse.ArgumentParser) -> None:
    configure_inside(parser)
    parser.usage = "kobako exec [options] SERVICE COMMAND [ARG ...]"


def act(context: Context, args: argparse.Namespace, tail: tuple[str, ...]) -> Result:
    return run.execute(context, request(args, tail))
