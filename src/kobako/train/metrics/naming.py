"""Whose curve a number belongs to: a training may write one tag from several folders, each for something of its own.

Keras has ``train/`` and ``validation/`` with the same tags, TensorBoard's ``add_scalars`` a folder for each curve.
"""

from __future__ import annotations

import os
import re

from kobako.train.metrics.tags import FACTS, family, phase_named


class Naming:
    """Gives each tag its name, "" where the number is another's copy. The first to have a tag keeps it."""

    def __init__(self) -> None:
        self._keepers: dict[str, tuple[str, str, int]] = {}
        self._names: dict[tuple[str, str], dict[str, str]] = {}

    def of(self, kind: str, folder: str) -> dict[str, str]:
        """The names that are known already of those who write in this manner in this folder."""
        return self._names.setdefault((kind, folder), {})

    def name(self, tag: str, step: int, kind: str, folder: str) -> str:
        """The name of a tag that was not met there before, with its first number there."""
        known, keeper, first = self._keepers.setdefault(tag, (kind, folder, step))
        if known != kind:  # TensorBoard and a log tell the same
            name = ""
        elif keeper == folder or step > first:  # its own, or it goes on elsewhere: started again, or in parts
            name = tag
        else:
            name = self._another(tag, kind, folder, keeper)
        self.of(kind, folder)[tag] = name
        return name

    def _another(self, tag: str, kind: str, folder: str, keeper: str) -> str:
        if tag in FACTS:
            return ""
        part, whole = _difference(folder, keeper)
        phase = next((found for word in re.split(r"[\W_]+", part) if (found := phase_named(word))), "")
        for name in (f"{phase}/{family(tag)}" if phase else "", f"{part}/{tag}", f"{whole}/{tag}"):
            if name and name not in self._keepers:
                self._keepers[name] = (kind, folder, 0)
                return name
        return ""


def _difference(folder: str, keeper: str) -> tuple[str, str]:
    """What tells a folder from another: the name that does, and the whole way to it."""
    here, there = folder.split(os.sep), keeper.split(os.sep)
    while here and there and here[0] == there[0]:
        del here[0], there[0]
    while len(here) > 1 and len(there) > 1 and here[-1] == there[-1]:
        del here[-1], there[-1]
    here = here or [os.path.basename(folder)]
    return here[-1], "/".join(here)


def told_by_folder(path: str, tops: tuple[str, ...], *, events: bool) -> str:
    """The phase by the name of the file's folder; "" where that may be but the name of a run.

    ``train`` is believed to TensorBoard alone: there it is Keras' name. Another is, where a training writes beside it.
    """
    folder = os.path.dirname(path)
    phase = "" if folder in tops else phase_named(os.path.basename(folder))
    if phase in {"", "train"}:
        return phase if events else ""
    try:
        beside = os.listdir(os.path.dirname(folder))
    except OSError:
        return ""
    return phase if any(phase_named(one) == "train" or "tfevents" in one for one in beside) else ""
