"""What a training tells on its console, understood line by line. Most lines say nothing of it, and cost little."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from kobako.train.metrics import patterns
from kobako.train.metrics.bars import Bars
from kobako.train.metrics.patterns import PATTERNS, Pattern
from kobako.train.metrics.point import Point
from kobako.train.metrics.tags import FACTS, normal

LONGEST = 4096
"""Characters of a line that are looked at."""
_ESCAPES = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")
_REDRAWN = re.compile(r"[\r\x08]+")
_SKIPPED = frozenset(
    (
        *("v_num", "size", "eta", "iter", "iteration", "step", "epoch", "img_size", "count", "mem", "mfu", "ips"),
        *("last_time", "last_data_time", "consumed samples", "global batch size"),
    )
)
"""What stands in such lines and is no measure of what is learned."""
_COPIED = "_copypaste"
"""mmdetection's scores once more, all six in one text."""
_CLOCK = re.compile(
    r"(?:(?P<days>\d{1,5}) days?, ?)?(?:(?P<hours>\d{1,9}):)?(?P<minutes>\d{1,9}):(?P<seconds>\d{1,9})"
    r"|(?P<alone>\d{1,9})s",
    re.ASCII,
)
_UNITS = {"ms": 1e-3, "us": 1e-6}
_LOSSES_OF_YOLO = frozenset({"box", "obj", "cls"})
_EVALUATED = ("metrics/precision(B)", "metrics/recall(B)", "metrics/mAP50(B)", "metrics/mAP50-95(B)")
"""The names that ultralytics' own results.csv has for them."""


class Facts(NamedTuple):
    """What one line told; None where it told nothing of it. Epochs and iterations count from 1.

    ``iteration`` and ``iterations`` are those of the epoch where one is told, else those of the whole training.
    """

    phase: str = "train"
    epoch: int | None = None
    epochs: int | None = None
    iteration: int | None = None
    iterations: int | None = None
    eta: float | None = None
    """Seconds until the whole training ends."""
    seconds: float | None = None
    """Seconds that an iteration takes."""
    samples: float | None = None
    """Images, or whatever it learns from, per second."""
    values: tuple[tuple[str, float], ...] = ()
    """Tags, in their one spelling, with their numbers."""
    at: int | None = None
    """Where the numbers stand in a curve, if it is not where the rest says."""

    def step(self) -> int | None:
        """Where its numbers stand in a curve: the iteration of the training, or the epoch for an evaluation."""
        if self.at is not None:
            return self.at
        if self.iteration is None or (self.phase != "train" and self.epoch is not None):
            return self.epoch
        if self.epoch is None:
            return self.iteration
        return None if self.iterations is None else (self.epoch - 1) * self.iterations + self.iteration

    def points(self, time: float) -> list[Point]:
        step = self.step()
        return [] if step is None else [Point(tag, step, value, time) for tag, value in self.values]


class Console:
    """Goes through the lines of one training, in their order: some forms need what a line before them said."""

    def __init__(self) -> None:
        self._rest = ""
        self._columns: list[str] = []
        self._bars = Bars()

    def write(self, text: str) -> list[Facts]:
        """What the next piece of the output told, wherever it ends. A line that is drawn anew (``\\r``) counts, too."""
        *whole, last = re.split(r"[\r\n\x08]+", self._rest + text)
        self._rest = last[-2 * LONGEST :]
        return [facts for line in whole if (facts := self.feed(line)) is not None]

    def feed(self, line: str) -> Facts | None:
        """What one line told; None where it told nothing."""
        line = _shown(line)
        if not line or line.isspace():
            return None
        for pattern in PATTERNS:
            if pattern.mark in line:
                found = pattern.form.search(line)
                if found is not None:
                    return self._facts(pattern, found)
        return self._of_a_table(line)

    def _facts(self, pattern: Pattern, found: re.Match[str]) -> Facts | None:
        groups = {name: text for name, text in found.groupdict().items() if text is not None}
        rest = groups.get("rest", "")
        told = _numbers(rest, pattern.values)
        phase = groups.get("phase", pattern.phase).lower()
        facts = Facts(
            phase=phase,
            epoch=_int(groups.get("epoch")),
            epochs=_int(groups.get("epochs")),
            iteration=_int(groups.get("iteration")),
            iterations=_int(groups.get("iterations")),
            eta=_eta(groups.get("eta") or rest) if pattern.whole and phase == "train" else None,
            seconds=_seconds(told, rest),
            samples=_samples(rest) if pattern.name != "tqdm" else None,
            values=_values(told, phase),
        )
        return self._placed(pattern, facts, groups, told)

    def _placed(self, pattern: Pattern, facts: Facts, groups: dict[str, str], told: dict[str, float]) -> Facts | None:
        """Such forms as need more than their own line, or mean it otherwise."""
        if pattern.name == "tqdm":
            return self._bars.tqdm(facts, groups)
        if pattern.name == "Keras":
            return self._bars.keras(facts)
        if pattern.name == "ultralytics":
            facts = self._of_ultralytics(facts, groups)
        if pattern.name == "Hugging Face":
            epoch = told.get("epoch", math.nan)
            return facts._replace(epoch=max(1, math.ceil(epoch)) if 0 <= epoch < 1e9 else None, at=self._bars.report())
        if "pace" in groups and (pace := _float(groups["pace"])):
            facts = facts._replace(seconds=1 / pace)
        if pattern.name == "darknet":
            loss, rate = float(groups["loss"]), float(groups["lr"])
            facts = facts._replace(values=(("train/loss", loss), ("lr", rate)), seconds=float(groups["seconds"]))
        return self._bars.counted(facts, pattern.first, from_zero_to_last=pattern.name in _TO_LAST)

    def _of_ultralytics(self, facts: Facts, groups: dict[str, str]) -> Facts:
        numbers = groups["columns"].split()
        named = zip(self._columns, numbers, strict=False)
        values = [(name, value) for name, text in named if "loss" in name and (value := _float(text)) is not None]
        bar = patterns.BAR.search(groups.get("bar", ""))
        facts = facts._replace(values=tuple((f"train/{name}", value) for name, value in values))
        if bar is None:
            return facts
        pace = _float(bar["pace"] or "")
        facts = facts._replace(iteration=int(bar["iteration"]), iterations=int(bar["iterations"]))
        return facts._replace(seconds=1 / pace) if pace else facts

    def _of_a_table(self, line: str) -> Facts | None:
        """The head of ultralytics' columns, and the line of its evaluation."""
        head = patterns.HEADER.match(line) if "_mem" in line else None
        if head is not None:
            self._columns = [f"{one}_loss" if one in _LOSSES_OF_YOLO else one for one in head["names"].split()]
        found = patterns.EVALUATED.match(line) if self._columns and " all " in line else None
        if found is None:
            return None
        numbers = [float(one) for one in found["numbers"].split()]
        return Facts("val", epoch=self._bars.epoch, values=tuple(zip(_EVALUATED, numbers, strict=True)))


_TO_LAST = frozenset({"ultralytics", "Lightning's rich bar"})
"""Who counts from 0 and tells the number of the last epoch, not how many there are."""


def _shown(line: str) -> str:
    """The line as it stands on a terminal in the end, without colours."""
    line = line.rstrip()
    if len(line) > LONGEST:
        end = line[-LONGEST:]
        line = end if _REDRAWN.search(end) else line[:LONGEST]
    if "\r" in line or "\x08" in line:
        line = _REDRAWN.split(line)[-1]
    return _ESCAPES.sub("", line) if "\x1b" in line else line


def _numbers(rest: str, form: str) -> dict[str, float]:
    """The names and numbers in the rest of a line, times in seconds; the first of a name counts."""
    told: dict[str, float] = {}
    for found in patterns.PAIRS[form].finditer(patterns.ETA.sub("", rest)):
        told.setdefault(found["name"].strip(), float(found["value"]) * _UNITS.get(found["unit"], 1.0))
    return told


def _values(told: dict[str, float], phase: str) -> tuple[tuple[str, float], ...]:
    values: dict[str, float] = {}
    for name, value in told.items():
        tag = normal(name.replace(" ", "_"), phase)
        if name.lower() not in _SKIPPED and not name.endswith(_COPIED) and (tag not in FACTS or tag == "memory"):
            values.setdefault(tag, value)
    return tuple(values.items())


def _seconds(told: dict[str, float], rest: str) -> float | None:
    for name, value in told.items():
        if normal(name) == "time/iteration" and value > 0:
            return value
    found = patterns.PER_STEP.search(rest) if "/step" in rest else None
    if found is None:
        return None
    return float(found["pace"]) * _UNITS.get(found["unit"], 1.0) or None


def _samples(rest: str) -> float | None:
    found = patterns.SAMPLES.search(rest) if "/s" in rest else None
    return (float(found["pace"]) or None) if found is not None else None


def _eta(text: str) -> float | None:
    found = patterns.ETA.search(text)
    return clock(found["eta"] if found is not None else text)


def clock(text: str) -> float | None:
    """Seconds of ``1 day, 2:03:04``, ``2:03`` or ``3s``."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        return None
    days, hours, minutes, seconds = (int(found[name] or 0) for name in ("days", "hours", "minutes", "seconds"))
    return float(seconds + int(found["alone"] or 0) + 60 * minutes + 3600 * hours + 86400 * days)


def _int(text: str | None) -> int | None:
    return None if text is None else int(text)


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
