"""Trainings in a session are noticed while they run; another Kobako is not waited for."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from infra.traces import HOUR, Place, at
from kobako.actions import adopting, observing, watching
from kobako.actions.context import Context
from kobako.actions.watching import Watch
from kobako.console import Console
from kobako.train import records, records_trace
from kobako.train.records import Records


class Nobody:
    """An engine that is asked for nothing but its name."""

    name = "local"

    def built_from(self, _: object) -> None:
        return None


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def watch(place: Place) -> Watch:
    context = Context(place.root, {}, Console({}, colour=False), "none")
    return Watch(context, context.service("box"), Nobody(), "exec")  # type: ignore[arg-type]


def test_what_could_not_be_recorded_at_once_is_recorded_later(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = watch(place)
    place.trace("one", started=at(-2), ended=at(-1), session=seen.session)
    monkeypatch.setattr(adopting, "SHORTLY", 0.1)
    with place.records.alone():
        seen._record(last=False)
    assert (place.records.has("one"), seen._new()) == (False, {"one"})
    seen._record(last=False)
    assert (place.records.has("one"), seen._new()) == (True, set())


def test_a_trace_that_has_just_begun_is_looked_at_again(place: Place) -> None:
    seen = watch(place)
    place.folder("one").mkdir(parents=True)
    seen._record(last=False)
    assert seen._new() == {"one"}
    place.trace("one", started=at(-2), ended=at(-1), session=seen.session)
    seen._record(last=False)
    assert place.records.has("one")


def test_the_end_of_a_command_waits_for_nobody(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    seen = watch(place)
    place.trace("one", started=at(-2), ended=at(-1), session=seen.session)
    began = time.monotonic()
    with place.records.alone():
        seen.end()
    assert time.monotonic() - began < 5
    assert "the next `kobako runs` takes them over" in capsys.readouterr().err


def test_records_are_read_once_however_many_runs_there_are(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each that is taken over looks whether it was alone; others wait meanwhile."""
    for number in range(20):
        place.trace(f"run{number:02}", started=at(-HOUR + number), ended=at(-HOUR + 60 + number))
    read: list[str] = []
    real = Records.read

    def counted(self: Records, run_id: str) -> object:
        read.append(run_id)
        return real(self, run_id)

    monkeypatch.setattr(Records, "read", counted)
    assert len(place.runs().data["runs"]) == 20
    assert len(read) == 20
    assert os.path.exists(place.records.folder / records.LOCK)
    assert not any(place.folder("none").glob(records_trace.FILE))


def test_the_end_waits_for_the_look_that_has_begun(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """That look has the lock, and it is no other Kobako."""
    looking = threading.Event()
    real = observing.in_time

    def slow(*given: Any) -> Any:
        looking.set()
        time.sleep(0.8)
        return real(*given)

    monkeypatch.setattr(observing, "in_time", slow)
    monkeypatch.setattr(adopting, "SHORTLY", 0.1)
    monkeypatch.setattr(watching, "FIRST", 0.05)
    seen = watch(place)
    place.trace("one", started=at(-2), ended=at(-1), session=seen.session)
    seen.begun()
    assert looking.wait(10)
    seen.end()
    assert capsys.readouterr().err == ""
    assert place.records.read("one").status == "done"
