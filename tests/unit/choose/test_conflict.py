"""The smallest set of constraints that no image satisfies, and that it is found in time."""

from __future__ import annotations

from kobako.choose import offers
from kobako.choose.pick import pick
from kobako.choose.wants import Constraint, Wanted


def torch(specifier: str) -> Constraint:
    return Constraint("torch", specifier)


def conflict(*specifiers: str) -> list[str]:
    found = pick(Wanted(tuple(torch(one) for one in specifiers)), offers.ngc()).conflict
    assert found is not None
    return [one.wanted for one in found.constraints]


def test_one_two_and_three() -> None:
    assert conflict(">=1.0", "==99.*", "<2") == ["==99.*"]
    assert conflict(">=1.0", "<1.5", ">=1.9", "<2") == ["<1.5", ">=1.9"]
    between = ">=1.11,<1.13"
    assert conflict(between, "!=1.11.*", "!=3.*", "!=1.12.*") == [between, "!=1.11.*", "!=1.12.*"]


def test_many_that_only_fail_together() -> None:
    excluded = [f"!=2.{minor}.*" for minor in range(30)]
    found = conflict(">=2.0", *excluded)
    assert found[0] == ">=2.0"
    assert 3 < len(found) < len(excluded)
    rest = [torch(one) for one in found[:-1]]
    assert pick(Wanted(tuple(rest)), offers.ngc()).choice is not None
