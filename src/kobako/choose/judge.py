"""Whether an image satisfies a constraint: yes, no, or nobody knows, and why, in a line. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Literal, NamedTuple

from kobako.choose import specifier
from kobako.choose.offers import Offer
from kobako.choose.wants import Constraint, Kind
from kobako.data import tables
from kobako.data.tables import numbers

State = Literal["yes", "no", "unknown"]


class Verdict(NamedTuple):
    """``said`` is why, for a person; for "yes" it is "" where there is nothing to add."""

    state: State
    said: str = ""


_YES = Verdict("yes")

BY_NEIGHBOURS = "to judge by its neighbours"


@cache
def judge(offer: Offer, constraint: Constraint) -> Verdict:
    """Whether the image satisfies the constraint."""
    return _JUDGES[constraint.kind](offer, constraint)


def _torch(offer: Offer, constraint: Constraint) -> Verdict:
    if offer.image.has_torch is False:
        return _installable(offer, constraint)
    shown = offer.torch.shown.partition("+")[0]  # which build it is says nothing to a person
    return _version("torch", shown, specifier.fits(constraint.wanted, offer.torch.possible), constraint)


def _cuda(offer: Offer, constraint: Constraint) -> Verdict:
    if offer.image.family in {"python", "distribution"}:
        return Verdict("unknown", "the CUDA libraries come with the torch that is installed")
    return _version("CUDA", offer.cuda.shown, specifier.fits(constraint.wanted, offer.cuda.possible), constraint)


def _python(offer: Offer, constraint: Constraint) -> Verdict:
    fits = specifier.python_fits(constraint.wanted, offer.python.possible)
    return _version("Python", offer.python.shown, fits, constraint)


def _version(name: str, shown: str, fits: bool | None, constraint: Constraint) -> Verdict:  # noqa: FBT001 - an answer
    if fits is None:
        return Verdict("unknown", f"its {name} is {shown}")
    if not fits:
        return Verdict("no", f"{name} {shown} is not {constraint.wanted}")
    return Verdict("yes", f"its {name} is {shown}") if shown.endswith(BY_NEIGHBOURS) else _YES


def _installable(offer: Offer, constraint: Constraint) -> Verdict:
    """An image without torch has the torch that pip installs: one with wheels for its Python."""
    python = offer.image.python
    fitting = [one for one in tables.torch_releases() if specifier.fits(constraint.wanted, (one.version,))]
    if not fitting:
        return Verdict("no", f"no release of torch is {constraint.wanted}")
    if not python:
        return Verdict("unknown", "it brings no torch, and which Python it has is not known")
    installable = [one.version for one in fitting if python in one.pythons]
    if installable:
        return Verdict("yes", f"it brings no torch; the index has {installable[-1]} for Python {python}")
    return Verdict("no", f"it brings no torch, and the index has none for Python {python} that is {constraint.wanted}")


def _as_of(offer: Offer, constraint: Constraint) -> Verdict:
    if not re.fullmatch(r"\d\d\.\d\d", offer.release):
        return Verdict("unknown", "when it was made is not known")
    month = f"20{offer.release.replace('.', '-')}"
    return _YES if month <= constraint.wanted else Verdict("no", f"it is newer than {constraint.wanted}")


def _gpu(offer: Offer, constraint: Constraint) -> Verdict:
    asked, (lowest, stated_low), (highest, _) = constraint.capability, offer.lowest, offer.highest
    subject = _subject(constraint)
    if offer.cuda.known == "" and offer.image.family in {"python", "distribution"}:
        return Verdict("unknown", "which GPUs it serves depends on the torch that is installed")
    if _is_jetson(asked):
        return Verdict("unknown", f"{subject}, a Jetson's: their images have tags of their own (-igpu)")
    if lowest and numbers(asked) < numbers(lowest):
        return Verdict("no", f"it serves {lowest} and later{'' if stated_low else ' (inferred)'}; {subject}")
    if highest and numbers(asked) > numbers(highest):
        if numbers(asked)[0] > numbers(highest)[0]:
            return Verdict("no", f"it serves up to {highest}; {subject}")
        return Verdict("unknown", f"it is older than {asked}, and code for {highest} runs there as well; {subject}")
    if not (lowest and highest) or (offer.unsure and numbers(asked) < numbers(offer.unsure)):
        return Verdict("unknown", f"which GPUs it serves is not known; {subject}")
    if offer.image.family != "ngc" and not offer.own:
        return Verdict("unknown", f"which GPUs its torch was built for is not known; {subject}")
    return _between(offer, asked, subject)


def _between(offer: Offer, asked: str, subject: str) -> Verdict:
    """A compute capability can be new though its number lies among the old ones (10.7 came after 12.1)."""
    since = tables.capabilities().get(asked, "")
    if since and offer.cuda.known and numbers(offer.cuda.known) < numbers(since):
        older = [one for one in tables.capabilities() if numbers(one)[0] == numbers(asked)[0] and _is_older(one, asked)]
        known = [one for one in older if numbers(tables.capabilities()[one]) <= numbers(offer.cuda.known)]
        if not known:
            return Verdict("no", f"CUDA {offer.cuda.known} does not know {asked}, {since} does; {subject}")
        return Verdict("unknown", f"it is older than {asked}, and code for {known[-1]} runs there as well; {subject}")
    return Verdict("yes", f"it serves {offer.lowest[0]} to {offer.highest[0]}")


def _is_older(one: str, other: str) -> bool:
    return numbers(one) < numbers(other)


@cache
def _is_jetson(capability: str) -> bool:
    kinds = {model.kind for model in tables.gpus() if model.capability == capability}
    return kinds == {"jetson"}


def _subject(constraint: Constraint) -> str:
    if constraint.wanted == constraint.capability:
        return f"{constraint.capability} is asked for"
    return f"{constraint.wanted} is {constraint.capability}"


def _driver(offer: Offer, constraint: Constraint) -> Verdict:
    asked, need = constraint.wanted, offer.driver
    cuda = f"CUDA {offer.cuda.known}" if offer.cuda.known else "its CUDA"
    if offer.image.family in {"python", "distribution"}:
        return Verdict("unknown", "which driver it needs depends on the torch that is installed")
    if need.exact and _at_least(asked, need.exact):
        return _YES
    if need.minor and _at_least(asked, need.minor):
        limits = "code that is compiled for the GPU only when it starts may fail"
        if _major(need.exact) and numbers(asked) < numbers(need.exact):
            return Verdict("yes", f"{cuda} runs on {asked} by minor-version compatibility ({limits})")
        return Verdict("yes", f"{cuda} runs on {need.minor} and later")
    enough = need.minor or need.exact
    if constraint.datacenter:
        return _forward(offer, constraint, cuda)
    if not enough:
        return Verdict("unknown", "which driver it needs is not known")
    tail = f" ({need.exact} without limits)" if need.minor and need.exact and need.minor != need.exact else ""
    return Verdict("no", f"{cuda} needs driver {enough} or later{tail}, not {asked}")


def _forward(offer: Offer, constraint: Constraint, cuda: str) -> Verdict:
    """An older driver of a data centre's GPU may serve through the compatibility package in the image."""
    asked, branches = constraint.wanted, offer.driver.branches
    if branches is None:
        what = "which older drivers its compatibility package serves is not known"
        return Verdict("unknown", f"{cuda} needs a newer driver than {asked}, and {what}")
    for branch in branches:
        if _major(branch) == _major(asked) and _at_least(asked, branch):
            package = "through its compatibility package, as GPUs of data centres can"
            return Verdict("yes", f"{cuda} runs on {asked} {package} ({branch} and later)")
    listed = ", ".join(branches) if branches else "none"
    need = offer.driver.minor or offer.driver.exact
    return Verdict("no", f"{cuda} needs driver {need} or later, and its package for older ones serves {listed}")


def _at_least(asked: str, needed: str) -> bool:
    """Whether the driver is that new. A branch alone ("470") stands for its newest driver."""
    have, need = numbers(asked), numbers(needed)
    return have >= need[: len(have)]


def _major(version: str) -> int:
    return numbers(version)[0] if version else 0


_JUDGES: dict[Kind, Callable[[Offer, Constraint], Verdict]] = {
    "torch": _torch,
    "gpu": _gpu,
    "driver": _driver,
    "cuda": _cuda,
    "python": _python,
    "as-of": _as_of,
}
