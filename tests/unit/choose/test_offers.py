"""Images that a user names, and rows of his own."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobako.choose import Asked, asked, offers
from kobako.choose.pick import pick
from kobako.choose.wording import unfit
from kobako.data import NgcRelease, own
from kobako.errors import UsageError, Where

NGC = "nvcr.io/nvidia/pytorch"


@pytest.mark.parametrize(
    ("image", "said", "against", "unknown"),
    [
        (f"{NGC}:22.02-py3", Asked("1.11", "11.6", "3.8", gpus=("A100",)), [], []),
        (f"{NGC}:22.02-py3@sha256:{'0' * 64}", Asked("1.11"), [], []),
        (f"{NGC}:22.02-py3", Asked("1.12"), ["torch 1.11.0a0 is not ==1.12.* (--torch)"], []),
        (f"{NGC}:22.02-py3", Asked(gpus=("H100",)), ["it serves up to 8.6; NVIDIA H100 is 9.0 (--gpu)"], []),
        (f"{NGC}:99.01-py3", Asked("3"), [], ["its torch is not known (--torch)"]),
        ("pytorch/pytorch:1.11.0-cuda11.3-cudnn8-devel", Asked("1.11", "11.3", "3.8"), [], []),
        (
            "pytorch/pytorch:1.11.0-cuda11.3-cudnn8-devel",
            Asked(cuda="11.6"),
            ["CUDA 11.3 is not ==11.6.* (--cuda)"],
            [],
        ),
        (
            "pytorch/pytorch:1.11.0-cuda11.3-cudnn8-devel",
            Asked(gpus=("H100",)),
            ["it serves up to 8.6; NVIDIA H100 is 9.0 (--gpu)"],
            [],
        ),
        (
            "pytorch/pytorch:1.11.0-cuda11.3-cudnn8-devel",
            Asked(gpus=("V100",)),
            [],
            ["which GPUs its torch was built for is not known; NVIDIA V100 is 7.0 (--gpu)"],
        ),
        # conda's images hold no package for older drivers
        (
            "pytorch/pytorch:2.1.0-cuda12.1-cudnn8-devel",
            Asked(driver="470", gpus=("V100",)),
            ["CUDA 12.1 needs driver 525 or later, and its package for older ones serves none (--driver)"],
            ["which GPUs its torch was built for is not known; NVIDIA V100 is 7.0 (--gpu)"],
        ),
        ("pytorch/pytorch:2.1.0-cuda12.1-cudnn8-devel", Asked(driver="525"), [], []),
        ("python:3.8-slim", Asked("1.11", python="3.8"), [], []),
        (
            "python:3.12-slim",
            Asked("1.11"),
            ["it brings no torch, and the index has none for Python 3.12 that is ==1.11.* (--torch)"],
            [],
        ),
        ("python:3.12-slim", Asked("9"), ["no release of torch is ==9.* (--torch)"], []),
        (
            "python:3.12",
            Asked(cuda="12.1"),
            [],
            ["the CUDA libraries come with the torch that is installed (--cuda)"],
        ),
        ("python:latest", Asked("2.1"), [], ["it brings no torch, and which Python it has is not known (--torch)"]),
        ("registry.example:5000/team/base:7", Asked("2.1"), [], ["its torch is not known (--torch)"]),
        (
            "registry.example:5000/team/base:7",
            Asked(driver="470"),
            [],
            ["which driver it needs is not known (--driver)"],
        ),
    ],
)
def test_an_image_that_the_user_names(image: str, said: Asked, against: list[str], unknown: list[str]) -> None:
    assert unfit(offers.named(image), asked(said).constraints) == (against, unknown)


def test_no_reference() -> None:
    with pytest.raises(UsageError):
        offers.named("a b")


def test_what_is_not_known_lies_between_its_neighbours() -> None:
    by = {offer.release: offer for offer in offers.ngc()}
    assert by["22.04"].python.possible == ("3.8",)
    assert by["22.04"].python.shown == "3.8 to judge by its neighbours"
    assert by["19.08"].cuda.possible == ("10.1.168", "10.1.243")
    assert by["18.11"].torch.possible[0] == "1.0"
    assert by["18.11"].torch.shown == "between 1.0 and 1.2.0"
    assert by["18.10"].python.possible == ("2.7", "3.5", "3.6")
    assert (by["24.12"].lowest, by["24.12"].unsure) == (("6.0", False), "7.5")
    assert by["21.08"].driver.minor == "450.80.02"


def test_own_rows_are_chosen_from() -> None:
    mine = NgcRelease(
        "registry.example/torch:7", "registry.example/torch:7", "22.04", "3.9", "11.8.0", "2.0.1", "own", "images.csv"
    )
    mine = mine._replace(release="23.07", compute_capability_min="7.0", compute_capability_max="9.0")
    found = pick(asked(Asked(python="3.9", gpus=("H100",), driver="450.80.02")), offers.ngc((mine,)))
    assert found.choice is not None
    assert (found.choice.offer.reference, found.choice.unknown) == ("registry.example/torch:7", ())
    assert found.choice.offer.own
    # what it does not say is not known, whatever its neighbours are
    bare = NgcRelease(*("" for _ in NgcRelease._fields))._replace(image="registry.example/x:1", python="3.9")
    (one,) = pick(asked(Asked("2.0", python="3.9")), offers.ngc((bare,))).candidates
    assert one.unknown == ("its torch is not known",)


def test_an_own_row_goes_before_the_table_s() -> None:
    mine = NgcRelease("22.02", f"{NGC}:22.02-py3", "20.04", "3.9", "11.6.0", "1.11.0", "own", "images.csv")
    table = offers.ngc((mine,))
    assert [one.own for one in table if one.release == "22.02"] == [True]
    assert offers.named(f"{NGC}:22.02-py3", (mine,)).image.python == "3.9"


TABLE = """\
image,python,pytorch,cuda,release
registry.example/torch:7,3.9,2.0.1,11.8,23.07
registry.example/torch:8,three,2.0.1,11.8,23.07
,3.9,2.0.1,11.8,23.07
registry.example/torch:9,3.10,2.1.0a0+1234,12.1.1,
registry.example/torch:9,3.10,2.1.0,12.1.1,23.08,more
a b,3.10,2.1.0,12.1.1,23.08
"""


def test_own_rows_are_read_and_bad_ones_are_named(tmp_path: Path) -> None:
    file = tmp_path / "kobako" / "images.csv"
    file.parent.mkdir()
    file.write_text(TABLE, encoding="utf-8")
    rows, problems = own.read({"XDG_CONFIG_HOME": str(tmp_path)})
    assert [(row.image, row.python, row.pytorch, row.confidence) for row in rows] == [
        ("registry.example/torch:7", "3.9", "2.0.1", "own"),
        ("registry.example/torch:9", "3.10", "2.1.0a0+1234", "own"),
    ]
    assert [(one.code, one.where, one.why) for one in problems] == [
        ("bad-images", Where(str(file), 3), "python is 'three'"),
        ("bad-images", Where(str(file), 4), "it names no image"),
        ("bad-images", Where(str(file), 6), "it has more cells than there are columns"),
        ("bad-images", Where(str(file), 7), "image is 'a b'"),
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "the table has no column image"),
        ("name,python\nx,3.8\n", "the table has no column image"),
        ("\0\0", "the table has no column image"),
        ("image\n" + "x" * 2**21, "is too large to be a table of images"),
    ],
)
def test_no_table(text: str, what: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(text, encoding="utf-8")
    rows, (problem,) = own.read({own.VARIABLE: str(file)})
    assert rows == ()
    assert problem.what.endswith(what)


def test_where_own_rows_are(tmp_path: Path) -> None:
    assert own.read({}) == ((), ())
    assert own.read({"HOME": str(tmp_path)}) == ((), ())
    missing = own.read({own.VARIABLE: str(tmp_path / "none.csv")})[1]
    assert [one.code for one in missing] == ["bad-images"]
    (tmp_path / ".config/kobako").mkdir(parents=True)
    (tmp_path / ".config/kobako/images.csv").write_text("image\nx:1\n", encoding="utf-8")
    assert [row.image for row in own.read({"HOME": str(tmp_path)})[0]] == ["x:1"]
