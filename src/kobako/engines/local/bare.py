"""Without bubblewrap: commands run on this machine as they are, in the workspace.

What stands at ``/workspace`` inside is the workspace itself, so relative paths work as in a container; absolute ones do
not, and a mount anywhere else cannot be had.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from kobako.engines.local.place import ENV, ROOT
from kobako.engines.local.stage import variables as inside
from kobako.engines.local.standin import PATH
from kobako.errors import EngineError
from kobako.model.service import Service

WORKSPACE = "/workspace"
_LOADED = ("LD_PRELOAD", "LD_AUDIT", "GCONV_PATH", "BASH_ENV", "ENV")
"""Variables that make any program run somebody's code before its own."""


def variables(environment: Mapping[str, str], live: Path, root: Path) -> dict[str, str]:
    """The variables of a command: the image's, paths below /workspace named as they are here."""
    made = inside(environment, str(live / ENV))
    there = str(root)
    pattern = re.compile(rf"(^|:){WORKSPACE}(?=[/:]|$)")
    translated = {name: pattern.sub(lambda at: f"{at[1]}{there}", value) for name, value in made.items()}
    # programs of the system before those of the repository, and nothing that is loaded into all of them
    translated["PATH"] = ":".join([f"{live / ENV}/bin", PATH, translated["PATH"]])
    for name in _LOADED:
        translated.pop(name, None)
    # the home directory is a private one here, too: what a command leaves there goes with the environment
    translated["HOME"] = str(live / ROOT / "root") if made["HOME"] == "/root" else translated["HOME"]
    return translated


def folder(workdir: str, root: Path) -> str:
    """The folder of this machine for one inside."""
    clean = os.path.normpath(workdir)
    if clean == "/":
        return str(root)
    if clean == WORKSPACE or clean.startswith(f"{WORKSPACE}/"):
        return str(root) + clean[len(WORKSPACE) :]
    return clean


def argv(command: Sequence[str], workdir: str) -> list[str]:
    return ["/bin/sh", "-c", 'cd -- "$1" && shift && exec "$@"', "kobako", workdir, *command]


def check_mounts(service: Service, root: Path) -> None:
    """Every mount is where relative paths find it. Raises ``EngineError("needs-sandbox")``."""
    for mount in service.mounts:
        target = os.path.normpath(mount.target)
        here = folder(target, root) if f"{target}/".startswith(f"{WORKSPACE}/") else ""
        if mount.kind == "bind" and here and os.path.realpath(here) == os.path.realpath(mount.source or ""):
            continue
        raise EngineError(
            "needs-sandbox",
            f"{service.title} mounts {mount.source or 'a volume'} at {mount.target}: that needs bubblewrap",
            why="without it only folders of the workspace can be seen, at /workspace/NAME",
            fix=f"apt-get install bubblewrap; or mount ./NAME at {WORKSPACE}/NAME (NAME may be a link)",
            where=mount.where,
        )
