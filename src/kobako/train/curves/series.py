"""Curves before they are drawn: sorted, thinned without losing an extreme, evaluations put where training was then."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kobako.train.curves.scale import drawable
from kobako.train.metrics.point import Point
from kobako.train.metrics.tags import FACTS, evaluates, family, phase_of

Place = tuple[float, float]
"""Step and value. A value that cannot be drawn, NaN first of all, is a gap."""
_OFTENER = 3


class Series(NamedTuple):
    """One tag of one run."""

    run: str
    tag: str
    points: tuple[Place, ...]

    @property
    def last(self) -> float:
        return self.points[-1][1] if self.points else math.nan


class Panel(NamedTuple):
    """What is drawn into one frame: the same measure while training and in evaluations, of all runs."""

    family: str
    series: tuple[Series, ...]


def series(run: str, points: Iterable[Point]) -> list[Series]:
    """One for each tag of a run, by name. A step that came twice (a training went on from before it) counts as last."""
    tags: dict[str, dict[int, Point]] = {}
    for one in points:
        tags.setdefault(one.tag, {})[one.step] = one
    told = {tag: [steps[step] for step in sorted(steps)] for tag, steps in tags.items() if tag not in FACTS}
    clock = _clock(told)
    return [
        Series(run, tag, tuple((_step(one, found, clock), one.value) for one in found))
        for tag, found in sorted(told.items())
    ]


def panels(every: Sequence[Series]) -> list[Panel]:
    """Losses first, then what evaluations measure, then the rest."""
    families: dict[str, list[Series]] = {}
    for one in every:
        families.setdefault(family(one.tag), []).append(one)
    found = [Panel(name, tuple(members)) for name, members in families.items()]
    return sorted(found, key=lambda one: (_weight(one), one.family.lower()))


def thinned(points: Sequence[Place], buckets: int) -> list[Place]:
    """At most four points for each of the buckets: its first, lowest, highest and last. A bucket of gaps is a gap."""
    if len(points) <= 4 * buckets:
        return list(points)
    begin, end = points[0][0], points[-1][0]
    scale = buckets / (end - begin) if end > begin else 0.0
    found: list[Place] = []
    bucket: list[Place] = []
    current = 0
    for one in points:
        number = min(buckets - 1, int((one[0] - begin) * scale))
        if number != current and bucket:
            found += _extremes(bucket)
            bucket = []
        current = number
        bucket.append(one)
    return found + _extremes(bucket)


def stretches(points: Sequence[Place]) -> list[list[Place]]:
    """The parts between the gaps."""
    found: list[list[Place]] = [[]]
    for one in points:
        if drawable(one[1]):
            found[-1].append(one)
        elif found[-1]:
            found.append([])
    return [part for part in found if part]


def smoothed(points: Sequence[Place], span: float) -> list[Place]:
    """The mean of each point's surroundings, over about ``span`` points to both sides: it does not lag behind."""
    kept = math.exp(-1 / max(span, 1e-9))
    there, back = _faded(points, kept), _faded(points[::-1], kept)[::-1]
    return [(one[0], one[1] / 2 + two[1] / 2) for one, two in zip(there, back, strict=True)]


def _faded(points: Sequence[Place], kept: float) -> list[Place]:
    total = weight = 0.0
    found = []
    for step, value in points:
        if drawable(value):
            total, weight = total * kept + value, weight * kept + 1
            found.append((step, total / weight))
        else:
            found.append((step, math.nan))
    return found


def _extremes(bucket: Sequence[Place]) -> list[Place]:
    finite = [number for number, one in enumerate(bucket) if drawable(one[1])]
    if not finite:
        return [bucket[0]]
    lowest = min(finite, key=lambda number: bucket[number][1])
    highest = max(finite, key=lambda number: bucket[number][1])
    return [bucket[number] for number in sorted({finite[0], lowest, highest, finite[-1]})]


def _weight(panel: Panel) -> int:
    name = panel.family.lower()
    if name in {"loss", "total_loss"}:
        return 0
    if "loss" in name:
        return 2
    if name == "lr" or name.startswith("lr/"):
        return 4
    return 1 if any(evaluates(one.tag) for one in panel.series) else 3


def _clock(told: dict[str, list[Point]]) -> list[Point]:
    """The curve of training with the most points: when it was at which step."""
    best: list[Point] = []
    for tag, found in told.items():
        if (phase_of(tag) == "train" or tag == "lr") and len(found) > len(best) and all(one.time for one in found):
            best = found
    return sorted(best, key=lambda one: one.time)


def _step(one: Point, found: Sequence[Point], clock: Sequence[Point]) -> float:
    """The step to draw a point at. Evaluations are often counted in epochs, training in iterations: time tells."""
    of_training = phase_of(one.tag) == "train" or one.tag == "lr"
    if of_training or len(clock) < 2 or not one.time or not found[-1].time:
        return float(one.step)
    if clock[-1].step <= _OFTENER * max(found[-1].step, 1):  # the same axis
        return float(one.step)
    place = bisect.bisect_right(clock, one.time, key=lambda at: at.time)
    return float(clock[max(0, place - 1)].step)
