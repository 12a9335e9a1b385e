"""All benchmarks, one command: ``python benchmarks/run.py --base IMAGE``.

IMAGE is a base with Python and pip that the Docker Engine already has. Results go to ``benchmarks/results.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import build
import measure
import start_up

BENCHMARKS = {"start-up": start_up.run, "build": build.run}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", choices=[*BENCHMARKS, []], help="which (default: all)")
    parser.add_argument("--base", required=True, metavar="IMAGE")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("results.json"))
    args = parser.parse_args()
    results = {name: BENCHMARKS[name](args.base) for name in args.only or BENCHMARKS}
    kept = json.loads(args.output.read_text())["results"] if args.output.exists() else {}
    content = {"machine": measure.machine(), "results": {**kept, **results}}
    text = json.dumps(content, indent=2) + "\n"
    args.output.write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
