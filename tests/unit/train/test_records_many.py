"""Many points, many runs, little room."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from kobako.model.run import Config, Metric, Run
from kobako.train import records, records_json, records_metrics, records_shown
from kobako.train.metrics import Point
from kobako.train.records_metrics import Metrics

RUN = Run("20260101-000000-aaaaaa", "box", "Box", "2026-01-01T00:00:00+09:00", "2026-01-01T00:00:00+09:00", "train")


def given(count: int) -> Iterator[Point]:
    for step in range(count):
        yield Point("train/loss", step, 1.0 / (step + 1), 5.0)
        if step % 100 == 0:
            yield Point("val/acc", step, step / count, 5.0)


@pytest.mark.parametrize("batch", [1, 7, 5000])
def test_a_long_curve_is_thinned_out_and_has_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(records_metrics, "KEPT", 400)
    metrics = Metrics(tmp_path / records.POINTS)
    points = list(given(5000))
    for start in range(0, len(points), batch):
        metrics.add(points[start : start + batch])
    kept = list(records.points(tmp_path))
    steps = [step for tag, step, _, _ in kept if tag == "train/loss"]
    assert 190 <= len(kept) < 400
    assert {after - before for before, after in pairwise(steps)} == {16}
    assert (steps[0], 5000 - steps[-1] <= 16) == (0, True)
    assert [(one.tag, one.points, one.step) for one in metrics.sums()] == [
        ("train/loss", 5000, 4999),
        ("val/acc", 50, 4900),
    ]
    assert {path.name for path in tmp_path.iterdir()} == {records.POINTS}


def test_points_that_cannot_be_written_stop_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_metrics, "KEPT", 50)
    metrics = Metrics(tmp_path / "none" / records.POINTS)
    metrics.add(given(200))
    assert metrics.sums()[0].points == 200


def test_what_a_kind_is_made_of_is_asked_once() -> None:
    text = json.loads(json.dumps(records_json.encode(RUN)))
    records_json.decode(Run, text)
    before = records_json._hints.cache_info().misses
    for _ in range(10):
        records_json.decode(Run, text)
    assert records_json._hints.cache_info().misses == before


@pytest.mark.parametrize(
    ("width", "names"),
    [
        (200, "RUN SERVICE STATUS STARTED TOOK METRIC CONFIGURATION"),
        (110, "RUN SERVICE STATUS STARTED TOOK METRIC CONFIGURATION"),
        (90, "RUN SERVICE STATUS STARTED TOOK METRIC"),
        (78, "RUN SERVICE STATUS TOOK METRIC"),
        (60, "RUN STATUS TOOK METRIC"),
        (40, "RUN STATUS"),
    ],
)
def test_a_narrow_list_drops_columns(width: int, names: str) -> None:
    run = RUN._replace(
        status="failed",
        exit_code=1,
        ended="2026-01-01T01:00:05+09:00",
        metrics=(Metric("loss", 0.5, 0.5, 0.5, 3),),
        config=Config("configs/something/rather_long_for_a_name.py"),
    )
    head, line = records_shown.listing([run], width).splitlines()
    assert head.split() == names.split()
    assert len(line) <= width
    assert "failed (1)" in line
    assert ("~" in line) == (width == 110), "only a configuration is cut"
