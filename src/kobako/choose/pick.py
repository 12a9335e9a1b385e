"""The image that satisfies the constraints; why the others do not; what is in the way where none does. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from kobako.choose.judge import judge
from kobako.choose.offers import Offer
from kobako.choose.wants import Constraint, Kind, Wanted
from kobako.data.tables import numbers

WISHES: tuple[Kind, ...] = ("gpu", "driver", "torch", "python", "cuda", "as-of")
"""Which wish is kept before which: an image that the GPU cannot run is of no use, its age is a matter of taste."""

TELLING: tuple[Kind, ...] = ("torch", "gpu", "driver", "cuda", "python", "as-of")
"""Which of the constraints that an image fails says the most of it."""


_MOST_TRIED = 100
"""Of so many constraints every three are tried together."""


@dataclass(frozen=True)
class Rejected:
    """An image that does not satisfy all of it. ``failed`` are the constraints; ``why`` is of the most telling one."""

    offer: Offer
    failed: tuple[Constraint, ...]
    why: str

    @property
    def is_near(self) -> bool:
        return len(self.failed) == 1


@dataclass(frozen=True)
class Candidate:
    """An image that satisfies all that is known. ``unknown`` is what nobody knows of it."""

    offer: Offer
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Conflict:
    """Constraints that no image satisfies together, as few as possible; and what is had without each of them."""

    constraints: tuple[Constraint, ...]
    without: tuple[tuple[Constraint, Offer], ...] = ()


@dataclass(frozen=True)
class Chosen:
    """The outcome. ``kept`` are the constraints that count, ``dropped`` the wishes that no image has as well."""

    choice: Candidate | None
    candidates: tuple[Candidate, ...]
    rejected: tuple[Rejected, ...]
    kept: tuple[Constraint, ...]
    dropped: tuple[Constraint, ...] = ()
    conflict: Conflict | None = None

    @property
    def near_misses(self) -> tuple[Rejected, ...]:
        return tuple(one for one in self.rejected if one.is_near)


def pick(wanted: Wanted, offers: Sequence[Offer]) -> Chosen:
    """The newest offer that satisfies all. ``offers`` come oldest first.

    Firm constraints hold or nothing is chosen. Wishes are dropped, the least important first, where nothing satisfies
    them as well. What nobody knows of an image is no reason against it, but it comes after those that are known.
    """
    firm = [one for one in wanted.constraints if one.firm]
    pool = _fitting(offers, firm)
    if not pool:
        return Chosen(None, (), _rejected(offers, firm, len(offers)), tuple(firm), conflict=_conflict(firm, offers))
    kept, dropped = list(firm), []
    for wish in sorted((one for one in wanted.constraints if not one.firm), key=lambda one: WISHES.index(one.kind)):
        fitting = _fitting(offers, [*kept, wish])
        if _is_better(fitting, _fitting(offers, kept)):
            kept.append(wish)
        else:
            dropped.append(wish)
    found = _ranked(_fitting(offers, kept), dropped)
    rejected = _rejected(offers, kept, list(offers).index(found[0].offer))
    return Chosen(found[0], tuple(found), rejected, tuple(kept), tuple(dropped))


def _is_better(narrow: Sequence[Candidate], wide: Sequence[Candidate]) -> bool:
    """Whether a wish can be had: not at the price of choosing what nobody knows."""
    if any(not one.unknown for one in wide):
        return any(not one.unknown for one in narrow)
    return bool(narrow)


def _fitting(offers: Iterable[Offer], constraints: Sequence[Constraint]) -> list[Candidate]:
    found = []
    for offer in offers:
        verdicts = [judge(offer, one) for one in constraints]
        if all(one.state != "no" for one in verdicts):
            found.append(Candidate(offer, tuple(one.said for one in verdicts if one.state == "unknown")))
    return found


def _ranked(found: Sequence[Candidate], dropped: Sequence[Constraint]) -> list[Candidate]:
    """The best first: what is known, then the newest; the oldest where all are newer than what is asked for."""
    late = any(one.kind == "as-of" for one in dropped)
    newest_first = found if late else list(reversed(found))
    return sorted(newest_first, key=lambda one: bool(one.unknown))


def _rejected(offers: Sequence[Offer], constraints: Sequence[Constraint], chosen: int) -> tuple[Rejected, ...]:
    """Those that fail one constraint first, and of them those next to the chosen one; of two the newer."""
    found: list[tuple[bool, int, Rejected]] = []
    order = sorted(constraints, key=lambda one: TELLING.index(one.kind))
    for at in reversed(range(len(offers))):
        failed = [(one, verdict.said) for one in order if (verdict := judge(offers[at], one)).state == "no"]
        if failed:
            rejected = Rejected(offers[at], tuple(one for one, _ in failed), failed[0][1])
            found.append((not rejected.is_near, abs(at - chosen), rejected))
    return tuple(one for _, _, one in sorted(found, key=lambda each: each[:2]))


def _conflict(firm: Sequence[Constraint], offers: Sequence[Offer]) -> Conflict:
    """The smallest set that nothing satisfies. One is always found: all of them together are."""
    group = _smallest(firm, offers)
    without = []
    for one in group:
        rest = _ranked(_fitting(offers, [other for other in firm if other != one]), ())
        if rest:
            without.append((one, rest[0].offer))
    return Conflict(group, tuple(without))


def _smallest(firm: Sequence[Constraint], offers: Sequence[Offer]) -> tuple[Constraint, ...]:
    """One constraint, two or three that nothing satisfies; else a set from which none can be left out.

    Of two constraints a repository could not be written by accident; thirty that only fail together are made on
    purpose, and to look for the smallest set of them would take for ever.
    """
    fits = [frozenset(at for at, offer in enumerate(offers) if judge(offer, one).state != "no") for one in firm]
    for size in range(1, min(len(firm), 3) + 1):
        if size == 3 and len(firm) > _MOST_TRIED:
            break
        for group in combinations(range(len(firm)), size):
            if not frozenset.intersection(*(fits[at] for at in group)):
                return tuple(firm[at] for at in group)
    kept = list(range(len(firm)))
    for at in range(len(firm)):
        rest = [other for other in kept if other != at]
        if rest and not frozenset.intersection(*(fits[other] for other in rest)):
            kept = rest
    return tuple(firm[at] for at in kept)


def span(constraint: Constraint, offers: Sequence[Offer]) -> str:
    """Which releases satisfy a constraint: "21.11 to 22.02", or "none"."""
    found = [one.offer.release for one in _fitting(offers, [constraint]) if one.offer.release]
    found.sort(key=numbers)
    if not found:
        return "none"
    return found[0] if found[0] == found[-1] else f"{found[0]} to {found[-1]}"
