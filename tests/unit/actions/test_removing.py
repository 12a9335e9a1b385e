"""What `kobako runs rm` takes away, and what it leaves: real files, no program, no engine."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path
from typing import Any

import pytest

from infra.traces import HOUR, Place, at
from kobako.actions import artifacts
from kobako.actions.context import Context
from kobako.actions.observing import Scene
from kobako.console import Console
from kobako.errors import UsageError
from kobako.model.run import Artifact, Run
from kobako.train import records, records_trace

FILE = "Box/work_dirs/a/epoch_1.pth"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def write(place: Place, when: float, path: str = FILE, content: bytes = b"x" * 100) -> Path:
    """A file that was written so long after now."""
    there = place.root / path
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_bytes(content)
    os.utime(there, (time.time() + when,) * 2)
    return there


def record(place: Place, run_id: str, began: float, *paths: str, **more: Any) -> Run:
    """A run of a minute, which left these files of 100 bytes."""
    run = Run(run_id, "box", "Box", at(began), at(began), "train", status="done", ended=at(began + 60))
    left = tuple(Artifact(path, 100, "checkpoint") for path in paths)
    run = run._replace(artifacts=left, work_dir="Box/work_dirs/a")._replace(**more)
    place.records.write(run)
    return run


def removed(place: Place, *words: str) -> tuple[list[str], list[str]]:
    """What was removed, and why the rest was not."""
    result = place.runs("rm", *words, artifacts=True, yes=True)
    assert {one.code for one in result.problems} <= {"not-removed"}
    return result.data["removed"], [one.why for one in result.problems]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_run_goes_with_its_checkpoints(place: Place) -> None:
    there, other = write(place, -HOUR + 30), write(place, -HOUR + 30, "Box/work_dirs/a/notes.txt")
    record(place, "one", -HOUR, FILE)
    assert removed(place, "one") == (["one"], [])
    assert (there.exists(), other.exists(), place.records.ids()) == (False, True, ())


def test_a_run_that_goes_on_keeps_its_folder(place: Place) -> None:
    """It has not told yet what it writes, and what lies there has the size of what lay there before."""
    there = write(place, -HOUR + 30)
    record(place, "one", -HOUR, FILE)
    record(place, "two", -1, status="running", ended=None, recorder=records.recorder())
    assert removed(place, "one")[0] == []
    assert removed(place, "one")[1][0] == "run two is at work there"
    assert (there.exists(), place.records.has("one")) == (True, True)


@pytest.mark.parametrize(("work_dir", "gone"), [(None, False), ("Box/work_dirs", False), ("Box/work_dirs/b", True)])
def test_a_run_that_goes_on_elsewhere(place: Place, work_dir: str | None, *, gone: bool) -> None:
    there = write(place, -HOUR + 30)
    record(place, "one", -HOUR, FILE)
    record(place, "two", -1, work_dir=work_dir, status="running", ended=None, recorder=records.recorder())
    removed(place, "one")
    assert there.exists() is not gone


def test_what_a_later_run_wrote_is_not_an_earlier_one_s(place: Place) -> None:
    """Also when nothing tells of the later one any more."""
    there = write(place, -100)
    record(place, "one", -HOUR, FILE)
    record(place, "two", -130, FILE)
    place.runs("rm", "two")
    assert there.exists()
    gone, why = removed(place, "one")
    assert (gone, why[0]) == ([], "it was written again after the run")
    assert "1 of its checkpoints is kept" in why[1]
    assert (there.exists(), place.records.has("one")) == (True, True)
    assert place.runs("rm", "one").data["removed"] == ["one"], "the record alone may go"


def test_both_runs_that_wrote_it_go_and_it_goes_with_them(place: Place) -> None:
    there = write(place, -100)
    record(place, "one", -HOUR, FILE)
    record(place, "two", -130, FILE)
    assert removed(place, "one", "two") == (["one", "two"], [])
    assert not there.exists()


def test_a_file_of_two_runs_goes_with_the_one_that_wrote_it_last(place: Place) -> None:
    there = write(place, -100)
    record(place, "one", -HOUR, FILE)
    record(place, "two", -130, FILE)
    removed(place, "one")
    assert there.exists()
    record(place, "one", -HOUR, FILE)
    removed(place, "two")
    assert not there.exists()


def test_what_another_run_tells_of_stays_with_that_one(place: Place) -> None:
    there = write(place, -HOUR + 30)
    record(place, "one", -HOUR, FILE)
    record(place, "two", -130, FILE)
    assert removed(place, "one") == (["one"], ["run two tells of it, too"])
    assert there.exists()


@pytest.mark.parametrize(("shift", "gone"), [(0, True), (1, False)])
def test_a_time_that_is_recorded_has_to_be_the_very_same(place: Place, shift: int, *, gone: bool) -> None:
    there = write(place, -HOUR + 30)
    artifact = Artifact(FILE, 100, "checkpoint", mtime=there.stat().st_mtime_ns + shift)
    record(place, "one", -HOUR, artifacts=(artifact,))
    removed(place, "one")
    assert there.exists() is not gone


def test_the_time_of_what_is_found_is_recorded(place: Place) -> None:
    there = write(place, -HOUR + 30)
    context = Context(place.root, {}, Console({}, colour=False), "none")
    scene = Scene(context, context.service("box"), None, place.records)
    (found,) = artifacts.left(scene, record(place, "one", -HOUR))
    assert (found.path, found.mtime) == (FILE, there.stat().st_mtime_ns)


def test_why_a_file_is_kept(place: Place) -> None:
    """Nothing is passed over in silence, but for what is gone already."""
    outside = write(place, -HOUR + 30, "elsewhere/epoch_1.pth")
    (place.root / "Box" / "linked").symlink_to(outside.parent, target_is_directory=True)
    (place.root / "Box" / "one.pth").symlink_to(write(place, -HOUR + 30, "Box/real.pth"))
    write(place, -HOUR + 30, "Box/.git/a.pth")
    write(place, -HOUR + 30, "Box/train.py")
    write(place, -HOUR + 30, "Box/grown.pth", b"x" * 101)
    paths = ("linked/epoch_1.pth", "one.pth", ".git/a.pth", "train.py", "grown.pth", "none.pth")
    record(place, "one", -HOUR, *(f"Box/{path}" for path in paths))
    result = place.runs("rm", "one", artifacts=True, yes=True)
    assert [(one.what, one.why) for one in result.problems[:-1]] == [
        ("Box/linked/epoch_1.pth is kept", "it lies outside of the repository Box"),
        ("Box/one.pth is kept", "it is no plain file"),
        ("Box/.git/a.pth is kept", "it lies in a hidden folder"),
        ("Box/train.py is kept", "it does not look like a checkpoint"),
        ("Box/grown.pth is kept", "it was written again after the run"),
    ]
    assert result.problems[-1].fix == "its record alone: kobako runs rm one"
    assert (result.exit_code, place.records.has("one")) == (1, True)
    assert all(os.path.lexists(place.root / "Box" / path) for path in paths[:-1])


def test_nothing_is_deleted_without_a_person_s_yes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    there = write(place, -HOUR + 30)
    record(place, "one", -HOUR, FILE)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    with pytest.raises(UsageError) as caught:
        place.runs("rm", "one", artifacts=True)
    assert "--yes" in caught.value.fix
    assert (there.exists(), place.records.has("one")) == (True, True)
    assert place.runs("rm", "one").data["removed"] == ["one"], "a record goes without a question"


@pytest.mark.parametrize(("answer", "gone"), [("n\n", False), ("y\n", True)])
def test_no_means_nothing(place: Place, monkeypatch: pytest.MonkeyPatch, answer: str, *, gone: bool) -> None:
    there = write(place, -HOUR + 30)
    place.trace("one", started=at(-HOUR), ended=at(-HOUR + 60))
    record(place, "one", -HOUR, FILE)
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stderr", asked := Terminal())
    result = place.runs("rm", "one", artifacts=True)
    assert FILE in asked.getvalue()
    assert [there.exists(), place.records.has("one"), place.folder("one").exists()] == [not gone] * 3
    assert result.text == ("removed one" if gone else "nothing is removed")


def test_nobody_waits_while_the_question_stands(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what came meanwhile is not taken for what was asked about."""
    there = write(place, -HOUR + 30)
    record(place, "one", -HOUR, FILE)

    class Slow(Terminal):
        def readline(self, *_: object) -> str:  # type: ignore[override]
            with place.records.alone(0.0):
                write(place, 0, content=b"y" * 100)
            return "y\n"

    monkeypatch.setattr("sys.stdin", Slow())
    monkeypatch.setattr("sys.stderr", Terminal())
    result = place.runs("rm", "one", artifacts=True)
    assert [one.why for one in result.problems][:1] == ["it was written again after the run"]
    assert (there.read_bytes(), place.records.has("one")) == (b"y" * 100, True)


@pytest.mark.parametrize(
    ("words", "how", "flag"),
    [
        (("rm", "one"), {"last": 1}, "--last"),
        (("rm", "one"), {"tags": ("a",)}, "--tag"),
        ((), {"artifacts": True}, "--artifacts"),
        ((), {"plot": "a.png"}, "--plot"),
        (("one",), {"status": "done"}, "--status"),
        (("compare", "one", "two"), {"older_than": "1d"}, "--older-than"),
    ],
)
def test_a_flag_of_another_verb(place: Place, words: tuple[str, ...], how: dict[str, Any], flag: str) -> None:
    record(place, "one", -HOUR)
    record(place, "two", -1)
    with pytest.raises(UsageError, match=f"knows no {flag}$"):
        place.runs(*words, **how)
    assert set(place.records.ids()) == {"one", "two"}


def test_what_is_listed_is_what_is_removed(place: Place) -> None:
    record(place, "good", -HOUR)
    record(place, "bad", -2 * HOUR, status="failed")
    record(place, "newbad", -60, status="failed")
    for how, meant in (
        ({"failed": True}, ["newbad", "bad"]),
        ({"status": "failed", "older_than": "30m"}, ["bad"]),
        ({"status": "done", "since": "2h"}, ["good"]),
    ):
        assert [one["id"] for one in place.runs(**how).data["runs"]] == meant
        assert place.runs("rm", **how).data["removed"] == meant
        for run_id in meant:
            record(place, run_id, {"good": -HOUR, "bad": -2 * HOUR}.get(run_id, -60), status="failed")
        record(place, "good", -HOUR)
    with pytest.raises(UsageError, match="not both"):
        place.runs("rm", "good", failed=True)


def test_what_a_run_left_and_nobody_can_read_can_be_removed(place: Place) -> None:
    place.trace("20260101-000000-aaaaaa", silent=HOUR)
    (place.folder("20260101-000000-aaaaaa") / records_trace.FILE).write_text('{"sch', encoding="utf-8")
    record(place, "20260101-000000-aaaaab", -HOUR)
    (problem,) = place.runs().problems
    assert problem.fix == "kobako runs rm 20260101-000000-aaaaaa removes it"
    assert place.runs("rm", "aaaaaa").data["removed"] == ["20260101-000000-aaaaaa"]
    assert not place.folder("20260101-000000-aaaaaa").exists()
    assert place.runs().problems == ()
    with pytest.raises(UsageError) as caught:
        place.runs("rm", "20260101-000000-aaaaac")
    assert caught.value.fix == "kobako runs lists them", "another run is not what is to be removed"


def test_what_gave_a_sign_just_now_is_not_taken_away(place: Place) -> None:
    place.trace("one")
    (place.folder("one") / records_trace.FILE).write_text("{", encoding="utf-8")
    result = place.runs("rm", "one")
    assert (result.exit_code, place.folder("one").exists()) == (1, True)
    assert place.runs("rm", "one", yes=True).data["removed"] == ["one"]


def test_last_does_not_reach_what_cannot_be_read(place: Place) -> None:
    record(place, "one", -HOUR)
    place.trace("two", silent=HOUR)
    (place.folder("two") / records_trace.FILE).write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match="no run last-1"):
        place.runs("rm", "last-1")
