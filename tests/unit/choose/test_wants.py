"""Constraints: as typed, as a repository has them, as a machine shows them; and which wish is dropped."""

from __future__ import annotations

from datetime import date

import pytest

from kobako.choose import Asked, asked, machine, offers, wanted
from kobako.choose.elsewhere import alternatives
from kobako.choose.pick import Chosen, pick
from kobako.choose.specifier import by_minor_version
from kobako.choose.wants import Wanted
from kobako.choose.wording import reasons, refusal
from kobako.model.finding import Finding
from kobako.model.host import Gpu
from kobako.model.requirement import Bound, Requirement, Scan


@pytest.mark.parametrize(
    ("typed", "specifier"),
    [
        ("1.11", "==1.11.*"),
        ("v1.11.0", "==1.11.0.*"),
        ("1.11.*", "==1.11.*"),
        ("1.11.x", "==1.11.*"),
        ("1", "==1.*"),
        ("1.11.0a0+17540c5", "==1.11.0.*"),
        ("2.0.0+cu118", "==2.0.0.*"),
        ("2.1.0.dev20230801", "==2.1.0.*"),
        ("==1.11.0+cu113", "==1.11.0"),
        ("torch>=1.8, <1.12", ">=1.8,<1.12"),
        ("torch==1.11", "==1.11"),
        ("~=1.11.0", "~=1.11.0"),
        (" >= 2 ", ">=2"),
    ],
)
def test_versions_as_typed(typed: str, specifier: str) -> None:
    (one,) = asked(Asked(torch=typed)).constraints
    assert (one.kind, one.wanted, one.firm, one.place) == ("torch", specifier, True, "--torch")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (Asked(torch="new"), "--torch new is neither a version nor a PEP 440 specifier such as '>=1.8,<1.12'"),
        (Asked(cuda="^11.6"), "--cuda \\^11.6 is neither a version"),
        (Asked(python="3.8 or 3.9"), "--python 3.8 or 3.9 is neither"),
        (Asked(driver="new"), "--driver new is not a driver's version such as 470 or 535.183.01"),
        (Asked(driver="47"), "--driver 47 is not"),
        (Asked(capabilities=("ampere",)), "--compute-capability ampere is not one such as 8.6 or 12.0"),
    ],
)
def test_what_is_not_understood(said: Asked, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        asked(said)


def test_an_unknown_gpu_is_a_problem_and_no_constraint() -> None:
    found = asked(Asked(gpus=("RTX 9090", "Tesla T4")))
    assert [one.wanted for one in found.constraints] == ["NVIDIA T4"]
    (problem,) = found.problems
    assert (problem.code, problem.what) == ("unknown-gpu", "which GPU 'RTX 9090' is, is not known")
    assert problem.fix.startswith("did you mean GeForce RTX 5090 or ")
    assert "--compute-capability X.Y" in problem.fix
    (newer,) = asked(Asked(capabilities=("13.5",))).problems
    assert newer.what == "compute capability 13.5 is newer than what the tables know"


PLACE = (Finding("setup.py", 7, "torch"),)
TOLD = (Finding("README.md", 12, "Python 3.7+"),)


def bound(specifier: str, *, firm: bool = True) -> Bound:
    return Bound(specifier, PLACE if firm else TOLD, firm)


def test_what_a_repository_asks_for() -> None:
    scan = Scan(
        (Requirement("torch", ">=1.3", findings=PLACE),),
        python=bound(">=3.6"),
        bounds={"python": (bound(">=3.6"), bound(">=3.7", firm=False)), "cuda": (bound("==11.3.*", firm=False),)},
    )
    found = wanted(scan, date(2022, 5, 10)).constraints
    assert [(one.kind, one.wanted, one.firm, one.place) for one in found] == [
        ("torch", ">=1.3", True, "setup.py:7"),
        ("cuda", "==11.3.*", False, "README.md:12"),
        ("python", ">=3.6", True, "setup.py:7"),
        ("python", ">=3.7", False, "README.md:12"),
        ("as-of", "2022-05", False, "the age of the repository"),
    ]


def test_a_repository_s_nonsense_is_left_out_and_said() -> None:
    scan = Scan(python=Bound("^3.8", PLACE), torch=Bound("", PLACE), cuda=Bound("==11.3", PLACE))
    found = wanted(scan)
    assert [one.wanted for one in found.constraints] == ["==11.3"]
    assert found.ignored == ("`^3.8` (setup.py:7) is not understood: it is no PEP 440 specifier: ^3.8",)


def test_an_optional_torch_is_no_constraint() -> None:
    assert wanted(Scan((Requirement("torch", "<1", optional=True, findings=PLACE),))).constraints == ()


A100 = Gpu("NVIDIA A100-SXM4-80GB", "470.199.02", "8.0")
RTX = Gpu("NVIDIA GeForce RTX 3090", "470.199.02", "8.6")
BLACKWELL = Gpu("NVIDIA GeForce RTX 5090", "570.86.10", "12.0")


@pytest.mark.parametrize(
    ("found", "said", "constraints"),
    [
        ([], Asked(), []),
        ([A100, A100], Asked(), [("gpu", "NVIDIA A100-SXM4-80GB", True), ("driver", "470.199.02", True)]),
        (
            [A100, RTX],
            Asked(),
            [
                ("gpu", "NVIDIA A100-SXM4-80GB", True),
                ("gpu", "NVIDIA GeForce RTX 3090", False),
                ("driver", "470.199.02", False),
            ],
        ),
        ([A100], Asked(driver="535"), [("gpu", "NVIDIA A100-SXM4-80GB", True)]),
        ([A100], Asked(gpus=("RTX 3090",)), [("driver", "470.199.02", False)]),
        ([RTX], Asked(capabilities=("9.0",)), [("driver", "470.199.02", True)]),
        ([RTX], Asked(capabilities=("9.0",), driver="535"), []),
        ([Gpu("NVIDIA Tomorrow", "700.1", "")], Asked(), [("driver", "700.1", False)]),
    ],
)
def test_what_a_machine_asks_for(found: list[Gpu], said: Asked, constraints: list[tuple[str, str, bool]]) -> None:
    given = machine(found, said)
    assert [(one.kind, one.wanted, one.datacenter) for one in given.constraints] == constraints
    assert all(not one.firm and one.origin == "this machine" for one in given.constraints)
    assert [one.code for one in given.problems] == (["unknown-gpu"] if "Tomorrow" in str(found) else [])


def of(*parts: Wanted) -> Chosen:
    every = Wanted()
    for part in parts:
        every += part
    return pick(every, offers.ngc())


def taken(found: Chosen) -> str:
    assert found.choice is not None
    return found.choice.offer.release


def test_a_told_python_gives_way() -> None:
    scan = Scan((Requirement("torch", "==1.6.0", findings=PLACE),), python=bound(">=3.8", firm=False))
    found = of(wanted(scan))
    assert taken(found) == "20.07"
    assert [one.wanted for one in found.dropped] == [">=3.8"]
    said = "the repository speaks of Python >=3.8 (README.md:12), which is told and not enforced: "
    assert reasons(found)[2].startswith(said)


def test_a_told_python_that_can_be_had_is_kept() -> None:
    scan = Scan((Requirement("torch", ">=1.6", findings=PLACE),), python=bound("==3.8.*", firm=False))
    found = of(wanted(scan))
    assert (taken(found), found.dropped) == ("23.04", ())


def test_the_machine_gives_way_to_the_repository_and_goes_before_its_age() -> None:
    old = Scan((Requirement("torch", "<1.12", findings=PLACE),))
    found = of(wanted(old), machine([BLACKWELL], Asked()))
    assert taken(found) == "22.02"
    assert [one.kind for one in found.dropped] == ["gpu"]
    assert reasons(found)[-1] == (
        "it does not serve this machine: none that fits serves its NVIDIA GeForce RTX 5090 (12.0)"
    )
    free = of(wanted(Scan(), date(2022, 5, 10)), machine([BLACKWELL], Asked()))
    assert (taken(free), [one.kind for one in free.dropped]) == ("25.01", ["as-of"])


def test_a_wish_is_not_had_at_the_price_of_the_unknown() -> None:
    # which torch the releases of early 2019 have is not known: that they might have 1.1 is no reason to take one
    scan = Scan(torch=bound("==1.1.*", firm=False))
    found = of(wanted(scan))
    assert (taken(found), [one.wanted for one in found.dropped]) == ("26.09", ["==1.1.*"])


@pytest.mark.parametrize(
    ("said", "pair", "without"),
    [
        (Asked("1.11", "12.1"), ["--torch", "--cuda"], ["23.07", "22.02"]),
        (Asked("1.11", "12.1", "3.8"), ["--torch", "--cuda"], ["23.04", "22.02"]),
        (Asked("2.1", python="3.8", cuda="11.8"), ["--torch", "--cuda"], ["22.12", "23.04"]),
        (Asked("1.11", gpus=("H100",)), ["--torch", "--gpu"], ["26.09", "22.02"]),
        (Asked(gpus=("Tesla V100", "RTX 5090", "Tesla T4")), ["--gpu", "--gpu"], ["26.09", "24.10"]),
        (Asked(driver="384"), ["--driver"], ["26.09"]),
        (Asked("2.3", cuda="12.4", driver="470"), ["--torch", "--driver"], ["24.04"]),
    ],
)
def test_the_smallest_conflict_is_named(said: Asked, pair: list[str], without: list[str]) -> None:
    found = of(asked(said))
    assert found.choice is None
    assert found.conflict is not None
    assert [one.place for one in found.conflict.constraints] == pair
    assert [offer.release for _, offer in found.conflict.without] == without


def test_three_that_exclude_each_other() -> None:
    # torch 2.0 is in 23.03 and 23.05; the first has Python 3.8, the second CUDA 12.1.1
    found = of(asked(Asked("2.0", "!=12.1.1", "3.10")))
    assert found.conflict is not None
    problem = refusal(found.conflict, found.kept, offers.ngc())
    assert problem.what == (
        "no NGC release has all of torch ==2.0.* (--torch), CUDA !=12.1.1 (--cuda), Python ==3.10.* (--python)"
    )


def test_contradictory_declarations_are_both_shown() -> None:
    other = Bound(">=2", (Finding("requirements.txt", 3),))
    scan = Scan((Requirement("torch", "<1.12", findings=PLACE),), bounds={"torch": (other,)})
    found = of(wanted(scan))
    assert found.conflict is not None
    problem = refusal(found.conflict, found.kept, offers.ngc())
    assert problem.what == "no NGC release has both torch <1.12 (setup.py:7) and torch >=2 (requirements.txt:3)"


@pytest.mark.parametrize(
    ("said", "images"),
    [
        (
            Asked("1.6", "10.1"),
            [
                "pytorch/pytorch:1.6.0-cuda10.1-cudnn7-devel",
                "python:3.8-slim (with torch 1.6.0 for CUDA 10.1 from PyTorch's index)",
            ],
        ),
        (Asked(python="3.9"), ["python:3.9-slim (with torch 2.8.0 for CUDA 12.9 from PyTorch's index)"]),
        (Asked("1.11", "12.1"), []),  # no torch 1.11 was built for it
        (Asked("1.11", gpus=("H100",)), []),  # nor for that GPU
        (Asked(driver="384"), []),
        (Asked("1.11", python="3.9"), ["python:3.9-slim (with torch 1.11.0 for CUDA 11.3 from PyTorch's index)"]),
    ],
)
def test_what_there_is_elsewhere(said: Asked, images: list[str]) -> None:
    assert [str(one) for one in alternatives(asked(said).constraints)] == images


@pytest.mark.parametrize(
    ("specifier", "wide"),
    [
        ("==2.1.2", "==2.1.*"),
        ("==2.1.2.*", "==2.1.*"),
        ("~=2.1.2", "==2.1.*"),
        (">=1.8.1,<=1.10.2", ">=1.8,<=1.10.2"),
        (">1.8.1", ">=1.8"),
        ("== 1.10.1 , !=1.10.0", "==1.10.*,!=1.10.0"),
        ("==2.1.0", "==2.1.0"),
        ("==2.1", "==2.1"),
        ("===2.1.2", "===2.1.2"),
        (">=1.7,<2", ">=1.7,<2"),
        ("!=2.1.2", "!=2.1.2"),
        ("", ""),
    ],
)
def test_a_specifier_by_minor_version(specifier: str, wide: str) -> None:
    assert by_minor_version(specifier) == wide


def test_a_pinned_patch_release_is_served_by_its_minor_version() -> None:
    found = of(wanted(Scan((Requirement("torch", "==2.1.2", findings=PLACE),))))
    assert taken(found) == "23.10"
    assert reasons(found) == (
        "the newest NGC release that fits",
        (
            "the repository asks for torch ==2.1.2 (setup.py:7): none that fits has that patch release, and one of "
            "the same minor version is taken"
        ),
    )


def test_a_patch_release_that_can_be_had() -> None:
    found = of(wanted(Scan((Requirement("torch", ">=1.8.1,<1.11", findings=PLACE),))))
    assert taken(found) == "21.10"
    assert reasons(found)[1:] == ("the repository asks for torch >=1.8.1,<1.11 (setup.py:7)",)


def test_what_only_was_told_of_torch_is_a_wish() -> None:
    told = Requirement("torch", "==0.3.*", origin="readme", findings=PLACE)
    found = of(wanted(Scan((told,))))
    assert (taken(found), [one.wanted for one in found.dropped]) == ("26.09", ["==0.3.*"])


def test_reasons_are_told_once() -> None:
    scan = Scan(
        (Requirement("torch", ">=1.7", findings=PLACE),),
        bounds={
            "torch": (Bound(">=1.7", (Finding("setup.py", 1),), firm=False),),
            "python": (Bound(">=3.6", PLACE), Bound(">=3.7,<3.10", PLACE, firm=False)),
        },
    )
    said = reasons(of(wanted(scan, date(2022, 4, 30))))
    assert said[1:] == (
        "the repository asks for torch >=1.7 (setup.py:7)",
        "the repository asks for Python >=3.6 (setup.py:7)",
        "the repository speaks of Python >=3.7,<3.10 (setup.py:7)",
        "its Python is 3.8 to judge by its neighbours",
    )
