"""Writes docs/reference.md from the parsers, the error codes and the exit codes: ``python tools/reference.py``."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

from kobako import errors
from kobako.cli import main, run

TARGET = Path(__file__).resolve().parents[1] / "docs" / "reference.md"

EXIT_CODES = (
    (errors.DONE, "done"),
    (errors.FAILED, "the work ran and failed; not verified"),
    (errors.USAGE, "usage or configuration"),
    (errors.ENGINE, "no usable engine, or it could not do what it was asked to"),
    (errors.BUILD, "the build failed"),
    (errors.BUG, "a bug of Kobako"),
    (errors.INTERRUPTED, "Ctrl-C"),
    (errors.TERMINATED, "SIGTERM"),
)


def reference() -> str:
    """The whole page. The width is fixed: the same parsers give the same bytes everywhere."""
    os.environ["COLUMNS"] = "100"
    lines = ["# Reference", "", "Made by `tools/reference.py` from the parsers; do not edit.", ""]
    for verb, summary in main.VERBS.items():
        module = import_module(f"kobako.cli.{main.module_name(verb)}")
        text = run.parser(verb, module).format_help().strip()
        lines += [f"## kobako {verb}", "", f"{summary[0].upper()}{summary[1:]}.", "", "```text", text, "```", ""]
    lines += ["## Exit codes", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES]
    lines += [
        "",
        "`exec`, `shell` and `train` give the child's own code: 127 not found inside, 128+N killed by signal N.",
    ]
    lines += [""]
    lines += ["## Problem codes", "", "| code | meaning |", "|---|---|"]
    lines += [f"| `{code}` | {meaning} |" for code, meaning in errors.CODES.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
