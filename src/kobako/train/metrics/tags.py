"""One spelling for the same number: ``Loss/train``, ``train_loss`` and ``loss`` are all ``train/loss``."""

from __future__ import annotations

import re
from functools import lru_cache

_PHASES = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "eval", "evaluation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_RATES = frozenset({"lr", "learning_rate", "learningrate", "learning rate", "lr_rate"})
_FACTS = {
    **dict.fromkeys(("time", "iter_time", "batch_time", "time_per_iter", "batch_cost"), "time/iteration"),
    **dict.fromkeys(("data_time", "data_cost", "data"), "time/data"),
    **dict.fromkeys(("memory", "mem", "max_mem", "max mem", "gpu_mem", "gpu_memory"), "memory"),
    **dict.fromkeys(("eta", "eta_seconds"), "time/eta"),
    "epoch": "epoch",
}
"""What is said of the training itself, not of what it learns."""
FACTS = frozenset(_FACTS.values())
_LOSS = re.compile(r"(?i)(?:^|[_/. -])(?:\w{0,20}loss(?:es)?|nll|cost|error|err)(?:$|[_/. -])")
_SMALL = "nll|cost|errors?|err|mae|mse|rmse|mape|perplexity|ppl|wer|cer|fid|lpips|eer|bpb|bpc"
_LOWER = re.compile(rf"(?i)loss|(?:^|[_/. -])(?:{_SMALL})(?:$|[_/. -])")
_MEASURE = re.compile(
    r"(?i)mAP|(?:^|[_/. -])(?:acc\w*|ap\w*|ar\w*|top[15]|miou|auc|f1|precision|recall)(?:$|[_/. (@-])"
)
_LENGTH = 200


@lru_cache(maxsize=4096)
def normal(tag: str, phase: str = "") -> str:
    """The tag in its one spelling. ``phase`` is what the source says apart from the name: ``train``, ``val`` or ""."""
    tag = " ".join(tag[:_LENGTH].split()).strip("/") or "?"
    said, name = _split(tag)
    lower = name.lower()
    if lower in _RATES or (not said and lower == "lr/lr"):
        return "lr"
    if not said and "/" not in name and lower in _FACTS:
        return _FACTS[lower]
    if said:
        return f"{said}/{name}"
    if "/" in name:
        return name
    return f"{phase or 'train'}/{_named(name)}" if phase or is_loss(name) else name


def is_loss(tag: str) -> bool:
    """Whether the number is one that a training makes smaller, and that tells by NaN that all is lost."""
    return bool(_LOSS.search(tag))


def lower_is_better(tag: str) -> bool:
    return bool(_LOWER.search(tag)) or tag in FACTS


def evaluates(tag: str) -> bool:
    """Whether the number measures what was learned on data that it was not learned from."""
    return phase_of(tag) in {"val", "test"} or (not phase_of(tag) and bool(_MEASURE.search(tag)))


def phase_of(tag: str) -> str:
    """``train``, ``val``, ``test``, or "" where the tag does not say."""
    first = tag.partition("/")[0]
    return first if first in {"train", "val", "test"} else ""


def phase_named(word: str) -> str:
    """The phase that a word is a name of, "" where it is of none."""
    return _PHASES.get(word.lower(), "")


def family(tag: str) -> str:
    """The name without its phase: what belongs into one picture."""
    return tag.partition("/")[2] if phase_of(tag) else tag


def _split(tag: str) -> tuple[str, str]:
    """The phase that the tag itself names, and the name without it."""
    first, slash, rest = tag.partition("/")
    if slash and first.lower() in _PHASES and rest:
        return _PHASES[first.lower()], _named(rest)
    front, slash, last = tag.rpartition("/")
    if slash and last.lower() in _PHASES and front:
        return _PHASES[last.lower()], _named(front)
    first, under, rest = tag.partition("_")
    if under and "/" not in tag and first.lower() in _PHASES and rest:
        return _PHASES[first.lower()], _named(rest)
    return "", tag


def _named(name: str) -> str:
    return name.lower() if name.lower() in {"loss", "acc", "accuracy", "lr"} else name
