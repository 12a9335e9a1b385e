"""What a run left whose entry script tells nothing: files that look like checkpoints and are newer than its start."""

from __future__ import annotations

import os
import time
from pathlib import Path

from kobako.actions.observing import Scene
from kobako.model.run import Artifact, Run
from kobako.train import records

ENDINGS = (
    *(".pth", ".pth.tar", ".pt", ".ckpt", ".safetensors", ".pdparams", ".pkl"),
    *(".h5", ".hdf5", ".keras", ".onnx", ".npz", ".joblib"),
)
"""The same as in the entry script."""

_KEPT = 200
_ENTRIES = 100_000
_SECONDS = 5.0
_NOT_RESULTS = frozenset({".git", ".kobako", "__pycache__", "node_modules"})
_GIVEN = frozenset({"data", "configs", "pretrain"})


def is_checkpoint(name: str) -> bool:
    return name.lower().endswith(ENDINGS)


def folders(scene: Scene) -> tuple[Path, ...]:
    """Where a run may write: the writable mounts of the workspace, but for what is given to it."""
    root = scene.context.workspace.root
    found = []
    for mount in scene.service.mounts:
        if mount.kind != "bind" or mount.source is None or mount.read_only:
            continue
        path = Path(mount.source)
        if path.is_relative_to(root) and path.name not in _GIVEN and path.is_dir():
            found.append(path)
    if not found and scene.repository.is_dir():
        found = [scene.repository]
    return tuple(dict.fromkeys(found))


def left(scene: Scene, run: Run) -> tuple[Artifact, ...]:
    """The files, oldest first; the newest is the last checkpoint."""
    since = records.seconds(run.started) or 0.0
    deadline = time.monotonic() + _SECONDS
    found: list[tuple[int, str, int]] = []
    seen = 0
    for top in folders(scene):
        for here, below, names in os.walk(top):
            below[:] = [name for name in below if name not in _NOT_RESULTS]
            seen += len(names)
            if seen > _ENTRIES or time.monotonic() > deadline:
                break
            for name in names:
                if is_checkpoint(name):
                    _look(os.path.join(here, name), since, found)
    found.sort()
    kept = found[-_KEPT:]
    return tuple(
        Artifact(
            *(scene.context.workspace.relative(path), size, "checkpoint"),
            *("best" in Path(path).stem, path == kept[-1][1], mtime),
        )
        for mtime, path, size in kept
    )


def _look(path: str, since: float, found: list[tuple[int, str, int]]) -> None:
    try:
        facts = os.lstat(path)
    except OSError:
        return
    slack = 0 if facts.st_mtime_ns % 1_000_000_000 else 1  # a file system may keep whole seconds only
    if facts.st_mtime >= since - slack and os.path.isfile(path) and not os.path.islink(path):
        found.append((facts.st_mtime_ns, path, facts.st_size))
