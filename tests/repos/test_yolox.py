"""YOLOX 0.3.0 from the package index by ``kobako add`` alone: experiment files, a launcher of its own, Python 3.8 with
PyTorch 1.12, C++ compiled at first use. A hundred iterations on the CPU, seconds of them where the caches are warm.

What is kept between runs is the engine's own store of the workspace (5 GB, of which uv's cache shares 1.7).
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engines.localbox import Box
from infra.cache import cache_folder, locked
from infra.client import clean_environment
from infra.need import need
from infra.run import kobako_environment
from repos.pictures import EXAMPLES, coco

pytestmark = [pytest.mark.repos, pytest.mark.network, pytest.mark.timeout(1500)]

CONFIG = "configs/YOLOX/example/yolox_nano_small.py"
OUTPUT = "YOLOX/work_dirs/yolox_nano_small/yolox_nano_small"
LIMIT = 1200
"""Seconds for one command: from nothing, PyTorch with CUDA has to come first, which is 0.8 GB."""


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """A workspace to which YOLOX was added. Only the engine's own store is of an earlier time: it knows what is old."""
    need("bubblewrap", shutil.which("bwrap"), "apt-get install bubblewrap")
    need("a C++ compiler", shutil.which("c++"), "apt-get install build-essential")
    with locked(cache_folder() / "yolox.lock"):
        made = Box(cache_folder() / "yolox", kobako_environment(clean_environment()) | {"KOBAKO_ENGINE": "local"})
        made.folder.mkdir(parents=True, exist_ok=True)
        made("rm", "YOLOX")
        _clear(made.folder)
        made.ok("init")
        shutil.copytree(coco(train=80, val=16), made.folder / "data/coco")
        try:
            yield made
        finally:
            made("rm", "YOLOX")
            _clear(made.folder)


def _clear(folder: Path) -> None:
    for path in (*folder.iterdir(), *(folder / ".kobako").glob("*")):
        if path.name not in {".kobako", "local"}:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


@pytest.fixture(scope="module")
def added(box: Box) -> Any:
    """What ``add`` answered."""
    data = box.ok("add", "yolox==0.3.0", "--name", "YOLOX", "--json").json["data"]
    shutil.copytree(EXAMPLES / "yolox/configs", box.folder / "configs/YOLOX/example")
    return data


@pytest.fixture(scope="module")
def built(box: Box, added: Any) -> Any:
    """What ``build`` answered."""
    done = box("build", "YOLOX", "--json", timeout=LIMIT)
    assert done.code == 0, str(done)
    return done.json["data"]


@pytest.fixture(scope="module")
def trained(box: Box, built: Any) -> str:
    """What a training of a hundred iterations said."""
    done = box("train", "YOLOX", f"--config={CONFIG}", "--batch_size=8", timeout=LIMIT)
    assert done.code == 0, str(done)
    return done.stdout + done.stderr


def scores(said: str) -> list[float]:
    """COCO's average precision at each evaluation."""
    pattern = r"\(AP\) @\[ IoU=0\.50:0\.95 \| area= +all \| maxDets=100 \] = (-?[\d.]+)"
    return [float(one) for one in re.findall(pattern, said)]


def record(box: Box) -> Any:
    """Of the latest run."""
    paths = sorted((box.folder / ".kobako/runs").glob("*/record.json"), key=lambda path: path.stat().st_mtime)
    return json.loads(paths[-1].read_bytes())


def test_it_is_added(box: Box, added: Any) -> None:
    assert (added["service"], added["as_of"]) == ("yolox", "2022-04-22")
    recipe = (box.folder / "docker/YOLOX").read_text(encoding="utf-8")
    assert "\nFROM nvcr.io/nvidia/pytorch:22.04-py3\n" in recipe
    assert "onnx==1.8.1" in recipe
    entry = (box.folder / "YOLOX/tools/clearml_train.py").read_text(encoding="utf-8")
    assert '\nSCRIPT = "tools/train.py"' in entry
    assert '\nCONFIG = "exp_file"' in entry
    # its extension is none to be compiled by hand: YOLOX does so itself when it first evaluates
    assert added["questions"] == []


def test_what_it_requires_fits_together(box: Box, built: Any) -> None:
    """onnx 1.8.1 uses names that left NumPy in 1.24: no later step may have brought a newer one."""
    assert built["moved"] == []
    names = "torch, torchvision, cv2, onnx, onnxruntime, onnxsim, skimage, pycocotools.mask, loguru, thop, clearml"
    script = f"import {names}, numpy; print(torch.__version__.split('+')[0], numpy.__version__.rpartition('.')[0])"
    assert box.ok("exec", "YOLOX", "python", "-W", "ignore", "-c", script).stdout.split() == ["1.12.0", "1.23"]


def test_a_hundred_iterations(box: Box, trained: str) -> None:
    losses = [float(one) for one in re.findall(r"total_loss: ([\d.]+)", trained)]
    assert len(losses) == 20
    assert sum(losses[-4:]) < 0.75 * sum(losses[:4])
    found = scores(trained)
    assert len(found) == 3
    assert 0.005 < found[-1] < 1
    assert re.search(r"the best AP is [\d.]+", trained)


def test_what_it_leaves(box: Box, trained: str) -> None:
    names = {path.name for path in (box.folder / OUTPUT).iterdir()}
    assert {"best_ckpt.pth", "latest_ckpt.pth", "train_log.txt", "tensorboard"} <= names
    script = f"import torch; print(torch.load('{OUTPUT}/latest_ckpt.pth')['start_epoch'])"
    assert box.ok("exec", "YOLOX", "python", "-c", script).stdout == "10\n"
    assert (box.folder / "YOLOX/work_dirs/.gitignore").read_text(encoding="utf-8") == "*\n"
    # nothing beside it, where `rm` would take it away or git would find it
    assert not (box.folder / "YOLOX_outputs").exists()


def test_its_record(box: Box, trained: str) -> None:
    run = record(box)
    assert (run["service"], run["status"], run["exit_code"]) == ("yolox", "done", 0)
    metrics = {one["tag"]: one for one in run["metrics"]}
    assert metrics["train/total_loss"]["step"] == 100
    assert 0 < metrics["val/COCOAP50_95"]["last"] < 1
    best = [one["path"] for one in run["artifacts"] if one["best"]]
    assert best == [f"{OUTPUT}/best_ckpt.pth"]


def test_it_goes_on(box: Box, trained: str) -> None:
    done = box(
        "train", "YOLOX", f"--config={CONFIG}", "--batch_size=8", "--resume", "--opts=max_epoch 11", timeout=LIMIT
    )
    assert done.code == 0, str(done)
    said = done.stdout + done.stderr
    assert "(epoch 10)" in said
    assert re.findall(r"epoch: (\d+/\d+), iter: (\d+/\d+)", said) == [("11/11", "5/10"), ("11/11", "10/10")]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--config=configs/YOLOX/example/none.py"], 2, "no configuration configs/YOLOX/example/none.py"),
        ([f"--config={CONFIG}", "--batchsize=8"], 2, "did you mean --batch_size?"),
        # YOLOX catches whatever its training raises, logs it and ends with 0
        ([f"--config={CONFIG}", "--opts=data_dir data/none"], 1, "No such file or directory: 'data/none/annotations"),
    ],
)
def test_what_fails(box: Box, built: Any, words: list[str], code: int, said: str) -> None:
    done = box("train", "YOLOX", *words, timeout=LIMIT)
    assert done.code == code, str(done)
    assert said in done.stderr
    assert record(box)["status"] == "failed"
