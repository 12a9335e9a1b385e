"""Runs that write to one folder, one after another and at once: whose numbers are whose. Real files, no program."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest

from infra.traces import HOUR, Place, at
from kobako.actions import artifacts, observing
from kobako.actions.context import Context
from kobako.actions.following import Following
from kobako.actions.observing import Scene
from kobako.actions.piping import Plain
from kobako.actions.recording import End, Recording
from kobako.console import Console
from kobako.model.run import Data, Run
from kobako.train import records

SHARED = "/workspace/Box/work_dirs/a"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def points(place: Place, name: str) -> list[tuple[str, int, float | None]]:
    return [(one.tag, one.points, one.last) for one in place.records.read(name).metrics]


def whole(text: str) -> str:
    """A time in whole seconds, as entry scripts of before had it."""
    return text[:19] + text[23:]


@pytest.mark.parametrize("parts", [True, False])
def test_one_after_another_each_has_its_own(place: Place, *, parts: bool) -> None:
    """As three trainings in one shell: they begin where the one before has ended."""
    now = time.time() // 1 - HOUR
    for number in range(3):
        begun, ended = now + number + 0.1, now + number + 0.9
        place.metrics(f"work_dirs/a/{number}.log.json", ended - 0.05, loss=float(number))
        times = [at(one - time.time()) for one in (begun, ended)]
        started, ended_at = times if parts else [whole(one) for one in times]
        place.trace(f"run{number}", started=started, ended=ended_at, work_dir=SHARED)
    place.runs()
    if parts:
        assert [points(place, f"run{number}") for number in range(3)] == [
            [("train/loss", 1, float(number))] for number in range(3)
        ]
    assert all(not place.records.read(f"run{number}").problems for number in range(3))
    assert all(place.records.read(f"run{number}").metrics for number in range(3))


def test_at_once_only_its_own_log_counts(place: Place) -> None:
    place.metrics("work_dirs/a/1.log.json", time.time() - HOUR + 30, loss=7.0)
    place.metrics("work_dirs/b/1.log.json", time.time() - HOUR + 30, loss=8.0)
    for name, folder, loss in (("one", "a", 1.5), ("two", "a", 2.5), ("three", "b", 3.5)):
        place.trace(name, started=at(-HOUR), ended=at(-HOUR + 60), work_dir=f"/workspace/Box/work_dirs/{folder}")
        text = f"Epoch [1][1/3]\tlr: 1.000e-02, loss: {loss}\n" if name != "two" else ""
        (place.folder(name) / "log.txt").write_text(text, encoding="utf-8")
    place.runs()
    assert [one for one in points(place, "one") if one[0] == "train/loss"] == [("train/loss", 1, 1.5)]
    assert points(place, "two") == [("train/loss", 1, 7.0)], "its log says nothing"
    assert points(place, "three")[-1] == ("train/loss", 1, 8.0), "it was alone in its folder"
    (trouble,) = place.records.read("one").problems
    assert trouble.what == "the run shares its folder with run two"
    assert place.records.read("three").problems == ()


def test_the_nodes_of_one_training_are_one(place: Place) -> None:
    for name in ("one", "one-node1"):
        place.trace(name, started=at(-HOUR), ended=at(-HOUR + 60), work_dir=SHARED)
    place.runs()
    assert place.records.read("one").problems == ()


class Live:
    """A training that Kobako follows."""

    def __init__(self, place: Place, name: str = "live") -> None:
        context = Context(place.root, {}, Console({}, colour=False), "none")
        self.scene = Scene(context, context.service("box"), None, place.records)
        run = Run(name, "box", "Box", records.now(), records.now(), "train", cwd="/workspace")
        self.recording = Recording(self.scene, run, context.narrator, bytes)
        self.following = Following(self.recording, context.narrator, Plain())

    def end(self) -> Run:
        return self.recording.close(End("done", 0), self.following.end())


def test_another_that_is_at_work_there(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    live = Live(place)
    place.trace("live", started=at(0), status="running", work_dir=SHARED)
    place.trace("other", started=at(-HOUR), status="running", work_dir=SHARED)
    place.metrics("work_dirs/a/1.log.json", time.time(), loss=7.0)
    live.following.copy(1, b"Epoch [1][1/3]\tlr: 1.000e-02, loss: 1.5\n")
    run = live.end()
    assert [(one.tag, one.last) for one in run.metrics if one.tag == "train/loss"] == [("train/loss", 1.5)]
    assert [one.what for one in run.problems] == ["the run shares its folder with run other"]
    assert "warning: the run shares its folder with run other" in capsys.readouterr().err
    kept = (live.scene.folder(run) / records.POINTS).read_text(encoding="utf-8").splitlines()
    assert sorted(json.loads(line)[0] for line in kept) == ["lr", "train/loss"]


def test_one_that_ended_before_is_no_other(place: Place) -> None:
    place.trace("before", started=at(-HOUR), ended=at(-0.01), work_dir=SHARED)
    live = Live(place)
    place.trace("live", started=at(0), status="running", work_dir=SHARED)
    place.metrics("work_dirs/a/1.log.json", time.time(), loss=7.0)
    run = live.end()
    assert (run.problems, [(one.tag, one.last) for one in run.metrics]) == ((), [("train/loss", 7.0)])


def test_a_short_run_tells_of_a_loss_that_is_no_number(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """What only the last look finds, where nothing told before where the run writes."""
    live = Live(place)
    place.metrics("out/metrics.jsonl", time.time(), loss=float("nan"))
    run = live.end()
    assert [one.what for one in run.problems] == ["train/loss is nan at step 1"]
    assert "warning: train/loss is nan at step 1" in capsys.readouterr().err


def test_a_line_that_breaks_what_reads_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the lines after it nor the files go with it."""
    live = Live(place)

    def broken(line: str, inner: object = live.following._console.feed) -> object:
        if "bad" in line:
            raise ValueError(line)
        return inner(line)  # type: ignore[operator]

    monkeypatch.setattr(live.following._console, "feed", broken)
    monkeypatch.setattr(live.recording, "look", lambda: 1 / 0)
    place.metrics("out/metrics.jsonl", time.time(), loss_file=7.0)
    live.following.copy(1, b"bad\nEpoch [1][1/3]\tlr: 1.000e-02, loss: 1.5\n")
    run = live.end()
    assert {one.tag for one in run.metrics} == {"lr", "train/loss", "train/loss_file"}


def test_a_checkpoint_of_a_moment_before_is_not_its_own(place: Place) -> None:
    """A file system that keeps parts of seconds tells them apart; one that does not is given a second."""
    run = Run("one", "box", "Box", at(-10), at(-10), "train")
    began = records.seconds(run.started)
    assert began is not None
    for name, when in (("before.pth", began - 0.2), ("own.pth", began + 0.2), ("coarse.pth", float(int(began)))):
        (place.root / "Box" / name).write_bytes(b"x")
        os.utime(place.root / "Box" / name, (when, when))
    context = Context(place.root, {}, Console({}), "none")
    scene = Scene(context, context.service("box"), None, place.records)
    assert [one.path for one in artifacts.left(scene, run)] == ["Box/coarse.pth", "Box/own.pth"]


def test_what_is_seen_is_kept_though_the_data_takes_long(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:

    ended = threading.Event()
    monkeypatch.setattr("kobako.actions.recording.PATIENCE", 0.5)
    monkeypatch.setattr(observing, "data", lambda *_: (ended.wait(20), Data("late"))[1])
    live = Live(place)
    live.recording.begun()
    run = live.end()
    ended.set()
    assert run.recipe is not None
    assert run.source.digest is not None
    assert (run.data.path, run.data.left_out) == (None, "the run had ended before it was looked at")
    time.sleep(0.2)
    assert place.records.read("live").data.path is None


def test_hundreds_of_runs_are_no_hundred_thousand_readings(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each asks when the others were at work; each trace is read a few times all the same."""
    for number in range(60):
        place.trace(f"run{number:03}", started=at(-HOUR + number), ended=at(-HOUR + number + 0.5))
    opened: list[str] = []
    real = os.open

    def counted(path: str | Path, *rest: int, **more: int) -> int:
        opened.append(str(path))
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", counted)
    place.runs()
    monkeypatch.undo()
    read = [one for one in opened if one.endswith(("run.json", "record.json"))]
    assert len(read) < 60 * 10
    assert len(place.records.ids()) == 60


def test_a_trace_that_tells_no_command(place: Place) -> None:
    place.trace("one", started=at(-2), ended=at(-1), command=[])
    assert place.runs().problems == ()
    assert place.records.read("one").command == ()


def test_a_second_service_that_runs_the_first_one_s_script(place: Place) -> None:
    """Its traces lie where that script is, not where its own name says."""
    compose = place.root / "docker-compose.yaml"
    second = '  other:\n    container_name: Other\n    image: x\n    volumes: ["./Box:/somewhere/Box"]\n'
    second += "    x-kobako: {entry: /somewhere/Box/tools/clearml_train.py}\n"
    compose.write_text(compose.read_text(encoding="utf-8") + second, encoding="utf-8")
    context = Context(place.root, {}, Console({}), "none")
    scenes = [Scene(context, context.service(name), None, place.records) for name in ("box", "other")]
    assert [one.repository for one in scenes] == [place.root / "Box"] * 2


def test_files_of_other_days_are_not_even_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        place.metrics(f"{number}/metrics.jsonl", time.time() - 2 * HOUR, loss=1.0)
        (place.root / "Box" / str(number) / "results.csv").write_text("epoch,loss\n1,2.0\n", encoding="utf-8")
    place.metrics("own/metrics.jsonl", time.time() - HOUR + 30, loss=7.0)
    place.trace("one", started=at(-HOUR), ended=at(-HOUR + 60))
    opened: list[str] = []
    real = os.open

    def counted(path: str | Path, *rest: int, **more: int) -> int:
        opened.append(str(path))
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", counted)
    place.runs()
    monkeypatch.undo()
    assert points(place, "one") == [("train/loss", 1, 7.0)]
    assert {os.path.basename(os.path.dirname(one)) for one in opened if one.endswith((".jsonl", ".csv"))} == {"own"}
