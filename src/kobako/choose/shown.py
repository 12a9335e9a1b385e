"""A choice as the machine contract has it, and as a person reads it. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from kobako import data
from kobako.choose.elsewhere import Alternative
from kobako.choose.judge import State
from kobako.choose.offers import Offer
from kobako.choose.pick import Candidate, Chosen, Rejected
from kobako.choose.wants import Constraint
from kobako.choose.wording import described, unfit

_WIDTH = 80
_NEAR = 6
"""Lines of near misses that a person is shown without asking for all."""

_COLUMNS = (
    *("release", "image", "ubuntu", "python", "cuda", "cudnn", "nccl", "tensorrt", "pytorch", "torchvision"),
    *("driver_min", "compute_capability_min", "compute_capability_max", "released", "confidence", "source", "notes"),
)


def row(offer: Offer, reasons: Sequence[str]) -> dict[str, Any]:
    """The image's row of the table. What is not known is null; what is inferred stands under ``inferred``."""
    image = offer.image
    known = {
        "release": image.release,
        "image": image.reference,
        "python": image.python,
        "cuda": image.cuda,
        "pytorch": image.torch,
        "confidence": image.confidence,
        "source": image.source,
    }
    listed = {} if offer.own else _listed(offer)
    found: dict[str, Any] = {column: known.get(column) or listed.get(column) or None for column in _COLUMNS}
    found["ubuntu"] = found["ubuntu"] or _ubuntu(image.system)
    return {
        **found,
        "family": image.family,
        "system": image.system or None,
        "torch": image.torch or None,
        "driver_compat_branches": list(offer.driver.branches or ()),
        "inferred": {
            "driver": offer.driver.exact or None,
            "driver_minor": offer.driver.minor or None,
            "compute_capability_min": offer.lowest[0] or None,
            "compute_capability_max": offer.highest[0] or None,
        },
        "reasons": list(reasons),
    }


def _listed(offer: Offer) -> dict[str, str]:
    rows = data.rows("ngc_pytorch") if offer.image.family == "ngc" else ()
    return next((one for one in rows if one["release"] == offer.release), {})


def _ubuntu(system: str) -> str | None:
    name, _, version = system.partition(" ")
    return version if name == "ubuntu" and version else None


def candidate(one: Candidate) -> dict[str, Any]:
    return {
        "release": one.offer.release or None,
        "image": one.offer.reference,
        "known": not one.unknown,
        "unknown": list(one.unknown),
    }


def rejected(one: Rejected) -> dict[str, Any]:
    return {
        "release": one.offer.release or None,
        "image": one.offer.reference,
        "why": one.why,
        "near": one.is_near,
    }


def constraint(one: Constraint, *, kept: bool) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "wanted": one.wanted,
        "capability": one.capability or None,
        "firm": one.firm,
        "kept": kept,
        "origin": one.origin or "the repository",
        "evidence": [{"file": each.file, "line": each.line} for each in one.findings],
    }


def judged(offer: Offer, constraints: Iterable[Constraint]) -> dict[str, Any]:
    """Whether an image fits, and what speaks against it. Its age does not: that is a matter of taste."""
    against, unknown = unfit(offer, (one for one in constraints if one.kind != "as-of"))
    fits: State = "no" if against else "unknown" if unknown else "yes"
    return {"image": offer.reference, "fits": fits, "against": against, "unknown": unknown}


def conflict(chosen: Chosen) -> dict[str, Any] | None:
    if chosen.conflict is None:
        return None
    return {
        "constraints": [constraint(one, kept=True) for one in chosen.conflict.constraints],
        "without": [{"constraint": described(one), "image": offer.reference} for one, offer in chosen.conflict.without],
    }


def alternative(one: Alternative) -> dict[str, str]:
    return {"image": one.image, "note": one.note}


def told(offer: Offer, reasons: Iterable[str]) -> list[str]:
    """The choice for a person."""
    facts = [
        f"{name} {value}"
        for name, value in (("Python", offer.image.python), ("torch", offer.image.torch), ("CUDA", offer.image.cuda))
        if value
    ]
    facts += [offer.image.system] if offer.image.system else []
    lines = [offer.reference, *_wrapped(", ".join(facts) or "what is in it is not known", "  ")]
    return [*lines, "why:", *(line for one in reasons for line in _wrapped(one, "  "))]


def told_rejected(chosen: Chosen, *, verbose: bool) -> list[str]:
    """Near misses, those next to the choice first; under ``-v`` all that do not fit."""
    if not chosen.rejected:
        return []
    if chosen.conflict is not None and len(chosen.conflict.constraints) == 1 and not verbose:
        return []  # the error says all there is to say
    shown = chosen.rejected if verbose else chosen.near_misses
    lines = list(_grouped(shown))
    cut = lines if verbose else lines[:_NEAR]
    title = "these do not fit:" if verbose else "near misses:"
    found = [title, *(line for one in cut for line in _wrapped(one, "  "))] if cut else []
    if not verbose:
        found.append(f"{len(chosen.rejected)} images do not fit (-v says why of each)")
    return found


def _grouped(rejected: Iterable[Rejected]) -> Iterator[str]:
    """Releases with the same reason share a line."""
    for why, group in groupby(rejected, key=lambda one: one.why):
        names = [one.offer.release or one.offer.reference for one in group]
        span = names[0] if len(names) == 1 else f"{min(names)} ... {max(names)}"
        yield f"{span:<15}  {why}"


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
