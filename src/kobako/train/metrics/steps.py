"""What the records of a log mean: which field is the step, which phase they speak of, and which are numbers.

- mmcv 1.x (``TextLoggerHook``): ``{"mode": "train", "epoch": 1, "iter": 50, "lr": .., "loss": .., "time": ..}``, where
  the iteration begins anew with each epoch, and ``{"mode": "val", "epoch": 1, "iter": .., "bbox_mAP": ..}``.
- mmengine (``scalars.json``): ``"step"``, with ``"iter"`` and a loss while it trains, neither when it evaluates.
- detectron2 (``metrics.json``): ``"iteration"``. Hugging Face (``log_history``): ``"step"``. DETR: ``"epoch"``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kobako.train.metrics.point import Point
from kobako.train.metrics.tags import FACTS, normal

_STEPS = ("step", "global_step", "_step", "iteration", "iter", "num_updates", "n_iter", "epoch", "_epoch")
"""Fields that may be the step, the best first."""
_TIMES = ("_timestamp", "timestamp", "wall_time")
_PLACES = frozenset({*_STEPS, *_TIMES, "mode", "_runtime", "total_flos", "n_parameters"}) - {"epoch"}
_NOT_OF_AN_EVALUATION = FACTS | {"lr"}
_MOST_FIELDS = 1000
_LARGEST = 1 << 62


class Steps:
    """Goes through the records of one log, in their order. ``phase`` is theirs where they tell none themselves."""

    def __init__(self, phase: str = "") -> None:
        self._phase = phase
        self._seen = 0
        self._epoch = 0
        self._last = 0
        self._before = 0
        """Iterations of the epochs before this one."""

    def points(self, record: Mapping[str, Any], told: float = 0.0) -> list[Point]:
        """The numbers of one record. ``told`` is when it was written, where the file's form tells."""
        self._seen += 1
        step, phase = self._place(record)
        if step is None:
            return []
        time = next((at for name in _TIMES if (at := number(record.get(name))) and 1e9 < at < 1e11), told)
        found = []
        for name in list(record)[:_MOST_FIELDS]:
            value = number(record[name])
            tag = normal(name, phase)
            # an evaluation is placed by its epoch: what it says of time and rate would not fit to what training says
            if value is None or name in _PLACES or (phase == "val" and tag in _NOT_OF_AN_EVALUATION):
                continue
            found.append(Point(tag, step, value, time))
        # a record that holds nothing but places (the first line of an mmcv log tells of the environment) is none
        return found if any(one.tag != "epoch" for one in found) else []

    def _place(self, record: Mapping[str, Any]) -> tuple[int | None, str]:
        mode = record.get("mode")
        if isinstance(mode, str):
            return self._epochs(record, "val" if mode != "train" else "train")
        if "train_runtime" in record:  # the Trainer's last record: means over the whole training
            return None, ""
        phase = (self._phase or "train") if "iter" in record or "loss" in record else self._phase
        if not phase and "data_time" in record and "step" in record and "iteration" not in record:
            phase = "val"  # mmengine
        for name in _STEPS:
            step = number(record.get(name))
            if step is not None and abs(step) < _LARGEST:
                return int(step), phase
        return (None if "env_info" in record or "config" in record else self._seen), phase

    def _epochs(self, record: Mapping[str, Any], phase: str) -> tuple[int | None, str]:
        epoch, iteration = (number(record.get(name)) for name in ("epoch", "iter"))
        if iteration is None or not abs(iteration) < _LARGEST:
            return None, phase
        if epoch is None or not abs(epoch) < _LARGEST:
            return int(iteration), phase
        if phase == "val":  # TensorBoard's file of the same run has the epoch there, too
            return int(epoch), phase
        if epoch > self._epoch > 0 and iteration <= self._last:
            self._before = int(epoch - 1) * self._of_an_epoch()
        self._epoch, self._last = int(epoch), int(iteration)
        return self._before + int(iteration), phase

    def _of_an_epoch(self) -> int:
        """Iterations of an epoch: the last that was logged, short of the truth by less than the logging interval."""
        return self._last


def number(value: object) -> float | None:
    """The value as a number; None where it is none (True and False are none)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return None
