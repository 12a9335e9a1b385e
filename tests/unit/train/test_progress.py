"""Where a training stands, by what it told; and the line that shows it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobako.train.drawing import clock, columns, cut, gauge, number, padded
from kobako.train.metrics import Console, Facts, Point
from kobako.train.progress import Alarm, Progress, Throughput

NAN, INF = math.nan, math.inf


def after(*lines: str, name: str = "") -> Progress:
    """One line per second."""
    progress, console = Progress(name), Console()
    for second, line in enumerate(lines):
        facts = console.feed(line)
        if facts is not None:
            progress.facts(facts, float(second))
    return progress


def epochs(progress: Progress, first: int, last: int, *, begin: float, of: int = 10) -> float:
    """Epochs of 100 iterations: a second for each, and 50 between two epochs; when the last one ended."""
    now = begin
    for epoch in range(first, last + 1):
        for iteration in range(10, 101, 10):
            now += 10
            progress.facts(Facts(epoch=epoch, epochs=of, iteration=iteration, iterations=100), now)
        if epoch < last:
            now += 50
    return now


def test_nothing_is_known_at_first() -> None:
    progress = Progress()
    assert (progress.epoch, progress.epochs, progress.iteration, progress.iterations) == (None,) * 4
    assert (progress.loss, progress.throughput, progress.part, progress.eta(0.0)) == (None,) * 4
    assert progress.bar(80, 0.0) == progress.line(0.0) == ""
    assert progress.summaries() == ()
    assert progress.alarms() == ()


def test_mmdetection() -> None:
    progress = after(
        "workflow: [('train', 1)], max: 12 epochs",
        "Epoch [4][50/100]\tlr: 2.000e-03, eta: 0:20:00, time: 0.500, loss_cls: 0.1, loss: 1.2500",
    )
    assert (progress.epoch, progress.epochs, progress.iteration, progress.iterations) == (4, 12, 50, 100)
    assert progress.loss == 1.25
    assert progress.throughput == Throughput(2.0, "it/s")
    assert progress.part == pytest.approx(3.5 / 12)
    assert progress.eta(1.0) == 1200
    assert progress.eta(31.0) == 1170  # it runs down by itself
    assert progress.line(1.0) == "29 %, epoch 4/12, iteration 50/100, loss 1.25, 2 it/s, ETA 20:00"
    assert (
        progress.bar(100, 1.0)
        == "epoch 4/12  [#######.................]  iteration 50/100  loss 1.25  2 it/s  ETA 20:00"
    )


def test_images_per_second_are_better_than_iterations() -> None:
    progress = after("Train: 0 [50/1251 (4%)]  Loss: 6.9 (6.9)  Time: 0.5s, 500.00/s (0.5s, 490/s)")
    assert progress.throughput == Throughput(500.0, "images/s")


def test_an_evaluation_is_told() -> None:
    progress = after("Epoch(val)  [1][  50/2504]    eta: 0:01:00  time: 0.1")
    assert progress.line(0.0) == "epoch 1, evaluating"


def test_own_eta_counts_what_is_done_between_epochs() -> None:
    progress = Progress()
    now = epochs(progress, 1, 4, begin=0.0)
    # six epochs of 100 s, and six times 50 s before them
    assert progress.eta(now) == pytest.approx(6 * 150, rel=0.02)
    assert progress.eta(now + 50) == pytest.approx(6 * 150 - 50, rel=0.02)
    assert progress.throughput is not None


def test_own_eta_of_a_training_that_goes_on_at_its_fifth_epoch() -> None:
    progress = Progress()
    now = epochs(progress, 5, 6, begin=1000.0)
    assert progress.part == 0.6
    assert progress.eta(now) == pytest.approx(4 * 150, rel=0.05)


def test_own_eta_of_a_training_that_starts_anew() -> None:
    progress = Progress()
    now = epochs(progress, 1, 5, begin=0.0)
    now = epochs(progress, 1, 2, begin=now + 300)
    assert progress.epoch == 2
    assert progress.eta(now) == pytest.approx(8 * 150, rel=0.1)


def test_a_training_that_becomes_faster() -> None:
    progress = Progress()
    for second in range(100):
        progress.facts(Facts(iteration=second, iterations=10_000), float(second))
    for second in range(600):
        progress.facts(Facts(iteration=100 + 10 * second, iterations=10_000), 100.0 + second)
    assert progress.throughput is not None
    assert progress.throughput.value == pytest.approx(10, rel=0.01)
    assert progress.eta(699.0) == pytest.approx((10_000 - 6090) / 10, rel=0.01)


def test_an_epoch_per_line() -> None:
    progress = after(*(f"Epoch {n}/10, train loss: 0.5" for n in range(1, 6)))
    assert progress.part == 0.5
    assert progress.eta(4.0) == pytest.approx(5)


def test_files_alone() -> None:
    progress = Progress()
    for step in range(1, 61):
        progress.points(
            [Point("train/loss", step, 1 / step, 100.0 + step), Point("epoch", step, step // 10, 0.0)], 100.0 + step
        )
    assert progress.iteration == 60
    assert progress.loss == pytest.approx(1 / 60)
    assert progress.epoch == 7  # the first was 0
    assert progress.throughput is not None
    assert progress.throughput.value == pytest.approx(1.0)
    progress.points([Point("time/eta", 60, 30.0, 0.0), Point("time/iteration", 60, 0.5, 0.0)], 160.0)
    assert progress.eta(170.0) == 20
    assert progress.throughput == Throughput(2.0, "it/s")


def test_an_old_eta_is_not_believed_for_ever() -> None:
    progress = after("epoch 4/20  loss 0.5  acc 98.9 %  ETA 0:05")
    assert progress.eta(3.0) == 2
    assert progress.eta(300.0) == 0
    assert progress.eta(1000.0) is None


def test_an_eta_stands_still_while_the_program_is_silent() -> None:
    """YOLOX reckons without its evaluation: 40 seconds of it in the middle of a training would count it down to 0."""
    progress = Progress()
    for second, eta in ((0.0, 20.0), (3.0, 17.0)):
        progress.facts(Facts(epoch=5, epochs=10, iteration=5, iterations=10, eta=eta), second)
    assert progress.eta(5.0) == 15
    assert progress.eta(6.0) == 14
    assert progress.eta(40.0) == 14
    progress.facts(Facts(epoch=6, epochs=10, iteration=5, iterations=10, eta=15.0), 43.0)
    assert progress.eta(44.0) == 14
    progress.facts(Facts(epoch=6, epochs=10, iteration=6, iterations=10, eta=14.0), 43.0)  # a line of the same look
    assert progress.eta(44.0) == 13


@pytest.mark.parametrize(
    ("told", "epochs"),
    [
        ((1.0, 1.0, 2.0), [1, 1, 2]),  # OpenMMLab's logs
        ((0.0, 0.0, 1.0), [1, 1, 2]),  # Lightning
        ((0.0, 0.5, 1.0, 1.5), [1, 1, 1, 2]),  # Hugging Face's Trainer, which evaluated at its start
    ],
)
def test_epochs_of_files(told: tuple[float, ...], epochs: list[int]) -> None:
    progress = Progress()
    found = []
    for step, value in enumerate(told):
        progress.points([Point("epoch", step, value, 0.0)], 0.0)
        found.append(progress.epoch)
    assert found == epochs


def test_the_whole_loss_is_shown_whatever_comes_first() -> None:
    for whole in ("train/total_loss", "train/loss", "train/rpn/total_loss"):
        progress = Progress()
        for tag in ("train/l1_loss", whole, "train/cls_loss"):
            progress.points([Point(tag, 1, 7.0 if tag == whole else 1.0, 0.0)], 0.0)
        assert progress.loss == 7


def test_a_loss_that_is_no_number_is_told_once_and_so_is_its_end() -> None:
    progress = Progress()

    def give(tag: str, *values: float) -> tuple[Alarm, ...]:
        progress.points([Point(tag, step, value, 0.0) for step, value in enumerate(values)], 0.0)
        return progress.alarms()

    assert give("train/loss", 1.0) == ()
    (alarm,) = give("train/loss", NAN, NAN, INF)
    assert alarm[:2] == ("train/loss", 0)
    assert math.isnan(alarm.value)
    assert not alarm.recovered
    assert give("train/loss", NAN) == ()
    assert give("train/loss_cls", 1.0, -INF) == (Alarm("train/loss_cls", 1, -INF, recovered=False),)
    assert give("train/loss", 0.5, 0.25) == (Alarm("train/loss", 0, 0.5, recovered=True),)
    assert give("val/mAP", NAN) == ()  # a class without objects has no precision


def test_a_file_that_lags_behind_the_console_gives_no_all_clear() -> None:
    progress = Progress()
    progress.facts(Facts(iteration=100, values=(("train/loss", NAN),)), 0.0)
    progress.points([Point("train/loss", 50, 1.0, 0.0)], 0.0)
    assert [one.recovered for one in progress.alarms()] == [False]
    progress.facts(Facts(iteration=150, values=(("train/loss", 1.0),)), 1.0)
    assert [one.recovered for one in progress.alarms()] == [True]


def test_summaries() -> None:
    progress = Progress()
    for step, value in enumerate([3.0, NAN, 1.0, 2.0]):
        progress.points(
            [Point("train/loss", step, value, 0.0), Point("val/mAP", step, value, 0.0), Point("epoch", step, 1, 0.0)],
            0.0,
        )
    loss, score = progress.summaries()
    assert loss == ("train/loss", 2.0, 3, 1.0, 3.0, 2, 4)
    assert loss.best == 1.0
    assert score == ("val/mAP", 2.0, 3, 1.0, 3.0, 0, 4)
    assert score.best == 3.0


def test_a_summary_that_starts_without_a_number() -> None:
    progress = Progress()
    progress.points([Point("train/loss", 0, NAN, 0.0)], 0.0)
    progress.points([Point("train/loss", 1, 2.0, 0.0)], 0.0)
    assert progress.summaries() == (("train/loss", 2.0, 1, 2.0, 2.0, 1, 2),)


def test_the_bar_becomes_shorter_by_what_matters_least() -> None:
    progress = after(
        "workflow: [('train', 1)], max: 12 epochs",
        "Epoch [4][50/100]\teta: 0:20:00, time: 0.5, loss: 1.25",
        name="物体検出",
    )
    assert [progress.bar(width, 1.0) for width in (110, 90, 60, 50, 40, 25, 12, 3, 0)] == [
        "物体検出  epoch 4/12  [#######.................]  iteration 50/100  loss 1.25  2 it/s  ETA 20:00",
        "物体検出  epoch 4/12  [#####.............]  iteration 50/100  loss 1.25  2 it/s  ETA 20:00",
        "epoch 4/12  [#.....]  iteration 50/100  loss 1.25  ETA 20:00",
        "epoch 4/12  [####..........]  loss 1.25  ETA 20:00",
        "epoch 4/12  [####...........]  loss 1.25",
        "[###.........]  loss 1.25",
        "loss 1.25",
        "lo~",
        "",
    ]


FACTS = st.builds(
    Facts,
    phase=st.sampled_from(["train", "val"]),
    epoch=st.none() | st.integers(0, 10**12),
    epochs=st.none() | st.integers(0, 10**12),
    iteration=st.none() | st.integers(0, 10**12),
    iterations=st.none() | st.integers(0, 10**12),
    eta=st.none() | st.floats(0, 1e12),
    seconds=st.none() | st.floats(0, 1e12),
    samples=st.none() | st.floats(0, 1e12),
    values=st.lists(st.tuples(st.sampled_from(["train/loss", "train/loss_cls", "val/損失_loss"]), st.floats())).map(
        tuple
    ),
)


@given(
    name=st.text(max_size=20),
    told=st.lists(st.tuples(FACTS, st.floats(0, 1e10)), max_size=8),
    width=st.integers(0, 150),
)
def test_any_facts_in_any_width(name: str, told: list[tuple[Facts, float]], width: int) -> None:
    progress = Progress(name)
    for facts, time in told:
        progress.facts(facts, time)
        assert columns(progress.bar(width, time)) <= width
        assert "\n" not in progress.line(time)
        eta = progress.eta(time)
        assert eta is None or eta >= 0
        assert progress.part is None or 0 <= progress.part <= 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["train/loss", "epoch", "time/iteration", "time/eta", "lr"]),
            st.integers(-5, 10**12),
            st.floats(),
        ),
        max_size=20,
    )
)
def test_any_points(told: list[tuple[str, int, float]]) -> None:
    progress = Progress()
    for second, (tag, step, value) in enumerate(told):
        progress.points([Point(tag, step, value, float(second))], float(second))
        progress.bar(80, float(second))
    for one in progress.summaries():
        assert not one.minimum > one.maximum


def test_columns() -> None:
    assert [columns(one) for one in ("abc", "学習", "ｱ", "é", "e\u0301", "👍")] == [3, 4, 1, 1, 1, 2]
    assert cut("学習済み", 5) == "学習~"
    assert columns(padded("学習済み", 6)) == columns(padded("a", 6)) == 6


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (5.4, "0:05"), (59.6, "1:00"), (3723, "1:02:03"), (93784, "1 d 2:03"), (1e30, "115740 d 17:46")],
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1.25, "1.25"),
        (0.0375, "0.0375"),
        (1.5e-7, "1.5e-07"),
        (123456, "1.235e+05"),
        (98.9, "98.9"),
        (NAN, "nan"),
        (-INF, "-inf"),
        (100.0, "100"),
    ],
)
def test_number(value: float, text: str) -> None:
    assert number(value) == text


def test_gauge() -> None:
    assert [gauge(part, 6) for part in (0, 0.24, 0.25, 0.5, 0.99, 1, 2)] == [
        "[....]",
        "[....]",
        "[#...]",
        "[##..]",
        "[###.]",
        "[####]",
        "[####]",
    ]
