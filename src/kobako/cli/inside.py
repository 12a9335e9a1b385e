"""Flags that ``exec``, ``shell`` and ``train`` share."""

from __future__ import annotations

import argparse
import os

from kobako.actions.run import Request


def configure_inside(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", metavar="SERVICE")
    parser.add_argument(
        "-e", "--env", action="append", default=[], metavar="NAME[=VALUE]", help="set a variable inside"
    )
    parser.add_argument("-u", "--user", metavar="USER", help="run as this user")
    parser.add_argument("-w", "--workdir", metavar="PATH", help="run in this folder inside")
    parser.add_argument("-T", "--no-tty", action="store_true", help="no terminal, even where there is one")
    parser.add_argument("--no-up", action="store_true", help="refuse (exit code 2) where the service does not run")


def request(args: argparse.Namespace, tail: tuple[str, ...]) -> Request:
    pairs = [item.split("=", 1) if "=" in item else [item, os.environ.get(item)] for item in args.env]
    env = {name: value for name, value in pairs if name is not None and value is not None}
    return Request(
        service=args.service,
        argv=tail,
        env=env,
        user=args.user,
        workdir=args.workdir,
        terminal=False if args.no_tty else None,
        no_up=args.no_up,
        output_to_stderr=bool(getattr(args, "json", False)),
    )
