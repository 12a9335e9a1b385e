"""Service files for a host whose engine cannot honour an NVIDIA reservation. The user's own files stay as they are.

Whether it can is known for certain only by trying: the daemon tells neither of the hook on its PATH nor of what the
hook will find. So a start is tried as written, and what the daemon says of a failure decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kobako.engines.docker.compose import ComposeCli
from kobako.engines.docker.containers import DROPPED, GPU
from kobako.errors import EngineError
from kobako.model.service import Project

_NO_RUNTIME = (
    "could not select device driver",  # no nvidia-container-runtime-hook on the daemon's PATH
    "failed to discover gpu vendor from cdi",  # Docker 28.3 and later, CDI on and no specification there
    "unresolvable cdi devices",
    "nvml error: driver not loaded",  # the toolkit is installed, but no GPU is there
    "nvml error: driver/library version mismatch",
    "libnvidia-ml.so.1: cannot open shared object file",
    "libcuda.so.1: cannot open shared object file",
    "nvidia-container-cli: initialization error",
    "unknown or invalid runtime name: nvidia",
)


def refused(message: str) -> bool:
    """Whether a failed start failed because this host has no working NVIDIA runtime. Judged by recorded wordings."""
    low = message.lower()
    return any(known in low for known in _NO_RUNTIME)


def without(cli: ComposeCli, project: Project, folder: Path) -> tuple[list[str], bytes | None]:
    """Compose files (and stdin for ``-``) that say the same as the project's, less every NVIDIA reservation."""
    names = [service.name for service in project.services.values() if service.reserves_nvidia]
    if cli.compose.resets:
        path = folder / "no-gpu.yaml"
        path.write_text(_override(names), encoding="utf-8")
        return [*project.files, str(path)], None
    return ["-"], _complete(cli, names)


def _override(names: Iterable[str]) -> str:
    lines = ["# written by Kobako for this host, which has no NVIDIA runtime; safe to delete", "services:"]
    for name in names:
        lines += [
            f"  {json.dumps(name)}:",
            f"    labels: {{{GPU}: {DROPPED}}}",
            "    runtime: !reset null",
            "    gpus: !reset []",
            "    deploy: {resources: {reservations: {devices: !reset []}}}",
        ]
    return "\n".join(lines) + "\n"


def _complete(cli: ComposeCli, names: Iterable[str]) -> bytes:
    """The whole project as Compose itself resolves it, without the reservations. It may hold secrets: never written."""
    import yaml  # noqa: PLC0415 - docker-compose v1 only

    outcome = cli.run("config")
    if not outcome.ok:
        raise EngineError("engine-failed", "Compose cannot read the project", why=outcome.last_lines())
    content: dict[str, Any] = yaml.safe_load(outcome.stdout)
    for name in names:
        service = content["services"][name]
        service.pop("runtime", None)
        service.get("deploy", {}).get("resources", {}).get("reservations", {}).pop("devices", None)
        labels = service.setdefault("labels", {})
        if isinstance(labels, list):
            labels.append(f"{GPU}={DROPPED}")
        else:
            labels[GPU] = DROPPED
    return json.dumps(content).encode()
