"""What several bounds on one thing come to."""

from __future__ import annotations

import pytest

from kobako.model.finding import Finding
from kobako.model.requirement import Bound
from kobako.scan.limits import combined


def bound(text: str) -> Bound:
    """``>=3.6 setup.py:3`` is firm, with a ``?`` in front it is a wish."""
    specifier, _, place = text.removeprefix("?").partition(" ")
    file, _, line = place.partition(":")
    findings = (Finding(file, int(line), specifier),) if file else ()
    return Bound(specifier, findings, firm=not text.startswith("?"))


@pytest.mark.parametrize(
    ("bounds", "specifier", "firm"),
    [
        ([], None, None),
        ([">=3.6"], ">=3.6", True),
        (["?>=3.6,<3.10"], ">=3.6,<3.10", False),
        ([">=3.6", "?>=3.7,<3.10"], ">=3.7,<3.10", True),
        (["?<3.10", ">=3.8"], ">=3.8,<3.10", True),
        ([">=3.6", ">=3.8", "<4", "<3.12"], ">=3.8,<3.12", True),
        ([">=1.3", ">1.3"], ">1.3", True),
        (["<2", "<=2"], "<2", True),
        (["==1.11.*", ">=1.8"], ">=1.8,==1.11.*", True),
        # a wish that contradicts what is enforced is dropped without a word
        ([">=3.9", "?<3.9"], ">=3.9", True),
        (["?==3.8.*", "?==3.9.*"], "==3.8.*", False),
        (["==1.11.*", "?>=2"], "==1.11.*", True),
        ([">=3.10", "?>=3.6,<3.10", "?<3.13"], ">=3.10,<3.13", True),
        (["!=3.9.*", ">=3.8"], ">=3.8,!=3.9.*", True),
        (["~=1.4", "<=1.4.2"], "~=1.4,<=1.4.2", True),
        (["==3.7.9", ">=3.7"], ">=3.7,==3.7.9", True),
        (["<3", ">=2.7"], ">=2.7,<3", True),
        ([""], "", True),
    ],
)
def test_what_they_come_to(bounds: list[str], specifier: str | None, firm: bool | None) -> None:
    found, problems = combined("python", [bound(one) for one in bounds])
    assert problems == []
    assert (found.specifier if found else None, found.firm if found else None) == (specifier, firm)


def test_a_contradiction_names_both_places() -> None:
    found, problems = combined(
        "python", [bound(">=3.9 setup.py:4"), bound(">=3.6 a:1"), bound("<3.8 pyproject.toml:7")]
    )
    assert found is not None
    assert found.specifier == ">=3.9"
    assert [str(one) for one in found.findings] == ["setup.py:4", "a:1"]
    (problem,) = problems
    assert problem.code == "contradiction"
    assert problem.what == "the repository asks for Python >=3.9 (setup.py:4) and for Python <3.8 (pyproject.toml:7)"
    assert str(problem.where) == "pyproject.toml:7"
    assert problem.fix == "decide with kobako base --python SPEC"


def test_the_pair_that_contradicts_is_the_one_that_is_named() -> None:
    _, problems = combined("torch", [bound(">=1.3 a:1"), bound("<1.9 b:2"), bound(">=2 c:3")])
    assert problems[0].what == "the repository asks for torch <1.9 (b:2) and for torch >=2 (c:3)"


def test_what_is_no_specifier() -> None:
    found, problems = combined("cuda", [bound("eleven README.md:3"), bound(">=11 x:1")])
    assert found is not None
    assert found.specifier == ">=11"
    assert [(one.code, str(one.where)) for one in problems] == [("bad-requirement", "README.md:3")]


@pytest.mark.parametrize("specifier", [">=2.0,<1.5", ">=3.9,<3.8", ">=1!1.0,<2", "===1.0.foo,>=3", "===²,>=3"])
def test_one_that_nothing_satisfies(specifier: str) -> None:
    found, problems = combined("torch", [bound(f"{specifier} a:1"), bound(">=1 b:2")])
    assert found is None or found.specifier == ">=1"
    assert [one.code for one in problems] in (["contradiction"], ["bad-requirement"])
    assert str(problems[0].where) == "a:1"


def test_evidence_is_kept_once_and_bounded() -> None:
    found, _ = combined("python", [*(bound(f">=3.6 a:{line}") for line in range(1, 30)), bound(">=3.6 a:1")])
    assert found is not None
    assert [one.line for one in found.findings] == [1, 2, 3, 4, 5, 6]


def test_more_than_anybody_writes() -> None:
    found, problems = combined(
        "torch", [bound(f"!={major}.{minor}.0 a:1") for major in range(40) for minor in range(50)]
    )
    assert found is not None
    assert [one.what for one in problems] == ["1900 more constraints on torch were not looked at"]
