"""mmdetection as a service by ``kobako add`` alone, and what its training leaves."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.run import Outcome
from repos.pictures import EXAMPLES, coco

NAME = "mmdetection"
IMAGE = "nvcr.io/nvidia/pytorch:22.02-py3"
CONFIG = "configs/mmdetection/example/faster_rcnn/faster_rcnn_r50_fpn_1x_coco.py"
COMMAND = ("python", "mmdetection/tools/clearml_train.py", f"--config={CONFIG}")
"""The mission's."""

WORK = "mmdetection/work_dirs/faster_rcnn_r50_fpn_1x_coco"


def fill(folder: Path, ok: Callable[..., Outcome]) -> Any:
    """A workspace from nothing: what a person does until the first build. Gives what ``add`` answered."""
    ok("init")
    answer = ok("add", "mmdet==2.24.1", "--name", NAME, "--base", IMAGE, "--json").json["data"]
    shutil.copytree(coco(24, 8), folder / "data/coco")
    prepare(folder, "--small")
    return answer


def prepare(folder: Path, *options: str) -> None:
    argv = [sys.executable, str(EXAMPLES / "mmdetection/prepare.py"), str(folder), *options]
    subprocess.run(argv, check=True, capture_output=True)


class Log:
    """The JSON log of a training, as mmcv writes it."""

    def __init__(self, folder: Path) -> None:
        newest = max(folder.glob("*.log.json"), key=lambda path: path.stat().st_mtime)
        self.lines = [json.loads(line) for line in newest.read_text(encoding="utf-8").splitlines()]

    def of(self, mode: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line.get("mode") == mode]

    @property
    def losses(self) -> list[float]:
        return [line["loss"] for line in self.of("train")]


def check_trained(folder: Path) -> None:
    """The loss fell, a checkpoint was written, and the evaluation gave a number."""
    log = Log(folder / WORK)
    assert len(log.losses) == 6
    assert sum(log.losses[-2:]) / 2 < log.losses[0] / 2
    assert [0 <= line["bbox_mAP"] <= 1 for line in log.of("val")] == [True]
    assert (folder / WORK / "epoch_1.pth").stat().st_size > 100_000_000
    assert (folder / "mmdetection/work_dirs/.gitignore").read_text(encoding="utf-8") == "*\n"


def traces(folder: Path) -> list[dict[str, Any]]:
    """What the entry script left of each run, the oldest first."""
    found = sorted((folder / "mmdetection/work_dirs/.runs").glob("*/run.json"), key=lambda path: path.parent.name)
    return sorted((json.loads(path.read_bytes()) for path in found), key=lambda one: str(one["started"]))


SAME = """
import sys, torch
first, second = (torch.load(path, map_location="cpu") for path in sys.argv[1:])
state = lambda one: {**one["state_dict"], **{
    f"{at} {name}": value for at, held in one["optimizer"]["state"].items() for name, value in held.items()
    if torch.is_tensor(value)}}
one, two = state(first), state(second)
print(one.keys() == two.keys(), len(first["state_dict"]), sum(not torch.equal(one[name], two[name]) for name in one))
"""
"""Compares two checkpoints tensor by tensor, the optimizer's included."""
