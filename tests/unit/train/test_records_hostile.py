"""A trace is written by a stranger's training: nothing in it may lead Kobako astray."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kobako.train import records, records_json, records_trace


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
