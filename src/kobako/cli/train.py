"""``kobako train``."""

from __future__ import annotations

import argparse

from kobako.actions import train
from kobako.actions.context import Context
from kobako.cli.inside import configure_inside, request
from kobako.model.result import Result

DESCRIPTION = """\
Run the service's training: x-kobako.entry, by default NAME/tools/clearml_train.py, with the arguments that follow.
It runs as you, so that checkpoints are yours; its exit code is Kobako's. Builds and starts what is missing.
How it stands is shown below its lines; a record of it is kept: kobako runs.
Kobako's own long options (--json, --engine, --no-up...) may stand after SERVICE too; after -- all is the script's."""
EXAMPLE = "kobako train mmdetection --config=configs/mmdetection/example/faster_rcnn/faster_rcnn_r50_fpn_1x_coco.py"
JSON = True
TAIL = "args"


def configure(parser: argparse.ArgumentParser) -> None:
    configure_inside(parser)
    parser.add_argument("--tty", action="store_true", help="give the script the terminal (for a debugger)")
    parser.usage = "kobako train [options] SERVICE [--] [ARG ...]"


def act(context: Context, args: argparse.Namespace, tail: tuple[str, ...]) -> Result:
    return train.train(context, request(args, tail)._replace(terminal=args.tty))
