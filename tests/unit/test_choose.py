"""Base images: recognised by tables and tags, chosen by what is declared."""

from __future__ import annotations

from datetime import date

import pytest

from kobako.catalogue import recognise
from kobako.choose import Time, choose
from kobako.errors import UsageError
from kobako.model.finding import Finding
from kobako.model.host import Gpu
from kobako.model.requirement import Bound, Requirement, Scan


@pytest.mark.parametrize(
    ("reference", "family", "python", "torch", "cuda"),
    [
        ("nvcr.io/nvidia/pytorch:22.02-py3", "ngc", "3.8", "1.11.0a0+17540c5", "11.6.0"),
        ("nvcr.io/nvidia/pytorch:22.02-py3@sha256:" + "0" * 64, "ngc", "3.8", "1.11.0a0+17540c5", "11.6.0"),
        ("nvcr.io/nvidia/pytorch:99.01-py3", "ngc", "", "", ""),
        ("nvcr.io/nvidia/pytorch:25.04-py3-igpu", "ngc", "3.12", "2.7.0a0+79aa17489c", "12.9.0"),
        ("python:3.11-slim", "python", "3.11", "", ""),
        ("docker.io/library/python:3.9.18-bullseye", "python", "3.9", "", ""),
        ("python:latest", "python", "", "", ""),
        ("pytorch/pytorch:1.11.0-cuda11.3-cudnn8-devel", "pytorch", "3.8", "1.11.0", "11.3"),
        ("pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime", "pytorch", "3.10", "2.1.0", "12.1"),
        ("pytorch/pytorch:1.13-cuda11.6-cudnn8-runtime", "pytorch", "3.10", "1.13", "11.6"),
        ("pytorch/pytorch:1.10.2-cuda11.3-cudnn8-runtime", "pytorch", "3.7", "1.10.2", "11.3"),
        ("pytorch/pytorch:latest", "pytorch", "", "", ""),
        ("nvidia/cuda:12.1.1-cudnn8-devel-ubuntu22.04", "cuda", "3.10", "", "12.1.1"),
        ("ubuntu:20.04", "distribution", "3.8", "", ""),
        ("debian:bookworm-slim", "distribution", "3.11", "", ""),
        ("registry.example:5000/team/base", "other", "", "", ""),
        ("example/python:3.11", "other", "", "", ""),
    ],
)
def test_recognised(reference: str, family: str, python: str, torch: str, cuda: str) -> None:
    found = recognise(reference)
    assert found.reference == reference
    assert (found.family, found.python, found.torch, found.cuda) == (family, python, torch, cuda)


def test_what_a_base_brings() -> None:
    assert recognise("nvcr.io/nvidia/pytorch:25.03-py3").constrained
    assert not recognise("nvcr.io/nvidia/pytorch:25.02-py3").constrained
    assert recognise("nvcr.io/nvidia/pytorch:20.11-py3").too_old_for_uv
    assert not recognise("nvcr.io/nvidia/pytorch:20.12-py3").too_old_for_uv
    assert recognise("ubuntu:18.04").too_old_for_uv
    assert not recognise("nvidia/cuda:12.1.1-devel-ubuntu22.04").has_pip
    assert recognise("python:3.12-alpine").system == "alpine"
    assert recognise("anything:1").has_torch is None


@pytest.mark.parametrize("reference", ["", "a b", "x;y", "--help", "a$b"])
def test_no_reference(reference: str) -> None:
    with pytest.raises(UsageError) as caught:
        recognise(reference)
    assert caught.value.code == "no-base"


def wants(torch: str = "", python: str = "") -> Scan:
    place = (Finding("setup.py", 7),)
    requirements = (Requirement("torch", torch, findings=place),) if torch else ()
    return Scan(requirements, Bound(python, place) if python else None)


@pytest.mark.parametrize(
    ("torch", "python", "release"),
    [
        (">=1.8,<1.12", "", "22.02"),
        ("==1.11.0", ">=3.7", "22.02"),
        ("<2", "", "23.02"),
        ("", "<3.11", "24.10"),
        (">=2.6", ">=3.12", "26.09"),
        ("", "", "26.09"),
    ],
)
def test_the_newest_that_fits(torch: str, python: str, release: str) -> None:
    found = choose(None, wants(torch, python))
    assert found.value.release == release
    assert found.reasons[0] == "the newest NGC release that fits"


def test_reasons_have_their_place() -> None:
    assert choose(None, wants("<2", ">=3.7")).reasons[1:] == (
        "the repository asks for torch <2 (setup.py:7)",
        "the repository asks for Python >=3.7 (setup.py:7)",
    )
    assert choose("x:1", wants("<2")).reasons == ("named with --base",)


def test_nothing_fits() -> None:
    with pytest.raises(UsageError) as caught:
        choose(None, wants("<0.4"))
    assert (caught.value.code, caught.value.what) == ("no-base", "no NGC release has torch <0.4 (setup.py:7)")
    assert caught.value.fix == "without torch <0.4: nvcr.io/nvidia/pytorch:26.09-py3"


def test_nothing_fits_both() -> None:
    with pytest.raises(UsageError) as caught:
        choose(None, wants("==1.6.*", ">=3.8"))
    error = caught.value
    assert error.what == "no NGC release has both torch ==1.6.* (setup.py:7) and Python >=3.8 (setup.py:7)"
    assert error.why == "torch ==1.6.* is in 20.06 to 20.07; Python >=3.8 is in 20.12 to 26.09"
    assert error.fix == (
        "not from the table of images: python:3.8-slim (with torch 1.6.0 for CUDA 10.2 from PyTorch's index); "
        "without torch ==1.6.*: nvcr.io/nvidia/pytorch:26.09-py3; "
        "without Python >=3.8: nvcr.io/nvidia/pytorch:20.07-py3"
    )


def test_the_age_of_a_repository_and_the_machine() -> None:
    old = choose(None, wants(">=1.3", ">=3.6"), as_of=date(2022, 5, 10))
    assert old.value.release == "22.05"
    assert old.reasons[0] == "the newest NGC release up to 2022-05 that fits (the age of the repository)"
    here = choose(
        None, wants(">=1.3"), as_of=date(2022, 5, 10), host=[Gpu("NVIDIA H100 80GB HBM3", "535.183.01", "9.0")]
    )
    assert here.value.release == "22.09"
    assert here.reasons[0] == (
        "the oldest NGC release that fits: none does that was made by 2022-05 (the age of the repository)"
    )
    assert "this machine has NVIDIA H100 80GB HBM3 (9.0): it serves 6.0 to 9.0" in here.reasons


def test_a_repository_that_says_nothing() -> None:
    assert choose(None, Scan()).reasons == (
        "the newest NGC release that fits",
        "the repository declares neither torch nor Python versions",
    )


def test_who_says_the_day() -> None:
    found = choose(None, Scan(), as_of=Time(date(2022, 5, 31), "--as-of"))
    assert found.reasons[0] == "the newest NGC release up to 2022-05 that fits (--as-of)"


def test_an_empty_name_is_none() -> None:
    with pytest.raises(UsageError) as caught:
        choose("", Scan())
    assert caught.value.what == "'' is not the name of an image"
