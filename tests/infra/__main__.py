"""A command with a private Docker Engine around it: what ``tools/test-engine`` calls."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from infra import engine, images, leaks


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/test-engine", allow_abbrev=False)
    parser.add_argument("--nvidia", action="store_true", help="honour NVIDIA reservations")
    parser.add_argument("--compose", choices=["both", "v1", "v2", "none"], default="both")
    parser.add_argument("--base", metavar="NAME", help="give the plain stand-in image this name")
    parser.add_argument("--torch", metavar="NAME", help="give the stand-in image with PyTorch this name")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    if os.geteuid() != 0 or (missing := engine.missing_programs()):
        parser.error("needs root" if os.geteuid() else f"needs {' '.join(missing)}")
    with engine.running(nvidia=given.nvidia) as running:
        if given.base:
            images.stand_in(running, given.base, "base")
        if given.torch:
            images.stand_in(running, given.torch, "torch")
        argv = given.command or [os.environ.get("SHELL", "/bin/sh")]
        code = subprocess.run(argv, env=running.environment(given.compose), check=False).returncode
        leaks.clean(running)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
