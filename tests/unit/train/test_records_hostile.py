"""A trace is written by a stranger's training: nothing in it may lead Kobako astray."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from kobako.errors import WorkError
from kobako.model.run import STATUSES, Run
from kobako.train import records, records_data, records_json, records_trace
from kobako.train.records_trace import Place


def trace(place: Path, run_id: str, **content: object) -> None:
    folder = place / run_id
    folder.mkdir(parents=True)
    whole = {"schema": records_trace.SCHEMA, "id": run_id, "status": "done", **content}
    (folder / records_trace.FILE).write_text(json.dumps(whole), encoding="utf-8")


def test_traces_behind_a_link_are_nobody_s(tmp_path: Path) -> None:
    victim, repository = tmp_path / "victim", tmp_path / "repository"
    trace(victim, "Documents")
    records_trace.folder(repository).parent.mkdir(parents=True)
    records_trace.folder(repository).symlink_to(victim)
    assert not records_trace.is_own(repository)
    assert records_trace.names(repository) == ()
    assert records_trace.read(repository, "Documents") is None


def test_a_repository_that_is_a_link_itself_has_traces(tmp_path: Path) -> None:
    trace(records_trace.folder(tmp_path / "real"), "one")
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    assert records_trace.names(tmp_path / "linked") == ("one",)


@pytest.mark.parametrize("name", ["last", "last-1", "list", "show", "compare", "rm", "../x", ".hidden", "a/b", ""])
def test_what_is_no_id(name: str) -> None:
    assert not records.is_id(name)


def test_halves_of_surrogate_pairs_are_replaced() -> None:
    text = json.dumps(records_json.encode({"lo\ud800ss": ["a\ud800b"]}), ensure_ascii=False)
    assert "a?b" in text
    text.encode("utf-8")


@pytest.mark.parametrize("number", [10**400, -(2**63), True, "7"])
def test_numbers_that_no_run_has(tmp_path: Path, number: object) -> None:
    trace(records_trace.folder(tmp_path), "one", signal=number)
    found = records_trace.read(tmp_path, "one")
    assert found is not None
    assert records_trace.signal_of(found) is None


RUN = Run("one", "box", "Box", "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00", "outside")
PLACE = Place("/home/someone/ws", (("/workspace/Box", "/home/someone/ws/Box"),))


def as_run(repository: Path, run_id: str = "one") -> Run:
    """What becomes of the trace in a record; it can be written and read again."""
    found = records_trace.read(repository, run_id)
    assert found is not None
    run = records_trace.ended(records_trace.applied(RUN, found, PLACE), found)
    there = records.Records(repository / "ws")
    there.write(run)
    assert there.read("one") == run
    return run


@pytest.mark.parametrize("name", [records_trace.FILE, records_trace.LOG, records_trace.PATCH, records_trace.ALIVE])
def test_a_pipe_keeps_nobody_waiting(tmp_path: Path, name: str) -> None:
    trace(records_trace.folder(tmp_path), "one")
    path = records_trace.folder(tmp_path) / "one" / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    assert records_trace.plain(path, 1000) is None
    assert (records_trace.read(tmp_path, "one") is None) == (name == records_trace.FILE)


def test_a_record_that_is_a_pipe_keeps_nobody_waiting(tmp_path: Path) -> None:
    there = records.Records(tmp_path)
    there.make("one")
    os.mkfifo(there.of("one") / records.FILE)
    with pytest.raises(WorkError):
        there.read("one")
    assert [problem.code for problem in there.all().problems] == ["bad-record"]


def test_giants_are_not_read(tmp_path: Path) -> None:
    """10 GB that take no room on the disk."""
    trace(records_trace.folder(tmp_path), "one")
    for name in (records_trace.LOG, records_trace.FILE):
        path = records_trace.folder(tmp_path) / "one" / name
        with path.open("r+b" if path.exists() else "wb") as file:
            file.truncate(10_000_000_000)
        with pytest.raises(ValueError, match="larger than"):
            records_trace.plain(path, 4_000_000)
    with pytest.raises(ValueError, match="larger than 4 MB"):
        records_trace.read(tmp_path, "one")


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_what_is_nested_without_end(tmp_path: Path, opening: str) -> None:
    folder = records_trace.folder(tmp_path) / "one"
    folder.mkdir(parents=True)
    (folder / records_trace.FILE).write_text(opening * 500_000, encoding="utf-8")
    with pytest.raises(ValueError, match=r"."):
        records_trace.read(tmp_path, "one")


LISTS = ("command", "passed", "artifacts", "problems")
TEXTS = ("status", "cwd", "script", "launcher", "nproc_per_node", "started", "ended", "work_dir")
NUMBERS = ("exit_code", "signal", "restarts")
OBJECTS = ("host", "config", "packages", "source", "dataset", "clearml", "error")
VALUES = (
    *(None, True, -1, float("nan"), float("inf"), "seven", "x" * 100_000, {"a": [1]}, [{"path": 1}]),
    ["text", 7, None, ["x"], {"what": 5, "path": []}],
)


@pytest.mark.parametrize("key", [*LISTS, *TEXTS, *NUMBERS, *OBJECTS])
@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_a_value_of_another_kind(tmp_path: Path, key: str, value: object) -> None:
    trace(records_trace.folder(tmp_path), "one", **{key: value})
    assert as_run(tmp_path).status in STATUSES


def test_numbers_beyond_all_bounds(tmp_path: Path) -> None:
    trace(records_trace.folder(tmp_path), "one")
    path = records_trace.folder(tmp_path) / "one" / records_trace.FILE
    whole = {"schema": records_trace.SCHEMA, "id": "one", "status": "done"}
    text = json.dumps(whole)[:-1] + ', "exit_code": 1e999, "signal": NaN, "dataset": {"path": "a", "bytes": -1e999}}'
    path.write_text(text, encoding="utf-8")
    run = as_run(tmp_path)
    assert (run.exit_code, run.signal, run.data.bytes) == (None, None, 0)


@pytest.mark.parametrize(("said", "fine"), [("one", True), ("other", False), ("on", False), ("one-node1", False)])
def test_the_trace_of_another_run(tmp_path: Path, said: str, *, fine: bool) -> None:
    trace(records_trace.folder(tmp_path), "one", id=said)
    if fine:
        assert records_trace.read(tmp_path, "one") is not None
        return
    with pytest.raises(ValueError, match=f"the trace of {said}"):
        records_trace.read(tmp_path, "one")


def test_each_node_has_a_trace_of_the_same_run(tmp_path: Path) -> None:
    trace(records_trace.folder(tmp_path), "one-node12", id="one")
    assert records_trace.read(tmp_path, "one-node12") is not None


@pytest.mark.parametrize("when", ["2999-01-01T00:00:00+00:00", "9999-12-31T23:59:59", "0001-01-01T00:00:00", "soon"])
def test_times_that_no_run_has(tmp_path: Path, when: str) -> None:
    """They raise nothing, and a run that is yet to come is not believed."""
    trace(records_trace.folder(tmp_path), "one", started=when, ended=when)
    found = records_trace.read(tmp_path, "one")
    assert found is not None
    assert found.started is None or when.startswith("0001")
    assert as_run(tmp_path).status == "done"
    assert records_trace.end(found) <= time.time() + 1


def test_a_sign_from_the_future_is_none(tmp_path: Path) -> None:
    trace(records_trace.folder(tmp_path), "one", status="running")
    for name in (records_trace.FILE, records_trace.ALIVE):
        path = records_trace.folder(tmp_path) / "one" / name
        path.touch()
        os.utime(path, (time.time() + 1e6, time.time() + 1e6))
    found = records_trace.read(tmp_path, "one")
    assert found is not None
    assert found.status == "lost"


def test_a_package_named_data_counts_as_code(tmp_path: Path) -> None:
    """At the top such a folder holds data; below it is a package."""
    for name in ("yolox/data/aug.py", "data/made.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("x = 1\n", encoding="utf-8")
    before, _ = records_data.code(tmp_path)
    (tmp_path / "data/made.py").write_text("x = 2\n", encoding="utf-8")
    assert records_data.code(tmp_path)[0] == before
    (tmp_path / "yolox/data/aug.py").write_text("x = 2\n", encoding="utf-8")
    assert records_data.code(tmp_path)[0] != before
