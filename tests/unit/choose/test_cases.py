"""Which release for which constraints. Each case follows from NVIDIA's release notes and CUDA's tables, not from code.

What the tables say, in short (``data/ngc_pytorch.csv``): 22.01 and 22.02 have torch 1.11.0a0 on CUDA 11.6.0, 22.03 has
1.12.0a0 on 11.6.1; Python is 3.6 up to 20.11, 3.8 up to 23.04, 3.10 up to 24.10, 3.12 since; Volta and older are served
up to 24.10 for certain and not from 25.01 on, Ampere from 20.06, Hopper from 22.09, Blackwell from 25.01 on. CUDA 11.x
runs on drivers from 450.80.02 on, 12.x from 525, 13.x from 580; a data centre's GPUs reach further down through the
package in the image, for the branches that the release's notes list.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from kobako.choose import Asked, asked, offers
from kobako.choose.pick import Chosen, pick


def chosen(**said: Any) -> Chosen:
    return pick(asked(Asked(**said)), offers.ngc())


def release(found: Chosen) -> str | None:
    return found.choice.offer.release if found.choice else None


CASES: list[tuple[dict[str, object], str | None]] = [
    ({}, "26.09"),
    # torch: a bare version is a prefix, and a pre-release counts as the release
    ({"torch": "1.11"}, "22.02"),
    ({"torch": "1.11.0"}, "22.02"),
    ({"torch": "==1.11.0"}, "22.02"),
    ({"torch": "torch==1.11.0+cu115"}, "22.02"),
    ({"torch": "1.3"}, "19.10"),
    ({"torch": "1.4"}, "20.01"),
    ({"torch": "1.5"}, "20.03"),
    ({"torch": "1.6"}, "20.07"),
    ({"torch": "1.7"}, "20.10"),
    ({"torch": "1.8"}, "21.02"),
    ({"torch": "1.9"}, "21.06"),
    ({"torch": "1.10"}, "21.10"),
    ({"torch": "1.12"}, "22.05"),
    ({"torch": "1.13"}, "22.11"),
    ({"torch": "1.14"}, "23.02"),
    ({"torch": "2.0"}, "23.05"),
    ({"torch": "2.1"}, "23.10"),  # not 2.10, which is in 26.01
    ({"torch": "2.10"}, "26.01"),
    ({"torch": "2.2"}, "24.01"),
    ({"torch": "2.3"}, "24.04"),
    ({"torch": "2.4"}, "24.07"),
    ({"torch": "2.5"}, "24.10"),
    ({"torch": "2.6"}, "25.01"),
    ({"torch": "2.7"}, "25.04"),
    ({"torch": "2.8"}, "25.08"),
    ({"torch": "2.9"}, "25.10"),
    ({"torch": ">=1.8,<1.12"}, "22.02"),
    ({"torch": "<2"}, "23.02"),
    ({"torch": "~=1.12.0"}, "22.05"),
    ({"torch": ">=2.14"}, "26.09"),
    ({"torch": "!=2.14.*"}, "26.07"),
    ({"torch": "<0.4"}, None),
    ({"torch": "3"}, None),
    # CUDA
    ({"torch": "1.11", "cuda": "11.6"}, "22.02"),
    ({"torch": "1.11", "cuda": "11.5"}, "21.12"),
    ({"torch": "1.11", "cuda": "12.1"}, None),
    ({"torch": "1.6", "cuda": "10.1"}, None),
    ({"cuda": "11.6"}, "22.04"),
    ({"cuda": "11.6.0"}, "22.02"),
    ({"cuda": "11.7.1"}, "22.08"),
    ({"cuda": "cu118"}, "22.12"),
    ({"cuda": "<12"}, "22.12"),
    ({"cuda": "10.2"}, "20.03"),
    ({"cuda": "12.1"}, "23.07"),
    ({"cuda": "12.4"}, "24.05"),
    ({"cuda": "13.0"}, "25.11"),
    ({"cuda": "12.7"}, None),  # there never was one
    # Python
    ({"python": "3.6"}, "20.11"),
    ({"python": "3.8"}, "23.04"),
    ({"python": "3.10"}, "24.10"),
    ({"python": "3.12"}, "26.09"),
    ({"python": "3.9"}, None),
    ({"python": ">=3.8,<3.11"}, "24.10"),
    ({"python": "<=3.8"}, "23.04"),
    ({"python": "3.8", "torch": "2.1"}, "23.04"),
    ({"python": "3.10", "torch": "2.0"}, "23.05"),
    ({"python": "3.6", "torch": "1.8"}, "20.11"),
    # GPUs
    ({"capabilities": ("12.0",)}, "26.09"),
    ({"gpus": ("Tesla V100",)}, "24.10"),
    ({"gpus": ("Tesla P100-PCIE-16GB",)}, "24.10"),
    ({"gpus": ("NVIDIA GeForce GTX 1080 Ti",)}, "24.10"),
    ({"gpus": ("Tesla K80",)}, None),
    ({"gpus": ("Tesla T4",)}, "26.09"),
    ({"gpus": ("A100",), "torch": "1.5"}, None),
    ({"gpus": ("A100",), "torch": "1.6"}, "20.07"),
    ({"gpus": ("H100",), "torch": "1.12"}, None),
    ({"gpus": ("H100",), "torch": "1.13"}, "22.11"),
    ({"gpus": ("H100",), "cuda": "11"}, "22.12"),
    ({"gpus": ("RTX 4090",), "torch": "2.0"}, "23.05"),
    ({"gpus": ("B200",), "torch": "2.5"}, None),
    ({"gpus": ("B200",), "torch": "2.6"}, "25.01"),
    ({"gpus": ("Tesla V100", "Tesla T4")}, "24.10"),
    ({"gpus": ("Tesla V100", "RTX 5090")}, None),
    ({"gpus": ("V100",), "capabilities": ("9.0",)}, "24.10"),
    # a newer GPU of the same major version runs the code of the older one, though the release does not know of it
    ({"gpus": ("RTX 3090",), "cuda": "11.0"}, "20.09"),
    ({"gpus": ("RTX 4090",), "torch": "1.11"}, "22.02"),
    ({"gpus": ("GB10",), "torch": "2.6"}, "25.01"),
    # drivers: minor-version compatibility for all GPUs, the package in the image for a data centre's
    ({"driver": "470"}, "22.12"),
    ({"driver": "470", "gpus": ("RTX 3090",)}, "22.12"),
    ({"driver": "470", "gpus": ("Tesla T4",)}, "25.08"),
    ({"driver": "470", "gpus": ("A100 80GB PCIe",), "torch": "2.1"}, "23.10"),
    ({"driver": "470", "gpus": ("Tesla T4", "RTX 3090")}, "22.12"),
    ({"driver": "470", "capabilities": ("8.0",)}, "25.08"),  # A100, A30 and A800 are all of that kind
    ({"driver": "470.42.01", "gpus": ("Tesla T4",)}, "22.12"),  # its branch is served from 470.57 on
    ({"driver": "580"}, "26.09"),
    ({"driver": "525.60.13"}, "25.06"),
    ({"driver": "R535"}, "25.06"),
    ({"driver": "570", "gpus": ("RTX 5090",)}, "25.06"),
    ({"driver": "450"}, "22.12"),
    ({"driver": "450.51.06"}, "20.09"),
    ({"driver": "450.51.06", "gpus": ("Tesla T4",)}, "23.12"),
    ({"driver": "440.33.01"}, "20.03"),
    ({"driver": "440.33.01", "gpus": ("Tesla V100",)}, "22.03"),
    ({"driver": "418.40"}, "19.10"),
    ({"driver": "418.40", "gpus": ("Tesla T4",)}, "22.03"),
    ({"driver": "410.48"}, "19.02"),
    ({"driver": "515.65.01", "gpus": ("A100",)}, "23.07"),
    ({"driver": "515.65.01"}, "22.12"),
    ({"driver": "384"}, None),
    ({"driver": "384", "gpus": ("Tesla V100",)}, "20.03"),
    # the time that something is from
    ({"as_of": date(2022, 5, 10)}, "22.05"),
    ({"as_of": date(2022, 3, 31), "torch": ">=1.3"}, "22.03"),
    ({"as_of": date(2021, 1, 5), "torch": "1.8"}, "20.12"),
    ({"as_of": date(2018, 1, 1)}, "18.10"),
    ({"as_of": date(2021, 12, 1), "torch": "1.12"}, "22.03"),
    ({"as_of": date(2022, 5, 10), "gpus": ("RTX 5090",)}, "25.01"),
]


def shown(said: dict[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in said.items()) or "nothing"


@pytest.mark.parametrize(("said", "wanted"), CASES, ids=[shown(said) for said, _ in CASES])
def test_the_release_for(said: dict[str, object], wanted: str | None) -> None:
    assert release(chosen(**said)) == wanted


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 60


def releases(found: Chosen) -> list[str]:
    return sorted(one.offer.release for one in found.candidates)


def test_blackwell_has_nothing_older_than_its_first_release() -> None:
    assert releases(chosen(capabilities=("12.0",)))[0] == "25.01"


def test_volta_has_nothing_from_25_01_on() -> None:
    found = chosen(gpus=("Tesla V100",))
    assert releases(found)[-1] == "24.12"
    unknown = [one.offer.release for one in found.candidates if one.unknown]
    assert unknown == ["24.12", "24.11"]  # the notes of these two were not read: they come last


@pytest.mark.parametrize(
    "said",
    [{"gpus": ("RTX 3090",), "cuda": "11.0"}, {"gpus": ("RTX 4090",), "torch": "1.11"}, {"torch": "1.1"}],
    ids=shown,
)
def test_what_nobody_knows_is_said(said: dict[str, object]) -> None:
    found = chosen(**said)
    assert found.choice is not None
    assert found.choice.unknown
    assert found.rejected


def test_the_known_come_before_the_unknown() -> None:
    found = chosen(driver="470", gpus=("Tesla T4",))
    known = [not one.unknown for one in found.candidates]
    assert known == sorted(known, reverse=True)
    assert "26.09" in releases(found)  # which older drivers its package serves, its notes may tell


def test_every_release_is_a_candidate_or_rejected() -> None:
    found = chosen(torch="1.11", cuda="11.6", python="3.8")
    both = [*releases(found), *(one.offer.release for one in found.rejected)]
    assert sorted(both) == [one.release for one in offers.ngc()]
    assert all(one.why for one in found.rejected)


def test_near_misses_come_first_and_lie_next_to_the_choice() -> None:
    found = chosen(torch="1.11", cuda="11.6")
    near = [(one.offer.release, one.why) for one in found.near_misses]
    assert near == [
        ("22.03", "torch 1.12.0a0 is not ==1.11.*"),
        ("22.04", "torch 1.12.0a0 is not ==1.11.*"),
        ("21.12", "CUDA 11.5.0 is not ==11.6.*"),
        ("21.11", "CUDA 11.5.0 is not ==11.6.*"),
    ]
    assert [one.is_near for one in found.rejected] == [True] * 4 + [False] * (len(found.rejected) - 4)
