"""Files that the local engine writes into an environment where a Dockerfile has a command for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kobako import floor
from kobako.engines.local.paths import within
from kobako.engines.local.stage import Stage
from kobako.engines.local.work import Written


def floor_of(stage: Stage) -> None:
    held = stage.packages()
    listed = {"base": held, "floor": floor.kept(held)}
    for path, packages in ((floor.BASE, listed["base"]), (floor.KEPT, listed["floor"])):
        listing(stage, path, packages)
    within(stage.root, floor.CONSTRAINT).write_text("", encoding="utf-8")


def program(stage: Stage, part: Written) -> None:
    path = within(stage.root, part.path)
    path.write_text("\n".join([*part.lines, ""]), encoding="utf-8")
    path.chmod(0o755)


def listing(stage: Stage, path: str, packages: Mapping[str, str]) -> None:
    text = "".join(f"{name}=={version}\n" for name, version in sorted(packages.items()))
    within(stage.root, path).write_text(text, encoding="utf-8")


def zone(root: Path, zone: str) -> None:
    etc = within(root, "/etc")
    for name in ("localtime", "timezone"):
        (etc / name).unlink(missing_ok=True)
    (etc / "localtime").symlink_to(f"/usr/share/zoneinfo/{zone}")
    (etc / "timezone").write_text(f"{zone}\n", encoding="utf-8")
