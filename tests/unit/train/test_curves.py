"""Curves before they are drawn, and as a terminal shows them."""

from __future__ import annotations

import math
import random
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobako.train.curves import Series, panels, series, smoothed, terminal, thinned
from kobako.train.curves.scale import labels, scale, ticks
from kobako.train.drawing import columns
from kobako.train.metrics import Point

NAN, INF = math.nan, math.inf


def line(run: str, *values: float, tag: str = "train/loss") -> Series:
    return Series(run, tag, tuple((float(step), value) for step, value in enumerate(values)))


def test_a_chart() -> None:
    assert terminal([line("20240101-1 基準", 3.0, 2.0, 1.5, 1.25, 1.0)], 40, 6).splitlines() == [
        "train/loss",
        " 3+⠢⢄⡀",
        "  |  ⠈⠑⠢⣀",
        " 2+      ⠉⠒⠤⣀",
        "  |          ⠉⠑⠒⠤⢄⣀",
        "  |                ⠉⠑⠒⠒⠢⠤⠤⠤⠤⢄⣀⣀⣀⡀",
        " 1+                             ⠈⠉⠉⠒⠒⠒⠢⠤",
        "  +-------------------------------------",
        "   0                 2                 4",
        "⠒⠒  20240101-1 基準  1",
    ]


def test_several_runs_are_told_apart_by_letters_or_colours() -> None:
    runs = [line("a run", 3.0, 2.0, 1.0), line("another", 1.0, 2.0, 3.0)]
    plain = terminal(runs, 40, 6)
    assert plain.splitlines()[-2:] == ["a  a run    1", "b  another  3"]
    assert {"a", "b"} <= set("".join(plain.splitlines()[1:7]))
    assert "\x1b[" not in plain
    coloured = terminal(runs, 40, 6, colour=True)
    assert "\x1b[34m" in coloured
    assert "\x1b[31m" in coloured


def test_one_run_over_another() -> None:
    """Where two meet, the later has the character, and the dots of both stay."""
    chart = terminal([line("a", 1.0, 3.0), line("b", 3.0, 1.0)], 40, 5).splitlines()
    middle = chart[3].partition("+" if "+" in chart[3] else "|")[2]
    assert "b" in middle
    both = terminal([line("a", 1.0, 3.0), line("b", 3.0, 1.0)], 40, 5, colour=True).splitlines()
    dots = [{one for one in row if "\u2800" < one <= "\u28ff"} for row in both[1:6]]
    alone = terminal([line("a", 1.0, 3.0)], 40, 5).splitlines()
    assert dots[2] - set(alone[3]), "the crossing has dots that neither line has alone"


def test_gaps_stay_open() -> None:
    chart = terminal([line("r", 1.0, 1.0, NAN, NAN, NAN, 1.0, 1.0)], 60, 3).splitlines()
    drawn = next(row for row in chart if max(row[2:], default=" ") > "\u2800" and "+-" not in row)
    inside = drawn[drawn.index("+" if "+" in drawn else "|") + 1 :].strip()
    assert inside.count(" ") > 20


@pytest.mark.parametrize(
    "values", [(5.0,), (0.0,), (3.0, 3.0, 3.0), (1e-300, 1e99), (-1e99, 1e99), (1e-9, 1.0000001e-9)]
)
def test_few_and_far_values_are_drawn(values: tuple[float, ...]) -> None:
    chart = terminal([line("r", *values)], 40, 5)
    assert any("\u2800" < one <= "\u28ff" for row in chart.splitlines()[1:6] for one in row)


@pytest.mark.parametrize("values", [(), (NAN,), (INF, -INF), (1e300,)])
def test_no_numbers(values: tuple[float, ...]) -> None:
    assert "(no numbers)" in terminal([line("r", *values)], 40, 5)
    assert "(no numbers)" in terminal([], 40, 5)


def test_a_logarithmic_axis() -> None:
    chart = terminal([line("r", 1000.0, 10.0, 0.1, 0.0, 0.001)], 60, 12, log=True)
    assert chart.startswith("train/loss (log)\n")
    assert " 1000+" in chart or "1000+" in chart
    assert "(no log scale: no value above 0)" in terminal([line("r", -1.0, 0.0)], 60, 5, log=True)


def test_a_name_does_nothing_to_the_terminal() -> None:
    assert "\x1b[" not in terminal([line("\x1b[2Jrun", 1.0, 2.0, tag="\x1b]0;x\x07loss")], 60, 5)


VALUES = st.floats() | st.sampled_from([0.0, 1.0, NAN, INF, 5e-324, sys.float_info.max, -sys.float_info.max])
PLACES = st.lists(st.tuples(st.integers(0, 10**12).map(float), VALUES), max_size=30).map(
    lambda one: tuple(sorted(one, key=lambda place: place[0]))
)


@given(
    st.lists(
        st.builds(Series, st.text(max_size=8), st.sampled_from(["train/loss", "val/loss", "x"]), PLACES), max_size=4
    ),
    st.integers(0, 120),
    st.integers(0, 20),
    st.booleans(),
)
def test_any_curves_in_any_size(every: list[Series], width: int, height: int, log: bool) -> None:
    for row in terminal(every, width, height, log=log).splitlines():
        assert columns(row) <= max(width, 20)


def test_thinning_keeps_the_extremes() -> None:
    generator = random.Random(0)
    points = [(float(step), generator.gauss(0, 1)) for step in range(1_000_000)]
    points[123_456] = (123_456.0, 99.0)
    points[654_321] = (654_321.0, -99.0)
    found = thinned(points, 100)
    assert len(found) <= 400
    assert {(123_456.0, 99.0), (654_321.0, -99.0), points[0], points[-1]} <= set(found)
    assert found == sorted(found)


def test_thinning_keeps_gaps() -> None:
    points = [(float(step), NAN if 400 <= step < 600 else 1.0) for step in range(1000)]
    found = thinned(points, 10)
    assert any(math.isnan(value) for _, value in found)


def test_smoothing_does_not_lag() -> None:
    points = [(float(step), 100.0 - step) for step in range(100)]
    middle = smoothed(points, 5)[50]
    assert middle[1] == pytest.approx(50.0, abs=1e-3)
    assert math.isnan(smoothed([(0.0, 1.0), (1.0, NAN)], 5)[1][1])


def test_series_of_points() -> None:
    points = [
        Point("train/loss", 2, 1.0, 0.0),
        Point("train/loss", 1, 2.0, 0.0),
        Point("train/loss", 2, 1.5, 0.0),
        Point("epoch", 1, 1.0, 0.0),
    ]
    assert series("r", points) == [Series("r", "train/loss", ((1.0, 2.0), (2.0, 1.5)))]


def test_evaluations_stand_where_training_was() -> None:
    """mmdetection counts training in iterations, evaluations in epochs."""
    points = [Point("train/loss", step, 1.0, 1000.0 + step) for step in range(0, 3000, 50)]
    points += [Point("val/mAP", epoch, 0.5, 1000.0 + 1000 * epoch + 30) for epoch in (1, 2, 3)]
    (_, score) = series("r", points)
    assert [step for step, _ in score.points] == [1000.0, 2000.0, 2950.0]
    untimed = [one._replace(time=0.0) for one in points]
    assert [step for step, _ in series("r", untimed)[1].points] == [1.0, 2.0, 3.0]
    same = [*points[:60], Point("val/mAP", 1500, 0.5, 9000.0)]
    assert series("r", same)[1].points == ((1500.0, 0.5),)


def test_panels() -> None:
    tags = ("lr", "train/loss_cls", "val/mAP", "memory", "val/loss", "train/loss", "grad_norm")
    found = panels([line("r", 1.0, tag=tag) for tag in tags])
    assert [one.family for one in found] == ["loss", "mAP", "loss_cls", "grad_norm", "memory", "lr"]
    assert [one.tag for one in found[0].series] == ["val/loss", "train/loss"]


@given(st.lists(st.floats(-1e99, 1e99), min_size=1, max_size=5), st.booleans(), st.integers(1, 10))
def test_any_scale(values: list[float], log: bool, most: int) -> None:
    of = scale(values, log=log)
    for value in values:
        place = of.place(value)
        assert (of.log and value <= 1e-100) if place is None else 0 <= place <= 1
    found = ticks(of, most)
    assert 1 <= len(found) <= 2 * most + 2
    assert len(labels(found)) == len(found)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ((0.0, 4.0), ["0", "1", "2", "3", "4"]),
        ((0.0, 8800.0), ["0", "2000", "4000", "6000", "8000"]),
        ((0.001, 0.0035), ["0.001", "0.0015", "0.002", "0.0025", "0.003", "0.0035"]),
    ],
)
def test_round_numbers(values: tuple[float, float], texts: list[str]) -> None:
    assert labels(ticks(scale(values, pad=0), 5)) == texts
