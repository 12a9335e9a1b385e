"""Curves as a picture. Not among the unit tests: matplotlib asks the system for its fonts, through a program."""

from __future__ import annotations

import math
import re
import struct
import sys
from pathlib import Path

import pytest

from kobako.errors import UsageError
from kobako.train.curves import Series, fonts, picture
from kobako.train.curves.fonts import CJK

RUNS = [
    Series(run, tag, tuple((float(step), math.exp(-step / 200) + number / 10) for step in range(0, 600, every)))
    for number, run in enumerate(("20240101-1", "基準 $x^2$"))
    for tag, every in (("train/loss", 2), ("val/loss", 50), ("val/bbox_mAP", 50), ("lr", 2))
]


def size(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def test_a_png(tmp_path: Path) -> None:
    path = tmp_path / "curves.png"
    picture(RUNS, path, title="mmdetection")
    width, height = size(path)
    assert width > 1000
    assert height > 600
    assert [one.name for one in tmp_path.iterdir()] == ["curves.png"]


def test_an_svg_holds_its_words_and_is_the_same_every_time(tmp_path: Path) -> None:
    first, second = tmp_path / "a.svg", tmp_path / "b.SVG"
    picture(RUNS, first, title="学習")
    picture(RUNS, second, title="学習")
    text = first.read_text(encoding="utf-8")
    assert first.read_bytes() == second.read_bytes()
    for word in ("学習", "基準 $x^2$", "bbox_mAP", "best ", "evaluation", "training"):
        assert word in text
    assert not re.search(r"\d{4}-\d\d-\d\dT|matplotlib v", text)


@pytest.mark.parametrize(
    "values",
    [
        (),
        (math.nan, math.inf),
        (5.0,),
        (3.0,) * 10,
        (1.0, math.nan, 2.0),
        (-1.0, 0.0),
        (1e308, -1e308),
        (5e-324, 1e-300),
        tuple(1.0 + n % 7 for n in range(100_000)),
    ],
)
@pytest.mark.parametrize("log", [False, True])
def test_whatever_the_values(tmp_path: Path, values: tuple[float, ...], log: bool) -> None:
    one = Series("r", "train/loss", tuple((float(step), value) for step, value in enumerate(values)))
    picture([one, one._replace(tag="val/acc")], tmp_path / "x.png", log=log)
    assert size(tmp_path / "x.png")[0] > 500


def test_a_logarithmic_axis_has_plain_numbers(tmp_path: Path) -> None:
    one = Series("r", "train/loss", tuple((float(step), 10.0 ** (1.1 - step / 65)) for step in range(100)))
    picture([one], tmp_path / "x.svg", log=True)
    words = re.findall(r">([^<>\n]+)</text>", (tmp_path / "x.svg").read_text())
    assert {"1", "10", "2", "0.5"} <= set(words)
    assert not [word for word in words if "$" in word]


def test_nothing_to_draw(tmp_path: Path) -> None:
    picture([], tmp_path / "x.svg")
    assert "no numbers" in (tmp_path / "x.svg").read_text()


def test_more_measures_than_fit(tmp_path: Path) -> None:
    picture([Series("r", f"train/x{n}", ((0.0, 1.0), (1.0, 2.0))) for n in range(30)], tmp_path / "x.svg", title="many")
    assert "and 6 more" in (tmp_path / "x.svg").read_text()


def test_what_no_font_can_show_is_escaped() -> None:
    shown = fonts.writable([fonts.LATIN])
    assert shown("loss é 学習") == "loss é \\u5b66\\u7fd2"
    names = fonts.families()
    assert names[0] == fonts.LATIN
    if set(names) & set(CJK):
        assert fonts.writable(names)("学習") == "学習"


@pytest.mark.parametrize("name", ["curves", "curves.jpg", "curves.svg.gz"])
def test_another_suffix(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        picture(RUNS, tmp_path / name)
    assert (caught.value.code, caught.value.fix) == ("bad-picture", "name it .png or .svg")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        picture(RUNS[:1], tmp_path / "absent" / "curves.svg")
    assert (caught.value.code, caught.value.why) == ("bad-picture", "No such file or directory")


def test_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError) as caught:
        picture(RUNS, tmp_path / "curves.png")
    assert caught.value.code == "plot-missing"
    assert caught.value.fix == f"{sys.executable} -m pip install matplotlib"
    assert not list(tmp_path.iterdir())


def test_the_callers_settings_are_left_alone(tmp_path: Path) -> None:
    import matplotlib as mpl  # noqa: PLC0415

    mpl.rcParams["font.size"] = 17.0
    try:
        picture(RUNS[:1], tmp_path / "x.svg")
        assert mpl.rcParams["font.size"] == 17.0
    finally:
        mpl.rcdefaults()
