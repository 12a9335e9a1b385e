"""Which base image, and why: facts and tables in, a choice with its reasons out. Pure.

An image that nobody knows is taken as it is named: the tables inform, they never refuse.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from kobako.catalogue import recognise
from kobako.choose import offers
from kobako.choose.pick import pick
from kobako.choose.wants import MACHINE, Asked, Time, asked, machine, wanted
from kobako.choose.wording import reasons, refusal
from kobako.data import NgcRelease
from kobako.errors import UsageError
from kobako.model.choice import Choice
from kobako.model.host import Gpu
from kobako.model.image import BaseImage
from kobako.model.requirement import Scan

__all__ = ["MACHINE", "Asked", "Time", "asked", "choose", "machine", "wanted"]


def choose(
    named: str | None,
    scan: Scan,
    *,
    as_of: date | Time | None = None,
    host: Sequence[Gpu] = (),
    own: tuple[NgcRelease, ...] = (),
) -> Choice[BaseImage]:
    """The base for a repository: the one that the user names, else the newest NGC release that fits.

    ``as_of`` is the time that the repository is from; ``host`` are the GPUs that it is to run on, ``own`` the user's
    own rows of the table. Raises ``UsageError("no-base")`` when nothing was named and nothing fits.
    """
    if named is not None:
        return Choice(offers.named(named, own).image, ("named with --base",))
    table = offers.ngc(own)
    every = wanted(scan, as_of) + machine(host, Asked())
    chosen = pick(every, table)
    if chosen.conflict is not None:
        problem = refusal(chosen.conflict, chosen.kept, table)
        raise UsageError("no-base", problem.what, why=problem.why, fix=problem.fix)
    said = reasons(chosen)
    if not any(one.kind in {"torch", "python", "cuda"} for one in every.constraints):
        said = (said[0], "the repository declares neither torch nor Python versions", *said[1:])
    assert chosen.choice is not None  # noqa: S101 - pick chooses where there is no conflict
    image = chosen.choice.offer.image
    return Choice(image if chosen.choice.offer.own else recognise(image.reference), (*said, *every.ignored))
