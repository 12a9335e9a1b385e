"""The mission's own example for real, on the local engine: mmdetection 2.24.1 from the package index by ``kobako add``
alone, on the stand-in for NGC's 22.02, its operators compiled here, an epoch of Faster R-CNN on the CPU.

What is kept between runs: the environment, and the wheels that were compiled, which outlive it.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engines.localbox import Box
from infra.cache import cache_folder, locked
from infra.client import clean_environment
from infra.need import need
from infra.run import kobako_environment
from kobako.engines.local.builds import has_gpu
from repos import mmdet
from repos.mmdet import COMMAND, CONFIG, NAME, WORK, Log

pytestmark = [pytest.mark.repos, pytest.mark.network]

BUILD = 2700
"""Seconds for a build from nothing: PyTorch with CUDA is fetched, and mmcv-full compiled."""

TRAIN = 300


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """A workspace from nothing, but for the engine's own store, which knows what is old."""
    need("bubblewrap", shutil.which("bwrap"), "apt-get install bubblewrap")
    need("a C++ compiler", shutil.which("c++"), "apt-get install build-essential")
    folder = cache_folder() / "mmdetection"
    env = kobako_environment(clean_environment()) | {
        "KOBAKO_ENGINE": "local",
        "KOBAKO_CACHE": str(cache_folder() / "kobako"),
    }
    with locked(cache_folder() / "mmdetection.lock"):
        folder.mkdir(exist_ok=True)
        made = Box(folder, env)
        made("rm", NAME)
        _clear(folder)
        try:
            yield made
        finally:
            made("rm", NAME)
            _clear(folder)


def _clear(folder: Path) -> None:
    for path in (*folder.iterdir(), *(folder / ".kobako").glob("*")):
        if path.name not in {".kobako", "local"}:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


@pytest.fixture(scope="module")
def added(box: Box) -> Any:
    return mmdet.fill(box.folder, box.ok)


@pytest.fixture(scope="module")
def built(box: Box, added: Any) -> Any:
    """The whole answer of ``build``."""
    # threads change the order in which numbers are added up
    override = "services:\n  mmdetection:\n    environment:\n      OMP_NUM_THREADS: '1'\n"
    (box.folder / "docker-compose.override.yaml").write_text(override, encoding="utf-8")
    done = box("build", NAME, "--json", timeout=BUILD)
    assert done.code == 0, str(done)
    return done.json


@pytest.fixture(scope="module")
def trained(box: Box, built: Any) -> str:
    """The mission's training from outside, with the offline ClearML beside it: what it printed."""
    done = box("train", NAME, f"--config={CONFIG}", "--seed=0", "--clearml=offline", timeout=TRAIN)
    assert done.code == 0, str(done)
    return done.stdout + done.stderr


def test_it_is_added(box: Box, added: Any) -> None:
    assert (added["service"], added["as_of"]) == (NAME, "2022-04-30")
    entry = (box.folder / NAME / "tools/clearml_train.py").read_text(encoding="utf-8")
    assert '\nSCRIPT = "mmdet/.mim/tools/train.py"' in entry
    recipe = (box.folder / "docker" / NAME).read_text(encoding="utf-8")
    assert f"\nFROM {mmdet.IMAGE}\n" in recipe
    assert "    'mmcv-full>=1.3.17,<=1.6.0'\n" in recipe


def test_it_is_built_for_the_cpu_and_says_so(box: Box, built: Any) -> None:
    if has_gpu():
        pytest.skip("this machine has a GPU")
    assert built["status"] == "partial"
    told = [one for one in built["problems"] if one["what"].startswith("compiled for the CPU")]
    assert [(one["what"], one["why"]) for one in told] == [("compiled for the CPU: mmcv-full", "no GPU here")]
    lines = (box.folder / "docker" / NAME).read_text(encoding="utf-8").splitlines()
    assert lines[told[0]["where"]["line"] - 1].startswith("RUN --mount=type=cache,target=/root/.cache/built")


def test_what_it_holds_is_of_its_time(box: Box, built: Any) -> None:
    script = (
        "import sys, torch, mmcv, mmcv.ops, numpy, clearml, mmcls\n"
        "print('%d.%d' % sys.version_info[:2], torch.__version__.split('+')[0], mmcv.__version__, mmcls.__version__)\n"
        "print(numpy.__version__ < '1.24', mmcv.ops.nms(torch.rand(4, 4), torch.rand(4), 0.5)[0].shape[1])\n"
    )
    done = box.ok("exec", NAME, "python", "-W", "ignore", "-c", script)
    assert done.stdout.splitlines()[-2:] == ["3.8 1.11.0 1.5.0 0.22.1", "True 5"]


def test_an_epoch(box: Box, trained: str) -> None:
    mmdet.check_trained(box.folder)
    assert "mAP" in trained


def test_what_is_known_of_it(box: Box, trained: str) -> None:
    trace = mmdet.traces(box.folder)[0]
    assert (trace["status"], trace["exit_code"], str(trace["host"]["omp_num_threads"])) == ("done", 0, "1")
    assert f"{WORK}/epoch_1.pth" in [one["path"] for one in trace["artifacts"]]
    assert len(trace["config"]["files"]) > 4  # the configuration, and those of mmdetection that it builds on
    run = box.ok("runs", "--json").json["data"]["runs"][-1]
    assert (run["id"], run["status"], run["exit_code"]) == (trace["id"], "done", 0)


def test_the_offline_session(box: Box, trained: str) -> None:
    trace = mmdet.traces(box.folder)[0]
    assert trace["clearml"]["mode"] == "offline"
    session = next(path for path in _places(box.folder, trace["clearml"]["session"]) if path.is_file())
    with zipfile.ZipFile(session) as archive:
        names = archive.namelist()
        events = "".join(archive.read(name).decode("utf-8", "replace") for name in names if "metrics" in name)
        task = archive.read("task.json").decode()
    assert "loss" in events
    assert "bbox_mAP" in events
    assert "ResNet" in task  # the configuration's text


def _places(folder: Path, session: str) -> list[Path]:
    return [folder / session, folder / session.removeprefix("/workspace/")]


def test_the_same_seed_gives_the_same_numbers_from_inside(box: Box, trained: str) -> None:
    """The mission's command, typed in the container."""
    again = f"{' '.join(COMMAND)} --seed=0 --work_dir=mmdetection/work_dirs/again"
    done = box("shell", NAME, stdin=f"{again}\nexit $?\n", timeout=TRAIN)
    assert done.code == 0, str(done)
    paths = (f"{WORK}/epoch_1.pth", "mmdetection/work_dirs/again/epoch_1.pth")
    same = box.ok("exec", NAME, "python", "-W", "ignore", "-c", mmdet.SAME, *paths)
    names, tensors, differ = same.stdout.split()[-3:]
    assert (names, int(tensors) > 300, differ) == ("True", True, "0")
    assert Log(box.folder / "mmdetection/work_dirs/again").losses == Log(box.folder / WORK).losses


def test_it_goes_on_from_a_checkpoint(box: Box, trained: str) -> None:
    options = (f"--config={CONFIG}", "--seed=0", "--resume", "--cfg_options=runner.max_epochs=2")
    done = box("train", NAME, *options, timeout=TRAIN)
    assert done.code == 0, str(done)
    log = Log(box.folder / WORK)
    assert {line["epoch"] for line in log.of("train")} == {2}
    assert (box.folder / WORK / "epoch_2.pth").is_file()
    assert log.losses[-1] < 4


def test_the_configuration_for_real_coco_is_read_as_it_stands(box: Box, built: Any) -> None:
    mmdet.prepare(box.folder)
    script = f"import mmcv; c = mmcv.Config.fromfile('{CONFIG}'); print(c.data.train.ann_file, c.runner.max_epochs)"
    try:
        done = box.ok("exec", NAME, "python", "-W", "ignore", "-c", script)
    finally:
        mmdet.prepare(box.folder, "--small")
    assert done.stdout.split()[-2:] == ["data/coco/annotations/instances_train2017.json", "12"]
