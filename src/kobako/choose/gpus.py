"""GPUs by the names that people and nvidia-smi give them: "Tesla V100-SXM2-16GB", "RTX3090", "A100 80GB PCIe"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from kobako.data import tables
from kobako.data.tables import GpuModel

_NOISE = re.compile(
    r"nvidia|tesla|geforce|gpus?|graphics|card|laptop|mobile|generation|edition|max|q|with|design|grid"
    r"|\d+gb?|\d+gib|sxm\d?|pcie|pci|hbm\d?e?|nvl\d*|lp|fhhl|oem"
)
"""Words that say how a GPU is built in, not which one it is."""

_JOINED = (re.compile(r"(rtx|gtx|titan|quadro|mx)([a-z]?\d.*|v|xp?)"), re.compile(r"(\d{3,4})(ti|super)"))


def capability(text: str) -> str:
    """A compute capability as typed: 8.6, sm_86, 86, 9.0a. Raises ``ValueError``."""
    plain = re.sub(r"^(?:sm|compute)_?", "", text.strip().lower())
    found = re.fullmatch(r"(\d{1,2})\.(\d)[a-z]?", plain) or re.fullmatch(r"(\d{1,2})(\d)[a-z]?", plain)
    if found is None:
        found = re.fullmatch(r"(\d)()", plain)
    if found is None:
        raise ValueError(f"--compute-capability {text} is not one such as 8.6 or 12.0")
    if plain.isdigit() and len(plain) == 2 and int(plain) < 20:  # "12" is 12.0, "86" is 8.6
        return f"{plain}.0"
    return f"{found[1]}.{found[2] or 0}"


def is_known_capability(text: str) -> bool:
    """Whether it is not newer than all that the tables know."""
    known = max(tables.numbers(one) for one in tables.capabilities())
    return bool(text) and tables.numbers(text) <= known


@cache
def is_datacenter(text: str) -> bool:
    """Whether all GPUs of a compute capability are made for data centres."""
    kinds = {model.kind for model in tables.gpus() if model.capability == text}
    return kinds == {"datacenter"}


def recognise(name: str) -> tuple[GpuModel | None, tuple[str, ...]]:
    """The GPU of that name; or None, and the names that were perhaps meant."""
    words = _words(name)
    found = _matching(words) or _matching(_plain(words))
    if found and len({model.capability for model in found}) == 1:
        # of a workstation's and a data centre's board of one name, the one with fewer rights
        return max(found, key=lambda model: model.kind != "datacenter"), ()
    if found:
        return None, tuple(model.name for model in found)[:4]
    return None, _close(words)


def _plain(words: frozenset[str]) -> frozenset[str]:
    """Without the letter that tells variants of one board apart: V100S, V100D, A100X."""
    return frozenset(re.sub(r"(?<=\d)[sdx]$", "", word) for word in words)


def is_ambiguous(name: str) -> bool:
    """Whether several GPUs of different kinds are called so."""
    return len({model.capability for model in _matching(_words(name))}) > 1


def _matching(words: frozenset[str]) -> list[GpuModel]:
    rows = [(model, _words(model.name)) for model in tables.gpus()]
    exact = [model for model, row in rows if row == words]
    if exact or not words:
        return exact
    wider = [model for model, row in rows if words < row]
    if wider:
        return wider
    narrower = [(len(row), model) for model, row in rows if row < words and _says_enough(row, words)]
    most = max((count for count, _ in narrower), default=0)
    return [model for count, model in narrower if count == most]


def _says_enough(row: frozenset[str], words: frozenset[str]) -> bool:
    """Whether what the name says beyond the row is no second model: a variant of it is meant ("4070 Ti SUPER")."""
    return not any(re.fullmatch(r"[a-z]{0,2}\d{2,}[a-z]?|ada|blackwell|pro", word) for word in words - row)


@cache
def _words(name: str) -> frozenset[str]:
    text = re.sub(r"^\s*\d+\s*x\s+|\bpg\d+-\d+", "", name.lower()).split(" mig ")[0]
    return frozenset(word for word in _split(re.split(r"[^a-z0-9.]+", text)) if word and not _NOISE.fullmatch(word))


def _split(words: Iterable[str]) -> Iterable[str]:
    for word in words:
        parts = [word]
        for pattern in _JOINED:
            matched = [(part, pattern.fullmatch(part)) for part in parts]
            parts = [one for part, found in matched for one in (found.groups() if found else (part,))]
        yield from parts


def _close(words: frozenset[str]) -> tuple[str, ...]:
    from difflib import get_close_matches  # noqa: PLC0415 - only on failure

    known = {" ".join(sorted(_words(model.name))): model.name for model in tables.gpus()}
    close = get_close_matches(" ".join(sorted(words)), known, n=3, cutoff=0.6)
    return tuple(known[one] for one in close)
