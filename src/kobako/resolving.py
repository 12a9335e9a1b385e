"""Exact versions for an interpreter that uv does not run on: uv on this machine resolves for it.

No package is built here to find out what it needs: what exists as a source only is left to pip in the image.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from kobako import process, uv
from kobako.data import torch_family
from kobako.masking import mask
from kobako.model.image import BaseImage
from kobako.model.requirement import Requirement
from kobako.model.resolved import Resolved
from kobako.pipconfig import PipConfig
from kobako.process import Outcome

_SOURCE_ONLY = re.compile(r"Wheels are required for `([^`]+)`")
_FIXED = ("--quiet", "--no-config", "--no-build", "--no-header", "--no-annotate", "--no-progress", "--color=never")


def resolve(
    requirements: Sequence[Requirement], image: BaseImage, pip: PipConfig, folder: Path, *, as_of: date | None = None
) -> tuple[Resolved | None, str]:
    """The versions as the index stood on ``as_of``, or None and why not. ``folder`` is for the files that uv reads."""
    program = uv.program()
    if program is None:
        return None, "uv is not installed here"
    overrides = folder / "floor.txt"
    # The image's torch is no release of the index: whatever asks for torch is satisfied by leaving it out.
    overrides.write_text("".join(f"{name}; python_version < '0'\n" for name in torch_family()), encoding="utf-8")
    loose = {one.name for one in requirements if one.url}
    while True:
        wanted = [str(one) for one in requirements if one.name not in loose]
        source = folder / "wanted.txt"
        source.write_text("".join(f"{line}\n" for line in wanted), encoding="utf-8")
        argv = [program, "pip", "compile", *_FIXED, "--python-version", image.python, "--override", str(overrides)]
        argv += ["--exclude-newer", as_of.isoformat()] if as_of else []
        outcome = process.run(
            [*argv, *uv.flags(pip), str(source)], cwd=folder, env={**uv.environment(pip), **uv.indexes(pip)}
        )
        if outcome.ok:
            return Resolved(_pins(outcome.stdout), frozenset(loose)), ""
        found = _SOURCE_ONLY.search(outcome.stderr)
        if found is None or found[1] in loose or found[1] not in {one.name for one in requirements}:
            return None, _why(outcome)
        loose.add(found[1])


def _pins(text: str) -> Mapping[str, str]:
    pairs = (line.partition(";")[0].strip().partition("==") for line in text.splitlines() if "==" in line)
    return {name: version for name, _, version in pairs}


def _why(outcome: Outcome) -> str:
    lines = [line.strip() for line in outcome.stderr.splitlines() if line.strip()]
    return mask(" ".join(lines[:3])) or "uv could not be started"
