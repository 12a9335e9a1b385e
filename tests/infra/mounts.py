"""What builds keep in a cache mount of BuildKit, brought into an Engine and out of it.

An Engine's own data may be emptied, and two test runs have an Engine each; what took minutes to compile outlives that.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from infra.engine import Engine


def bring_in(engine: Engine, image: str, target: str, folder: Path) -> None:
    """Copy a folder into the cache mount at ``target``. ``image`` is any that has a shell."""
    if not folder.is_dir():
        return
    _run(
        engine,
        image,
        f"--mount=type=bind,target=/context --mount=type=cache,target={target}",
        f"cp -an /context/. {target}/",
        folder,
    )


def bring_out(engine: Engine, image: str, target: str, folder: Path) -> None:
    """Make the folder hold what the cache mount does."""
    fresh = Path(tempfile.mkdtemp(prefix="making-", dir=folder.parent))
    _run(engine, image, f"--mount=type=cache,target={target}", f"mkdir /out && cp -a {target}/. /out/", None, fresh)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def _run(
    engine: Engine, image: str, mounts: str, command: str, context: Path | None, output: Path | None = None
) -> None:
    # a step that was done once is not done again, unless something above it is different
    recipe = f"FROM {image} AS work\nARG NOW={os.urandom(8).hex()}\nRUN {mounts} {command}\nFROM scratch\n"
    recipe += "COPY --from=work /out /\n" if output is not None else "COPY --from=work /etc/hostname /\n"
    with tempfile.TemporaryDirectory(prefix="kobako-mount-") as name:
        Path(name, "Dockerfile").write_text(recipe, encoding="utf-8")
        told = ["--file", f"{name}/Dockerfile", "--output", f"type=local,dest={output or f'{name}/none'}"]
        engine.docker("build", "--network=none", "--provenance=false", *told, str(context or name))
