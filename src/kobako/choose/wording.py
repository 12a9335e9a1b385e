"""Choices and refusals in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from kobako.choose.elsewhere import alternatives
from kobako.choose.judge import BY_NEIGHBOURS, judge
from kobako.choose.offers import Offer
from kobako.choose.pick import Chosen, Conflict, span
from kobako.choose.specifier import by_minor_version
from kobako.choose.wants import MACHINE, Constraint
from kobako.model.result import Problem


def reasons(chosen: Chosen) -> tuple[str, ...]:
    """Why this one: the most telling first."""
    if chosen.choice is None:
        return ()
    offer = chosen.choice.offer
    kept = list(_once((one for one in chosen.kept if one.kind != "as-of"), chosen.dropped))
    said = [_headline(chosen, offer), *(_asks(one, offer) for one in kept)]
    said += dict.fromkeys(note for one in kept if (note := judge(offer, one).said).endswith(BY_NEIGHBOURS))
    said += [_dropped(one) for one in chosen.dropped if one.kind != "as-of"]
    said += [f"not known: {one}" for one in chosen.choice.unknown]
    return tuple(said)


def named(offer: Offer, constraints: Iterable[Constraint]) -> tuple[str, ...]:
    """Why an image fits that the user names himself: what of all that is asked for it has."""
    fitting = [one for one in _once(constraints) if one.kind != "as-of" and judge(offer, one).state == "yes"]
    return tuple(_asks(one, offer) for one in fitting)


def _once(constraints: Iterable[Constraint], others: Sequence[Constraint] = ()) -> Iterator[Constraint]:
    """Without those that say nothing beyond another, of ``others`` too: the firm ones come first."""
    listed = list(constraints)
    exact = {(one.kind, one.findings) for one in (*listed, *others) if one.patch}
    seen: set[tuple[str, str, str]] = set()
    for one in listed:
        key = (one.kind, one.wanted, one.origin)
        if key not in seen and (one.patch or (one.kind, one.findings) not in exact):
            seen.add(key)
            yield one


def _headline(chosen: Chosen, offer: Offer) -> str:
    kind = "image of yours" if offer.own else "NGC release"
    for one in chosen.kept:
        if one.kind == "as-of":
            return f"the newest {kind} up to {one.wanted} that fits ({one.place})"
    for one in chosen.dropped:
        if one.kind == "as-of":
            return f"the oldest {kind} that fits: none does that was made by {one.wanted} ({one.place})"
    return f"the newest {kind} that fits"


def _asks(constraint: Constraint, offer: Offer) -> str:
    verdict = judge(offer, constraint)
    told = verdict.state == "yes" and verdict.said and not verdict.said.endswith(BY_NEIGHBOURS)
    tail = f": {verdict.said}" if told else ""
    return f"{asks(constraint)}{tail}"


def asks(constraint: Constraint) -> str:
    """Who asks for what: ``the repository asks for torch <2 (setup.py:7)``."""
    if constraint.origin == MACHINE:
        return f"this machine has {constraint}"
    if constraint.origin:
        return f"{constraint.origin} asks for {constraint}"
    place = f" ({constraint.findings[0]})" if constraint.findings else ""
    verb = "asks for" if constraint.firm or constraint.patch else "speaks of"
    return f"the repository {verb} {constraint}{place}"


def _dropped(constraint: Constraint) -> str:
    if constraint.origin == MACHINE:
        return f"it does not serve this machine: none that fits serves its {constraint}"
    if constraint.patch:
        return f"{asks(constraint)}: none that fits has that patch release, and one of the same minor version is taken"
    return f"{asks(constraint)}, which is told and not enforced: left out, none that fits has it as well"


def described(constraint: Constraint) -> str:
    """The constraint with its place: ``torch ==1.11.* (--torch)``."""
    return f"{constraint} ({constraint.place})" if constraint.place else str(constraint)


def refusal(conflict: Conflict, kept: Sequence[Constraint], offers: Sequence[Offer]) -> Problem:
    """Nothing fits: the smallest conflicting pair, which releases each of it has, and what to do."""
    group = conflict.constraints
    both = " and ".join(described(one) for one in group)
    what = f"no NGC release has {both}" if len(group) == 1 else f"no NGC release has both {both}"
    if len(group) > 2:
        what = f"no NGC release has all of {', '.join(described(one) for one in group)}"
    spans = [f"{one} is in {span(one, offers)}" for one in group] if len(group) > 1 else list(_least(group[0], offers))
    return Problem("no-base", what, "; ".join(spans), _fix(conflict, kept, offers))


def _least(constraint: Constraint, offers: Sequence[Offer]) -> Iterator[str]:
    """What the oldest and the newest release say to a constraint that none satisfies."""
    for offer in (offers[0], offers[-1]) if len(offers) > 1 else offers:
        yield f"{offer.release or offer.reference}: {judge(offer, constraint).said}"


def _fix(conflict: Conflict, kept: Sequence[Constraint], offers: Sequence[Offer]) -> str:
    elsewhere = alternatives(kept)
    parts = [f"with {one}: {offer.reference}" for one, offer in _wider(conflict, kept, offers)]
    parts += [f"not from the table of images: {' or '.join(map(str, elsewhere))}"] if elsewhere else []
    parts += [f"without {one}: {offer.reference}" for one, offer in conflict.without]
    return "; ".join(parts) or "name a base image: --base IMAGE"


def _wider(
    conflict: Conflict, kept: Sequence[Constraint], offers: Sequence[Offer]
) -> Iterator[tuple[Constraint, Offer]]:
    """What there is of the minor version, where a patch release was asked for."""
    for one in conflict.constraints:
        wide = replace(one, wanted=by_minor_version(one.wanted)) if one.kind in {"torch", "cuda"} else one
        others = [wide, *(other for other in kept if other != one)]
        fitting = [offer for offer in offers if all(judge(offer, each).state == "yes" for each in others)]
        if wide != one and fitting:
            yield wide, fitting[-1]


def unfit(offer: Offer, constraints: Iterable[Constraint]) -> tuple[list[str], list[str]]:
    """What speaks against an image, and what nobody knows of it."""
    against, unknown = [], []
    for one in constraints:
        verdict = judge(offer, one)
        place = f" ({one.place})" if one.place else ""
        if verdict.state == "no" and not one.patch:
            against.append(f"{verdict.said}{place}")
        elif verdict.state != "yes":
            unknown.append(f"{verdict.said}{place}")
    return against, unknown
