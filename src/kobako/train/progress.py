"""Where a training stands, from whatever it tells: its files, its console, or the clock. Pure: time is passed in."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from kobako.train.drawing import clock, columns, cut, gauge, number
from kobako.train.metrics.console import Facts
from kobako.train.metrics.headline import whole_loss
from kobako.train.metrics.point import Point
from kobako.train.metrics.tags import FACTS, family, is_loss, lower_is_better, phase_of
from kobako.train.rate import Pace, Remaining

_PARTIAL = 100
_MOST_TAGS = 10_000
_NARROWEST, _WIDEST = 7, 26
_AT_ONCE = 0.05
_TOLD_FOR = 600.0
"""Seconds that an ETA holds which the program told."""


class Alarm(NamedTuple):
    """A loss became NaN or infinite, or is a number again (``recovered``)."""

    tag: str
    step: int
    value: float
    recovered: bool


class Summary(NamedTuple):
    """What is kept of a tag. ``minimum``, ``maximum`` and ``best_step`` are of its finite values."""

    tag: str
    last: float
    step: int
    minimum: float
    maximum: float
    best_step: int
    points: int

    @property
    def best(self) -> float:
        return self.minimum if lower_is_better(self.tag) else self.maximum


class Throughput(NamedTuple):
    value: float
    unit: str


class _Told(NamedTuple):
    """An ETA that the program told. ``gap`` is what passed between its last two words, infinite before the second."""

    seconds: float
    time: float
    gap: float = math.inf

    def left(self, time: float) -> float:
        """While it is silent for longer than usual it evaluates, which it did not reckon with: the ETA stands still."""
        return max(0.0, self.seconds - min(max(0.0, time - self.time), self.gap))


def _told(before: _Told | None, seconds: float, time: float) -> _Told:
    if before is None:
        return _Told(seconds, time)
    # what was told twice in one look passed unseen in between
    return _Told(seconds, time, time - before.time if time - before.time > _AT_ONCE else before.gap)


class Progress:
    """Feed it points and facts; ask it what is known. None is the answer to what is not."""

    def __init__(self, name: str = "") -> None:
        self._name = name
        self._phase = "train"
        self._epoch: int | None = None
        self._epochs: int | None = None
        self._iteration: int | None = None
        self._iterations: int | None = None
        self._whole: tuple[int, int] | None = None
        self._eta: _Told | None = None
        self._remaining = Remaining()
        self._pace = Pace()
        self._counted: tuple[int, float] | None = None
        self._told: Throughput | None = None
        self._facts_seen = False
        self._zero = False
        self._parts = False
        self._loss: tuple[str, float] | None = None
        self._summaries: dict[str, Summary] = {}
        self._bad: dict[str, set[str]] = {}
        self._alarms: list[Alarm] = []

    # what it is fed with

    def points(self, points: Iterable[Point], time: float) -> None:
        """What files told."""
        for one in points:
            self._take(one)
            if not self._facts_seen:
                self._from_file(one, time)

    def facts(self, facts: Facts, time: float) -> None:
        """What the console told."""
        self._phase = facts.phase
        self._epochs = facts.epochs or self._epochs
        if facts.epoch is not None:
            self._epoch = facts.epoch
        if facts.phase == "train" and facts.iteration is not None:
            self._facts_seen = True
            self._place(facts, time)
        elif facts.epoch is not None and facts.epochs is not None and facts.values:  # a line per epoch
            self._facts_seen = True
            self._remaining.advance(float(facts.epoch), time)
        if facts.eta is not None:
            self._eta = _told(self._eta, facts.eta, time)
        if facts.samples:
            self._told = Throughput(facts.samples, "images/s")
        elif facts.seconds and facts.phase == "train" and (self._told is None or self._told.unit == "it/s"):
            self._told = Throughput(1 / facts.seconds, "it/s")
        step = facts.step() or 0
        for tag, value in facts.values:
            self._note_loss(tag, value)
            self._watch(tag, step, value, "console")

    def _place(self, facts: Facts, time: float) -> None:
        now, total = facts.iteration or 0, facts.iterations
        self._iteration, self._iterations = now, total
        if facts.epoch is None:
            self._whole = None if total is None else (now, total)
            self._remaining.advance(now / total if total else float(now), time)
        else:
            self._whole = None
            if total:
                self._remaining.advance(facts.epoch - 1 + min(1.0, now / total), time)
        before = self._counted
        if before is not None and now > before[0]:
            self._pace.add(now - before[0], time - before[1])
        self._counted = (now, time)

    def _from_file(self, point: Point, time: float) -> None:
        if point.tag == "epoch" and math.isfinite(point.value):
            self._parts = self._parts or point.value % 1 > 0  # a Trainer's 0.01 is within the first, its 1.0 its end
            self._zero = self._zero or point.value == 0  # Lightning counts so; OpenMMLab's logs count from 1
            from_zero = self._zero and not self._parts
            self._epoch = int(point.value) + 1 if from_zero else max(1, math.ceil(point.value))
        elif point.tag == "time/iteration" and point.value > 0:
            self._told = Throughput(1 / point.value, "it/s")
        elif point.tag == "time/eta" and point.value >= 0 and math.isfinite(point.value):
            self._eta = _told(self._eta, point.value, time)
        elif phase_of(point.tag) == "train" and point.step > (self._iteration or 0):
            self._phase = "train"
            self._iteration = point.step
            if self._counted is not None and point.step > self._counted[0] and point.time > self._counted[1]:
                self._pace.add(point.step - self._counted[0], point.time - self._counted[1])
            self._counted = (point.step, point.time)

    def _take(self, point: Point) -> None:
        known = self._summaries.get(point.tag)
        if known is None and len(self._summaries) >= _MOST_TAGS:
            return
        self._summaries[point.tag] = _summed(known, point)
        self._note_loss(point.tag, point.value)
        self._watch(point.tag, point.step, point.value, "file")

    def _note_loss(self, tag: str, value: float) -> None:
        if phase_of(tag) != "train" or not is_loss(tag):
            return
        if self._loss is None or tag == self._loss[0] or _rank(tag) < _rank(self._loss[0]):
            self._loss = (tag, value)

    def _watch(self, tag: str, step: int, value: float, source: str) -> None:
        if not is_loss(tag):
            return
        bad = self._bad.get(tag)
        if not math.isfinite(value):
            if not bad:
                self._alarms.append(Alarm(tag, step, value, recovered=False))
            self._bad.setdefault(tag, set()).add(source)
        elif bad and source in bad:
            bad.discard(source)
            if not bad:
                self._alarms.append(Alarm(tag, step, value, recovered=True))

    # what is asked of it

    @property
    def epoch(self) -> int | None:
        return self._epoch

    @property
    def epochs(self) -> int | None:
        return self._epochs

    @property
    def iteration(self) -> int | None:
        return self._iteration

    @property
    def iterations(self) -> int | None:
        return self._iterations

    @property
    def loss(self) -> float | None:
        return None if self._loss is None else self._loss[1]

    @property
    def throughput(self) -> Throughput | None:
        """What the program tells, else iterations per second as seen from here."""
        if self._told is not None:
            return self._told
        pace = self._pace.value
        return None if pace is None else Throughput(pace, "it/s")

    @property
    def part(self) -> float | None:
        """How much of the training is done, from 0 to 1."""
        if self._whole is not None and self._whole[1]:
            return min(1.0, self._whole[0] / self._whole[1])
        if self._epoch is None or not self._epochs:
            return None
        within = 1.0
        if self._iteration is not None and self._iterations:
            within = min(1.0, self._iteration / self._iterations)
        return min(1.0, max(0.0, (self._epoch - 1 + within) / self._epochs))

    def eta(self, time: float) -> float | None:
        """Seconds until the training ends: what the program said last, else what its pace lets expect."""
        if self._eta is not None and time - self._eta.time < _TOLD_FOR:
            return self._eta.left(time)
        if self._whole is not None:
            return self._remaining.seconds(1.0, time)
        return self._remaining.seconds(float(self._epochs), time) if self._epochs else None

    def summaries(self) -> tuple[Summary, ...]:
        return tuple(self._summaries[tag] for tag in sorted(self._summaries) if tag not in FACTS)

    def alarms(self) -> tuple[Alarm, ...]:
        """What became NaN or infinite, or a number again, since this was asked last."""
        told, self._alarms = tuple(self._alarms), []
        return told

    def bar(self, width: int, time: float) -> str:
        """One line, never wider than ``width``: what matters least is left out first."""
        return _bar(self._pieces(time), self._name, self.part, width)

    def line(self, time: float) -> str:
        """One line for a pipe or a log: everything that is known."""
        part = self.part
        pieces = [text for _, text in self._pieces(time) if text]
        if part is not None:
            pieces.insert(0, f"{100 * part:.0f} %")
        return ", ".join(pieces)

    def _pieces(self, time: float) -> list[tuple[int, str]]:
        """Each with its rank: the highest is left out first."""
        eta, speed = self.eta(time), self.throughput
        name = "" if self._loss is None else family(self._loss[0])
        return [
            (1, _of("epoch", self._epoch, self._epochs)),
            (3, _of("iteration", self._iteration, self._iterations)),
            (0, "evaluating" if self._phase != "train" else ""),
            (0, f"{name} {number(self._loss[1])}" if self._loss is not None else ""),
            (4, f"{_short(speed.value)} {speed.unit}" if speed is not None else ""),
            (2, f"ETA {clock(eta)}" if eta is not None else ""),
        ]


def _summed(known: Summary | None, point: Point) -> Summary:
    tag, step, value, _ = point
    finite = math.isfinite(value)
    if known is None:
        bound = value if finite else math.nan
        return Summary(tag, value, step, bound, bound, step, 1)
    if not finite:
        return known._replace(last=value, step=step, points=known.points + 1)
    lowest = value if not value >= known.minimum else known.minimum
    highest = value if not value <= known.maximum else known.maximum
    better = not value >= known.minimum if lower_is_better(tag) else not value <= known.maximum
    return Summary(tag, value, step, lowest, highest, step if better else known.best_step, known.points + 1)


def _rank(tag: str) -> int:
    place = whole_loss(tag)
    return _PARTIAL if place is None else place


def _of(name: str, now: int | None, total: int | None) -> str:
    if now is None:
        return ""
    return f"{name} {now}" if total is None else f"{name} {now}/{total}"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _bar(pieces: list[tuple[int, str]], name: str, part: float | None, width: int) -> str:
    kept = [(rank, text) for rank, text in pieces if text]
    while True:
        texts = [text for _, text in kept]
        room = width - columns("  ".join(texts)) - 2
        fits = room >= -2 + (_NARROWEST + 2 if part is not None and len(kept) > 1 else 0)
        if fits or len(kept) <= 1:
            break
        kept.remove(max(kept, key=lambda one: one[0]))
    label = cut(name, max(0, room - _NARROWEST - 2)) if name and room > _NARROWEST + 10 else ""
    room -= columns(label) + 2 if label else 0
    if part is not None and room >= _NARROWEST:
        texts.insert(1 if texts and texts[0].startswith("epoch") else 0, gauge(part, min(room, _WIDEST)))
    return cut("  ".join([label, *texts] if label else texts), width)
