"""Which of many numbers say most: a score of an evaluation, the whole loss, the loss of an evaluation; in this order.

Partial losses (``loss_rpn_cls``, ``l1_loss``) and accuracies on training batches say least.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol, TypeVar

from kobako.train.metrics.tags import FACTS, evaluates, family, is_loss, lower_is_better, phase_of


class Tagged(Protocol):
    """Whatever is kept of a tag."""

    @property
    def tag(self) -> str: ...


T = TypeVar("T", bound=Tagged)

_SAYS_NOTHING = re.compile(r"(?i)(?:^|[/_])(?:lr|time|epoch|step|memory|runtime|per_second)$")
_LOSSES = ("train/loss", "train/total_loss", "train/loss_step", "train/train_loss", "train/loss_epoch")
_TOTAL = re.compile(r"(?i)(?:^|[_/. -])(?:total_?loss(?:es)?|loss(?:es)?[_/]?(?:total|sum|all))$")
_SCORES = tuple(
    re.compile(rf"(?i)(?:^|[_/. (-])(?:{one})(?:$|[_/. )@-])")
    for one in (
        r"(?:coco)?m?ap_?(?:@\[?)?(?:iou=)?0?[.:]?50?[-_:]0?\.?95\]?(?:\(\w\))?",
        r"m?ap",
        r"miou|m?dice|pq|nds",
        r"acc(?:uracy)?(?:_?top-?1)?|top-?1(?:_acc(?:uracy)?)?|acc@?1",
        r"f1|auc|auroc|iou|ap_?50|map_?50|bleu|rouge\w*|psnr|ssim",
    )
)
"""The scores that stand for the others, the best first; a score that is none of them comes after."""


def headline(summaries: Iterable[T]) -> tuple[T, ...]:
    """What to show of a run where there is room for a few, the most telling first. Empty only where nothing is."""
    found = [one for one in summaries if one.tag not in FACTS]
    telling = [
        min(group, key=lambda one: (_places(one.tag), len(one.tag), one.tag))
        for group in ([one for one in found if says(one.tag)] for says in (_scores, _is_whole, _measures_loss))
        if group
    ]
    rest = [one for one in found if is_loss(one.tag)] or [one for one in found if one.tag != "lr"] or found
    return tuple(telling or sorted(rest, key=lambda one: (len(one.tag), one.tag))[:1])


def whole_loss(tag: str) -> int | None:
    """The rank of a tag among those that may be the whole loss of a training, 0 the best; None for any other."""
    full = tag if phase_of(tag) else f"train/{tag}"
    if full in _LOSSES:
        return _LOSSES.index(full)
    return len(_LOSSES) if phase_of(tag) in {"", "train"} and _TOTAL.search(tag) else None


def _is_whole(tag: str) -> bool:
    return whole_loss(tag) is not None


def _scores(tag: str) -> bool:
    return evaluates(tag) and not is_loss(tag) and not _SAYS_NOTHING.search(tag)


def _measures_loss(tag: str) -> bool:
    return evaluates(tag) and is_loss(tag)


def _places(tag: str) -> int:
    """How little it stands for the others of its kind."""
    whole = whole_loss(tag)
    if whole is not None:
        return whole
    if is_loss(tag):
        return 0 if family(tag) == "loss" else 1 if _TOTAL.search(tag) else 2
    last = len(_SCORES) + lower_is_better(tag)
    return next((place for place, form in enumerate(_SCORES) if form.search(family(tag))), last)
