"""Bars and epochs that only mean something after what was drawn before them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kobako.train.metrics.console import Facts

_EPOCH = re.compile(r"(?ai)\bepochs?\D{0,3}(\d{1,9})(?:\s?/\s?(\d{1,9}))?")
_TRAINS = re.compile(r"(?i)epoch|train|iter|step|fit|loss")
_EVALUATES = re.compile(r"(?i)val|eval|test|sanity|predict|infer")


class Bars:
    """Remembers the epoch, whether it counts from 0, and which bar is that of the training."""

    def __init__(self) -> None:
        self.whole = False
        """Whether a bar without a name is that of the whole training."""
        self.epoch: int | None = None
        self._epochs: int | None = None
        self._zero = False
        self._total = 0
        self._last = 0
        self._round = 1
        self._reports = 0

    def report(self) -> int:
        """Where a report of Hugging Face's Trainer stands: its nameless bar is that of the whole training."""
        self.whole = True
        self._reports += 1
        return self._last or self._reports

    def counted(self, facts: Facts, first: int, *, from_zero_to_last: bool = False) -> Facts:
        """The same with epochs that count from 1. Remembers the epoch."""
        if facts.epoch is not None:
            if first < 0:
                self._zero = self._zero or facts.epoch == 0
                first = 0 if self._zero else 1
            epochs = facts.epochs
            if epochs is not None and first == 0 and from_zero_to_last:
                epochs += 1
            facts = facts._replace(epoch=facts.epoch + 1 - first, epochs=epochs)
            self.epoch = facts.epoch
        self._epochs = facts.epochs or self._epochs
        return facts

    def keras(self, facts: Facts) -> Facts:
        """A bar without its epoch, which stands in a line of its own before it."""
        return facts._replace(epoch=self.epoch, epochs=self._epochs)

    def tqdm(self, facts: Facts, groups: Mapping[str, str]) -> Facts | None:
        """A bar; None where it is of something else: downloads, tokens, whatever else is counted."""
        said = groups.get("said", "").strip().rstrip(":").strip()
        facts = facts._replace(seconds=_pace(groups["pace"], groups["unit"]))
        epoch = _EPOCH.search(said)
        if _EVALUATES.search(said):
            return facts._replace(phase="val", epoch=self.epoch, values=_evaluated(facts.values))
        if epoch is not None:
            facts = facts._replace(epoch=int(epoch[1]), epochs=int(epoch[2]) if epoch[2] else None)
            return self.counted(facts, 0 if "v_num=" in groups.get("rest", "") else -1)
        if said and not _TRAINS.search(said) and not facts.values:
            return None
        return self._nameless(facts, groups["left"])

    def _nameless(self, facts: Facts, left: str) -> Facts:
        now, total = facts.iteration or 0, facts.iterations or 0
        if total < self._total:
            return facts._replace(phase="val", epoch=self.epoch, values=_evaluated(facts.values))
        if total > self._total:
            self._total, self._round = total, 1
        elif now < self._last and not self.whole:
            self._round += 1
        self._last = now
        if self.whole or (self.epoch is None and self._round == 1):
            return facts._replace(eta=_left(left))
        return facts._replace(epoch=self.epoch or self._round, epochs=self._epochs)


def _evaluated(values: tuple[tuple[str, float], ...]) -> tuple[tuple[str, float], ...]:
    return tuple((f"val/{tag[6:]}" if tag.startswith("train/") else tag, value) for tag, value in values if tag != "lr")


def _pace(pace: str, unit: str) -> float | None:
    if "?" in pace:
        return None
    try:
        number = float(pace)
    except ValueError:
        return None
    return number if unit.startswith("s/") else (1 / number if number else None)


def _left(text: str) -> float | None:
    if "?" in text:
        return None
    seconds = 0
    for one in text.split(":"):
        seconds = 60 * seconds + int(one or 0)
    return float(seconds)
