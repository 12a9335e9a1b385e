"""Images as they are judged: what is known of each, and between what the unknown must lie. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from kobako import data
from kobako.catalogue import final, recognise
from kobako.data import NgcRelease, tables
from kobako.model.image import BaseImage


@dataclass(frozen=True)
class Value:
    """A version in an image. ``known`` is "" where the tables have none; ``possible`` is what it may be then."""

    known: str
    possible: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        if self.known or not self.possible:
            return self.known or "not known"
        first, last = self.possible[0], self.possible[-1]
        return f"{first} to judge by its neighbours" if first == last else f"between {first} and {last}"


@dataclass(frozen=True)
class Driver:
    """What an image needs of the host's driver. Empty: not known.

    ``exact`` is what its CUDA was made with, ``minor`` what is enough for that major version of CUDA; ``branches`` are
    those that the image's compatibility package serves on a data centre's GPUs (None: not known).
    """

    exact: str = ""
    minor: str = ""
    branches: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Offer:
    """An image and all that it is judged by.

    ``lowest`` and ``highest`` are compute capabilities, each with whether the tables state it (else it is inferred).
    Where ``unsure`` is not "", GPUs from ``lowest`` up to it may be served or not.
    """

    image: BaseImage
    torch: Value
    cuda: Value
    python: Value
    driver: Driver = Driver()
    lowest: tuple[str, bool] = ("", False)
    highest: tuple[str, bool] = ("", False)
    unsure: str = ""
    own: bool = False

    @property
    def reference(self) -> str:
        return self.image.reference

    @property
    def release(self) -> str:
        return self.image.release


@cache
def ngc(own: tuple[NgcRelease, ...] = ()) -> tuple[Offer, ...]:
    """NGC's releases and a user's own rows, oldest first. An own row goes before the table's of the same image.

    An own row stands where its ``release`` puts it; one without any is taken last.
    """
    named = {row.image for row in own}
    found = [offer for offer in _table() if offer.reference not in named]
    found += [_offer(row, _value(row.pytorch), _value(row.cuda), _value(row.python), own=True) for row in own]
    return tuple(sorted(found, key=lambda offer: offer.release))


@cache
def _table() -> tuple[Offer, ...]:
    rows = data.ngc_releases()
    torch = _filled([row.pytorch for row in rows], [one.version for one in tables.torch_releases()])
    cuda = _filled([row.cuda for row in rows], [one.version for one in tables.cuda_toolkits()])
    python = _filled([row.python for row in rows], tables.pythons())
    found = [_offer(*each, own=False) for each in zip(rows, torch, cuda, python, strict=True)]
    lowest = _filled([offer.lowest[0] for offer in found], ())
    return tuple(
        offer
        if value.known or not value.possible
        else replace(offer, lowest=(value.possible[0], False), unsure=value.possible[-1])
        for offer, value in zip(found, lowest, strict=True)
    )


def _offer(row: NgcRelease, torch: Value, cuda: Value, python: Value, *, own: bool) -> Offer:
    image = replace(
        recognise(row.image),
        python=row.python,
        torch=row.pytorch,
        cuda=row.cuda,
        system=f"ubuntu {row.ubuntu}" if row.ubuntu else "",
        release=row.release,
        confidence=row.confidence,
        source=row.source,
    )
    if own and row.pytorch:
        image = replace(image, has_torch=True)
    lowest = row.compute_capability_min or row.cc_min_inferred
    highest = row.compute_capability_max or row.cc_max_inferred
    return Offer(
        image,
        torch,
        cuda,
        python,
        _driver(row, cuda),
        (lowest, bool(row.compute_capability_min)),
        (highest, bool(row.compute_capability_max)),
        own=own,
    )


def _driver(row: NgcRelease, cuda: Value) -> Driver:
    """CUDA's own table before what a release's notes say: those were not always brought up to date."""
    branches = tuple(one for one in row.driver_compat_branches.split(";") if one) or None
    # where the CUDA version is not known, the newest that it may be asks for the most
    toolkit = tables.cuda_toolkit(cuda.known or (cuda.possible[-1] if cuda.possible else ""))
    exact = row.driver_exact_derived or (toolkit.driver if toolkit else "") or row.driver_min
    return Driver(exact, row.driver_minor_compat_derived or (toolkit.driver_minor if toolkit else ""), branches)


def _filled(column: Sequence[str], known: Sequence[str]) -> list[Value]:
    """A column, oldest release first; for an empty cell what lies between its neighbours: versions hardly go back."""
    return [_value(cell) if cell else Value("", _between(column, at, known)) for at, cell in enumerate(column)]


def _between(column: Sequence[str], at: int, known: Sequence[str]) -> tuple[str, ...]:
    before = next((final(one) for one in reversed(column[:at]) if one), "")
    after = next((final(one) for one in column[at + 1 :] if one), "")
    ends = sorted((one for one in (before, after) if one), key=tables.numbers)
    inner = [
        one
        for one in known
        if (not before or tables.numbers(one) > tables.numbers(ends[0]))
        and (not after or tables.numbers(one) < tables.numbers(ends[-1]))
    ]
    return tuple(sorted({*ends, *inner}, key=tables.numbers))


def named(reference: str, own: tuple[NgcRelease, ...] = ()) -> Offer:
    """Any image, by the tables and its tag. Raises ``UsageError`` for what is no reference."""
    image = recognise(reference)
    plain = reference.partition("@")[0]
    for offer in ngc(own):
        if offer.own and offer.reference == plain:
            return offer
        if image.release and offer.release == image.release and not offer.own:
            return replace(offer, image=image)
    toolkit = tables.cuda_toolkit(image.cuda) if image.cuda else None
    driver = (
        Driver(toolkit.driver, toolkit.driver_minor, None if image.family == "cuda" else ()) if toolkit else Driver()
    )
    return Offer(
        image,
        _value(image.torch),
        _value(image.cuda),
        _value(image.python),
        driver,
        (toolkit.capability_min if toolkit else "", False),
        (toolkit.capability_max if toolkit else "", False),
    )


def _value(known: str) -> Value:
    return Value(known, (final(known),) if known else ())
