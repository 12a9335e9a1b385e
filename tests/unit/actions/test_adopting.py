"""Runs that were not started by ``kobako train``, taken over from what they left; real files, no program, no engine."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from infra.traces import HOUR, Place, at
from kobako.actions import adopting, artifacts
from kobako.actions.context import Context
from kobako.console import Console
from kobako.errors import UsageError
from kobako.model.run import Recorder, Run, Trouble
from kobako.train import records, records_data

PATCH = b"diff --git a/train.py b/train.py\n+api_key = 'a-long-secret-one'\n+x = 2\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_at_once_what_lies_there_is_what_it_began_with(place: Place) -> None:
    place.trace("one", started=at(-2), ended=at(-1))
    assert place.runs().problems == ()
    run = place.records.read("one")
    assert (run.started_by, run.status, run.exit_code, run.source.commit) == ("outside", "done", 0, "cccc")
    assert run.recipe is not None
    assert run.recipe.base == "python:3.11"
    assert run.lock is not None
    assert run.data.files == 1
    assert run.data.fingerprint is not None
    assert run.data.fingerprint.startswith("names-sizes-times:sha256:")
    assert run.config.snapshot == "config/a.py"
    assert run.source.digest is not None
    snapshot = (place.records.of("one") / "config" / "a.py").read_text(encoding="utf-8")
    assert "lr = 0.1" in snapshot
    assert "a-long-secret-two" not in snapshot
    assert (place.records.of("one") / "log.txt").read_text(encoding="utf-8") == "hello\n"


def test_late_what_was_touched_since_is_left_open(place: Place) -> None:
    """Today's code, data, Dockerfile and lock are not those of a run of an hour ago."""
    place.trace("one", started=at(-HOUR), ended=at(-HOUR + 60))
    shown = place.runs("show", "one")
    run = place.records.read("one")
    assert (run.recipe, run.lock, run.entry, run.engine) == (None, None, "", None)
    assert (run.source.commit, run.source.dirty, run.source.digest, run.source.patch) == (None, None, None, None)
    assert (run.data.path, run.data.fingerprint, run.config.snapshot) == (None, None, None)
    assert sorted(path.name for path in place.records.of("one").iterdir()) == ["log.txt", "record.json"]
    assert "1:00:0" in shown.text
    assert "after the start: what was not known any more is left open" in shown.text


def test_late_what_was_not_touched_since_is_kept(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The change time of a file cannot be set: here the run begins after it, and Kobako is said to be late."""
    monkeypatch.setattr(records, "AT_ONCE", -HOUR)
    place.trace("one", started=at(5), ended=at(6))
    place.runs()
    run = place.records.read("one")
    assert run.recipe is not None
    assert run.lock is not None
    assert run.source.commit == "cccc"
    assert run.config.snapshot == "config/a.py"
    assert (run.data.fingerprint, run.source.digest) == (None, None), "what is gone since does not show"


def test_late_what_the_run_saw_itself_is_kept(place: Place) -> None:
    host = {"hostname": "inside", "system": "Linux 1.2.3, Debian", "cpus": 3, "memory": 7, "gpus": [{"name": "G"}]}
    place.trace(
        "one",
        started=at(-HOUR),
        ended=at(-HOUR + 60),
        patch=PATCH,
        source={"commit": "d" * 40, "dirty": True, "patch": "source.patch"},
        dataset={"path": "/workspace/data", "files": 9, "bytes": 8, "fingerprint": "names-sizes:sha256:ab"},
        host=host,
        packages={"torch": "1.0"},
    )
    place.runs()
    run = place.records.read("one")
    assert (run.source.commit, run.source.dirty, run.source.patch) == ("d" * 40, True, "source.patch")
    assert (run.data.path, run.data.files, run.data.fingerprint) == ("data", 9, "names-sizes:sha256:ab")
    assert (run.host.hostname, run.host.system, run.host.cpus, run.host.memory) == (
        "inside",
        "Linux 1.2.3, Debian",
        3,
        7,
    )
    assert [gpu.name for gpu in run.host.gpus] == ["G"]
    assert run.packages == {"torch": "1.0"}
    patch = (place.records.of("one") / "source.patch").read_text(encoding="utf-8")
    assert "+x = 2\n" in patch
    assert "a-long-secret-one" not in patch


def test_a_container_of_this_machine_has_the_machine_s_name(place: Place) -> None:
    here = os.uname()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    host = {"hostname": "0123456789ab", "system": f"{here.sysname} {here.release}, Debian", "memory": memory}
    place.trace("one", started=at(-HOUR), host=host)
    place.runs()
    assert place.records.read("one").host.hostname == here.nodename


def test_lost_is_not_for_ever(place: Place) -> None:
    place.trace("one", started=at(-HOUR), status="running", silent=HOUR / 2)
    place.runs()
    assert place.records.read("one").status == "lost"
    before = (place.records.of("one") / records.FILE).stat().st_mtime_ns
    place.runs()
    assert (place.records.of("one") / records.FILE).stat().st_mtime_ns == before, "nothing new: nothing is written"
    place.trace("one", started=at(-HOUR), status="running")
    place.runs()
    assert place.records.read("one").status == "running", "the machine had slept"
    place.trace("one", started=at(-HOUR), ended=at(-1), status="failed", exit_code=3)
    place.runs()
    run = place.records.read("one")
    assert (run.status, run.exit_code) == ("failed", 3)


def test_a_record_that_nobody_could_finish_is_settled(place: Place) -> None:
    """As where the disk was full. What is said of having lost it is taken back once its trace is there."""
    gone = Recorder(os.uname().nodename, "another boot", 1, 1)
    run = Run("one", "box", "Box", at(-HOUR), at(-HOUR), "train", problems=(Trouble("x"),), recorder=gone)
    place.records.write(run)
    place.runs()
    run = place.records.read("one")
    assert (run.status, [one.what for one in run.problems]) == ("lost", ["x", "the run was lost sight of"])
    place.trace("one", started=at(-HOUR), ended=at(-1))
    place.runs()
    run = place.records.read("one")
    assert (run.status, [one.what for one in run.problems]) == ("done", ["x"])


def test_a_run_of_another_machine_goes_when_one_is_sure(place: Place) -> None:
    away = Recorder("far-away", "boot", 1, 1)
    place.records.write(Run("one", "box", "Box", at(-HOUR), at(-HOUR), "train", recorder=away))
    refused = place.runs("rm", "one")
    (problem,) = refused.problems
    assert refused.exit_code == 1
    assert "started on far-away" in problem.why
    assert problem.fix == "where it does not: kobako runs rm one --yes"
    place.trace("one", started=at(-HOUR), status="running")
    assert place.runs("rm", "one", yes=True).exit_code == 1, "it gives signs: it does go on"
    place.trace("one", started=at(-HOUR), status="running", silent=HOUR)
    place.records.write(Run("one", "box", "Box", at(-HOUR), at(-HOUR), "train", recorder=away))
    assert place.runs("rm", "one", yes=True).data["removed"] == ["one"]
    assert not place.folder("one").exists()


def test_a_run_that_goes_on_here_is_never_removed(place: Place) -> None:
    place.records.write(Run("one", "box", "Box", at(0), at(0), "train", recorder=records.recorder()))
    assert place.runs("rm", "one", yes=True).exit_code == 1
    assert place.records.has("one")


def test_numbers_that_lie_about_are_a_run_s_own_only_where_it_was_alone(place: Place) -> None:
    now = time.time()
    place.metrics("out/metrics.jsonl", now - HOUR + 30, loss=7.0)
    place.trace("one", started=at(-HOUR), ended=at(-HOUR + 60))
    place.runs()
    assert [metric.last for metric in place.records.read("one").metrics] == [7.0]


def test_numbers_of_another_run_are_not_taken(place: Place) -> None:
    now = time.time()
    place.metrics("work_dirs/two/metrics.jsonl", now - HOUR + 30, loss=7.0)
    place.trace("one", started=at(-HOUR), ended=at(-HOUR + 60))
    place.trace("two", started=at(-HOUR + 10), ended=at(-HOUR + 50), work_dir="/workspace/Box/work_dirs/two")
    place.runs()
    assert place.records.read("one").metrics == ()
    assert [metric.last for metric in place.records.read("two").metrics] == [7.0]


def test_numbers_from_before_and_after_are_not_taken(place: Place) -> None:
    now = time.time()
    place.metrics("a/metrics.jsonl", now - 2 * HOUR, loss=1.0)
    place.metrics("b/metrics.jsonl", now - HOUR / 2, loss=2.0)
    place.trace("one", started=at(-HOUR), status="running", silent=HOUR - 60)
    place.runs()
    run = place.records.read("one")
    assert (run.status, run.ended, run.metrics) == ("lost", None, ())


def test_the_same_data_is_looked_at_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []
    real = records_data.fingerprint

    def counted(path: Path, shown: str, bounds: records_data.Bounds) -> Any:
        seen.append(path)
        return real(path, shown, bounds)

    monkeypatch.setattr(records_data, "fingerprint", counted)
    for name in ("one", "two", "three"):
        place.trace(name, started=at(-2), ended=at(-1))
    place.runs()
    assert seen == [place.root / "data"]
    assert len({place.records.read(name).data for name in ("one", "two", "three")}) == 1


def test_one_at_a_time(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes second waits, and finds the work done."""
    place.trace("one", started=at(-2), ended=at(-1))
    (place.root / ".kobako" / "runs").mkdir(parents=True)
    held = os.open(place.root / ".kobako" / "runs" / records.LOCK, os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    waiting = threading.Thread(target=place.runs)
    waiting.start()
    time.sleep(0.3)
    assert not place.records.has("one")
    monkeypatch.setattr(records, "WAIT", 0.2)
    (problem,) = place.runs().problems
    assert "another Kobako" in problem.why
    assert not place.records.has("one")
    os.close(held)
    waiting.join(20)
    assert place.records.has("one")


def test_where_nothing_can_be_written_runs_are_listed(place: Place) -> None:
    (place.root / ".kobako").mkdir()
    (place.root / ".kobako" / "runs").write_text("in the way", encoding="utf-8")
    place.trace("one", started=at(-2), ended=at(-1))
    result = place.runs()
    assert (result.exit_code, [one.code for one in result.problems]) == (0, ["not-recorded"])


def test_a_session_takes_its_own_traces_alone(place: Place) -> None:
    place.trace("mine", started=at(-2), status="running", session="shell-1")
    place.trace("other", started=at(-2), session="shell-2")
    context = Context(place.root, {}, Console({}), "none")
    service = context.service("box")
    names = frozenset({"mine", "other"})

    class Nobody:
        """An engine that is asked for nothing but its name."""

        name = "local"

        def built_from(self, _: object) -> None:
            return None

    adopting.from_session(context, service, Nobody(), ("shell", "shell-1", names), last=False)  # type: ignore[arg-type]
    assert (place.records.read("mine").status, place.records.read("mine").engine) == ("running", "local")
    place.trace("mine", started=at(-2), ended=at(0), session="shell-1")
    adopting.from_session(context, service, Nobody(), ("shell", "shell-1", names), last=True)  # type: ignore[arg-type]
    assert (place.records.read("mine").status, place.records.ids()) == ("done", ("mine",))


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        (("box", "lst"), "did you mean kobako runs list box?"),
        (("lst",), "did you mean kobako runs list?"),
        (("box", "list"), "did you mean kobako runs list box?"),
        (("compar", "a", "b"), "did you mean kobako runs compare a b?"),
        (("last",), "kobako runs lists them"),
    ],
)
def test_a_mistyped_verb(place: Place, words: tuple[str, ...], fix: str) -> None:
    with pytest.raises(UsageError) as caught:
        place.runs(*words)
    assert caught.value.fix == fix


@pytest.mark.parametrize("name", ["a.pth", "a.PTH.tar", "best.pt", "x.safetensors", "w.joblib"])
def test_what_looks_like_a_checkpoint(name: str) -> None:
    assert artifacts.is_checkpoint(name)
    assert not artifacts.is_checkpoint(f"{name}.txt")


def test_a_metric_that_there_is_not(place: Place) -> None:
    place.metrics("work_dirs/one/metrics.jsonl", time.time() - HOUR + 30, loss=7.0)
    place.trace("one", started=at(-HOUR), ended=at(-HOUR + 60), work_dir="/workspace/Box/work_dirs/one")
    (tag,) = (one.tag for one in (place.runs(), place.records.read("one"))[1].metrics)
    with pytest.raises(UsageError) as caught:
        place.runs("show", "one", tags=(f"{tag}x",))
    assert caught.value.fix == f"did you mean --tag {tag}?"
    assert f"\n{tag}\n" in place.runs("show", "one", tags=(tag,)).text, "who names one wants to see it"


def test_a_picture_goes_where_one_is(place: Place, tmp_path_factory: pytest.TempPathFactory) -> None:
    """--workspace says where the runs are, not where one stands."""
    pytest.importorskip("matplotlib")
    place.metrics("work_dirs/one/metrics.jsonl", time.time() - HOUR + 30, loss=7.0)
    place.trace("one", started=at(-HOUR), ended=at(-HOUR + 60), work_dir="/workspace/Box/work_dirs/one")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(elsewhere)
        result = place.runs("show", "one", plot="out.svg")
    assert result.data["picture"] == str(elsewhere / "out.svg")
    assert (elsewhere / "out.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert not (place.root / "out.svg").exists()
