"""What classifiers come to."""

from __future__ import annotations

import pytest

from kobako.model.finding import Finding
from kobako.model.requirement import Bound
from kobako.scan.declaring.classifiers import python_of

PYTHON = "Programming Language :: Python"


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (["3.6", "3.7", "3.8", "3.9"], ">=3.6,<3.10"),
        (["3.9", "3.6"], ">=3.6,<3.10"),
        (["3.10"], ">=3.10,<3.11"),
        (["2.7", "3.5", "3.6"], ">=3.5,<3.7"),
        (["2.7"], ">=2.7,<2.8"),
        (["3"], ""),
        (["3 :: Only"], ""),
        (["Implementation :: CPython"], ""),
        ([], ""),
    ],
)
def test_the_range(versions: list[str], expected: str) -> None:
    listed = [(f"{PYTHON} :: {one}", Finding("setup.py", at)) for at, one in enumerate(versions, 1)]
    bound = python_of([("License :: OSI Approved", Finding("setup.py", 9)), *listed])
    assert (bound.specifier if bound else "") == expected
    assert bound is None or not bound.firm


def test_the_evidence_is_in_order() -> None:
    listed = [(f"{PYTHON} :: {one}", Finding("a", at)) for at, one in enumerate(["3.8", "3.7", "2.7"], 1)]
    assert python_of(listed) == Bound(">=3.7,<3.9", (Finding("a", 2), Finding("a", 1)), firm=False)
