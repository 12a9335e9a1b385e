"""All benchmarks, one command: ``python benchmarks/run.py --base IMAGE``.

Without Docker: ``python benchmarks/run.py local train scan``.

IMAGE is a base with Python and pip that the Docker Engine already has. Results go to ``benchmarks/results.json``, each
with the machine it was taken on; what is not measured now stays there as it was.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import build
import local
import measure
import scan
import start_up
import train

WITH_DOCKER = {"start-up": start_up.run, "build": build.run}
WITHOUT = {"local": local.run, "train": train.run}
BENCHMARKS = (*WITH_DOCKER, *WITHOUT, "scan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", choices=[*BENCHMARKS, []], help="which (default: all)")
    parser.add_argument("--base", metavar="IMAGE", help=f"for {' and '.join(WITH_DOCKER)}")
    parser.add_argument("--corpus", type=Path, default=scan.CORPUS, metavar="CSV", help="for scan: another corpus")
    parser.add_argument(
        "--names", type=Path, metavar="FILE", help="for scan: the names that the index has, for pipreqs"
    )
    parser.add_argument("--details", type=Path, metavar="FILE", help="for scan: write down every tool's mistakes")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("results.json"))
    args = parser.parse_args()
    names = args.only or BENCHMARKS
    if args.base is None and (in_docker := [name for name in names if name in WITH_DOCKER]):
        parser.error(
            f"--base IMAGE is needed for {', '.join(in_docker)}; without: python benchmarks/run.py local train scan"
        )
    results = json.loads(args.output.read_text()) if args.output.exists() else {}
    for name in names:
        results[name] = _taken(name, args, results.get(name, {}))
    text = json.dumps(results, indent=2) + "\n"
    args.output.write_text(text)
    sys.stdout.write(text)


def _taken(name: str, args: argparse.Namespace, before: dict[str, Any]) -> dict[str, Any]:
    machine = measure.machine()
    if name == "scan":  # a corpus may be half of one: the other half's figures stay
        splits = scan.run(args.corpus, args.names, args.details)
        return {**before, **{split: {"machine": machine, **figures} for split, figures in splits.items()}}
    taken = WITH_DOCKER[name](args.base) if name in WITH_DOCKER else WITHOUT[name]()
    return {"machine": machine, **taken}


if __name__ == "__main__":
    main()
